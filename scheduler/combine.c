// SPDX-License-Identifier: MIT
/*
 * combine.c - all, any, race and then.
 *
 * A combined future has no place in a queue. It is held by its combination,
 * which counts the inputs that have not ended. Who ends an input that another
 * future waits for takes one step here: it may end that one too, and then goes
 * on with whoever waits for it, in a loop. Who takes the count to 0 does what
 * is left and consumes the future; until then future and inputs stay. So who
 * wants to look at the inputs meanwhile holds the count up by one.
 */
#include "scheduler/combine.h"

#include <errno.h>
#include <stddef.h>

#include <wyn/combine.h>

#include "base/assert.h"
#include "scheduler/combination.h"
#include "scheduler/group.h"
#include "scheduler/spawn.h"

static const struct wyn_value no_value = {.u64 = {0, 0}};

/* Returns: the future to be told, if this has ended `output`. */
static struct wyn_future *then_goes_on(struct wyn_future *output)
{
	struct wyn_combination *combination = output->combination;
	struct wyn_pool *pool = wyn_future_pool(output);
	struct wyn_item item = {.fn = wyn_future_run, .arg = output};
	struct wyn_injector_batch batch = {.items = &item, .n = 1};
	int r = wyn_future_outcome(combination->inputs[0]);

	/* [continue] whoever starts it from now on sees the input's end. */
	if (r >= 0 &&
		(atomic_fetch_and_explicit(&output->state,
			 ~(uint32_t)WYN_FUTURE_HELD, memory_order_acq_rel) &
			WYN_FUTURE_DONE) == 0) {
		/* An await may have claimed it: the input is not ours now. */
		r = wyn_pool_enqueue(pool, &batch);
		if (r == 0) {
			return NULL;
		}
	} else {
		wyn_pool_leave(pool, 1);
		wyn_combination_drop(combination, NULL);
	}
	if (!wyn_future_begin(output)) {
		(void)wyn_future_consume(output);
		return NULL;
	}
	return wyn_future_settle(
		output, r, no_value, WYN_FUTURE_DONE | WYN_FUTURE_CONSUMED);
}

/* The same for an all whose inputs have ended. */
static struct wyn_future *all_ends(struct wyn_future *output, int error)
{
	struct wyn_combination *combination = output->combination;
	struct wyn_value value = {.ptr = {combination->values, NULL}};
	bool begun = wyn_future_begin(output);

	value.u64[1] = combination->n;
	for (uint32_t i = 0; begun && error == 0 && i < combination->n; i++) {
		combination->values[i] = combination->inputs[i]->value;
	}
	if (!begun || error < 0) {
		wyn_combination_drop(combination, NULL);
	}
	if (!begun) {
		(void)wyn_future_consume(output);
		return NULL;
	}
	return wyn_future_settle(output, error, error < 0 ? no_value : value,
		WYN_FUTURE_DONE | WYN_FUTURE_CONSUMED);
}

/* The same for an any or a race. */
static struct wyn_future *contest_ends(struct wyn_future *output, int error)
{
	wyn_combination_drop(output->combination, output->combination->winner);
	if (!wyn_future_begin(output)) {
		(void)wyn_future_consume(output);
		return NULL;
	}
	return wyn_future_settle(
		output, error, no_value, WYN_FUTURE_DONE | WYN_FUTURE_CONSUMED);
}

/* One input less, or one look. Returns: as then_goes_on. */
static struct wyn_future *combination_release(struct wyn_future *output)
{
	struct wyn_combination *combination = output->combination;
	int error;

	/* [inputs] the last one sees what all have left. */
	if (atomic_fetch_sub_explicit(
		    &combination->pending, 1, memory_order_acq_rel) > 1) {
		return NULL;
	}
	error = atomic_load_explicit(&combination->error, memory_order_relaxed);
	switch (combination->kind) {
	case WYN_COMBINE_THEN:
		return then_goes_on(output);
	case WYN_COMBINE_ALL:
		return all_ends(output, error);
	default:
		return contest_ends(output, error);
	}
}

/* An input has decided an any or a race. Returns: as then_goes_on. */
static struct wyn_future *contest_won(
	struct wyn_future *output, struct wyn_future *input, int r)
{
	struct wyn_future *next;

	/* [inputs] it stays as long as its value can be read. */
	output->combination->winner = input;
	next = wyn_future_settle(
		output, r, r >= 0 ? input->value : no_value, WYN_FUTURE_DONE);
	wyn_combine_cancel(output);
	return next;
}

/* One input has ended. Returns: as then_goes_on. */
static struct wyn_future *combination_step(
	struct wyn_future *output, struct wyn_future *input)
{
	struct wyn_combination *combination = output->combination;
	int r = wyn_future_outcome(input);
	bool decides = combination->kind == WYN_COMBINE_RACE ||
		       (combination->kind == WYN_COMBINE_ANY && r >= 0);
	struct wyn_future *won = NULL;
	struct wyn_future *ended;
	int32_t none = 0;

	if (decides && wyn_future_begin(output)) {
		won = contest_won(output, input, r);
	} else if (r < 0) {
		/* [inputs] published by the release. */
		atomic_compare_exchange_strong_explicit(&combination->error,
			&none, r, memory_order_relaxed, memory_order_relaxed);
	}
	ended = combination_release(output);
	return won != NULL ? won : ended;
}

void wyn_combine_tell(struct wyn_future *output, struct wyn_future *input)
{
	while (output != NULL) {
		struct wyn_future *next = combination_step(output, input);

		input = output;
		output = next;
	}
}

/* Puts a future whose inputs are to be cancelled on the list. */
static void cancel_push(struct wyn_future **list, struct wyn_future *output)
{
	struct wyn_combination *combination = wyn_future_combination(output);

	if (combination != NULL && wyn_combination_hold(combination)) {
		combination->cancel_next = *list;
		*list = output;
	}
}

/* Whoever was the one to end a future before its inputs walks over them, and
 * over theirs: a list, since combinations of combinations may be deep. What
 * waits for one of them has ended itself, so nothing goes on from here. */
void wyn_combine_cancel(struct wyn_future *output)
{
	struct wyn_future *list = NULL;

	cancel_push(&list, output);
	while ((output = list) != NULL) {
		struct wyn_combination *combination = output->combination;
		struct wyn_future *next;

		list = combination->cancel_next;
		for (uint32_t i = 0; i < combination->n; i++) {
			struct wyn_future *input = combination->inputs[i];

			if (wyn_future_stop(input)) {
				cancel_push(&list, input);
			}
		}
		next = combination_release(output);
		wyn_assert(next == NULL);
	}
}

static int inputs_check(const struct wyn_pool *pool,
	struct wyn_future *const *inputs, size_t n, size_t min)
{
	if (n < min) {
		return -EINVAL;
	}
	if (n > WYN_COMBINE_INPUTS_MAX) {
		return -E2BIG;
	}
	for (size_t i = 0; i < n; i++) {
		if (inputs[i] == NULL || wyn_future_pool(inputs[i]) != pool) {
			return -EINVAL;
		}
	}
	return wyn_pool_is_dead(pool) ? -ESHUTDOWN : 0;
}

/* A held future and its combination, with nothing in it. */
static struct wyn_future *output_make(struct wyn_pool *pool,
	enum wyn_combine_kind kind, size_t n,
	const struct wyn_spawn_options *options)
{
	struct wyn_future *output =
		wyn_future_make(pool, options, WYN_FUTURE_HELD);
	struct wyn_combination *combination;

	if (output == NULL) {
		return NULL;
	}
	combination = wyn_combination_make(pool, kind, n);
	if (combination == NULL) {
		wyn_future_unmake(output);
		return NULL;
	}
	combination->group = output->group;
	output->combination = combination;
	atomic_init(&output->state, WYN_FUTURE_HELD | WYN_FUTURE_COMBINED);
	return output;
}

static int combine(struct wyn_pool *pool, enum wyn_combine_kind kind,
	struct wyn_future *const *inputs, size_t n,
	struct wyn_future **ret_future)
{
	int r = inputs_check(pool, inputs, n, kind == WYN_COMBINE_ALL ? 0 : 1);
	struct wyn_combination *combination;
	struct wyn_future *output, *next;

	if (r < 0) {
		return r;
	}
	output = output_make(pool, kind, n, NULL);
	if (output == NULL) {
		return -ENOMEM;
	}
	combination = output->combination;
	for (size_t i = 0; i < n; i++) {
		combination->inputs[i] = inputs[i];
	}
	/* [continue] publishes it; our own look keeps the inputs, of which
	 * the first may end before the last is attached. */
	atomic_init(&combination->pending, (uint32_t)n + 1);
	for (size_t i = 0; i < n; i++) {
		if (!wyn_future_attach(inputs[i], output)) {
			wyn_combine_tell(output, inputs[i]);
		}
	}
	next = combination_release(output);
	wyn_assert(next == NULL);
	*ret_future = output;
	return 0;
}

int wyn_future_all(struct wyn_pool *pool, struct wyn_future *const *inputs,
	size_t n, struct wyn_future **ret_future)
{
	return combine(pool, WYN_COMBINE_ALL, inputs, n, ret_future);
}

int wyn_future_any(struct wyn_pool *pool, struct wyn_future *const *inputs,
	size_t n, struct wyn_future **ret_future)
{
	return combine(pool, WYN_COMBINE_ANY, inputs, n, ret_future);
}

int wyn_future_race(struct wyn_pool *pool, struct wyn_future *const *inputs,
	size_t n, struct wyn_future **ret_future)
{
	return combine(pool, WYN_COMBINE_RACE, inputs, n, ret_future);
}

/* The body of a then's task. */
static int then_body(void *arg, struct wyn_value *ret_value)
{
	struct wyn_future *output = arg;
	struct wyn_combination *combination = output->combination;
	struct wyn_future *input = combination->inputs[0];
	int r;

	wyn_future_keep(input);
	r = combination->map.fn(combination->map.arg, input->value, ret_value);
	wyn_combination_drop(combination, NULL);
	return r;
}

/* Tells a then of an input that had ended before. On an error nothing has
 * happened yet. */
static int then_begins_late(struct wyn_future *output)
{
	struct wyn_item item = {.fn = wyn_future_run, .arg = output};
	struct wyn_injector_batch batch = {.items = &item, .n = 1};
	struct wyn_combination *combination = output->combination;

	if (wyn_future_outcome(combination->inputs[0]) < 0) {
		wyn_combine_tell(output, combination->inputs[0]);
		return 0;
	}
	/* As combination_release() and then_goes_on() leave them. */
	atomic_store_explicit(&combination->pending, 0, memory_order_relaxed);
	atomic_store_explicit(
		&output->state, WYN_FUTURE_COMBINED, memory_order_relaxed);
	return wyn_pool_enqueue(wyn_future_pool(output), &batch);
}

int wyn_future_then(struct wyn_future *input, wyn_map_fn *fn, void *arg,
	const struct wyn_spawn_options *options, struct wyn_future **ret_future)
{
	struct wyn_pool *pool = input != NULL ? wyn_future_pool(input) : NULL;
	struct wyn_group *group = options != NULL ? options->group : NULL;
	struct wyn_combination *combination;
	struct wyn_future *output;
	int r;

	if (pool == NULL) {
		return -EINVAL;
	}
	r = wyn_pool_enter(pool, 1);
	if (r < 0) {
		return r;
	}
	if (group != NULL && wyn_group_is_cancelled(group)) {
		r = -ECANCELED;
		goto leave;
	}
	output = output_make(pool, WYN_COMBINE_THEN, 1, options);
	if (output == NULL) {
		r = -ENOMEM;
		goto leave;
	}
	output->call.fn = then_body;
	output->call.arg = output;
	combination = output->combination;
	combination->map.fn = fn;
	combination->map.arg = arg;
	combination->inputs[0] = input;
	atomic_init(&combination->pending, 1);
	/* [continue] publishes all that. */
	r = wyn_future_attach(input, output) ? 0 : then_begins_late(output);
	if (r < 0) {
		wyn_future_unmake(output);
		wyn_combination_free(pool, combination);
		return r; /* it has left */
	}
	*ret_future = output;
	return 0;

leave:
	wyn_pool_leave(pool, 1);
	return r;
}

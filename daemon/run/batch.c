// SPDX-License-Identifier: MIT
/*
 * batch.c - see batch.h. The loop's thread only.
 */
#include "daemon/run/batch.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "daemon/modules/module.h"
#include "daemon/run/command.h"
#include "daemon/run/input.h"

static struct wyn_batch *batch_alloc(
	struct wyn_memory *memory, size_t region_bytes, size_t spare_bytes)
{
	size_t bytes = wyn_batch_bytes(region_bytes + spare_bytes);
	struct wyn_batch *batch = wyn_memory_acquire(memory, bytes);

	if (batch == NULL) {
		return NULL;
	}
	memset(batch, 0, sizeof(*batch));
	batch->holders = 1;
	batch->memory = memory;
	batch->bytes = bytes;
	batch->region_bytes = region_bytes;
	batch->span.batch = batch;
	wyn_list_init(&batch->span.link);
	wyn_list_init(&batch->tasks);
	wyn_list_init(&batch->spans);
	wyn_list_push_back(&batch->spans, &batch->span.of_batch);
	return batch;
}

struct wyn_batch *wyn_batch_create(struct wyn_memory *memory,
	const struct wyn_args *args, size_t spare_bytes)
{
	struct wyn_batch *batch =
		batch_alloc(memory, args->region.len, spare_bytes);

	if (batch == NULL) {
		return NULL;
	}
	memcpy(batch->region, args->region.data, args->region.len);
	batch->span.args = *args;
	batch->span.args.region.data = batch->region;
	batch->count = args->count;
	return batch;
}

static bool is_whole(const struct wyn_batch *batch)
{
	return !wyn_list_empty(&batch->span.link) &&
	       batch->span.args.count == batch->count;
}

size_t wyn_batch_room(const struct wyn_batch *batch)
{
	return is_whole(batch) ? wyn_batch_spare(batch) : 0;
}

void wyn_batch_append(struct wyn_batch *batch, const struct wyn_args *args)
{
	struct wyn_args *all = &batch->span.args;

	wyn_assert(args->region.len <= wyn_batch_room(batch));
	memcpy(batch->region + batch->region_bytes, args->region.data,
		args->region.len);
	batch->region_bytes += args->region.len;
	batch->count += args->count;
	all->region.len += args->region.len;
	all->count += args->count;
	all->bytes_total += args->bytes_total;
}

struct wyn_batch *wyn_batch_create_upload(struct wyn_memory *memory,
	uint64_t argument_bytes, uint8_t **ret_argument)
{
	struct wyn_batch *batch = batch_alloc(
		memory, WYN_ARGS_HEAD_BYTES_MAX + argument_bytes, 0);
	size_t head;

	if (batch == NULL) {
		return NULL;
	}
	head = wyn_args_head_put(batch->region, argument_bytes);
	batch->span.args = (struct wyn_args){
		.region = {batch->region, head + argument_bytes},
		.count = 1,
		.bytes_total = argument_bytes,
	};
	batch->count = 1;
	*ret_argument = batch->region + head;
	return batch;
}

void wyn_batch_function_set(
	struct wyn_batch *batch, const struct wyn_function_entry *function)
{
	wyn_assert(batch->function == NULL);
	batch->function = function;
	wyn_module_hold(function->version);
}

void wyn_batch_hold(struct wyn_batch *batch)
{
	batch->holders++;
	wyn_assert(batch->holders != 0);
}

static void input_destroy(struct wyn_input *input)
{
	if (input != NULL) {
		wyn_input_fini(input);
		free(input);
	}
}

size_t wyn_batch_release(struct wyn_batch *batch)
{
	size_t bytes = batch->bytes;

	wyn_assert(batch->holders > 0);
	if (--batch->holders > 0) {
		return 0;
	}
	if (batch->timers != NULL) {
		wyn_timers_disarm(batch->timers, &batch->deadline);
	}
	if (batch->function != NULL) {
		wyn_module_release(batch->function->version);
	}
	free(batch->marks);
	free(batch->label);
	bytes += wyn_command_bytes(batch->command);
	wyn_command_destroy(batch->command);
	input_destroy(batch->input);
	wyn_memory_release(batch->memory, batch, batch->bytes);
	return bytes;
}

/* The cursor counts what is left; credit wants the bytes of it as well. */
static bool args_take(struct wyn_args *args, struct wyn_slice *ret_argument)
{
	if (!wyn_args_next(args, ret_argument)) {
		return false;
	}
	args->bytes_total -= ret_argument->len;
	return true;
}

bool wyn_element_take(struct wyn_args *args, struct wyn_element *ret_element)
{
	const uint8_t *begin = args->region.data;

	if (!args_take(args, &ret_element->argument)) {
		return false;
	}
	ret_element->whole =
		(struct wyn_slice){begin, (size_t)(args->region.data - begin)};
	return true;
}

bool wyn_span_take(struct wyn_span *span, uint64_t *ret_seq,
	struct wyn_element *ret_element)
{
	if (!wyn_element_take(&span->args, ret_element)) {
		return false;
	}
	*ret_seq = span->next_seq++;
	return true;
}

struct wyn_span *wyn_span_again(const struct wyn_part *part)
{
	struct wyn_batch *batch = part->batch;
	struct wyn_span *span = malloc(sizeof(*span));

	if (span == NULL) {
		return NULL;
	}
	*span = (struct wyn_span){
		.batch = batch,
		.next_seq = part->first_seq,
		.args = part->args,
		.slow = part->slow,
	};
	wyn_list_init(&span->link);
	wyn_list_push_back(&batch->spans, &span->of_batch);
	wyn_batch_hold(batch);
	return span;
}

bool wyn_span_prepend(struct wyn_span *span, const struct wyn_part *part)
{
	const struct wyn_slice *before = &part->args.region;
	struct wyn_args *args = &span->args;

	if (span->batch != part->batch || span->slow != part->slow ||
		span->next_seq != part->first_seq + part->args.count ||
		args->region.data != before->data + before->len) {
		return false;
	}
	span->next_seq = part->first_seq;
	args->region.data = before->data;
	args->region.len += before->len;
	args->count += part->args.count;
	args->bytes_total += part->args.bytes_total;
	return true;
}

/* Takes `count` arguments off. Returns: their bytes. */
static uint64_t args_skip(struct wyn_args *args, uint64_t count)
{
	uint64_t before = args->bytes_total;
	struct wyn_slice argument;

	for (uint64_t i = 0; i < count; i++) {
		(void)args_take(args, &argument);
	}
	return before - args->bytes_total;
}

void wyn_span_take_run(struct wyn_span *span, uint64_t count,
	uint64_t *ret_first_seq, struct wyn_args *ret_args)
{
	struct wyn_args *args = &span->args;

	wyn_assert(count <= args->count);
	*ret_first_seq = span->next_seq;
	ret_args->region.data = args->region.data;
	ret_args->count = count;
	ret_args->bytes_total = args_skip(args, count);
	ret_args->region.len =
		(size_t)(args->region.data - ret_args->region.data);
	span->next_seq += count;
}

/*
 * Notes every 256th argument. Elements have any length, so that finding one in
 * the middle takes a walk over those before it, and a client may cut at each in
 * turn, the last first. False: no memory.
 */
static bool marks_make(struct wyn_batch *batch, uint64_t *looks)
{
	size_t n = (size_t)(batch->count / WYN_BATCH_STRIDE) + 1;
	struct wyn_args args = {
		.region = {batch->region, batch->region_bytes},
		.count = batch->count,
		.bytes_total = UINT64_MAX,
	};
	uint64_t bytes = 0;

	batch->marks = calloc(n, sizeof(*batch->marks));
	if (batch->marks == NULL) {
		return false;
	}
	for (size_t i = 0; i < n; i++) {
		batch->marks[i] =
			(struct wyn_batch_mark){args.region.data, bytes};
		bytes += args_skip(&args, WYN_BATCH_STRIDE);
	}
	*looks += batch->count;
	return true;
}

/* Where the argument of a task is, and how many bytes those before it have. */
static struct wyn_batch_mark mark_of(
	const struct wyn_batch *batch, uint64_t seq, uint64_t *looks)
{
	uint64_t index = seq - batch->first_seq;
	uint64_t near = index % WYN_BATCH_STRIDE;
	const struct wyn_batch_mark *mark =
		&batch->marks[index / WYN_BATCH_STRIDE];
	const uint8_t *end = batch->region + batch->region_bytes;
	struct wyn_args args = {
		.region = {mark->at, (size_t)(end - mark->at)},
		.count = near,
		.bytes_total = UINT64_MAX,
	};
	uint64_t bytes = mark->bytes + args_skip(&args, near);

	*looks += near;
	return (struct wyn_batch_mark){args.region.data, bytes};
}

struct wyn_span *wyn_span_split(
	struct wyn_span *span, uint64_t count, uint64_t *looks)
{
	struct wyn_batch *batch = span->batch;
	struct wyn_span *rest = malloc(sizeof(*rest));
	struct wyn_args *args = &span->args;
	struct wyn_batch_mark from;
	struct wyn_batch_mark cut;

	wyn_assert(count > 0 && count < span->args.count);
	if (rest == NULL ||
		(batch->marks == NULL && !marks_make(batch, looks))) {
		free(rest);
		return NULL;
	}
	from = mark_of(batch, span->next_seq, looks);
	cut = mark_of(batch, span->next_seq + count, looks);
	*rest = *span;
	wyn_list_init(&rest->link);
	wyn_list_insert_between(
		&rest->of_batch, &span->of_batch, span->of_batch.next);
	rest->next_seq += count;
	rest->args = (struct wyn_args){
		.region = {cut.at, (size_t)(args->region.data +
					    args->region.len - cut.at)},
		.count = args->count - count,
		.bytes_total = args->bytes_total - (cut.bytes - from.bytes),
	};
	args->count = count;
	args->bytes_total -= rest->args.bytes_total;
	args->region.len -= rest->args.region.len;
	wyn_batch_hold(batch);
	return rest;
}

size_t wyn_span_drop(struct wyn_span *span)
{
	struct wyn_batch *batch = span->batch;

	wyn_list_remove(&span->link);
	wyn_list_remove(&span->of_batch);
	if (span != &batch->span) {
		free(span);
	}
	return wyn_batch_release(batch);
}

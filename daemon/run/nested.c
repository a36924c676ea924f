// SPDX-License-Identifier: MIT
/*
 * nested.c - see nested.h.
 *
 * A call and those that it makes are a tree, whose root is a task's own call.
 * Whether the result is wanted is asked from a call upwards: each may be
 * unwanted by itself, since its caller has returned, and all are with the task.
 * Waiting for one that runs elsewhere is safe without a spare thread too: what
 * it waits for has begun after it, and nobody waits for what began before.
 */
#include "daemon/run/nested.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <wyn/future.h>

#include "base/assert.h"
#include "base/list.h"
#include "daemon/run/account.h"
#include "daemon/run/call.h"
#include "daemon/modules/catalog.h"

#define RETRY_NS 1000000L /* see wait_for() */

struct tree {
	struct wyn_context *root; /* [I] the task's own call */
	struct wyn_pool *pool;	  /* [I] */
	_Atomic uint32_t count;	  /* [A nested] of calls in it */
};

/* What one call has called. [W] its own worker's. */
struct wyn_nest {
	struct tree *tree;
	struct wyn_spawned *self;    /* NULL = the task's own call */
	struct wyn_list spawned;     /* and not awaited */
	struct wyn_spawned *awaited; /* the last; NULL = none */
	unsigned depth;		     /* of what it calls */
};

/* A nested call. [I] where nothing else is said. */
struct wyn_spawned {
	struct wyn_context context;
	const struct wyn_function_entry *function;
	bool holds;		    /* its version, which is not its caller's */
	struct wyn_spawned *caller; /* NULL = the task's own call */
	struct wyn_list link;	    /* its caller's */
	struct wyn_future *future;
	struct wyn_nest nest;	    /* what it calls itself */
	struct wyn_outcome outcome; /* of its worker, then its caller's */
	uint8_t small[WYN_INLINE_VALUE_BYTES];
	atomic_bool unwanted; /* [A unwanted] by its caller */
	size_t argument_bytes;
	uint8_t argument[];
};

static struct wyn_spawned *of(const struct wyn_context *context)
{
	return WYN_CONTAINER_OF(context, struct wyn_spawned, context);
}

static bool context_cancelled(const struct wyn_context *context)
{
	const struct wyn_spawned *at = of(context);
	const struct wyn_context *root = at->nest.tree->root;

	for (; at != NULL; at = at->caller) {
		/* [unwanted] pairs with wyn_nested_end(). */
		if (atomic_load_explicit(&at->unwanted, memory_order_acquire)) {
			return true;
		}
	}
	return root->ops->cancelled(root);
}

static void *context_value_reserve(struct wyn_context *context, size_t bytes)
{
	return wyn_outcome_reserve(&of(context)->outcome, bytes);
}

static int context_value_append(
	struct wyn_context *context, const void *data, size_t bytes)
{
	return wyn_call_append(&of(context)->outcome, data, bytes);
}

static int context_fail(
	struct wyn_context *context, int status, const char *message)
{
	wyn_outcome_say(&of(context)->outcome, message);
	return status;
}

/* Partial values are the task's own. */
static int context_emit(
	struct wyn_context *context, const void *data, size_t bytes)
{
	(void)data;
	(void)bytes;
	return context_cancelled(context) ? -ECANCELED : 0;
}

static int context_progress(
	struct wyn_context *context, uint64_t done, uint64_t total)
{
	(void)done;
	(void)total;
	return context_cancelled(context) ? -ECANCELED : 0;
}

static uint64_t context_deadline_ns(const struct wyn_context *context)
{
	const struct wyn_context *root = of(context)->nest.tree->root;

	return root->ops->deadline_ns(root);
}

static void context_log(
	const struct wyn_context *context, int level, const char *text)
{
	wyn_call_log(of(context)->function, level, text);
}

static void *context_state(struct wyn_context *context)
{
	return wyn_call_state(of(context)->function, &of(context)->outcome);
}

static int context_spawn(struct wyn_context *context, const char *name,
	const void *argument, size_t argument_bytes,
	struct wyn_spawned **ret_spawned)
{
	struct wyn_spawned *self = of(context);

	self->outcome.nest = &self->nest;
	return wyn_nested_spawn(context, self->function, &self->outcome, name,
		(struct wyn_slice){argument, argument_bytes}, ret_spawned);
}

static int context_await(struct wyn_context *context,
	struct wyn_spawned *spawned, const void **ret_value, size_t *ret_bytes)
{
	return wyn_nested_await(
		&of(context)->outcome, spawned, ret_value, ret_bytes);
}

static const struct wyn_context_ops context_ops = {
	.size_bytes = sizeof(struct wyn_context_ops),
	.value_reserve = context_value_reserve,
	.fail = context_fail,
	.emit = context_emit,
	.cancelled = context_cancelled,
	.value_append = context_value_append,
	.progress = context_progress,
	.deadline_ns = context_deadline_ns,
	.log = context_log,
	.state = context_state,
	.spawn = context_spawn,
	.await = context_await,
};

/* The body of its future. */
static int spawned_run(void *arg, struct wyn_value *ret_value)
{
	struct wyn_spawned *self = arg;
	struct wyn_outcome *outcome = &self->outcome;
	int status = WYN_STATUS_CANCELLED;

	(void)ret_value;
	if (!context_cancelled(&self->context)) {
		status = wyn_call_run(self->function, &self->context,
			self->argument, self->argument_bytes);
	}
	if (outcome->nest != NULL) {
		wyn_nested_end(outcome);
	}
	wyn_call_state_give(self->function, outcome);
	wyn_outcome_conclude(outcome, status, false, self->function->name);
	return 0;
}

/* What its module calls by name is of the same version: it cannot be unloaded
 * while its caller runs, and needs no lock to be found. */
static const struct wyn_function_entry *find(
	const struct wyn_function_entry *caller, const char *name,
	bool *ret_holds)
{
	const struct wyn_module_version *version = caller->version;

	*ret_holds = false;
	for (size_t i = 0; i < version->functions_count; i++) {
		if (!strcmp(version->functions[i].name, name)) {
			return &version->functions[i];
		}
	}
	*ret_holds = true;
	return wyn_catalog_hold(version->catalog, wyn_slice_of(name));
}

/* Small ones are not worth counting. */
static size_t charged_bytes(size_t argument_bytes)
{
	return argument_bytes > WYN_INLINE_VALUE_BYTES ? argument_bytes : 0;
}

static struct wyn_spawned *spawned_create(const struct wyn_nest *nest,
	const struct wyn_outcome *outcome, struct wyn_slice argument)
{
	size_t charged = charged_bytes(argument.len);
	struct wyn_spawned *self;

	if (argument.len > outcome->value_bytes_max ||
		(charged > 0 && !wyn_account_take(outcome->account, charged))) {
		return NULL;
	}
	self = calloc(1, sizeof(*self) + argument.len);
	if (self == NULL) {
		wyn_account_give_back(outcome->account, charged);
		return NULL;
	}
	self->context.ops = &context_ops;
	self->nest.tree = nest->tree;
	self->nest.self = self;
	self->caller = nest->self;
	self->nest.depth = nest->depth + 1;
	wyn_list_init(&self->nest.spawned);
	wyn_list_init(&self->link);
	self->outcome.account = outcome->account;
	self->outcome.value_bytes_max = outcome->value_bytes_max;
	self->outcome.small = self->small;
	atomic_init(&self->unwanted, false);
	self->argument_bytes = argument.len;
	if (argument.len > 0) {
		memcpy(self->argument, argument.data, argument.len);
	}
	return self;
}

/* It has ended, or never began. */
static void spawned_free(struct wyn_spawned *self)
{
	struct tree *tree;

	if (self == NULL) {
		return;
	}
	tree = self->nest.tree;
	wyn_list_remove(&self->link);
	wyn_future_drop(self->future);
	wyn_outcome_clear(&self->outcome);
	wyn_account_give_back(
		self->outcome.account, charged_bytes(self->argument_bytes));
	if (self->holds) {
		wyn_module_release(self->function->version);
	}
	/* [nested] relaxed: a number, of which nobody goes by more. */
	atomic_fetch_sub_explicit(&tree->count, 1, memory_order_relaxed);
	free(self);
}

/* Of a task's own call. Returns: false without memory. */
static bool nest_create(struct wyn_context *context,
	const struct wyn_function_entry *function, struct wyn_outcome *outcome)
{
	struct {
		struct wyn_nest nest;
		struct tree tree;
	} *both = calloc(1, sizeof(*both));

	if (both == NULL) {
		return false;
	}
	both->tree.root = context;
	both->tree.pool = function->version->catalog->pool;
	both->nest.tree = &both->tree;
	wyn_list_init(&both->nest.spawned);
	outcome->nest = &both->nest;
	return true;
}

/* One call more in the tree, unless there are too many. */
static bool count_raise(struct tree *tree)
{
	/* [nested] relaxed: adds first and goes by what that returned. */
	if (atomic_fetch_add_explicit(&tree->count, 1, memory_order_relaxed) <
		WYN_NESTED_MAX) {
		return true;
	}
	atomic_fetch_sub_explicit(&tree->count, 1, memory_order_relaxed);
	return false;
}

static int spawn(struct wyn_nest *nest, const struct wyn_outcome *outcome,
	const struct wyn_function_entry *function, bool holds,
	struct wyn_slice argument, struct wyn_spawned **ret_spawned)
{
	struct wyn_spawned *self = NULL;

	if (nest->depth < WYN_NESTED_DEPTH_MAX && count_raise(nest->tree)) {
		self = spawned_create(nest, outcome, argument);
		if (self == NULL) {
			atomic_fetch_sub_explicit(
				&nest->tree->count, 1, memory_order_relaxed);
		}
	}
	if (self == NULL) {
		return WYN_STATUS_RESOURCE_EXHAUSTED;
	}
	self->function = function;
	if (wyn_pool_spawn(nest->tree->pool, spawned_run, self, NULL,
		    &self->future) < 0) {
		self->future = NULL;
		spawned_free(self);
		return WYN_STATUS_RESOURCE_EXHAUSTED;
	}
	self->holds = holds;
	wyn_list_push_back(&nest->spawned, &self->link);
	*ret_spawned = self;
	return WYN_STATUS_OK;
}

int wyn_nested_spawn(struct wyn_context *context,
	const struct wyn_function_entry *function, struct wyn_outcome *outcome,
	const char *name, struct wyn_slice argument,
	struct wyn_spawned **ret_spawned)
{
	const struct wyn_function_entry *found;
	bool holds;
	int code;

	if (function->version->catalog->pool == NULL) {
		return WYN_STATUS_UNIMPLEMENTED;
	}
	if (outcome->nest == NULL && !nest_create(context, function, outcome)) {
		return WYN_STATUS_RESOURCE_EXHAUSTED;
	}
	found = find(function, name, &holds);
	if (found == NULL) {
		return WYN_STATUS_NOT_FOUND;
	}
	code = spawn(
		outcome->nest, outcome, found, holds, argument, ret_spawned);
	if (code != WYN_STATUS_OK && holds) {
		wyn_module_release(found->version);
	}
	return code;
}

/* Without a spare thread for our seat we look now and then; it is for as long
 * as all of them are lent. */
static void wait_for(const struct wyn_spawned *spawned)
{
	const struct timespec pause = {.tv_nsec = RETRY_NS};

	while (wyn_future_await(spawned->future, NULL) == -EDEADLK) {
		(void)nanosleep(&pause, NULL);
	}
}

int wyn_nested_await(struct wyn_outcome *outcome, struct wyn_spawned *spawned,
	const void **ret_value, size_t *ret_bytes)
{
	struct wyn_nest *nest = outcome->nest;

	wyn_assert(nest != NULL);
	spawned_free(nest->awaited);
	wait_for(spawned);
	wyn_list_remove(&spawned->link);
	nest->awaited = spawned;
	*ret_value = spawned->outcome.value;
	*ret_bytes = spawned->outcome.value_bytes;
	return (int)spawned->outcome.code;
}

void wyn_nested_end(struct wyn_outcome *outcome)
{
	struct wyn_nest *nest = outcome->nest;
	struct wyn_list *link;

	wyn_list_for_each (link, &nest->spawned) {
		struct wyn_spawned *spawned =
			wyn_list_entry(link, struct wyn_spawned, link);

		/* [unwanted] pairs with context_cancelled(). */
		atomic_store_explicit(
			&spawned->unwanted, true, memory_order_release);
		(void)wyn_future_cancel(spawned->future);
	}
	while ((link = wyn_list_pop_front(&nest->spawned)) != NULL) {
		struct wyn_spawned *spawned =
			wyn_list_entry(link, struct wyn_spawned, link);

		wait_for(spawned);
		spawned_free(spawned);
	}
	spawned_free(nest->awaited);
	outcome->nest = NULL;
	if (nest->self == NULL) {
		free(nest);
	}
}

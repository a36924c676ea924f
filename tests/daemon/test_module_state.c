// SPDX-License-Identifier: MIT
/*
 * test_module_state.c - states of a module: one call's alone, and used again.
 */
#include "daemon/modules/module_state.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "daemon/modules/module.h"

#define THREADS 4u
#define ROUNDS	20000u

struct thing {
	unsigned uses; /* not atomic: one call's alone */
	atomic_bool busy;
};

static _Atomic unsigned created;
static _Atomic unsigned destroyed;
static bool no_memory;

static void *create(void)
{
	if (no_memory) {
		return NULL;
	}
	created++;
	return calloc(1, sizeof(struct thing));
}

static void destroy(void *state)
{
	destroyed++;
	free(state);
}

static const struct wyn_module module = {
	.abi = WYN_MODULE_ABI,
	.size_bytes = sizeof(struct wyn_module),
	.name = "stateful",
	.version = "1",
	.state_create = create,
	.state_destroy = destroy,
};

static int begin(void **state)
{
	created = 0;
	destroyed = 0;
	no_memory = false;
	return wyn_module_states_create(
		&module, (struct wyn_module_states **)state);
}

static int end(void **state)
{
	wyn_module_states_destroy(*state);
	return created != destroyed;
}

static void states_are_none_when_the_module_has_none(void **state)
{
	struct wyn_module plain = module;
	struct wyn_module_states *states = *state;

	plain.state_create = NULL;
	assert_int_equal(wyn_module_states_create(&plain, &states), 0);
	assert_null(states);
	wyn_module_states_destroy(states);
}

static void state_is_the_same_when_the_thread_takes_it_again(void **state)
{
	struct wyn_module_state *taken = wyn_module_state_take(*state);
	void *thing = wyn_module_state_of(taken);

	wyn_module_state_give(*state, taken);
	taken = wyn_module_state_take(*state);

	assert_ptr_equal(wyn_module_state_of(taken), thing);
	assert_int_equal(created, 1);
	wyn_module_state_give(*state, taken);
}

static void state_is_another_when_one_is_in_use(void **state)
{
	struct wyn_module_state *outer = wyn_module_state_take(*state);
	struct wyn_module_state *inner = wyn_module_state_take(*state);

	assert_ptr_not_equal(
		wyn_module_state_of(outer), wyn_module_state_of(inner));
	wyn_module_state_give(*state, inner);
	wyn_module_state_give(*state, outer);
	/* Both are kept. */
	outer = wyn_module_state_take(*state);
	inner = wyn_module_state_take(*state);
	assert_int_equal(created, 2);
	wyn_module_state_give(*state, inner);
	wyn_module_state_give(*state, outer);
}

static void state_is_none_when_there_is_no_memory(void **state)
{
	no_memory = true;

	assert_null(wyn_module_state_take(*state));
}

static void *use(void *arg)
{
	for (unsigned i = 0; i < ROUNDS; i++) {
		struct wyn_module_state *taken = wyn_module_state_take(arg);
		struct thing *thing = wyn_module_state_of(taken);

		assert_false(atomic_exchange(&thing->busy, true));
		thing->uses++;
		atomic_store(&thing->busy, false);
		wyn_module_state_give(arg, taken);
	}
	return NULL;
}

static void states_are_few_when_threads_take_them_again_and_again(void **state)
{
	pthread_t threads[THREADS];

	for (unsigned i = 0; i < THREADS; i++) {
		assert_int_equal(
			pthread_create(&threads[i], NULL, use, *state), 0);
	}
	for (unsigned i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	}

	assert_in_range(created, 1, 2 * THREADS);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		CASE(states_are_none_when_the_module_has_none),
		CASE(state_is_the_same_when_the_thread_takes_it_again),
		CASE(state_is_another_when_one_is_in_use),
		CASE(state_is_none_when_there_is_no_memory),
		CASE(states_are_few_when_threads_take_them_again_and_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

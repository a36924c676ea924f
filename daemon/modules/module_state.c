// SPDX-License-Identifier: MIT
/*
 * module_state.c - see module_state.h.
 *
 * Each thread has a place where it leaves a state and looks first; what finds
 * no place goes into a list that all share. Threads beyond the places share
 * them, which costs them a state now and then and nothing else.
 */
#include "daemon/modules/module_state.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "daemon/modules/module.h"

#define PLACES 64u

struct wyn_module_state {
	struct wyn_module_state *next; /* in the list */
	void *state;
};

struct place {
	/* [A state] NULL = empty */
	_Alignas(WYN_CACHE_LINE) struct wyn_module_state *_Atomic state;
};

struct wyn_module_states {
	struct wyn_module_calls calls; /* [I] */
	pthread_mutex_t lock;
	struct wyn_module_state *list; /* [M lock] */
	struct place places[PLACES];
};

static struct place *place_of(struct wyn_module_states *states)
{
	static _Atomic unsigned threads;
	static _Thread_local unsigned mine; /* + 1; 0 = not yet */

	if (mine == 0) {
		/* relaxed: any number will do. */
		mine = 1 + atomic_fetch_add_explicit(
				   &threads, 1, memory_order_relaxed) %
				   PLACES;
	}
	return &states->places[mine - 1];
}

int wyn_module_states_create(
	const struct wyn_module *module, struct wyn_module_states **ret_states)
{
	struct wyn_module_calls calls = wyn_module_calls(module);
	struct wyn_module_states *states;
	int rc;

	if (calls.state_create == NULL) {
		*ret_states = NULL;
		return 0;
	}
	states = aligned_alloc(WYN_CACHE_LINE, sizeof(*states));
	if (states == NULL) {
		return -ENOMEM;
	}
	rc = pthread_mutex_init(&states->lock, NULL);
	if (rc != 0) {
		free(states);
		return -rc;
	}
	states->calls = calls;
	states->list = NULL;
	for (unsigned i = 0; i < PLACES; i++) {
		atomic_init(&states->places[i].state, NULL);
	}
	*ret_states = states;
	return 0;
}

static void state_destroy(
	struct wyn_module_states *states, struct wyn_module_state *state)
{
	if (state != NULL) {
		states->calls.state_destroy(state->state);
		free(state);
	}
}

/* What the calls did happens before: [version]. */
void wyn_module_states_destroy(struct wyn_module_states *states)
{
	if (states == NULL) {
		return;
	}
	for (unsigned i = 0; i < PLACES; i++) {
		state_destroy(
			states, atomic_load_explicit(&states->places[i].state,
					memory_order_acquire));
	}
	while (states->list != NULL) {
		struct wyn_module_state *next = states->list->next;

		state_destroy(states, states->list);
		states->list = next;
	}
	pthread_mutex_destroy(&states->lock);
	free(states);
}

static struct wyn_module_state *state_create(struct wyn_module_states *states)
{
	struct wyn_module_state *state = malloc(sizeof(*state));

	if (state == NULL) {
		return NULL;
	}
	state->state = states->calls.state_create();
	if (state->state == NULL) {
		free(state);
		return NULL;
	}
	return state;
}

struct wyn_module_state *wyn_module_state_take(struct wyn_module_states *states)
{
	/* [state] pairs with the exchange in give(): with a state comes what
	 * the call before did with it. */
	struct wyn_module_state *state = atomic_exchange_explicit(
		&place_of(states)->state, NULL, memory_order_acquire);

	if (state != NULL) {
		return state;
	}
	pthread_mutex_lock(&states->lock);
	state = states->list;
	if (state != NULL) {
		states->list = state->next;
	}
	pthread_mutex_unlock(&states->lock);
	return state != NULL ? state : state_create(states);
}

void *wyn_module_state_of(const struct wyn_module_state *state)
{
	return state->state;
}

void wyn_module_state_give(
	struct wyn_module_states *states, struct wyn_module_state *state)
{
	/* [state] pairs with the exchange in take(); acquires too, for the one
	 * that was in the place goes into the list. */
	state = atomic_exchange_explicit(
		&place_of(states)->state, state, memory_order_acq_rel);
	if (state == NULL) {
		return;
	}
	pthread_mutex_lock(&states->lock);
	state->next = states->list;
	states->list = state;
	pthread_mutex_unlock(&states->lock);
}

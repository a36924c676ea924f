// SPDX-License-Identifier: MIT
/*
 * producer.c - lanes that threads hold, and the pools that are alive.
 *
 * A thread may outlive the pools it spawned into. So whoever gives a lane back
 * looks, under the registry's mutex, whether the pool is still there.
 */
#include "scheduler/producer.h"

#include <pthread.h>
#include <stddef.h>

#include "scheduler/fence.h"

_Thread_local struct wyn_producer wyn_producer_self_;

static pthread_mutex_t registry = PTHREAD_MUTEX_INITIALIZER;
static struct wyn_producers *alive; /* [M registry] */
static uint64_t last_id;	    /* [M registry] */
static pthread_once_t key_once = PTHREAD_ONCE_INIT;
static pthread_key_t key; /* its destructor runs when a thread ends */

static void self_leave(void)
{
	struct wyn_producer *self = &wyn_producer_self_;

	if (self->lane != NULL) {
		pthread_mutex_lock(&registry);
		for (struct wyn_producers *p = alive; p != NULL; p = p->next) {
			if (p->id == self->id) {
				wyn_lane_release(self->lane);
				break;
			}
		}
		pthread_mutex_unlock(&registry);
	}
	*self = (struct wyn_producer){0};
}

static void thread_ends(void *unused)
{
	(void)unused;
	self_leave();
}

static void key_make(void)
{
	/* Without a key the lanes of threads that ended stay held, and the
	 * shared one serves those who find none. */
	if (pthread_key_create(&key, thread_ends) != 0) {
		key = (pthread_key_t)-1;
	}
}

void wyn_producers_init(struct wyn_producers *producers,
	struct wyn_injector *injector, bool bounded)
{
	pthread_once(&key_once, key_make);
	pthread_mutex_lock(&registry);
	producers->id = ++last_id;
	producers->injector = injector;
	producers->express = !bounded && wyn_fence_is_asymmetric;
	producers->prev = NULL;
	producers->next = alive;
	if (alive != NULL) {
		alive->prev = producers;
	}
	alive = producers;
	pthread_mutex_unlock(&registry);
}

void wyn_producers_fini(struct wyn_producers *producers)
{
	pthread_mutex_lock(&registry);
	*(producers->prev != NULL ? &producers->prev->next : &alive) =
		producers->next;
	if (producers->next != NULL) {
		producers->next->prev = producers->prev;
	}
	pthread_mutex_unlock(&registry);
}

const struct wyn_producer *wyn_producer_enter(
	struct wyn_producers *producers, bool outside)
{
	struct wyn_producer *self = &wyn_producer_self_;

	self_leave();
	self->lane = wyn_lane_hold(producers->injector);
	if (self->lane == NULL) {
		/* Not remembered: next time there may be one. */
		return self;
	}
	self->id = producers->id;
	self->express_id = outside && producers->express ? producers->id : 0;
	self->magazine =
		&producers->magazines[self->lane - producers->injector->lanes];
	/* Any value but NULL calls the destructor. */
	(void)pthread_setspecific(key, self);
	return self;
}

void wyn_producers_lock(void)
{
	pthread_mutex_lock(&registry);
}

void wyn_producers_unlock(void)
{
	pthread_mutex_unlock(&registry);
}

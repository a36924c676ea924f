// SPDX-License-Identifier: MIT
/*
 * acceptor.c - takes connections from all listeners and deals them out.
 *
 *	[pause] ACCEPTING -> PAUSED   loop 0, when there are no descriptors
 *	          PAUSED -> RESUMING    any loop that closed one, which wakes
 *	                                loop 0
 *	          * -> ACCEPTING        loop 0, in its next turn or when
 *	                                WYN_ACCEPT_PAUSE_MS have passed
 */
#include "daemon/io/acceptor.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <uv.h>

#include "base/assert.h"
#include "daemon/log.h"
#include "daemon/io/loop.h"
#include "daemon/settings.h"

enum pause {
	ACCEPTING,
	PAUSED,
	RESUMING,
};

/* What is being closed has its place until libuv lets go of it. */
#define DOORS_MAX (2 * WYN_LISTEN_MAX)

enum door_state {
	DOOR_FREE,
	DOOR_OPEN,
	DOOR_CLOSING,
};

/* A listener, and what looks at it. */
struct door {
	struct wyn_acceptor *acceptor;
	enum door_state state;
	struct wyn_endpoint asked; /* port 0 is what was asked for */
	struct wyn_listener listener;
	uv_poll_t poll; /* open ones, once the acceptor was started */
};

/* [L] loop 0's, but for what is marked */
struct wyn_acceptor {
	struct wyn_loop *const *loops; /* [I] */
	size_t loops_count;	       /* [I] */
	size_t turn;		       /* whose it is among the equal */
	size_t count;		       /* of doors that are open */
	struct door doors[DOORS_MAX];
	uv_timer_t timer;
	bool started;
	_Atomic int pause; /* [A pause] enum pause */
};

static void resume(struct wyn_acceptor *acceptor);

static void on_pause_over(uv_timer_t *timer)
{
	resume(timer->data);
}

static void pause_all(struct wyn_acceptor *acceptor, const char *why)
{
	wyn_log_limited(WYN_LOG_WARNING, WYN_LOG_ACCEPT_PAUSED, "accept-paused",
		WYN_LOG_TEXT("reason", why),
		WYN_LOG_NUMBER("pause_ms", WYN_ACCEPT_PAUSE_MS));
	for (size_t i = 0; i < DOORS_MAX; i++) {
		if (acceptor->doors[i].state == DOOR_OPEN) {
			uv_poll_stop(&acceptor->doors[i].poll);
		}
	}
	atomic_store_explicit(&acceptor->pause, PAUSED, memory_order_relaxed);
	uv_timer_start(&acceptor->timer, on_pause_over, WYN_ACCEPT_PAUSE_MS, 0);
}

/* The loop with the fewest sockets that has room for one more, or NULL. */
static struct wyn_loop *choose(struct wyn_acceptor *acceptor)
{
	struct wyn_loop *best = NULL;
	size_t fewest = SIZE_MAX;

	for (size_t i = 0; i < acceptor->loops_count; i++) {
		struct wyn_loop *loop = acceptor->loops[(acceptor->turn + i) %
							acceptor->loops_count];
		size_t sockets = wyn_loop_sockets_approx(loop);

		if (sockets < fewest && wyn_loop_room(loop)) {
			fewest = sockets;
			best = loop;
		}
	}
	acceptor->turn++;
	return best;
}

/* Returns: false when this listener has given all it has for now. */
static bool accept_one(
	struct wyn_acceptor *acceptor, const struct wyn_listener *listener)
{
	struct wyn_handed handed = {.kind = listener->endpoint.kind};
	struct wyn_loop *loop = choose(acceptor);
	int error;

	if (!loop) {
		/* Loop 0 adopts its own before it looks again, so that there
		 * is room then; the listeners stay readable meanwhile. */
		return false;
	}
	error = wyn_listener_accept(listener, &handed.fd, &handed.peer);
	switch (error) {
	case 0:
		wyn_loop_hand_over(loop, &handed);
		return true;
	case -EAGAIN:
		return false;
	case -EINTR:
	case -ECONNABORTED: /* it went away while it waited */
		return true;
	case -EMFILE:
	case -ENFILE:
	case -ENOBUFS:
	case -ENOMEM:
		pause_all(acceptor, strerror(-error));
		return false;
	default:
		/* accept(2) passes on what the network said about that one
		 * connection; the next may do. */
		wyn_log_limited(WYN_LOG_WARNING, WYN_LOG_ACCEPT_FAILED,
			"accept-failed",
			WYN_LOG_TEXT("error", strerror(-error)));
		return true;
	}
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	struct door *door = poll->data;

	(void)status;
	(void)events;
	for (unsigned i = 0; i < WYN_ACCEPT_BATCH_MAX; i++) {
		if (!accept_one(door->acceptor, &door->listener)) {
			return;
		}
	}
}

static void door_watch(struct door *door)
{
	int error = uv_poll_start(&door->poll, UV_READABLE, on_readable);

	/* It fails only on a handle that is being closed: our bug. */
	wyn_assert(error == 0);
}

static void resume(struct wyn_acceptor *acceptor)
{
	uv_timer_stop(&acceptor->timer);
	atomic_store_explicit(
		&acceptor->pause, ACCEPTING, memory_order_relaxed);
	for (size_t i = 0; i < DOORS_MAX; i++) {
		if (acceptor->doors[i].state == DOOR_OPEN) {
			door_watch(&acceptor->doors[i]);
		}
	}
}

void wyn_acceptor_gone(struct wyn_acceptor *acceptor)
{
	int paused = PAUSED;

	/* [pause] relaxed: what it stands for, a free descriptor, is the
	 * kernel's to tell; the wake brings loop 0 to wyn_acceptor_turn(). */
	if (atomic_compare_exchange_strong_explicit(&acceptor->pause, &paused,
		    RESUMING, memory_order_relaxed, memory_order_relaxed)) {
		wyn_loop_wake(acceptor->loops[0]);
	}
}

void wyn_acceptor_turn(struct wyn_acceptor *acceptor)
{
	/* [pause] set by wyn_acceptor_gone(), which wakes us after it. */
	if (atomic_load_explicit(&acceptor->pause, memory_order_relaxed) ==
			RESUMING &&
		acceptor->started) {
		resume(acceptor);
	}
}

int wyn_acceptor_create(struct wyn_loop *const *loops, size_t loops_count,
	struct wyn_acceptor **ret_acceptor)
{
	struct wyn_acceptor *acceptor = calloc(1, sizeof(*acceptor));

	if (!acceptor) {
		return -ENOMEM;
	}
	acceptor->loops = loops;
	acceptor->loops_count = loops_count;
	*ret_acceptor = acceptor;
	return 0;
}

void wyn_acceptor_destroy(struct wyn_acceptor *acceptor)
{
	if (!acceptor) {
		return;
	}
	wyn_assert(!acceptor->started);
	free(acceptor);
}

static struct door *door_find(
	struct wyn_acceptor *acceptor, const struct wyn_endpoint *asked)
{
	for (size_t i = 0; i < DOORS_MAX; i++) {
		struct door *door = &acceptor->doors[i];

		if (door->state == DOOR_OPEN &&
			wyn_endpoint_equal(&door->asked, asked)) {
			return door;
		}
	}
	return NULL;
}

static int door_free(struct wyn_acceptor *acceptor, struct door **ret_door,
	struct wyn_fault *fault)
{
	size_t i = 0;

	if (acceptor->count == WYN_LISTEN_MAX) {
		(void)wyn_fault_set(fault, -EMFILE, WYN_EXIT_CONFIGURATION,
			"wynd listens on %u sockets at most, with those of the "
			"service manager; name fewer",
			WYN_LISTEN_MAX);
		return -EMFILE;
	}
	while (i < DOORS_MAX && acceptor->doors[i].state != DOOR_FREE) {
		i++;
	}
	if (i == DOORS_MAX) {
		(void)wyn_fault_set(fault, -EAGAIN, WYN_EXIT_TRY_AGAIN,
			"sockets are still being closed; try again");
		return -EAGAIN;
	}
	*ret_door = &acceptor->doors[i];
	(*ret_door)->acceptor = acceptor;
	return 0;
}

static void door_open(struct door *door, const struct wyn_endpoint *asked)
{
	door->asked = *asked;
	door->state = DOOR_OPEN;
	door->acceptor->count++;
}

static int door_start(struct door *door)
{
	struct wyn_acceptor *acceptor = door->acceptor;
	int error = uv_poll_init(wyn_loop_uv(acceptor->loops[0]), &door->poll,
		door->listener.fd);

	if (error == 0) {
		door->poll.data = door;
	}
	return error;
}

static void on_closed(uv_handle_t *handle)
{
	struct door *door = handle->data;

	door->state = DOOR_FREE;
}

/* The handle first: libuv still takes the descriptor out of its epoll. */
static void door_close(struct door *door)
{
	bool polled = door->poll.data != NULL;

	if (polled) {
		uv_close((uv_handle_t *)&door->poll, on_closed);
	}
	wyn_listener_close(&door->listener);
	door->state = polled ? DOOR_CLOSING : DOOR_FREE;
	door->poll.data = polled ? door : NULL;
	door->acceptor->count--;
}

int wyn_acceptor_listen(struct wyn_acceptor *acceptor,
	const struct wyn_endpoint *endpoint,
	const struct wyn_listener_config *config, struct wyn_fault *ret_fault)
{
	struct door *door = door_find(acceptor, endpoint);
	int error;

	/* The service manager passed it. */
	if (door != NULL && door->listener.adopted) {
		return 0;
	}
	error = door_free(acceptor, &door, ret_fault);
	if (error == 0) {
		error = wyn_listener_open(
			endpoint, config, &door->listener, ret_fault);
	}
	if (error == 0) {
		door_open(door, endpoint);
	}
	return error;
}

int wyn_acceptor_adopt(struct wyn_acceptor *acceptor, int fd, const char *name,
	const struct wyn_listener_config *config, struct wyn_fault *ret_fault)
{
	struct door *door;
	int error = door_free(acceptor, &door, ret_fault);

	if (error == 0) {
		error = wyn_listener_adopt(
			fd, name, config, &door->listener, ret_fault);
	}
	if (error == 0) {
		door_open(door, &door->listener.endpoint);
	}
	return error;
}

/* Returns: -errno, and the listener is the caller's still. */
static int listener_add(struct wyn_acceptor *acceptor,
	const struct wyn_endpoint *asked, const struct wyn_listener *listener,
	struct wyn_fault *fault)
{
	struct door *door;
	int error = door_free(acceptor, &door, fault);

	if (error != 0) {
		return error;
	}
	door->listener = *listener;
	door->poll.data = NULL;
	error = door_start(door);
	if (error != 0) {
		return wyn_fault_set(fault, error, WYN_EXIT_CONFIGURATION,
			"cannot listen: %s", strerror(-error));
	}
	door_open(door, asked);
	/* [pause] ours to change. */
	if (atomic_load_explicit(&acceptor->pause, memory_order_relaxed) ==
		ACCEPTING) {
		door_watch(door);
	}
	return 0;
}

int wyn_acceptor_add(struct wyn_acceptor *acceptor,
	const struct wyn_endpoint *asked, struct wyn_listener *listener,
	struct wyn_fault *ret_fault)
{
	int error = acceptor->started
			    ? listener_add(acceptor, asked, listener, ret_fault)
			    : wyn_fault_set(ret_fault, -ESHUTDOWN,
				      WYN_EXIT_TRY_AGAIN, "wynd is draining");

	if (error != 0) {
		wyn_listener_close(listener);
	}
	return error;
}

void wyn_acceptor_remove(
	struct wyn_acceptor *acceptor, const struct wyn_endpoint *asked)
{
	struct door *door = door_find(acceptor, asked);

	if (door != NULL) {
		door_close(door);
	}
}

const struct wyn_endpoint *wyn_acceptor_endpoint(
	const struct wyn_acceptor *acceptor, size_t index)
{
	for (size_t i = 0; i < DOORS_MAX; i++) {
		const struct door *door = &acceptor->doors[i];

		if (door->state == DOOR_OPEN && index-- == 0) {
			return &door->listener.endpoint;
		}
	}
	return NULL;
}

int wyn_acceptor_start(struct wyn_acceptor *acceptor)
{
	acceptor->started = true;
	(void)uv_timer_init(wyn_loop_uv(acceptor->loops[0]), &acceptor->timer);
	acceptor->timer.data = acceptor;
	for (size_t i = 0; i < DOORS_MAX; i++) {
		int error = acceptor->doors[i].state == DOOR_OPEN
				    ? door_start(&acceptor->doors[i])
				    : 0;

		if (error) {
			return error;
		}
	}
	resume(acceptor);
	return 0;
}

void wyn_acceptor_stop(struct wyn_acceptor *acceptor)
{
	if (!acceptor) {
		return;
	}
	if (acceptor->started) {
		uv_close((uv_handle_t *)&acceptor->timer, NULL);
		acceptor->started = false;
	}
	for (size_t i = 0; i < DOORS_MAX; i++) {
		if (acceptor->doors[i].state == DOOR_OPEN) {
			door_close(&acceptor->doors[i]);
		}
	}
}

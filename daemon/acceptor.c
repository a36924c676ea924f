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
#include "daemon/acceptor.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <uv.h>

#include "base/assert.h"
#include "daemon/log.h"
#include "daemon/loop.h"
#include "daemon/options.h"

enum pause {
	ACCEPTING,
	PAUSED,
	RESUMING,
};

/* [L] loop 0's, but for what is marked */
struct wyn_acceptor {
	struct wyn_loop *const *loops; /* [I] */
	size_t loops_count;	       /* [I] */
	size_t turn;		       /* whose it is among the equal */
	size_t count;		       /* [I] */
	struct wyn_listener listeners[WYN_LISTEN_MAX];
	uv_poll_t polls[WYN_LISTEN_MAX];
	size_t polls_count; /* initialised ones */
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
	for (size_t i = 0; i < acceptor->polls_count; i++) {
		uv_poll_stop(&acceptor->polls[i]);
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
	struct wyn_acceptor *acceptor = poll->data;
	const struct wyn_listener *listener =
		&acceptor->listeners[poll - acceptor->polls];

	(void)status;
	(void)events;
	for (unsigned i = 0; i < WYN_ACCEPT_BATCH_MAX; i++) {
		if (!accept_one(acceptor, listener)) {
			return;
		}
	}
}

static void resume(struct wyn_acceptor *acceptor)
{
	uv_timer_stop(&acceptor->timer);
	atomic_store_explicit(
		&acceptor->pause, ACCEPTING, memory_order_relaxed);
	for (size_t i = 0; i < acceptor->polls_count; i++) {
		int error = uv_poll_start(
			&acceptor->polls[i], UV_READABLE, on_readable);

		/* It fails only on a handle that is being closed: our bug. */
		wyn_assert(error == 0);
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

static int check_room(
	const struct wyn_acceptor *acceptor, struct wyn_fault *fault)
{
	return acceptor->count < WYN_LISTEN_MAX
		       ? 0
		       : wyn_fault_set(fault, -EMFILE, WYN_EXIT_CONFIGURATION,
				 "wynd listens on %u sockets at most, with "
				 "those of the service manager; name fewer",
				 WYN_LISTEN_MAX);
}

static bool is_adopted(const struct wyn_acceptor *acceptor,
	const struct wyn_endpoint *endpoint)
{
	for (size_t i = 0; i < acceptor->count; i++) {
		const struct wyn_endpoint *at =
			&acceptor->listeners[i].endpoint;

		if (acceptor->listeners[i].adopted &&
			at->kind == endpoint->kind &&
			!strcmp(at->path, endpoint->path) &&
			!strcmp(at->host, endpoint->host) &&
			at->port == endpoint->port) {
			return true;
		}
	}
	return false;
}

int wyn_acceptor_listen(struct wyn_acceptor *acceptor,
	const struct wyn_endpoint *endpoint,
	const struct wyn_listener_config *config, struct wyn_fault *ret_fault)
{
	int error;

	if (is_adopted(acceptor, endpoint)) {
		return 0;
	}
	error = check_room(acceptor, ret_fault);
	if (!error) {
		error = wyn_listener_open(endpoint, config,
			&acceptor->listeners[acceptor->count], ret_fault);
	}
	if (!error) {
		acceptor->count++;
	}
	return error;
}

int wyn_acceptor_adopt(struct wyn_acceptor *acceptor, int fd, const char *name,
	const struct wyn_listener_config *config, struct wyn_fault *ret_fault)
{
	int error = check_room(acceptor, ret_fault);

	if (!error) {
		error = wyn_listener_adopt(fd, name, config,
			&acceptor->listeners[acceptor->count], ret_fault);
	}
	if (!error) {
		acceptor->count++;
	}
	return error;
}

const struct wyn_endpoint *wyn_acceptor_endpoint(
	const struct wyn_acceptor *acceptor, size_t index)
{
	return index < acceptor->count ? &acceptor->listeners[index].endpoint
				       : NULL;
}

int wyn_acceptor_start(struct wyn_acceptor *acceptor)
{
	uv_loop_t *uv = wyn_loop_uv(acceptor->loops[0]);

	acceptor->started = true;
	(void)uv_timer_init(uv, &acceptor->timer);
	acceptor->timer.data = acceptor;
	for (size_t i = 0; i < acceptor->count; i++) {
		int error = uv_poll_init(
			uv, &acceptor->polls[i], acceptor->listeners[i].fd);

		if (error) {
			return error;
		}
		acceptor->polls[i].data = acceptor;
		acceptor->polls_count++;
	}
	resume(acceptor);
	return 0;
}

void wyn_acceptor_stop(struct wyn_acceptor *acceptor)
{
	/* Before the descriptors: libuv still takes them out of its epoll. */
	for (size_t i = 0; i < acceptor->polls_count; i++) {
		uv_close((uv_handle_t *)&acceptor->polls[i], NULL);
	}
	acceptor->polls_count = 0;
	if (acceptor->started) {
		uv_close((uv_handle_t *)&acceptor->timer, NULL);
		acceptor->started = false;
	}
	for (size_t i = 0; i < acceptor->count; i++) {
		wyn_listener_close(&acceptor->listeners[i]);
	}
}

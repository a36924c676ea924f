// SPDX-License-Identifier: MIT
/*
 * loop.c - one loop thread: when the engine gets its turns, and when to sleep.
 *
 * All work is done in the prepare callback, after this turn's reads and before
 * the next sleep: the socket callbacks only collect. So one turn sees all that
 * has come, and answers each connection with one write.
 */
#include "daemon/io/loop.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/assert.h"
#include "daemon/engine/conn.h"
#include "daemon/log.h"
#include "daemon/log_refused.h"
#include "daemon/run/pool_executor.h"
#include "daemon/run/stream.h"
#include "daemon/io/transport.h"
#include "daemon/spawn/spawn_executor.h"

struct wyn_loop {
	size_t index;		       /* [I] */
	struct wyn_loop_hooks hooks;   /* [I] */
	struct wyn_executor *executor; /* [I] */
	struct wyn_executor *commands; /* [I] */
	struct wyn_engine *engine;     /* [I] */
	pthread_t thread;	       /* [I] boot's */
	bool started;		       /* [I] boot's */

	uv_loop_t uv;	      /* [L] and the handles, but for async */
	uv_prepare_t prepare; /* takes the turn */
	uv_idle_t idle;	      /* active = do not sleep */
	uv_timer_t timer;     /* the engine's next time */
	uint64_t timer_ns; /* [L] what it is set for; UINT64_MAX = it is off */
	uv_pipe_t first;   /* see init_handles() */
	uv_poll_t bell;	   /* bell_fd is readable */
	int bell_fd;	   /* [I] an eventfd. Thread: any */
	struct wyn_transports transports; /* [L] */
	enum wyn_loop_phase phase;	  /* [L] what was done of `wanted` */
	bool quiet;			  /* [L] the hook was called */
	struct wyn_log_refused refused;	  /* [L] */

	atomic_bool woken;	       /* [A bell] */
	_Atomic uint64_t turns;	       /* [A ping] written by the loop alone */
	_Atomic int wanted;	       /* [A phase] enum wyn_loop_phase */
	_Atomic size_t opened_approx;  /* relaxed, statistics only */
	_Atomic size_t closed_approx;  /* relaxed, statistics only */
	_Atomic size_t running_approx; /* relaxed, statistics only */

	struct wyn_handover handover;
};

/*
 * Whoever wakes sets the flag and rings only if it was clear; the loop clears
 * it first thing in a turn and looks at everything after that. Both are
 * read-modify-write operations on one word: either the loop's comes second and
 * sees what was published, or the waker's does, finds it clear, and rings.
 *
 * Not by uv_async_send(): its flag is a hint only, and where the loop wakes
 * before the call has returned, as it does on the CPU of its waker, it spins
 * some ten microseconds for the end of that call.
 */
void wyn_loop_wake(struct wyn_loop *loop)
{
	/* [bell] pairs with on_prepare(). */
	if (!atomic_exchange_explicit(
		    &loop->woken, true, memory_order_acq_rel)) {
		const uint64_t once = 1;
		ssize_t written = write(loop->bell_fd, &once, sizeof(once));

		/* It would be full after 2^64 rings that nobody heard. */
		wyn_assert(written == sizeof(once));
	}
}

static void wake_for_done(void *context)
{
	wyn_loop_wake(context);
}

static void wake_for_partial(struct wyn_stream *stream)
{
	wyn_loop_wake(wyn_engine_of_stream(stream));
}

void wyn_loop_enter(struct wyn_loop *loop, enum wyn_loop_phase phase)
{
	int now = atomic_load_explicit(&loop->wanted, memory_order_relaxed);

	/* [phase] released here, acquired by on_prepare(). */
	while (now < (int)phase &&
		!atomic_compare_exchange_weak_explicit(&loop->wanted, &now,
			(int)phase, memory_order_release,
			memory_order_relaxed)) {
	}
	wyn_loop_wake(loop);
}

bool wyn_loop_room(struct wyn_loop *loop)
{
	return wyn_handover_room(&loop->handover);
}

void wyn_loop_hand_over(struct wyn_loop *loop, const struct wyn_handed *socket)
{
	bool put = wyn_handover_put(&loop->handover, socket);

	/* Loop 0 is the only one that puts, and asked for room before. */
	wyn_assert(put);
	atomic_fetch_add_explicit(
		&loop->opened_approx, 1, memory_order_relaxed);
	wyn_loop_wake(loop);
}

size_t wyn_loop_sockets_approx(const struct wyn_loop *loop)
{
	size_t closed = atomic_load_explicit(
		&loop->closed_approx, memory_order_relaxed);
	size_t opened = atomic_load_explicit(
		&loop->opened_approx, memory_order_relaxed);

	return opened > closed ? opened - closed : 0;
}

size_t wyn_loop_running_approx(const struct wyn_loop *loop)
{
	return atomic_load_explicit(
		&loop->running_approx, memory_order_relaxed);
}

uint64_t wyn_loop_turns(const struct wyn_loop *loop)
{
	/* [ping] pairs with on_prepare(). */
	return atomic_load_explicit(&loop->turns, memory_order_relaxed);
}

static void on_socket_gone(void *context)
{
	struct wyn_loop *loop = context;

	atomic_fetch_add_explicit(
		&loop->closed_approx, 1, memory_order_relaxed);
	if (loop->hooks.gone) {
		loop->hooks.gone(loop->hooks.context);
	}
}

static void adopt(struct wyn_loop *loop)
{
	struct wyn_handed handed[WYN_HANDOVER_MAX];
	size_t count = wyn_handover_take(&loop->handover, handed);

	for (size_t i = 0; i < count; i++) {
		int error = wyn_transport_open(&loop->transports, handed[i].fd,
			handed[i].kind, &handed[i].peer);

		if (error) {
			wyn_log_limited(WYN_LOG_WARNING, WYN_LOG_OPEN_FAILED,
				"connection-failed",
				WYN_LOG_TEXT("error", uv_strerror(error)));
		}
	}
}

/* After adopt(): a socket that was handed over before the drain is drained
 * like those that were open. */
static void enter_phase(struct wyn_loop *loop, enum wyn_loop_phase wanted)
{
	uint64_t now_ns = uv_hrtime();

	if (loop->phase < WYN_LOOP_DRAIN && wanted >= WYN_LOOP_DRAIN) {
		wyn_engine_drain(loop->engine, now_ns);
	}
	if (loop->phase < WYN_LOOP_CANCEL && wanted >= WYN_LOOP_CANCEL &&
		wanted < WYN_LOOP_END) {
		wyn_engine_cancel_all(loop->engine, now_ns);
	}
	if (loop->phase < WYN_LOOP_ABORT && wanted >= WYN_LOOP_ABORT) {
		wyn_transports_abort(&loop->transports);
	}
	if (wanted == WYN_LOOP_END) {
		uv_stop(&loop->uv);
	}
	loop->phase = wanted;
}

/* Returns: false when there is more to write than one turn may. */
static bool flush(struct wyn_loop *loop)
{
	for (unsigned i = 0; i < WYN_LOOP_FLUSHES_MAX; i++) {
		struct wyn_conn *conn = wyn_engine_dirty(loop->engine);

		if (!conn) {
			return true;
		}
		wyn_transport_flush(wyn_conn_transport(conn));
	}
	return false;
}

/*
 * Gives a worker a moment to come back with what is tiny, before the loop
 * sleeps: a sleep and its end take longer than the task. By yields, for the
 * worker may have been woken on this CPU. Returns: whether one is back.
 */
static bool linger(const struct wyn_loop *loop)
{
	if (!wyn_engine_expects(loop->engine)) {
		return false;
	}
	for (unsigned i = 0; i < WYN_LOOP_LINGERS_MAX; i++) {
		sched_yield();
		if (wyn_engine_peek(loop->engine)) {
			return true;
		}
	}
	return false;
}

/* Returns: true when the loop may sleep until the next time or wake. */
static bool take_turns(struct wyn_loop *loop)
{
	for (unsigned i = 0; i < WYN_LOOP_TURNS_MAX; i++) {
		wyn_engine_turn(loop->engine, uv_hrtime());
		if (flush(loop) && !linger(loop) &&
			wyn_engine_arm(loop->engine)) {
			return true;
		}
	}
	return false;
}

static void on_timer(uv_timer_t *timer)
{
	struct wyn_loop *loop = timer->data;

	loop->timer_ns = UINT64_MAX;
}

/* Arms the one timer; what it is for is done by the turn that follows. */
static void set_timer(struct wyn_loop *loop, uint64_t when_ns, uint64_t now_ns)
{
	if (when_ns == loop->timer_ns) {
		return;
	}
	loop->timer_ns = when_ns;
	if (when_ns == UINT64_MAX) {
		uv_timer_stop(&loop->timer);
		return;
	}
	/* Rounded up: early, the turn would find nothing due. */
	uv_timer_start(&loop->timer, on_timer,
		(when_ns - now_ns + 999999) / 1000000, 0);
}

static void on_idle(uv_idle_t *idle)
{
	/* That it is active is all it is for. */
	(void)idle;
}

static void set_sleep(struct wyn_loop *loop, bool may_sleep)
{
	uint64_t now_ns = uv_hrtime();
	uint64_t lingers_ns = wyn_transports_expire(&loop->transports, now_ns);
	uint64_t when_ns = wyn_engine_next_ns(loop->engine);

	when_ns = when_ns < lingers_ns ? when_ns : lingers_ns;
	if (may_sleep && when_ns > now_ns) {
		uv_idle_stop(&loop->idle);
		set_timer(loop, when_ns, now_ns);
	} else {
		uv_idle_start(&loop->idle, on_idle);
	}
}

static void tell_quiet(struct wyn_loop *loop)
{
	size_t running = wyn_engine_in_executor(loop->engine);

	atomic_store_explicit(
		&loop->running_approx, running, memory_order_relaxed);
	if (loop->quiet || loop->phase < WYN_LOOP_DRAIN ||
		loop->transports.count > 0 || running > 0 ||
		wyn_engine_keeps(loop->engine)) {
		return;
	}
	loop->quiet = true;
	if (loop->hooks.quiet) {
		loop->hooks.quiet(loop->hooks.context);
	}
}

static void on_prepare(uv_prepare_t *prepare)
{
	struct wyn_loop *loop = prepare->data;
	enum wyn_loop_phase wanted;

	/* [bell] pairs with wyn_loop_wake(); first of all, so that whatever
	 * is published after it rings again. */
	atomic_exchange_explicit(&loop->woken, false, memory_order_acq_rel);
	/* [ping] says that the wake was heard: wyn_loop_turns(). */
	atomic_store_explicit(&loop->turns,
		atomic_load_explicit(&loop->turns, memory_order_relaxed) + 1,
		memory_order_relaxed);
	/* [phase] acquires what wyn_loop_enter() released. */
	wanted = (enum wyn_loop_phase)atomic_load_explicit(
		&loop->wanted, memory_order_acquire);
	adopt(loop);
	if (wanted != loop->phase) {
		enter_phase(loop, wanted);
	}
	if (loop->hooks.turn) {
		loop->hooks.turn(loop->hooks.context);
	}
	wyn_transports_turn(&loop->transports);
	set_sleep(loop, take_turns(loop));
	wyn_log_refused_turn(
		&loop->refused, wyn_engine_stats(loop->engine), uv_hrtime);
	tell_quiet(loop);
}

static void on_bell(uv_poll_t *bell, int status, int events)
{
	struct wyn_loop *loop = bell->data;
	uint64_t rings;
	ssize_t got = read(loop->bell_fd, &rings, sizeof(rings));

	/* The turn that follows does what it was rung for. */
	(void)status;
	(void)events;
	wyn_assert(got == sizeof(rings) || errno == EAGAIN);
}

static void *run(void *arg)
{
	struct wyn_loop *loop = arg;
	char name[16];

	snprintf(name, sizeof(name), "wyn-loop-%u", (unsigned)loop->index);
	pthread_setname_np(pthread_self(), name);
	uv_run(&loop->uv, UV_RUN_DEFAULT);
	return NULL;
}

int wyn_loop_start(struct wyn_loop *loop)
{
	int error = pthread_create(&loop->thread, NULL, run, loop);

	loop->started = error == 0;
	return -error;
}

void wyn_loop_join(struct wyn_loop *loop)
{
	if (loop->started) {
		pthread_join(loop->thread, NULL);
		loop->started = false;
	}
}

/* Within a loop that was initialised. */
static int init_bell(struct wyn_loop *loop)
{
	int error;

	loop->bell_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (loop->bell_fd < 0) {
		return -errno;
	}
	error = uv_poll_init(&loop->uv, &loop->bell, loop->bell_fd);
	if (!error) {
		loop->bell.data = loop;
		/* It fails only on a handle that is being closed. */
		(void)uv_poll_start(&loop->bell, UV_READABLE, on_bell);
		return 0;
	}
	close(loop->bell_fd);
	return error;
}

static int init_handles(struct wyn_loop *loop)
{
	int error = uv_loop_init(&loop->uv);

	if (error) {
		return error;
	}
	error = init_bell(loop);
	if (error) {
		uv_loop_close(&loop->uv);
		return error;
	}
	/* None of these can fail: they only fill in the handle. */
	(void)uv_prepare_init(&loop->uv, &loop->prepare);
	(void)uv_idle_init(&loop->uv, &loop->idle);
	(void)uv_timer_init(&loop->uv, &loop->timer);
	loop->prepare.data = loop;
	loop->timer.data = loop;
	loop->timer_ns = UINT64_MAX;
	(void)uv_prepare_start(&loop->prepare, on_prepare);
	/* A loop's first stream makes libuv open a descriptor for the loop, to
	 * keep. It is had now, so that the number of open ones tells a leak. */
	(void)uv_pipe_init(&loop->uv, &loop->first, 0);
	uv_close((uv_handle_t *)&loop->first, NULL);
	return 0;
}

static void close_handles(struct wyn_loop *loop)
{
	int error;

	if (loop->commands) {
		wyn_spawn_executor_close(loop->commands);
	}
	uv_close((uv_handle_t *)&loop->prepare, NULL);
	uv_close((uv_handle_t *)&loop->idle, NULL);
	uv_close((uv_handle_t *)&loop->timer, NULL);
	uv_close((uv_handle_t *)&loop->bell, NULL);
	/* Closing takes a turn; there is nothing else to do in it. */
	uv_run(&loop->uv, UV_RUN_DEFAULT);
	error = uv_loop_close(&loop->uv);
	wyn_assert(error == 0);
	wyn_spawn_executor_destroy(loop->commands);
	close(loop->bell_fd);
}

int wyn_loop_create(struct wyn_shared *shared, size_t index,
	struct wyn_pool *pool, const struct wyn_loop_hooks *hooks,
	struct wyn_loop **ret_loop)
{
	struct wyn_loop *loop = calloc(1, sizeof(*loop));
	int error;

	if (!loop) {
		return -ENOMEM;
	}
	loop->index = index;
	loop->hooks = *hooks;
	error = init_handles(loop);
	if (error) {
		goto free_loop;
	}
	error = wyn_spawn_executor_create(&loop->uv, &loop->commands);
	if (error) {
		goto close_handles;
	}
	error = wyn_handover_init(&loop->handover);
	if (error) {
		goto close_handles;
	}
	error = wyn_pool_executor_create(
		pool, wake_for_done, loop, &loop->executor);
	if (error) {
		goto fini_handover;
	}
	error = wyn_engine_create(
		shared, loop->executor, wake_for_partial, &loop->engine);
	if (error) {
		goto destroy_executor;
	}
	wyn_engine_context_set(loop->engine, loop);
	error = wyn_transports_init(&loop->transports, &loop->uv, loop->engine,
		on_socket_gone, loop);
	if (error) {
		goto destroy_engine;
	}
	*ret_loop = loop;
	return 0;
destroy_engine:
	wyn_engine_destroy(loop->engine);
destroy_executor:
	wyn_pool_executor_destroy(loop->executor);
fini_handover:
	wyn_handover_fini(&loop->handover);
close_handles:
	close_handles(loop);
free_loop:
	free(loop);
	return error;
}

void wyn_loop_destroy(struct wyn_loop *loop)
{
	if (!loop) {
		return;
	}
	wyn_assert(!loop->started);
	wyn_spawn_executor_close(loop->commands);
	wyn_engine_commands_end(loop->engine);
	close_handles(loop);
	wyn_transports_fini(&loop->transports);
	wyn_engine_destroy(loop->engine);
	wyn_pool_executor_destroy(loop->executor);
	wyn_handover_fini(&loop->handover);
	free(loop);
}

uv_loop_t *wyn_loop_uv(struct wyn_loop *loop)
{
	return &loop->uv;
}

void wyn_loop_commands(struct wyn_loop *loop, const char *ledger)
{
	wyn_engine_commands(loop->engine, loop->commands, ledger);
}

struct wyn_engine *wyn_loop_engine(struct wyn_loop *loop)
{
	return loop->engine;
}

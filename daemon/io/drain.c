// SPDX-License-Identifier: MIT
/*
 * drain.c - how the daemon ends, stage by stage.
 *
 *	SERVING     signal, Call      -> DRAINING: no listeners, GoAway to all
 *	DRAINING    --drain-timeout   -> CANCELLING: queued tasks are answered
 *	                                 CANCELLED, running ones asked to end
 *	CANCELLING  2 s more          -> ABORTING if only sockets are left,
 *	                                 looked at twice; else the process ends
 *	                                 here, with 124
 *	ABORTING    2 s more          -> the process ends here, with 124
 *	any         every loop quiet  -> ENDED: 0, or 124 after ABORTING
 *	not SERVING SIGTERM, SIGINT   -> the process ends here, with 1
 */
#include "daemon/io/drain.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include <uv.h>

#include "daemon/io/acceptor.h"
#include "daemon/engine/engine.h"
#include "daemon/limits.h"
#include "daemon/log.h"
#include "daemon/io/loop.h"

enum stage {
	SERVING,
	DRAINING,
	CANCELLING,
	ABORTING,
	ENDED,
};

static const int numbers[] = {SIGTERM, SIGINT, SIGHUP};

#define SIGNALS WYN_COUNT_OF(numbers)

/* [L] loop 0's, but for what is marked */
struct wyn_drain {
	struct wyn_shared *shared;     /* [I] */
	struct wyn_loop *const *loops; /* [I] */
	size_t loops_count;	       /* [I] */
	struct wyn_acceptor *acceptor; /* [I] */
	uv_signal_t signals[SIGNALS];
	uv_timer_t timer;
	enum stage stage;
	bool looked; /* CANCELLING: once, and tasks still ran */
	enum wyn_exit_code exit_code;
	atomic_bool requested; /* [A drain-asked] */
	_Atomic size_t quiet;  /* [A quiet] loops that have nothing left */
};

static void enter_all(struct wyn_drain *drain, enum wyn_loop_phase phase)
{
	for (size_t i = 0; i < drain->loops_count; i++) {
		wyn_loop_enter(drain->loops[i], phase);
	}
}

static uint64_t running(const struct wyn_drain *drain)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < drain->loops_count; i++) {
		sum += wyn_loop_running_approx(drain->loops[i]);
	}
	return sum;
}

static uint64_t sockets(const struct wyn_drain *drain)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < drain->loops_count; i++) {
		sum += wyn_loop_sockets_approx(drain->loops[i]);
	}
	return sum;
}

static void report(const struct wyn_drain *drain, enum wyn_log_level level,
	const char *event)
{
	uint64_t tasks = atomic_load_explicit(
		&drain->shared->tasks_held, memory_order_relaxed);

	wyn_log(level, event, WYN_LOG_NUMBER("tasks", tasks),
		WYN_LOG_NUMBER("running", running(drain)),
		WYN_LOG_NUMBER("connections", sockets(drain)));
}

static void on_timer(uv_timer_t *timer);

static void advance(struct wyn_drain *drain, enum stage stage,
	enum wyn_loop_phase phase, uint64_t timeout_ms)
{
	drain->stage = stage;
	enter_all(drain, phase);
	uv_timer_start(&drain->timer, on_timer, timeout_ms, 0);
}

static void begin(struct wyn_drain *drain)
{
	if (drain->stage != SERVING) {
		return;
	}
	report(drain, WYN_LOG_INFO, "draining");
	wyn_acceptor_stop(drain->acceptor);
	advance(drain, DRAINING, WYN_LOOP_DRAIN,
		wyn_engine_limits(drain->shared->engines[0])->drain_ms);
}

/*
 * _exit(2), because a worker that does not return from a task cannot be
 * joined, and what it uses cannot be freed. The socket files are gone by then:
 * the listeners were closed first.
 */
static _Noreturn void give_up(const struct wyn_drain *drain)
{
	wyn_log_settle();
	report(drain, WYN_LOG_ERROR, "drain-failed");
	_exit(WYN_EXIT_TIMED_OUT);
}

/*
 * What runs is known as of each loop's last turn, and a timer fires before the
 * turn of its own loop. So before a task is taken for stuck, every loop has had
 * a turn since its time was over.
 */
static void cancelled_in_time(struct wyn_drain *drain)
{
	if (running(drain) > 0 && drain->looked) {
		give_up(drain);
	}
	if (running(drain) > 0) {
		drain->looked = true;
		advance(drain, CANCELLING, WYN_LOOP_CANCEL, WYN_DRAIN_LOOK_MS);
		return;
	}
	report(drain, WYN_LOG_WARNING, "drain-aborted");
	drain->exit_code = WYN_EXIT_TIMED_OUT;
	advance(drain, ABORTING, WYN_LOOP_ABORT, WYN_DRAIN_CANCEL_MS);
}

static void on_timer(uv_timer_t *timer)
{
	struct wyn_drain *drain = timer->data;

	switch (drain->stage) {
	case DRAINING:
		report(drain, WYN_LOG_WARNING, "drain-timeout");
		advance(drain, CANCELLING, WYN_LOOP_CANCEL,
			WYN_DRAIN_CANCEL_MS);
		break;
	case CANCELLING:
		cancelled_in_time(drain);
		break;
	case ABORTING:
		give_up(drain);
	case SERVING:
	case ENDED:
		break;
	}
}

static void on_signal(uv_signal_t *handle, int number)
{
	struct wyn_drain *drain = handle->data;
	struct wyn_shared *shared = drain->shared;

	if (number == SIGHUP) {
		if (drain->stage == SERVING) {
			shared->reload(shared, NULL);
		}
		return;
	}
	if (drain->stage == SERVING) {
		begin(drain);
	} else if (drain->stage != ENDED) {
		wyn_log_settle();
		report(drain, WYN_LOG_WARNING, "ended-at-once");
		_exit(WYN_EXIT_FAILED);
	}
}

void wyn_drain_request(struct wyn_drain *drain)
{
	/* [drain-asked] pairs with wyn_drain_turn(), where the wake leads. */
	atomic_store_explicit(&drain->requested, true, memory_order_release);
	wyn_loop_wake(drain->loops[0]);
}

void wyn_drain_quiet(struct wyn_drain *drain)
{
	/* [quiet] pairs with wyn_drain_turn(). */
	atomic_fetch_add_explicit(&drain->quiet, 1, memory_order_release);
	wyn_loop_wake(drain->loops[0]);
}

void wyn_drain_turn(struct wyn_drain *drain)
{
	/* [drain-asked] pairs with wyn_drain_request(). */
	if (drain->stage == SERVING &&
		atomic_load_explicit(&drain->requested, memory_order_acquire)) {
		begin(drain);
	}
	/* [quiet] pairs with wyn_drain_quiet(). A quiet loop stays quiet:
	 * nobody hands it a socket any more. */
	if (drain->stage != ENDED &&
		atomic_load_explicit(&drain->quiet, memory_order_acquire) ==
			drain->loops_count) {
		drain->stage = ENDED;
		uv_timer_stop(&drain->timer);
		enter_all(drain, WYN_LOOP_END);
	}
}

void wyn_drain_signals(sigset_t *ret_signals)
{
	sigemptyset(ret_signals);
	for (size_t i = 0; i < SIGNALS; i++) {
		sigaddset(ret_signals, numbers[i]);
	}
}

static bool is_ignored(int number)
{
	struct sigaction action;

	return number == SIGHUP && sigaction(number, NULL, &action) == 0 &&
	       action.sa_handler == SIG_IGN;
}

static int watch(struct wyn_drain *drain, uv_loop_t *uv)
{
	(void)uv_timer_init(uv, &drain->timer);
	drain->timer.data = drain;
	for (size_t i = 0; i < SIGNALS; i++) {
		int error;

		if (is_ignored(numbers[i])) {
			continue;
		}
		error = uv_signal_init(uv, &drain->signals[i]);
		if (error) {
			return error;
		}
		drain->signals[i].data = drain;
		error = uv_signal_start(
			&drain->signals[i], on_signal, numbers[i]);
		if (error) {
			return error;
		}
	}
	return 0;
}

int wyn_drain_create(struct wyn_shared *shared, struct wyn_loop *const *loops,
	size_t loops_count, struct wyn_acceptor *acceptor,
	struct wyn_drain **ret_drain)
{
	struct wyn_drain *drain = calloc(1, sizeof(*drain));

	if (!drain) {
		return -ENOMEM;
	}
	drain->shared = shared;
	drain->loops = loops;
	drain->loops_count = loops_count;
	drain->acceptor = acceptor;
	*ret_drain = drain;
	/* With an error it is half made, and stopped and destroyed as such. */
	return watch(drain, wyn_loop_uv(loops[0]));
}

void wyn_drain_stop(struct wyn_drain *drain)
{
	if (!drain) {
		return;
	}
	for (size_t i = 0; i < SIGNALS; i++) {
		if (drain->signals[i].data) {
			uv_close((uv_handle_t *)&drain->signals[i], NULL);
		}
	}
	uv_close((uv_handle_t *)&drain->timer, NULL);
}

void wyn_drain_destroy(struct wyn_drain *drain)
{
	free(drain);
}

bool wyn_drain_begun(const struct wyn_drain *drain)
{
	return drain->stage != SERVING;
}

enum wyn_exit_code wyn_drain_exit_code(const struct wyn_drain *drain)
{
	return drain->exit_code;
}

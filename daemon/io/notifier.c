// SPDX-License-Identifier: MIT
/*
 * notifier.c - tells the service manager how we are, and when.
 *
 * Two timers of loop 0, and neither runs for an idle daemon that has no
 * watchdog. The one of the status runs for five seconds after each line, so
 * that what changes in between is told then, by one line more; when nothing
 * has changed it ends. The one of the watchdog comes with the watchdog: it
 * looks, feeds, and wakes every loop for an answer that the next look sees.
 */
#include "daemon/io/notifier.h"

#include <errno.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include <uv.h>
#include <wyn/pool.h>

#include "base/time.h"
#include "daemon/io/activate.h"
#include "daemon/engine/engine.h"
#include "daemon/log.h"
#include "daemon/io/loop.h"
#include "daemon/io/messenger.h"
#include "daemon/settings.h"
#include "daemon/io/watchdog.h"

#define STATUS_BYTES WYN_MESSENGER_STATUS_BYTES

enum stage {
	STARTING,
	SERVING,
	DRAINING,
};

/* What the last line of status said. */
struct told {
	uint64_t connections;
	uint64_t tasks;
};

/* [L] loop 0's, but for what is marked */
struct wyn_notifier {
	struct wyn_shared *shared;	 /* [I] */
	struct wyn_loop *const *loops;	 /* [I] */
	size_t loops_count;		 /* [I] */
	struct wyn_messenger *messenger; /* [I] NULL = nobody listens */
	enum stage stage;
	struct told told;
	uv_timer_t status_timer;
	uv_timer_t watchdog_timer;
	struct wyn_watchdog watchdog;	   /* interval_ns 0 = there is none */
	enum wyn_watchdog_verdict verdict; /* of the last look */
	uint64_t turns[WYN_LOOPS_MAX];	   /* of each loop, when it was woken */
	uint64_t begun;			   /* reloads, as told */
	uint64_t over;			   /* likewise */
};

static struct told look(const struct wyn_notifier *notifier)
{
	const struct wyn_shared *shared = notifier->shared;

	return (struct told){
		.connections = atomic_load_explicit(
			&shared->connections, memory_order_relaxed),
		.tasks = atomic_load_explicit(
			&shared->tasks_held, memory_order_relaxed),
	};
}

static const char *plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

/* Notes what will have been told, and writes it. */
static const char *write_status(
	struct wyn_notifier *notifier, char text[static STATUS_BYTES])
{
	struct told now = look(notifier);

	notifier->told = now;
	snprintf(text, STATUS_BYTES,
		"%s%" PRIu64 " connection%s, %" PRIu64 " task%s held",
		notifier->stage == DRAINING ? "draining: " : "",
		now.connections, plural(now.connections), now.tasks,
		plural(now.tasks));
	return text;
}

static void on_status_timer(uv_timer_t *timer);

static void rest(struct wyn_notifier *notifier)
{
	/* It fails only without a callback. */
	(void)uv_timer_start(&notifier->status_timer, on_status_timer,
		WYN_NOTIFIER_STATUS_MS, 0);
}

static void tell_status(struct wyn_notifier *notifier)
{
	char text[STATUS_BYTES];
	struct told now;

	/* While something is wrong, that is the status. */
	if (uv_is_active((uv_handle_t *)&notifier->status_timer) ||
		notifier->verdict != WYN_WATCHDOG_WELL) {
		return;
	}
	now = look(notifier);
	if (now.connections == notifier->told.connections &&
		now.tasks == notifier->told.tasks) {
		return;
	}
	wyn_messenger_post(notifier->messenger, WYN_MESSAGE_STATUS,
		write_status(notifier, text));
	rest(notifier);
}

static void on_status_timer(uv_timer_t *timer)
{
	tell_status(timer->data);
}

/* The first loop that did not answer, or loops_count. */
static size_t silent_loop(const struct wyn_notifier *notifier)
{
	for (size_t i = 0; i < notifier->loops_count; i++) {
		/* [ping] pairs with the turn in loop.c. */
		if (wyn_loop_turns(notifier->loops[i]) == notifier->turns[i]) {
			return i;
		}
	}
	return notifier->loops_count;
}

static void wake_all(struct wyn_notifier *notifier)
{
	for (size_t i = 0; i < notifier->loops_count; i++) {
		notifier->turns[i] = wyn_loop_turns(notifier->loops[i]);
		wyn_loop_wake(notifier->loops[i]);
	}
}

static struct wyn_watchdog_look look_around(
	const struct wyn_notifier *notifier, size_t silent)
{
	struct wyn_pool_counters c;

	wyn_pool_counters(notifier->shared->pool, &c);
	return (struct wyn_watchdog_look){
		.now_ns = uv_hrtime(),
		.loops_answered = silent == notifier->loops_count,
		.begun = c.run + c.cancelled + c.unfinished - c.queued,
		.queued = c.queued,
		.asleep = c.parked > c.woken ? c.parked - c.woken : 0,
	};
}

/* Once, when it becomes so: on the log, and where `systemctl status` shows it
 * when the watchdog has bitten. */
static void report(const struct wyn_notifier *notifier,
	const struct wyn_watchdog_look *seen, size_t silent)
{
	char text[STATUS_BYTES];

	if (notifier->verdict == WYN_WATCHDOG_LOOP_SILENT) {
		wyn_log(WYN_LOG_ERROR, "watchdog-not-fed",
			WYN_LOG_TEXT("reason", "loop-silent"),
			WYN_LOG_NUMBER("loop", silent));
		snprintf(
			text, sizeof(text), "loop %zu does not answer", silent);
	} else {
		wyn_log(WYN_LOG_ERROR, "watchdog-not-fed",
			WYN_LOG_TEXT("reason", "task-stranded"),
			WYN_LOG_NUMBER("queued", seen->queued),
			WYN_LOG_NUMBER("asleep", seen->asleep));
		snprintf(text, sizeof(text),
			"%" PRIu64 " task%s wait beside %" PRIu64
			" idle worker%s",
			seen->queued, plural(seen->queued), seen->asleep,
			plural(seen->asleep));
	}
	wyn_messenger_post(notifier->messenger, WYN_MESSAGE_STATUS, text);
}

static void recovered(struct wyn_notifier *notifier)
{
	char text[STATUS_BYTES];

	wyn_log(WYN_LOG_WARNING, "watchdog-fed-again");
	wyn_messenger_post(notifier->messenger, WYN_MESSAGE_STATUS,
		write_status(notifier, text));
}

static void look_after(struct wyn_notifier *notifier, uint64_t ns);

static void on_watchdog_timer(uv_timer_t *timer)
{
	struct wyn_notifier *notifier = timer->data;
	enum wyn_watchdog_verdict before = notifier->verdict;
	size_t silent = silent_loop(notifier);
	struct wyn_watchdog_look seen = look_around(notifier, silent);
	uint64_t next_ns;

	notifier->verdict =
		wyn_watchdog_decide(&notifier->watchdog, &seen, &next_ns);
	if (notifier->verdict == WYN_WATCHDOG_WELL) {
		wyn_messenger_post(notifier->messenger, WYN_MESSAGE_FEED, NULL);
	}
	if (seen.loops_answered) {
		wake_all(notifier);
	}
	look_after(notifier, next_ns);
	if (notifier->verdict == before) {
		return;
	}
	if (notifier->verdict == WYN_WATCHDOG_WELL) {
		recovered(notifier);
	} else {
		report(notifier, &seen, silent);
	}
}

/* Rounded down, for it is better to be early; but a timer of 0 would never let
 * the loop sleep. */
static void look_after(struct wyn_notifier *notifier, uint64_t ns)
{
	uint64_t ms = ns / WYN_NS_PER_MS;

	(void)uv_timer_start(&notifier->watchdog_timer, on_watchdog_timer,
		ms > 0 ? ms : 1, 0);
}

/* In the first turn everything listens: loop 0 is the last that begins. */
static void begin(struct wyn_notifier *notifier)
{
	char text[STATUS_BYTES];

	wyn_messenger_post(notifier->messenger, WYN_MESSAGE_READY,
		write_status(notifier, text));
	notifier->stage = SERVING;
	if (notifier->watchdog.interval_ns > 0) {
		wake_all(notifier);
		look_after(notifier, notifier->watchdog.interval_ns / 2);
	}
}

static void tell_stopping(struct wyn_notifier *notifier)
{
	char text[STATUS_BYTES];

	notifier->stage = DRAINING;
	wyn_messenger_post(notifier->messenger, WYN_MESSAGE_STOPPING,
		write_status(notifier, text));
	rest(notifier);
}

void wyn_notifier_turn(struct wyn_notifier *notifier, bool draining)
{
	if (!notifier->messenger) {
		return;
	}
	if (notifier->stage == STARTING) {
		begin(notifier);
	}
	if (notifier->stage == SERVING && draining) {
		tell_stopping(notifier);
	}
	tell_status(notifier);
}

/* Where one is over and the next has begun, it is ready after that one. */
static void tell_reloads(
	struct wyn_notifier *notifier, uint64_t begun, uint64_t over)
{
	char text[STATUS_BYTES];

	if (begun != notifier->begun) {
		wyn_messenger_post(
			notifier->messenger, WYN_MESSAGE_RELOADING, NULL);
	}
	if (over != notifier->over && over == begun) {
		wyn_messenger_post(notifier->messenger, WYN_MESSAGE_READY,
			write_status(notifier, text));
	}
}

void wyn_notifier_reloads(
	struct wyn_notifier *notifier, uint64_t begun, uint64_t over)
{
	/* One that stops does not become ready again. */
	if (notifier->messenger && notifier->stage == SERVING) {
		tell_reloads(notifier, begun, over);
	}
	notifier->begun = begun;
	notifier->over = over;
}

int wyn_notifier_create(struct wyn_shared *shared,
	struct wyn_loop *const *loops, size_t loops_count,
	struct wyn_notifier **ret_notifier)
{
	struct wyn_notifier *notifier = calloc(1, sizeof(*notifier));
	uv_loop_t *uv = wyn_loop_uv(loops[0]);
	int error;

	if (!notifier) {
		return -ENOMEM;
	}
	if (wyn_activate_listened()) {
		error = wyn_messenger_create(&notifier->messenger);
		if (error) {
			free(notifier);
			return error;
		}
	}
	notifier->shared = shared;
	notifier->loops = loops;
	notifier->loops_count = loops_count;
	(void)uv_timer_init(uv, &notifier->status_timer);
	(void)uv_timer_init(uv, &notifier->watchdog_timer);
	notifier->status_timer.data = notifier;
	notifier->watchdog_timer.data = notifier;
	wyn_watchdog_init(&notifier->watchdog, wyn_activate_watchdog_ns());
	*ret_notifier = notifier;
	return 0;
}

void wyn_notifier_stop(struct wyn_notifier *notifier)
{
	if (!notifier) {
		return;
	}
	uv_close((uv_handle_t *)&notifier->status_timer, NULL);
	uv_close((uv_handle_t *)&notifier->watchdog_timer, NULL);
	wyn_messenger_destroy(notifier->messenger);
	notifier->messenger = NULL;
}

void wyn_notifier_destroy(struct wyn_notifier *notifier)
{
	free(notifier);
}

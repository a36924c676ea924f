// SPDX-License-Identifier: MIT
/*
 * bench_run.c - the phases of `wynctl bench`, and its wait for all connections.
 *
 * What counts. A closed loop by time counts what is answered between `from` and
 * `to`: it is in the same state at both, so what is under way at one stands for
 * what is under way at the other. An open loop counts what was due between
 * them, answered later or not, else the slow ones of the end were left out. A
 * run by count counts its tasks.
 */
#include <errno.h>
#include <inttypes.h>
#include <sys/epoll.h>
#include <time.h>

#include "base/time.h"
#include "client/wynctl/bench.h"
#include "client/wynctl/clock.h"
#include "client/wynctl/interrupt.h"
#include "client/wynctl/progress.h"

#define RUN_EVENTS 256
/* A signal between the look at its flag and the sleep is seen so late. */
#define RUN_SLEEP_NS_MAX (100 * WYN_NS_PER_MS)
/* Shorter sleeps cost more than what is late by them. */
#define RUN_SLEEP_NS_MIN (20 * WYN_NS_PER_US)
/* Between asking the server in the warm-up of an open loop and the measuring:
 * nothing can be submitted while its answer is awaited. */
#define RUN_SETTLE_NS (50 * WYN_NS_PER_MS)
/* After the end: for what does not count, and for what does; then cancelled. */
#define RUN_GRACE_NS   WYN_NS_PER_S
#define RUN_ANSWERS_NS (10 * WYN_NS_PER_S)
#define RUN_CANCEL_NS  (5 * WYN_NS_PER_S)
/* A run by count has no other end if the server stands still. */
#define RUN_STALL_NS (60 * WYN_NS_PER_S)

void wyn_bench_clock(struct wyn_bench *bench)
{
	bench->now_ns = wyn_ctl_now_ns();
	bench->spent = 0;
}

void wyn_bench_queue(struct wyn_bench *bench, struct wyn_bench_lane *lane)
{
	uint64_t at = bench->queue_head + bench->queue_count;

	if (lane->queued || lane->over) {
		return;
	}
	lane->queued = true;
	bench->queue[at % bench->config.connections] = lane->index;
	bench->queue_count++;
}

static void run_queue_all(struct wyn_bench *bench)
{
	for (uint64_t i = 0; i < bench->config.connections; i++) {
		wyn_bench_queue(bench, &bench->lanes[i]);
	}
}

/* Where the pace ends, and in bench->left how many tasks that are. */
static void run_plan_open(struct wyn_bench *bench)
{
	const struct wyn_bench_config *config = &bench->config;
	uint64_t before;
	uint64_t end;

	wyn_pace_init(
		&bench->pace, bench->begin_ns, config->rate, config->batch);
	before = wyn_pace_due(&bench->pace, bench->from_ns - 1);
	if (config->count > 0) {
		end = before + (config->count - 1) / config->batch + 1;
		bench->to_ns = wyn_pace_at(&bench->pace, end);
		bench->left = before * config->batch + config->count;
	} else {
		bench->to_ns = bench->from_ns + config->duration_ns;
		end = wyn_pace_due(&bench->pace, bench->to_ns - 1);
		bench->left = end * config->batch;
	}
	bench->pace.end = end;
	bench->counting = true;
}

static void run_begin(struct wyn_bench *bench)
{
	if (bench->config.warmup_ns == 0) {
		wyn_bench_cpu(bench, &bench->cpu_from);
		bench->cpu_asked = true;
	}
	wyn_bench_clock(bench);
	bench->begin_ns = bench->now_ns;
	bench->answered_ns = bench->now_ns;
	bench->from_ns = bench->begin_ns + bench->config.warmup_ns;
	bench->left = UINT64_MAX;
	bench->stamping = bench->config.count == 0;
	bench->phase = WYN_BENCH_WARMUP;
	if (bench->config.open) {
		run_plan_open(bench);
	}
	run_queue_all(bench);
}

/* Is the loop in a steady state, so that its time is cut at both ends? */
static bool run_is_cut(const struct wyn_bench *bench)
{
	return !bench->config.open && bench->config.count == 0;
}

static void run_warmup(struct wyn_bench *bench)
{
	uint64_t settle_ns = bench->config.warmup_ns / 2;

	if (!bench->config.open) {
		settle_ns = 0;
	} else if (settle_ns > RUN_SETTLE_NS) {
		settle_ns = RUN_SETTLE_NS;
	}
	if (!bench->cpu_asked && bench->now_ns >= bench->from_ns - settle_ns) {
		wyn_bench_cpu(bench, &bench->cpu_from);
		bench->cpu_asked = true;
		wyn_bench_clock(bench);
	}
	if (bench->now_ns < bench->from_ns) {
		return;
	}
	bench->phase = WYN_BENCH_MEASURE;
	if (bench->config.open) {
		return;
	}
	bench->from_ns = bench->now_ns;
	bench->to_ns = bench->config.count > 0
			       ? UINT64_MAX
			       : bench->from_ns + bench->config.duration_ns;
	bench->left =
		bench->config.count > 0 ? bench->config.count : UINT64_MAX;
	bench->stamping = true;
	bench->counting = true;
}

/* Open loop: how many were due by now and have not been submitted. */
static uint64_t run_missed(const struct wyn_bench *bench)
{
	uint64_t due =
		wyn_pace_due(&bench->pace, bench->now_ns) * bench->config.batch;

	return (due < bench->left ? due : bench->left) - bench->submitted;
}

void wyn_bench_stop(struct wyn_bench *bench, int code)
{
	if (code != WYN_EXIT_OK) {
		bench->code = bench->code == WYN_EXIT_OK ? code : bench->code;
		bench->whole = false;
	}
	if (bench->phase >= WYN_BENCH_DRAIN) {
		return;
	}
	if (bench->phase == WYN_BENCH_WARMUP) {
		bench->counting = false;
	}
	if (code != WYN_EXIT_OK || run_is_cut(bench)) {
		bench->to_ns = bench->now_ns;
	}
	bench->phase_ns = bench->now_ns + RUN_ANSWERS_NS;
	if (run_is_cut(bench)) {
		bench->counting = false;
		wyn_bench_cpu(bench, &bench->cpu_to);
		bench->phase_ns = bench->now_ns + RUN_GRACE_NS;
	} else if (bench->config.count > 0 && code == WYN_EXIT_OK) {
		bench->phase_ns = UINT64_MAX;
	}
	if (bench->config.open) {
		bench->missed = run_missed(bench);
	}
	bench->phase = WYN_BENCH_DRAIN;
}

static void run_cancel(struct wyn_bench *bench)
{
	for (uint64_t i = 0; i < bench->config.connections; i++) {
		struct wyn_bench_lane *lane = &bench->lanes[i];

		if (lane->flight > 0 && !lane->over) {
			/* Sent, and an error seen, when it is served. */
			lane->readable = true;
			(void)!wyn_client_cancel(lane->client, lane->first_seq,
				lane->last_seq - lane->first_seq + 1);
		}
	}
	run_queue_all(bench);
	bench->phase = WYN_BENCH_CANCEL;
	bench->phase_ns = bench->now_ns + RUN_CANCEL_NS;
}

/* A run by count that gets no answers would not end. */
static void run_look_for_life(struct wyn_bench *bench)
{
	uint64_t stall_ns = RUN_STALL_NS;
	uint64_t longest_ns =
		(bench->options.timeout_ms > bench->options.deadline_ms
				? bench->options.timeout_ms
				: bench->options.deadline_ms) *
		2 * WYN_NS_PER_MS;

	if (stall_ns < longest_ns) {
		stall_ns = longest_ns;
	}
	if (bench->config.count == 0 ||
		bench->now_ns - bench->answered_ns < stall_ns) {
		return;
	}
	wyn_ctl_say("nothing was answered for %" PRIu64 " s",
		stall_ns / WYN_NS_PER_S);
	wyn_bench_stop(bench, WYN_EXIT_TIMED_OUT);
	bench->counting = false;
	run_cancel(bench);
}

/* Whether the last task was submitted, or the last moment has come. */
static bool run_has_ended(const struct wyn_bench *bench)
{
	bool late = bench->now_ns >= bench->to_ns;

	if (bench->config.open) {
		return bench->submitted == bench->left ||
		       (bench->config.count == 0 && late &&
			       bench->paced == bench->pace.end);
	}
	return bench->config.count > 0 ? bench->left == 0 : late;
}

/* All is answered, or what was cancelled is waited for no longer. */
static bool run_is_done(const struct wyn_bench *bench)
{
	return bench->phase >= WYN_BENCH_DRAIN &&
	       (bench->submitted == bench->answered + bench->lost ||
		       (bench->phase == WYN_BENCH_CANCEL &&
			       bench->now_ns >= bench->phase_ns));
}

static void run_phase(struct wyn_bench *bench)
{
	if (wyn_interrupted() && bench->phase < WYN_BENCH_CANCEL) {
		wyn_bench_stop(bench, WYN_EXIT_INTERRUPTED);
		bench->counting = false;
		run_cancel(bench);
	}
	if (bench->phase == WYN_BENCH_WARMUP) {
		run_warmup(bench);
	}
	if (bench->phase == WYN_BENCH_MEASURE && run_has_ended(bench)) {
		wyn_bench_stop(bench, WYN_EXIT_OK);
	}
	if (bench->phase < WYN_BENCH_CANCEL) {
		run_look_for_life(bench);
	}
	if (run_is_done(bench)) {
		bench->phase = WYN_BENCH_DONE;
	} else if (bench->phase == WYN_BENCH_DRAIN &&
		   bench->now_ns >= bench->phase_ns) {
		run_cancel(bench);
	}
}

/* Open loop: who has become due. */
static void run_deal(struct wyn_bench *bench)
{
	uint64_t due = wyn_pace_due(&bench->pace, bench->now_ns);
	uint64_t connections = bench->config.connections;

	if (due - bench->paced >= connections) {
		bench->paced = due;
		run_queue_all(bench);
	}
	while (bench->paced < due) {
		wyn_bench_queue(
			bench, &bench->lanes[bench->paced % connections]);
		bench->paced++;
	}
}

/* The first error is said: with many connections the others say the same. */
static void run_lane_over(
	struct wyn_bench *bench, struct wyn_bench_lane *lane, int err)
{
	bool is_end = err == -ESHUTDOWN && bench->phase >= WYN_BENCH_DRAIN;

	if (bench->code == WYN_EXIT_OK && !is_end) {
		wyn_bench_stop(bench, wyn_ctl_failed(lane->client));
	}
	lane->over = true;
	bench->lost += lane->flight;
	(void)epoll_ctl(bench->epoll_fd, EPOLL_CTL_DEL,
		wyn_client_fd(lane->client), NULL);
}

static void run_serve(struct wyn_bench *bench, struct wyn_bench_lane *lane)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = lane};
	bool wants_output;
	int err = wyn_lane_serve(bench, lane);

	if (err != 0) {
		run_lane_over(bench, lane, err);
		return;
	}
	wants_output = wyn_client_wants_write(lane->client);
	if (lane->queued || wants_output == lane->polls_output) {
		return;
	}
	lane->polls_output = wants_output;
	event.events |= wants_output ? EPOLLOUT : 0;
	(void)epoll_ctl(bench->epoll_fd, EPOLL_CTL_MOD,
		wyn_client_fd(lane->client), &event);
}

static void run_turn(struct wyn_bench *bench)
{
	uint64_t answered = bench->answered;

	for (uint64_t n = bench->queue_count; n > 0; n--) {
		uint64_t at = bench->queue_head % bench->config.connections;
		struct wyn_bench_lane *lane = &bench->lanes[bench->queue[at]];

		bench->queue_head++;
		bench->queue_count--;
		lane->queued = false;
		run_serve(bench, lane);
	}
	if (bench->answered != answered) {
		bench->answered_ns = bench->now_ns;
		wyn_progress_update(bench->answered);
	}
}

/* The connection without tasks: it has to answer the server's Pings. */
static void run_serve_ctl(struct wyn_bench *bench)
{
	struct wyn_client *client = bench->ctl->client;

	if (wyn_ctl_serve(client) != 0) {
		(void)epoll_ctl(bench->epoll_fd, EPOLL_CTL_DEL,
			wyn_client_fd(client), NULL);
	}
}

static uint64_t run_sleep_ns(const struct wyn_bench *bench)
{
	int idle_ms = wyn_progress_idle();
	uint64_t until_ns = bench->phase_ns;
	uint64_t sleep_ns = RUN_SLEEP_NS_MAX;
	uint64_t now_ns;

	if (bench->phase == WYN_BENCH_WARMUP) {
		until_ns = bench->from_ns;
	} else if (bench->phase == WYN_BENCH_MEASURE) {
		until_ns = bench->to_ns;
	}
	if (bench->config.open && bench->phase <= WYN_BENCH_MEASURE) {
		uint64_t due_ns = wyn_pace_at(&bench->pace, bench->paced);

		until_ns = due_ns < until_ns ? due_ns : until_ns;
	}
	if (idle_ms >= 0 && (uint64_t)idle_ms * WYN_NS_PER_MS < sleep_ns) {
		sleep_ns = (uint64_t)idle_ms * WYN_NS_PER_MS;
	}
	now_ns = wyn_ctl_now_ns();
	if (until_ns < now_ns + RUN_SLEEP_NS_MIN) {
		return RUN_SLEEP_NS_MIN;
	}
	return until_ns - now_ns < sleep_ns ? until_ns - now_ns : sleep_ns;
}

static void run_wait(struct wyn_bench *bench)
{
	struct epoll_event events[RUN_EVENTS];
	struct timespec timeout = {0};
	uint64_t ns;
	int n;

	if (bench->queue_count == 0) {
		ns = run_sleep_ns(bench);
		timeout.tv_sec = (time_t)(ns / WYN_NS_PER_S);
		timeout.tv_nsec = (long)(ns % WYN_NS_PER_S);
	}
	n = epoll_pwait2(bench->epoll_fd, events, RUN_EVENTS, &timeout, NULL);
	for (int i = 0; i < n; i++) {
		struct wyn_bench_lane *lane = events[i].data.ptr;

		if (lane == NULL) {
			run_serve_ctl(bench);
		} else {
			lane->readable = true;
			wyn_bench_queue(bench, lane);
		}
	}
}

static void run_end(struct wyn_bench *bench)
{
	uint64_t unanswered = bench->submitted - bench->answered;

	if (!run_is_cut(bench)) {
		wyn_bench_cpu(bench, &bench->cpu_to);
		if (!bench->config.open || bench->to_ns < bench->answered_ns) {
			bench->to_ns = bench->answered_ns;
		}
	}
	if (unanswered > 0) {
		wyn_ctl_say("%" PRIu64 " tasks were not answered", unanswered);
		wyn_bench_stop(bench, WYN_EXIT_TIMED_OUT);
	}
	wyn_tally_flush(&bench->tally);
}

int wyn_bench_run(struct wyn_bench *bench)
{
	bench->whole = true;
	run_begin(bench);
	for (;;) {
		wyn_bench_clock(bench);
		run_phase(bench);
		if (bench->phase == WYN_BENCH_DONE) {
			break;
		}
		if (bench->config.open && bench->phase <= WYN_BENCH_MEASURE) {
			run_deal(bench);
		}
		run_turn(bench);
		run_wait(bench);
	}
	run_end(bench);
	return bench->code;
}

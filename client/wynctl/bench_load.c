// SPDX-License-Identifier: MIT
/*
 * bench_load.c - one connection of `wynctl bench`, in either loop.
 *
 * The closed loop starts a batch as soon as there is place for one in flight,
 * and a task's time runs from there. In the open loop the pace says when, and a
 * batch for which there is no credit stays due: its time runs all the same.
 */
#include <errno.h>
#include <string.h>

#include "client/wynctl/bench.h"

/* In one turn of a lane, each way. */
#define LANE_TURN_TASKS 1024u

static void lane_spend(struct wyn_bench *bench, uint64_t amount)
{
	bench->spent += amount;
	if (bench->spent >= WYN_BENCH_CLOCK_LOOK) {
		wyn_bench_clock(bench);
	}
}

static void lane_count(struct wyn_bench *bench, struct wyn_bench_lane *lane,
	const struct wyn_client_event *event)
{
	uint64_t start_ns =
		bench->begin_ns + (event->tag >> WYN_BENCH_TAG_SHIFT);

	if (!bench->counting || (event->tag & WYN_BENCH_TAG_COUNTS) == 0) {
		return;
	}
	lane->tasks++;
	wyn_tally_task(&bench->tally, bench->now_ns - start_ns);
	if (event->code == WYN_STATUS_OK) {
		bench->tally.value_bytes += event->value.size;
	} else {
		wyn_tally_error(&bench->tally, event->code, event->reason,
			event->message);
	}
}

/* A daemon has the functions that it had when it started, so no later task will
 * find this one. It is said once. */
static void lane_unknown(
	struct wyn_bench *bench, const struct wyn_client_event *event)
{
	if (bench->code == WYN_EXIT_OK) {
		wyn_ctl_say("%s: %s", bench->config.function,
			wyn_ctl_reason(event));
	}
	wyn_bench_stop(bench, wyn_exit_status(event->code));
}

static void lane_result(struct wyn_bench *bench, struct wyn_bench_lane *lane,
	const struct wyn_client_event *event)
{
	lane_spend(bench, WYN_BENCH_CLOCK_TASK + event->value.size);
	lane->flight--;
	bench->answered++;
	lane_count(bench, lane, event);
	if (event->code == WYN_STATUS_NOT_FOUND &&
		strcmp(event->reason, "FUNCTION_UNKNOWN") == 0) {
		lane_unknown(bench, event);
	}
}

/* Returns: 0 = there may be more; -EAGAIN, -ENODATA = that was all; -errno. */
static int lane_receive(struct wyn_bench *bench, struct wyn_bench_lane *lane)
{
	struct wyn_client_event event;
	int err;

	/* Looked at when the first has come: that may be long since. */
	bench->spent = WYN_BENCH_CLOCK_LOOK;
	for (unsigned i = 0; i < LANE_TURN_TASKS; i++) {
		err = wyn_client_next(lane->client, WYN_CLIENT_AT_ONCE, &event);
		if (err != 0) {
			return err;
		}
		if (event.kind != WYN_CLIENT_RESULT) {
			lane->room |= event.kind == WYN_CLIENT_ROOM;
			continue;
		}
		lane_result(bench, lane, &event);
		if (lane->flight == 0) {
			/* Looking for more costs a recv(2), which is saved if
			 * there is a task to be sent: wyn_lane_serve(). */
			return -ENODATA;
		}
	}
	return 0;
}

static ssize_t lane_source_read(void *context, void *buffer, size_t size)
{
	/* Which of its bytes come where is all the same. */
	memcpy(buffer, context, size);
	return (ssize_t)size;
}

static int lane_submit_large(
	struct wyn_bench *bench, struct wyn_bench_lane *lane, uint64_t *ret_seq)
{
	union {
		const void *constant;
		void *context;
	} bytes = {.constant = bench->argument.data};
	const struct wyn_client_source source = {
		.size = bench->argument.size,
		.read = lane_source_read,
		.context = bytes.context,
	};

	return wyn_client_submit_source(lane->client, bench->config.function,
		&source, &bench->options, ret_seq);
}

/* Up to n tasks of one start. Returns: 0, -EAGAIN (later), -errno. */
static int lane_submit(struct wyn_bench *bench, struct wyn_bench_lane *lane,
	uint64_t n, uint64_t start_ns, bool counts, size_t *ret_count)
{
	uint64_t first = 0;
	int err;

	bench->options.tag = (start_ns - bench->begin_ns)
				     << WYN_BENCH_TAG_SHIFT |
			     (counts ? WYN_BENCH_TAG_COUNTS : 0);
	*ret_count = 1;
	if (bench->in_chunks) {
		err = lane_submit_large(bench, lane, &first);
	} else {
		err = wyn_client_submit_batch(lane->client,
			bench->config.function, bench->arguments, (size_t)n,
			&bench->options, &first, ret_count);
	}
	if (err != 0) {
		return err == -ENOBUFS ? -EAGAIN : err;
	}
	if (lane->first_seq == 0) {
		lane->first_seq = first;
	}
	lane->last_seq = first + *ret_count - 1;
	lane->flight += *ret_count;
	bench->submitted += *ret_count;
	return 0;
}

/* Returns: 0 = there may be more; -EAGAIN = that was all; -errno. */
static int lane_submit_closed(
	struct wyn_bench *bench, struct wyn_bench_lane *lane)
{
	uint64_t turn = 0;
	uint64_t n;
	size_t count;
	int err;

	while (turn < LANE_TURN_TASKS) {
		n = bench->config.batch < bench->left ? bench->config.batch
						      : bench->left;
		if (n == 0 || lane->flight + n > lane->flight_max) {
			return -EAGAIN;
		}
		err = lane_submit(
			bench, lane, n, bench->now_ns, bench->stamping, &count);
		if (err != 0) {
			return err;
		}
		bench->left -= count;
		turn += count;
		lane_spend(bench,
			count * (WYN_BENCH_CLOCK_TASK + bench->argument.size));
	}
	return 0;
}

/* Of the last batch of a count there may be only a part. */
static uint64_t lane_batch_tasks(const struct wyn_bench *bench, uint64_t index)
{
	const struct wyn_bench_config *config = &bench->config;

	if (config->count > 0 && index + 1 == bench->pace.end &&
		config->count % config->batch != 0) {
		return config->count % config->batch;
	}
	return config->batch;
}

uint64_t wyn_lane_due(
	const struct wyn_bench *bench, const struct wyn_bench_lane *lane)
{
	return wyn_pace_share(
		       bench->paced, lane->index, bench->config.connections) -
	       lane->batches;
}

/* Returns: as lane_submit_closed(). */
static int lane_submit_open(
	struct wyn_bench *bench, struct wyn_bench_lane *lane)
{
	uint64_t turn = 0;
	uint64_t index;
	uint64_t start_ns;
	uint64_t tasks;
	size_t count;
	int err;

	while (turn < LANE_TURN_TASKS) {
		if (wyn_lane_due(bench, lane) == 0) {
			return -EAGAIN;
		}
		index = lane->batches * bench->config.connections + lane->index;
		start_ns = wyn_pace_at(&bench->pace, index);
		tasks = lane_batch_tasks(bench, index);
		err = lane_submit(bench, lane, tasks - lane->part, start_ns,
			start_ns >= bench->from_ns, &count);
		if (err != 0) {
			return err;
		}
		turn += count;
		lane->part += count;
		if (lane->part == tasks) {
			lane->part = 0;
			lane->batches++;
		}
	}
	return 0;
}

static bool lane_is_idle(int err)
{
	return err == -EAGAIN || err == -ENODATA;
}

/* Returns: 0 = serve it again; -EAGAIN = that was all. */
static int lane_submit_any(struct wyn_bench *bench, struct wyn_bench_lane *lane)
{
	int err;

	if (bench->phase > WYN_BENCH_MEASURE) {
		return -EAGAIN;
	}
	err = bench->config.open ? lane_submit_open(bench, lane)
				 : lane_submit_closed(bench, lane);
	if (err != 0 && err != -EAGAIN) {
		/* Of what was submitted the results are still to be had, also
		 * when the connection has ended. */
		wyn_bench_stop(bench, wyn_ctl_failed(lane->client));
		err = 0;
	}
	return err;
}

int wyn_lane_serve(struct wyn_bench *bench, struct wyn_bench_lane *lane)
{
	uint64_t submitted = bench->submitted;
	uint64_t answered;
	int received = lane->readable ? lane_receive(bench, lane) : -EAGAIN;
	int sent;

	if (received != 0 && !lane_is_idle(received)) {
		return received;
	}
	lane->room = false;
	sent = lane_submit_any(bench, lane);
	answered = bench->answered;
	if (submitted != bench->submitted || lane->flight == 0) {
		/* The library sends when it is asked for the next event. And
		 * what a submit lacked may be behind the last result. */
		received = lane_receive(bench, lane);
		if (received != 0 && !lane_is_idle(received)) {
			return received;
		}
	}
	lane->readable = received == 0 || sent == 0;
	if (received == 0 || sent == 0 || lane->room ||
		answered != bench->answered) {
		wyn_bench_queue(bench, lane);
	}
	return 0;
}

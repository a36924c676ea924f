// SPDX-License-Identifier: MIT
/*
 * bench.h - what the parts of `wynctl bench` share.
 *
 * bench.c connects and cleans up; bench_run.c waits for all connections at once
 * and knows the phases; bench_load.c serves one connection; bench_cpu.c asks
 * for CPU time; bench_report.c prints. One thread, and no allocation per task.
 *
 * A task's tag is what is known of it, so that nothing is kept per task:
 * when it started, since the run's begin, whether it counts, and the index
 * in its batch, which the library adds.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "client/wynctl/bench_config.h"
#include "client/wynctl/bench_pace.h"
#include "client/wynctl/bench_tally.h"
#include "client/wynctl/ctl.h"

#define WYN_BENCH_TAG_COUNTS (UINT64_C(1) << 10)
#define WYN_BENCH_TAG_SHIFT  11u
_Static_assert(
	WYN_BATCH_MAX <= WYN_BENCH_TAG_COUNTS, "a batch's indices fit below");

/*
 * The clock is read once for so much of this: a task and its value's bytes.
 * That is after 256 small tasks, or within one burst of large ones.
 */
#define WYN_BENCH_CLOCK_TASK 256u
#define WYN_BENCH_CLOCK_LOOK 65536u

/* An open loop's bound on the tasks of a connection; of all it is 16 times as
 * much. The server's credit is the lower one, unless it is told otherwise. */
#define WYN_BENCH_OPEN_FLIGHT_MAX   65536u
#define WYN_BENCH_OPEN_FLIGHT_LEAST 1024u

enum wyn_bench_phase {
	WYN_BENCH_WARMUP,
	WYN_BENCH_MEASURE,
	WYN_BENCH_DRAIN,  /* nothing is submitted any more */
	WYN_BENCH_CANCEL, /* what is in flight was asked to end */
	WYN_BENCH_DONE,
};

/* One connection. */
struct wyn_bench_lane {
	struct wyn_client *client;
	uint32_t index;
	bool queued;   /* it is in bench.queue */
	bool readable; /* there may be something to take, or to send */
	bool room;     /* a submit that was refused may be tried again */
	bool polls_output;
	bool over; /* its connection has ended */
	uint64_t flight;
	uint64_t flight_max; /* closed loop */
	uint64_t batches;    /* open loop: those wholly submitted */
	uint64_t part;	     /* and tasks of the next one */
	uint64_t first_seq;  /* 0 = nothing was submitted */
	uint64_t last_seq;
	uint64_t tasks; /* that counted */
};

/* Microseconds of CPU time since the start of both processes. */
struct wyn_bench_cpu {
	bool has_server; /* it told */
	uint64_t client_user_us;
	uint64_t client_system_us;
	uint64_t server_user_us;
	uint64_t server_system_us;
};

struct wyn_bench {
	struct wyn_ctl *ctl; /* whose client carries no tasks */
	struct wyn_bench_config config;
	struct wyn_client_options options;
	struct wyn_bytes argument;
	struct wyn_bytes arguments[WYN_BATCH_MAX]; /* all the same */
	bool in_chunks; /* it does not fit into a frame */

	struct wyn_bench_lane *lanes;
	uint32_t *queue; /* a ring of those to be served, by index */
	uint64_t queue_head;
	uint64_t queue_count;
	int epoll_fd;

	enum wyn_bench_phase phase;
	bool counting; /* results count, if their tag says so */
	bool stamping; /* closed loop: what is submitted now counts */
	uint64_t
		left; /* closed loop: tasks to be submitted yet; open: in all */
	struct wyn_pace pace;
	uint64_t paced; /* batches that were due when last looked */

	uint64_t now_ns; /* the clock, when last looked at */
	uint64_t spent;	 /* since then: see WYN_BENCH_CLOCK_LOOK */
	uint64_t begin_ns;
	uint64_t from_ns;     /* what is measured: from and to */
	uint64_t to_ns;	      /* planned, then real */
	uint64_t phase_ns;    /* when DRAIN or CANCEL ends; else unused */
	uint64_t answered_ns; /* when something last was */
	struct wyn_bench_cpu cpu_from;
	struct wyn_bench_cpu cpu_to;
	bool cpu_asked;

	uint64_t submitted;
	uint64_t answered;
	uint64_t lost;	 /* of those whose connection ended without an answer */
	uint64_t missed; /* due in the open loop, and never submitted */
	bool whole;	 /* it was not ended early */
	int code;	 /* why it was: an exit code */
	struct wyn_tally tally;
};

/* wyn_bench_clock - looks at the clock. */
void wyn_bench_clock(struct wyn_bench *bench);

/* wyn_bench_queue - the lane will be served in this turn or the next. */
void wyn_bench_queue(struct wyn_bench *bench, struct wyn_bench_lane *lane);

/*
 * wyn_bench_run - from the warm-up to the last answer; ends by itself.
 *
 * Returns: the exit code, tasks that failed apart. Blocks.
 */
WYN_NODISCARD
int wyn_bench_run(struct wyn_bench *bench);

/* wyn_bench_stop - submit no more. With `code` other than OK it is early. */
void wyn_bench_stop(struct wyn_bench *bench, int code);

/*
 * wyn_lane_serve - takes what has come, submits what may go, and sends it.
 *
 * So much at once that the other lanes have their turn: if there is more it
 * queues the lane again. Returns: 0, or -errno as wyn_client_next().
 */
WYN_NODISCARD
int wyn_lane_serve(struct wyn_bench *bench, struct wyn_bench_lane *lane);

/* wyn_lane_due - open loop: batches that are due and not wholly submitted. */
uint64_t wyn_lane_due(
	const struct wyn_bench *bench, const struct wyn_bench_lane *lane);

/*
 * wyn_bench_cpu - reads our own CPU time, and asks the server for its own.
 *
 * Blocks: for a round trip on the connection that carries no tasks.
 */
void wyn_bench_cpu(struct wyn_bench *bench, struct wyn_bench_cpu *ret_cpu);

/* wyn_bench_report - prints it all. */
void wyn_bench_report(struct wyn_bench *bench);

// SPDX-License-Identifier: MIT
/*
 * repeat.c - `wynctl repeat FUNC N`: many small tasks, every result checked.
 *
 * Each argument is 16 bytes that no other task of the run has. Every task must
 * end exactly once and OK; of echo the value must be the argument. Latency is
 * taken from when a batch was due to be submitted, waiting for credit included,
 * to when the result is read.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"
#include "base/histogram.h"
#include "base/time.h"
#include "client/wynctl/clock.h"
#include "client/wynctl/ctl.h"
#include "client/wynctl/interrupt.h"
#include "client/wynctl/json.h"
#include "client/wynctl/progress.h"

#define ARGUMENT_BYTES 16u
#define SPREAD	       UINT64_C(0x9e3779b97f4a7c15) /* 2^64 / golden ratio */
/* Lines about tasks that went wrong: a few tell as much as a million would. */
#define SAID_MAX 10u

struct repeat {
	struct wyn_ctl *ctl;
	const char *function;
	struct wyn_client_options options;
	uint64_t total;
	uint64_t batch;
	uint64_t flight_max;
	uint64_t submitted;
	uint64_t done;
	uint64_t failed;
	uint64_t wrong; /* values that are not the argument */
	bool is_echo;
	bool stopped; /* submit no more */
	uint64_t first_seq;
	uint64_t last_seq;
	uint64_t start_ns;
	uint64_t *due_ns; /* of each batch */
	uint8_t *seen;	  /* a bit for each task */
	struct wyn_histogram latency;
	uint8_t bytes[WYN_BATCH_MAX][ARGUMENT_BYTES];
	struct wyn_bytes arguments[WYN_BATCH_MAX];
};

static void repeat_argument(uint64_t index, uint8_t out[ARGUMENT_BYTES])
{
	uint64_t spread = (index + 1) * SPREAD;

	memcpy(out, &index, sizeof(index));
	memcpy(out + sizeof(index), &spread, sizeof(spread));
}

/* Submits up to the end of a batch. Returns: 0, -EAGAIN, or an error. */
static int repeat_submit(struct repeat *repeat)
{
	uint64_t batch_end =
		(repeat->submitted / repeat->batch + 1) * repeat->batch;
	uint64_t *due = &repeat->due_ns[repeat->submitted / repeat->batch];
	uint64_t first;
	size_t count;
	size_t n;
	int err;

	if (batch_end > repeat->total) {
		batch_end = repeat->total;
	}
	n = (size_t)(batch_end - repeat->submitted);
	for (size_t i = 0; i < n; i++) {
		repeat_argument(repeat->submitted + i, repeat->bytes[i]);
		repeat->arguments[i].data = repeat->bytes[i];
		repeat->arguments[i].size = ARGUMENT_BYTES;
	}
	if (*due == 0) {
		*due = wyn_ctl_now_ns();
	}
	repeat->options.tag = repeat->submitted;
	err = wyn_client_submit_batch(repeat->ctl->client, repeat->function,
		repeat->arguments, n, &repeat->options, &first, &count);
	if (err != 0) {
		return err;
	}
	if (repeat->submitted == 0) {
		repeat->first_seq = first;
	}
	repeat->last_seq = first + count - 1;
	repeat->submitted += count;
	return 0;
}

static void repeat_say(struct repeat *repeat, uint64_t tag, const char *what)
{
	if (repeat->failed + repeat->wrong <= SAID_MAX) {
		wyn_ctl_say("task %" PRIu64 ": %s", tag, what);
	}
}

static void repeat_check(
	struct repeat *repeat, const struct wyn_client_event *event)
{
	uint8_t argument[ARGUMENT_BYTES];
	uint8_t bit = (uint8_t)(1u << (event->tag & 7));
	uint8_t *seen = &repeat->seen[event->tag >> 3];

	repeat->done++;
	if ((*seen & bit) != 0) {
		repeat->wrong++;
		repeat_say(repeat, event->tag, "a second result");
	}
	*seen |= bit;
	if (event->code != WYN_STATUS_OK) {
		repeat->failed++;
		repeat_say(repeat, event->tag, wyn_ctl_reason(event));
		return;
	}
	if (!repeat->is_echo) {
		return;
	}
	repeat_argument(event->tag, argument);
	if (event->value.size != ARGUMENT_BYTES ||
		memcmp(event->value.data, argument, ARGUMENT_BYTES) != 0) {
		repeat->wrong++;
		repeat_say(repeat, event->tag, "the value is not the argument");
	}
}

static int repeat_interrupt(struct repeat *repeat)
{
	if (!wyn_interrupted() || repeat->stopped) {
		return 0;
	}
	repeat->stopped = true;
	if (repeat->submitted == 0) {
		return 0;
	}
	return wyn_client_cancel(repeat->ctl->client, repeat->first_seq,
		repeat->last_seq - repeat->first_seq + 1);
}

/* One result, or more credit, or the interrupt. Returns: 0, -errno. */
static int repeat_wait(struct repeat *repeat)
{
	struct wyn_client_event event;
	uint64_t now_ns;
	int err = wyn_ctl_wait(repeat->ctl, -1, &event);

	if (err == -EINTR) {
		return repeat_interrupt(repeat);
	}
	if (err != 0 || event.kind != WYN_CLIENT_RESULT) {
		return err;
	}
	now_ns = wyn_ctl_now_ns();
	wyn_histogram_record(&repeat->latency,
		now_ns - repeat->due_ns[event.tag / repeat->batch]);
	repeat_check(repeat, &event);
	wyn_progress_update(repeat->done);
	return 0;
}

static bool repeat_may_submit(const struct repeat *repeat)
{
	uint64_t flight = repeat->submitted - repeat->done;

	return !repeat->stopped && repeat->submitted < repeat->total &&
	       flight + repeat->batch <= repeat->flight_max;
}

/* Returns: the exit code of what ended it early, else OK. */
static int repeat_run(struct repeat *repeat)
{
	int err = 0;

	while (repeat->done < repeat->submitted ||
		(!repeat->stopped && repeat->submitted < repeat->total)) {
		while (err == 0 && repeat_may_submit(repeat)) {
			err = repeat_submit(repeat);
		}
		if (err == -ESHUTDOWN) {
			repeat->stopped = true;
			wyn_ctl_say("%s",
				wyn_client_error(repeat->ctl->client)->message);
			err = 0;
			continue;
		}
		if (err == 0 || err == -EAGAIN) {
			err = repeat_wait(repeat);
		}
		if (err != 0) {
			return wyn_ctl_fail(repeat->ctl);
		}
	}
	if (wyn_interrupted()) {
		return WYN_EXIT_INTERRUPTED;
	}
	return repeat->stopped ? WYN_EXIT_TRY_AGAIN : WYN_EXIT_OK;
}

static void repeat_print(const struct repeat *repeat, double seconds)
{
	static const double percents[] = {50, 90, 99, 99.9, 100};
	static const char *const names[] = {"p50", "p90", "p99", "p999", "max"};
	struct wyn_stdout *output = &repeat->ctl->output;
	uint64_t ns[WYN_COUNT_OF(percents)];

	for (size_t i = 0; i < WYN_COUNT_OF(percents); i++) {
		ns[i] = wyn_histogram_percentile(&repeat->latency, percents[i]);
	}
	if (repeat->ctl->arguments->json) {
		wyn_json_print(output,
			json_pack(
				"{s:s,s:I,s:I,s:I,s:f,s:f,s:I,s:I,s:I,s:I,s:I}",
				"function", repeat->function, "tasks",
				(json_int_t)repeat->done, "failed",
				(json_int_t)repeat->failed, "wrong",
				(json_int_t)repeat->wrong, "seconds", seconds,
				"per_second", (double)repeat->done / seconds,
				"p50_ns", (json_int_t)ns[0], "p90_ns",
				(json_int_t)ns[1], "p99_ns", (json_int_t)ns[2],
				"p999_ns", (json_int_t)ns[3], "max_ns",
				(json_int_t)ns[4]));
		return;
	}
	wyn_stdout_print(output,
		"%" PRIu64 " tasks of %s in %.3f s: %.0f per second, %" PRIu64
		" failed, %" PRIu64 " wrong\n",
		repeat->done, repeat->function, seconds,
		(double)repeat->done / seconds, repeat->failed, repeat->wrong);
	wyn_stdout_print(output, "latency:");
	for (size_t i = 0; i < WYN_COUNT_OF(percents); i++) {
		wyn_stdout_print(
			output, " %s %.1f us", names[i], (double)ns[i] / 1000);
	}
	wyn_stdout_print(output, "\n");
}

static int repeat_connected(struct repeat *repeat)
{
	uint64_t now_ns;
	int code;

	wyn_interrupt_init();
	wyn_progress_start(repeat->total);
	repeat->start_ns = wyn_ctl_now_ns();
	code = repeat_run(repeat);
	if (code == WYN_EXIT_OK && repeat->failed > 0) {
		code = wyn_ctl_lost(repeat->ctl);
	}
	now_ns = wyn_ctl_now_ns();
	wyn_progress_end();
	if (repeat->done > 0) {
		repeat_print(repeat, (double)(now_ns - repeat->start_ns) /
					     (double)WYN_NS_PER_S);
	}
	if (code == WYN_EXIT_OK && repeat->failed + repeat->wrong > 0) {
		code = WYN_EXIT_FAILED;
	}
	return code;
}

int wyn_command_repeat(struct wyn_ctl *ctl)
{
	const struct wyn_arguments *arguments = ctl->arguments;
	struct repeat *repeat = calloc(1, sizeof(*repeat));
	int code = WYN_EXIT_TRY_AGAIN;

	if (repeat == NULL) {
		wyn_ctl_say("%s", strerror(ENOMEM));
		return code;
	}
	repeat->ctl = ctl;
	repeat->function = arguments->operands[0];
	repeat->is_echo = strcmp(repeat->function, "echo") == 0;
	repeat->options = wyn_ctl_options(arguments);
	repeat->options.nonblock = true;
	repeat->total = arguments->count;
	repeat->flight_max =
		arguments->jobs != 0 ? arguments->jobs : WYN_FLIGHT_DEFAULT;
	repeat->batch =
		arguments->batch != 0 ? arguments->batch : WYN_BATCH_DEFAULT;
	if (repeat->batch > repeat->flight_max) {
		repeat->batch = repeat->flight_max;
	}
	repeat->due_ns = calloc(
		repeat->total / repeat->batch + 1, sizeof(*repeat->due_ns));
	repeat->seen = calloc(repeat->total / 8 + 1, 1);
	if (repeat->due_ns != NULL && repeat->seen != NULL) {
		code = wyn_ctl_connect(ctl, repeat->flight_max);
		if (code == WYN_EXIT_OK) {
			code = repeat_connected(repeat);
		}
	} else {
		wyn_ctl_say("%s", strerror(ENOMEM));
	}
	free(repeat->due_ns);
	free(repeat->seen);
	free(repeat);
	return code;
}

// SPDX-License-Identifier: MIT
/*
 * watch.c - `wynctl stats --watch`: the daemon's counters again and again, and
 * what they grew by in a second since the last time.
 *
 * On a terminal they fill the screen anew, elsewhere each time is a line. The
 * time between two samples is the daemon's own, so a rate is right however late
 * we are.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/compiler.h"
#include "base/time.h"
#include "client/wynctl/clock.h"
#include "client/wynctl/ctl.h"
#include "client/wynctl/escape.h"
#include "client/wynctl/interrupt.h"
#include "client/wynctl/json.h"
#include "client/wynctl/stats.h"

#define COUNTERS_MAX 256u
#define NAME_BYTES   64u

/* To the upper left, and everything away. */
#define CLEAR "\033[H\033[2J"

struct counter {
	char name[NAME_BYTES];
	uint64_t value;
};

struct sample {
	size_t count;
	struct counter counters[COUNTERS_MAX];
};

struct watch {
	struct wyn_ctl *ctl;
	bool terminal;
	struct sample samples[2];
	struct sample *now;
	struct sample *before;
};

static int sample_each(void *context, const struct wyn_client_counter *counter)
{
	struct sample *sample = context;
	struct counter *kept = &sample->counters[sample->count];

	if (sample->count < COUNTERS_MAX) {
		(void)wyn_escape_text(
			counter->name, kept->name, sizeof(kept->name));
		kept->value = counter->value;
		sample->count++;
	}
	return 0;
}

/* The next sample; the one before is kept. Returns: as wyn_client_stats(). */
static int sample_take(struct watch *watch)
{
	struct sample *next = watch->before;

	watch->before = watch->now;
	watch->now = next;
	next->count = 0;
	return wyn_client_stats(watch->ctl->client,
		wyn_client_deadline_in_ms(WYN_CTL_REQUEST_MS), sample_each,
		next);
}

static uint64_t value_of(const struct sample *sample, const char *name)
{
	for (size_t i = 0; i < sample->count; i++) {
		if (strcmp(sample->counters[i].name, name) == 0) {
			return sample->counters[i].value;
		}
	}
	return 0;
}

static double rate_of(const struct watch *watch, const struct counter *counter)
{
	uint64_t before = value_of(watch->before, counter->name);
	uint64_t took_ns = value_of(watch->now, "uptime_ns") -
			   value_of(watch->before, "uptime_ns");

	if (took_ns == 0 || counter->value < before) {
		return 0;
	}
	return (double)(counter->value - before) * (double)WYN_NS_PER_S /
	       (double)took_ns;
}

static void print_screen(const struct watch *watch)
{
	struct wyn_stdout *output = &watch->ctl->output;

	wyn_stdout_print(output, CLEAR);
	for (size_t i = 0; i < watch->now->count; i++) {
		const struct counter *counter = &watch->now->counters[i];

		wyn_stats_print(output, counter->name, counter->value,
			wyn_stats_has_rate(counter->name)
				? rate_of(watch, counter)
				: -1);
	}
}

static void print_line(const struct watch *watch)
{
	struct wyn_stdout *output = &watch->ctl->output;

	wyn_stdout_print(output,
		"uptime_s=%.3f connections_open=%" PRIu64
		" tasks_held=%" PRIu64,
		(double)value_of(watch->now, "uptime_ns") /
			(double)WYN_NS_PER_S,
		value_of(watch->now, "connections_open"),
		value_of(watch->now, "tasks_held"));
	for (size_t i = 0; i < watch->now->count; i++) {
		const struct counter *counter = &watch->now->counters[i];

		if (wyn_stats_has_rate(counter->name)) {
			wyn_stdout_print(output, " %s/s=%.0f", counter->name,
				rate_of(watch, counter));
		}
	}
	wyn_stdout_print(output, "\n");
}

static void print_json(const struct watch *watch)
{
	json_t *object = json_object();
	json_t *rates = json_object();

	for (size_t i = 0; i < watch->now->count; i++) {
		const struct counter *counter = &watch->now->counters[i];

		(void)json_object_set_new(object, counter->name,
			json_integer((json_int_t)counter->value));
		if (wyn_stats_has_rate(counter->name)) {
			(void)json_object_set_new(rates, counter->name,
				json_real(rate_of(watch, counter)));
		}
	}
	(void)json_object_set_new(object, "rates", rates);
	wyn_json_print(&watch->ctl->output, object);
}

static void print(const struct watch *watch)
{
	if (watch->ctl->arguments->json) {
		print_json(watch);
	} else if (watch->terminal) {
		print_screen(watch);
	} else {
		print_line(watch);
	}
	if (wyn_stdout_full(&watch->ctl->output)) {
		wyn_stdout_wait(&watch->ctl->output);
	} else {
		wyn_stdout_flush(&watch->ctl->output);
	}
}

/* Until the next sample is due. Returns: 0; -EINTR after SIGINT; why the
 * connection ended. */
static int rest(struct watch *watch, uint64_t until_ns)
{
	struct wyn_client *client = watch->ctl->client;
	uint64_t now_ns = wyn_ctl_now_ns();

	do {
		struct pollfd fds[] = {
			{.fd = wyn_client_fd(client), .events = POLLIN},
			{.fd = wyn_stdout_waits_fd(&watch->ctl->output),
				.events = POLLOUT},
		};
		uint64_t left_ms =
			until_ns > now_ns
				? (until_ns - now_ns + WYN_NS_PER_MS - 1) /
					  WYN_NS_PER_MS
				: 0;
		int result;

		if (wyn_client_wants_write(client)) {
			fds[0].events |= POLLOUT;
		}
		result = wyn_interrupt_poll(
			fds, WYN_COUNT_OF(fds), (int)left_ms);
		if (result < 0) {
			return result;
		}
		result = wyn_ctl_serve(client);
		if (result != 0) {
			return result;
		}
		wyn_stdout_flush(&watch->ctl->output);
		now_ns = wyn_ctl_now_ns();
	} while (now_ns < until_ns);
	return 0;
}

static int watch_run(struct watch *watch)
{
	const struct wyn_arguments *arguments = watch->ctl->arguments;
	uint64_t interval_ns = arguments->interval_ms * WYN_NS_PER_MS;
	uint64_t due_ns = wyn_ctl_now_ns() + interval_ns;
	uint64_t times = 0;
	int err = sample_take(watch);

	while (err == 0 && watch->ctl->output.error == 0) {
		err = rest(watch, due_ns);
		if (err == 0) {
			err = sample_take(watch);
		}
		if (err == 0) {
			print(watch);
			/* What was missed is not made up for. */
			due_ns += interval_ns;
			if (due_ns < wyn_ctl_now_ns()) {
				due_ns = wyn_ctl_now_ns() + interval_ns;
			}
			if (++times == arguments->count) {
				break;
			}
		}
	}
	return err;
}

int wyn_command_watch(struct wyn_ctl *ctl)
{
	static struct watch watch;
	int code;

	wyn_interrupt_init();
	code = wyn_ctl_connect(ctl, 0);
	if (code != WYN_EXIT_OK) {
		return code;
	}
	watch.ctl = ctl;
	watch.terminal = isatty(STDOUT_FILENO) != 0;
	watch.now = &watch.samples[0];
	watch.before = &watch.samples[1];
	/* SIGINT is how it is meant to end. */
	return watch_run(&watch) == 0 || wyn_interrupted() ? WYN_EXIT_OK
							   : wyn_ctl_fail(ctl);
}

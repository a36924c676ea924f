// SPDX-License-Identifier: MIT
/*
 * stats.c - `wynctl stats`: the daemon's counters.
 *
 * The daemon names its counters; wynctl knows their units by the ends of the
 * names (_ns, _us, _bytes) and so prints also those that are newer than it.
 * Rates are means since the daemon started.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "base/compiler.h"
#include "base/time.h"
#include "client/wynctl/ctl.h"
#include "client/wynctl/escape.h"
#include "client/wynctl/json.h"

#define UPTIME "uptime_ns"
#define MIB    1048576.0

struct stats {
	struct wyn_ctl *ctl;
	json_t *object;	    /* with --json */
	uint64_t uptime_ns; /* 0 = not seen yet */
};

static bool stats_ends(const char *name, const char *end)
{
	size_t size = strlen(name);
	size_t end_size = strlen(end);

	return size >= end_size && strcmp(name + size - end_size, end) == 0;
}

/* Counters that only grow, and of which a rate says something. */
static bool stats_has_rate(const char *name)
{
	static const char *const names[] = {"tasks_accepted", "tasks_ok",
		"tasks_failed", "submits", "frames_received", "dispatches",
		"turns", "pool_run", "received_bytes", "sent_bytes"};

	for (size_t i = 0; i < WYN_COUNT_OF(names); i++) {
		if (strcmp(name, names[i]) == 0) {
			return true;
		}
	}
	return false;
}

static void stats_print_time(struct wyn_stdout *output, double ns)
{
	if (ns >= (double)WYN_NS_PER_S) {
		wyn_stdout_print(output, "%15.3f s", ns / (double)WYN_NS_PER_S);
	} else if (ns >= (double)WYN_NS_PER_MS) {
		wyn_stdout_print(
			output, "%15.3f ms", ns / (double)WYN_NS_PER_MS);
	} else {
		wyn_stdout_print(
			output, "%15.1f us", ns / (double)WYN_NS_PER_US);
	}
}

/* A time is printed with its unit, so its name goes without. Bytes stay in the
 * name, for they say of what it is: tasks_held is a number of tasks. */
static size_t stats_name_bytes(const char *name)
{
	size_t size = strlen(name);

	return stats_ends(name, "_ns") || stats_ends(name, "_us")
		       ? size - strlen("_ns")
		       : size;
}

static void stats_print_value(
	struct stats *stats, const struct wyn_client_counter *counter)
{
	struct wyn_stdout *output = &stats->ctl->output;

	if (stats_ends(counter->name, "_ns")) {
		stats_print_time(output, (double)counter->value);
	} else if (stats_ends(counter->name, "_us")) {
		stats_print_time(
			output, (double)counter->value * (double)WYN_NS_PER_US);
	} else if (stats_ends(counter->name, "_bytes")) {
		wyn_stdout_print(
			output, "%15.1f MiB", (double)counter->value / MIB);
	} else {
		wyn_stdout_print(output, "%15" PRIu64, counter->value);
	}
}

static int stats_each(void *context, const struct wyn_client_counter *counter)
{
	struct stats *stats = context;
	char name[128];
	char text[128];

	if (stats->object != NULL) {
		(void)json_object_set_new(stats->object, counter->name,
			json_integer((json_int_t)counter->value));
		return 0;
	}
	if (strcmp(counter->name, UPTIME) == 0) {
		stats->uptime_ns = counter->value;
	}
	(void)snprintf(name, sizeof(name), "%.*s",
		(int)stats_name_bytes(counter->name), counter->name);
	wyn_stdout_print(&stats->ctl->output, "%-26s",
		wyn_escape_text(name, text, sizeof(text)));
	stats_print_value(stats, counter);
	if (stats->uptime_ns > 0 && counter->value > 0 &&
		stats_has_rate(counter->name)) {
		wyn_stdout_print(&stats->ctl->output, "%15.0f/s",
			(double)counter->value * (double)WYN_NS_PER_S /
				(double)stats->uptime_ns);
	}
	wyn_stdout_print(&stats->ctl->output, "\n");
	return 0;
}

int wyn_command_stats(struct wyn_ctl *ctl)
{
	struct stats stats = {.ctl = ctl};
	int code = wyn_ctl_connect(ctl, 0);
	int err;

	if (code != WYN_EXIT_OK) {
		return code;
	}
	if (ctl->arguments->json) {
		stats.object = json_object();
	}
	err = wyn_client_stats(ctl->client,
		wyn_client_deadline_in_ms(WYN_CTL_REQUEST_MS), stats_each,
		&stats);
	if (err == 0 && stats.object != NULL) {
		wyn_json_print(&ctl->output, stats.object);
		stats.object = NULL;
	}
	json_decref(stats.object);
	return err == 0 ? WYN_EXIT_OK : wyn_ctl_fail(ctl);
}

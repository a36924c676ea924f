// SPDX-License-Identifier: MIT
/*
 * stats.c - `wynctl stats`: the daemon's counters.
 *
 * The daemon names its counters; wynctl knows their units by the ends of the
 * names (_ns, _us, _bytes) and so prints also those that are newer than it.
 * Rates are means since the daemon started.
 */
#include "client/wynctl/stats.h"

#include <inttypes.h>
#include <stdio.h>
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

bool wyn_stats_has_rate(const char *name)
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
	struct wyn_stdout *output, const char *name, uint64_t value)
{
	if (stats_ends(name, "_ns")) {
		stats_print_time(output, (double)value);
	} else if (stats_ends(name, "_us")) {
		stats_print_time(output, (double)value * (double)WYN_NS_PER_US);
	} else if (stats_ends(name, "_bytes")) {
		wyn_stdout_print(output, "%15.1f MiB", (double)value / MIB);
	} else {
		wyn_stdout_print(output, "%15" PRIu64, value);
	}
}

void wyn_stats_print(struct wyn_stdout *output, const char *counter,
	uint64_t value, double per_second)
{
	char name[128];
	char text[128];

	(void)snprintf(name, sizeof(name), "%.*s",
		(int)stats_name_bytes(counter), counter);
	wyn_stdout_print(
		output, "%-26s", wyn_escape_text(name, text, sizeof(text)));
	stats_print_value(output, counter, value);
	if (per_second >= 0) {
		wyn_stdout_print(output, "%15.0f/s", per_second);
	}
	wyn_stdout_print(output, "\n");
}

static int stats_each(void *context, const struct wyn_client_counter *counter)
{
	struct stats *stats = context;
	double per_second = -1;

	if (stats->object != NULL) {
		(void)json_object_set_new(stats->object, counter->name,
			json_integer((json_int_t)counter->value));
		return 0;
	}
	if (strcmp(counter->name, UPTIME) == 0) {
		stats->uptime_ns = counter->value;
	}
	if (stats->uptime_ns > 0 && counter->value > 0 &&
		wyn_stats_has_rate(counter->name)) {
		per_second = (double)counter->value * (double)WYN_NS_PER_S /
			     (double)stats->uptime_ns;
	}
	wyn_stats_print(
		&stats->ctl->output, counter->name, counter->value, per_second);
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

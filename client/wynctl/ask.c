// SPDX-License-Identifier: MIT
/*
 * ask.c - the commands that ask the daemon about itself: functions, version,
 * ping and drain.
 */
#include <inttypes.h>

#include "base/compiler.h"
#include "base/histogram.h"
#include "base/version.h"
#include "client/wynctl/ctl.h"
#include "client/wynctl/escape.h"
#include "client/wynctl/json.h"

#define WYN_ASK_TEXT_BYTES 2048u /* of a server; what is longer is cut */

static int functions_print(
	void *context, const struct wyn_client_function *function)
{
	struct wyn_ctl *ctl = context;
	char name[WYN_ASK_TEXT_BYTES];
	char module[WYN_ASK_TEXT_BYTES];
	char summary[WYN_ASK_TEXT_BYTES];

	if (ctl->arguments->json) {
		wyn_json_print(&ctl->output,
			json_pack("{s:s, s:s, s:s}", "name", function->name,
				"module", function->module, "summary",
				function->summary));
	} else {
		wyn_stdout_print(&ctl->output, "%-16s %-10s %s\n",
			wyn_escape_text(function->name, name, sizeof(name)),
			wyn_escape_text(
				function->module, module, sizeof(module)),
			wyn_escape_text(
				function->summary, summary, sizeof(summary)));
	}
	if (wyn_stdout_full(&ctl->output)) {
		wyn_stdout_wait(&ctl->output);
	}
	return 0;
}

int wyn_command_functions(struct wyn_ctl *ctl)
{
	int code = wyn_ctl_connect(ctl, 0);
	int err;

	if (code != WYN_EXIT_OK) {
		return code;
	}
	err = wyn_client_functions(ctl->client,
		wyn_client_deadline_in_ms(WYN_CTL_REQUEST_MS), functions_print,
		ctl);
	return err == 0 ? WYN_EXIT_OK : wyn_ctl_fail(ctl);
}

/* Its own version is known also where no daemon is. */
int wyn_command_version(struct wyn_ctl *ctl)
{
	const struct wyn_client_server *server;
	char name[WYN_ASK_TEXT_BYTES];
	int code;

	if (!ctl->arguments->json) {
		wyn_stdout_print(&ctl->output, "wynctl %s\n", WYN_VERSION);
		wyn_stdout_flush(&ctl->output);
	}
	code = wyn_ctl_connect(ctl, 0);
	server = code == WYN_EXIT_OK ? wyn_client_server(ctl->client) : NULL;
	if (ctl->arguments->json) {
		wyn_json_print(&ctl->output,
			json_pack("{s:s, s:s?, s:i}", "wynctl", WYN_VERSION,
				"server", server != NULL ? server->name : NULL,
				"protocol",
				server != NULL ? (int)server->version : 0));
	} else if (server != NULL) {
		wyn_stdout_print(&ctl->output, "server %s, protocol %u\n",
			wyn_escape_text(server->name, name, sizeof(name)),
			server->version);
	}
	return code;
}

static void ping_print(struct wyn_ctl *ctl, const struct wyn_histogram *times)
{
	const struct {
		const char *name;
		uint64_t ns;
	} rows[] = {
		{"min", wyn_histogram_min(times)},
		{"p50", wyn_histogram_percentile(times, 50)},
		{"p99", wyn_histogram_percentile(times, 99)},
		{"max", wyn_histogram_max(times)},
	};

	if (ctl->arguments->json) {
		wyn_json_print(&ctl->output,
			json_pack("{s:I, s:I, s:I, s:I, s:I}", "count",
				(json_int_t)wyn_histogram_count(times),
				"min_ns", (json_int_t)rows[0].ns, "p50_ns",
				(json_int_t)rows[1].ns, "p99_ns",
				(json_int_t)rows[2].ns, "max_ns",
				(json_int_t)rows[3].ns));
		return;
	}
	wyn_stdout_print(&ctl->output,
		"%" PRIu64 " round trips:", wyn_histogram_count(times));
	for (size_t i = 0; i < WYN_COUNT_OF(rows); i++) {
		wyn_stdout_print(&ctl->output, " %s %.1f us", rows[i].name,
			(double)rows[i].ns / 1000);
	}
	wyn_stdout_print(&ctl->output, "\n");
}

int wyn_command_ping(struct wyn_ctl *ctl)
{
	static struct wyn_histogram times;
	uint64_t count = ctl->arguments->count != 0 ? ctl->arguments->count
						    : WYN_PINGS_DEFAULT;
	uint64_t ns;
	int code = wyn_ctl_connect(ctl, 0);

	if (code != WYN_EXIT_OK) {
		return code;
	}
	wyn_histogram_init(&times);
	for (uint64_t i = 0; i < count; i++) {
		if (wyn_client_ping(ctl->client,
			    wyn_client_deadline_in_ms(WYN_CTL_REQUEST_MS),
			    &ns) != 0) {
			return wyn_ctl_fail(ctl);
		}
		wyn_histogram_record(&times, ns);
	}
	ping_print(ctl, &times);
	return WYN_EXIT_OK;
}

int wyn_command_drain(struct wyn_ctl *ctl)
{
	uint64_t unfinished = 0;
	int code = wyn_ctl_connect(ctl, 0);

	if (code != WYN_EXIT_OK) {
		return code;
	}
	if (wyn_client_drain(ctl->client,
		    wyn_client_deadline_in_ms(WYN_CTL_REQUEST_MS),
		    &unfinished) != 0) {
		return wyn_ctl_fail(ctl);
	}
	if (ctl->arguments->json) {
		wyn_json_print(&ctl->output, json_pack("{s:I}", "unfinished",
						     (json_int_t)unfinished));
	} else {
		wyn_stdout_print(&ctl->output,
			"draining, %" PRIu64 " task%s unfinished\n", unfinished,
			unfinished == 1 ? "" : "s");
	}
	return code;
}

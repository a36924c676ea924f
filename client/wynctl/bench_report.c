// SPDX-License-Identifier: MIT
/*
 * bench_report.c - what `wynctl bench` prints, as text and as JSON.
 */
#include <inttypes.h>

#include "base/time.h"
#include "client/wynctl/bench.h"
#include "client/wynctl/escape.h"
#include "client/wynctl/json.h"
#include "client/wynctl/status.h"

/* What both forms print, once. */
struct report {
	struct wyn_bench *bench;
	double seconds;
	double per_second;
	double argument_bytes_per_second;
	double value_bytes_per_second;
	uint64_t min_ns;
	uint64_t mean_ns;
	uint64_t p50_ns;
	uint64_t p90_ns;
	uint64_t p99_ns;
	uint64_t p999_ns;
	uint64_t max_ns;
	uint64_t lane_min; /* tasks of one connection */
	uint64_t lane_max;
	double lane_mean;
	struct wyn_bench_cpu cpu; /* while it was measured */
};

static void report_lanes(struct report *report)
{
	const struct wyn_bench *bench = report->bench;

	report->lane_min = UINT64_MAX;
	for (uint64_t i = 0; i < bench->config.connections; i++) {
		uint64_t tasks = bench->lanes[i].tasks;

		if (tasks < report->lane_min) {
			report->lane_min = tasks;
		}
		if (tasks > report->lane_max) {
			report->lane_max = tasks;
		}
	}
	report->lane_mean =
		(double)bench->tally.tasks / (double)bench->config.connections;
}

static void report_cpu(struct report *report)
{
	const struct wyn_bench_cpu *from = &report->bench->cpu_from;
	const struct wyn_bench_cpu *to = &report->bench->cpu_to;

	report->cpu = (struct wyn_bench_cpu){
		.has_server = from->has_server && to->has_server,
		.client_user_us = to->client_user_us - from->client_user_us,
		.client_system_us =
			to->client_system_us - from->client_system_us,
		.server_user_us = to->server_user_us - from->server_user_us,
		.server_system_us =
			to->server_system_us - from->server_system_us,
	};
}

static struct report report_make(struct wyn_bench *bench)
{
	const struct wyn_tally *tally = &bench->tally;
	const struct wyn_histogram *latency = &tally->latency_ns;
	struct report report = {
		.bench = bench,
		.min_ns = wyn_histogram_min(latency),
		.mean_ns = (uint64_t)wyn_tally_mean_ns(tally),
		.p50_ns = wyn_histogram_percentile(latency, 50),
		.p90_ns = wyn_histogram_percentile(latency, 90),
		.p99_ns = wyn_histogram_percentile(latency, 99),
		.p999_ns = wyn_histogram_percentile(latency, 99.9),
		.max_ns = wyn_histogram_max(latency),
	};

	if (bench->to_ns > bench->from_ns) {
		report.seconds = (double)(bench->to_ns - bench->from_ns) /
				 (double)WYN_NS_PER_S;
		report.per_second = (double)tally->tasks / report.seconds;
		report.argument_bytes_per_second =
			report.per_second * (double)bench->config.size;
		report.value_bytes_per_second =
			(double)tally->value_bytes / report.seconds;
	}
	report_lanes(&report);
	report_cpu(&report);
	return report;
}

static json_t *json_count(uint64_t number, bool is_known)
{
	return is_known ? json_integer((json_int_t)number) : json_null();
}

static json_t *json_errors(const struct wyn_tally *tally)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < tally->errors_count; i++) {
		const struct wyn_tally_error *error = &tally->errors[i];

		(void)json_array_append_new(
			list, json_pack("{s:s, s:s, s:s, s:I}", "code",
				      wyn_status_name(error->code), "reason",
				      error->reason, "message", error->message,
				      "count", (json_int_t)error->count));
	}
	return list;
}

static json_t *json_latency(const struct report *report)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:f}", "min",
		(json_int_t)report->min_ns, "mean", (json_int_t)report->mean_ns,
		"p50", (json_int_t)report->p50_ns, "p90",
		(json_int_t)report->p90_ns, "p99", (json_int_t)report->p99_ns,
		"p999", (json_int_t)report->p999_ns, "max",
		(json_int_t)report->max_ns, "bucket_width",
		1.0 / (1u << WYN_HISTOGRAM_SUB_BITS));
}

static json_t *json_cpu(const struct wyn_bench_cpu *cpu)
{
	return json_pack("{s:I, s:I, s:o, s:o}", "client_user_us",
		(json_int_t)cpu->client_user_us, "client_system_us",
		(json_int_t)cpu->client_system_us, "server_user_us",
		json_count(cpu->server_user_us, cpu->has_server),
		"server_system_us",
		json_count(cpu->server_system_us, cpu->has_server));
}

static void report_json(const struct report *report)
{
	const struct wyn_bench *bench = report->bench;
	const struct wyn_bench_config *config = &bench->config;
	json_t *object = json_pack(
		"{s:s, s:s, s:I, s:o, s:o, s:I, s:I, s:b, s:f, s:I, s:I, s:o}",
		"loop", config->open ? "open" : "closed", "function",
		config->function, "connections",
		(json_int_t)config->connections, "in_flight",
		json_count(config->in_flight, !config->open), "rate",
		json_count(config->rate, config->open), "batch",
		(json_int_t)config->batch, "argument_bytes",
		(json_int_t)config->size, "complete", bench->whole, "seconds",
		report->seconds, "tasks", (json_int_t)bench->tally.tasks, "ok",
		(json_int_t)(bench->tally.tasks - bench->tally.failed),
		"errors", json_errors(&bench->tally));
	json_t *rest = json_pack(
		"{s:I, s:I, s:o, s:f, s:f, s:f, s:o, s:o, s:{s:I, s:f, s:I}}",
		"submitted", (json_int_t)bench->submitted, "unanswered",
		(json_int_t)(bench->submitted - bench->answered), "missed",
		json_count(bench->missed, config->open), "per_second",
		report->per_second, "argument_bytes_per_second",
		report->argument_bytes_per_second, "value_bytes_per_second",
		report->value_bytes_per_second, "latency_ns",
		json_latency(report), "cpu", json_cpu(&report->cpu),
		"connection_tasks", "min", (json_int_t)report->lane_min, "mean",
		report->lane_mean, "max", (json_int_t)report->lane_max);

	(void)json_object_update(object, rest);
	json_decref(rest);
	wyn_json_print(&bench->ctl->output, object);
}

static void print_load(const struct report *report)
{
	const struct wyn_bench_config *config = &report->bench->config;
	struct wyn_stdout *output = &report->bench->ctl->output;
	char text[128];

	wyn_stdout_print(output, "%s loop: %s, argument of %" PRIu64 " bytes, ",
		config->open ? "open" : "closed",
		wyn_escape_text(config->function, text, sizeof(text)),
		config->size);
	if (config->open) {
		wyn_stdout_print(
			output, "%" PRIu64 " per second due", config->rate);
	} else {
		wyn_stdout_print(
			output, "%" PRIu64 " in flight", config->in_flight);
	}
	wyn_stdout_print(output,
		" over %" PRIu64 " connection%s, %" PRIu64 " in a request\n",
		config->connections, config->connections == 1 ? "" : "s",
		config->batch);
}

static void print_time(
	struct wyn_stdout *output, const char *name, uint64_t time_ns)
{
	double ns = (double)time_ns;

	if (time_ns >= WYN_NS_PER_S) {
		wyn_stdout_print(
			output, " %s %.3f s", name, ns / (double)WYN_NS_PER_S);
	} else if (time_ns >= WYN_NS_PER_MS) {
		wyn_stdout_print(output, " %s %.2f ms", name,
			ns / (double)WYN_NS_PER_MS);
	} else {
		wyn_stdout_print(output, " %s %.1f us", name,
			ns / (double)WYN_NS_PER_US);
	}
}

static void print_latency(const struct report *report)
{
	struct wyn_stdout *output = &report->bench->ctl->output;

	wyn_stdout_print(output, "latency:");
	print_time(output, "min", report->min_ns);
	print_time(output, "mean", report->mean_ns);
	print_time(output, "p50", report->p50_ns);
	print_time(output, "p90", report->p90_ns);
	print_time(output, "p99", report->p99_ns);
	print_time(output, "p99.9", report->p999_ns);
	print_time(output, "max", report->max_ns);
	wyn_stdout_print(output, "\n");
}

static void print_cpu_side(const struct report *report, const char *name,
	uint64_t user_us, uint64_t system_us)
{
	double tasks = (double)report->bench->tally.tasks;

	wyn_stdout_print(&report->bench->ctl->output,
		" %s %.2f s (%.2f s system, %.0f ns a task)", name,
		(double)(user_us + system_us) / 1e6, (double)system_us / 1e6,
		(double)(user_us + system_us) * 1e3 / tasks);
}

static void print_cpu(const struct report *report)
{
	const struct wyn_bench_cpu *cpu = &report->cpu;
	struct wyn_stdout *output = &report->bench->ctl->output;

	wyn_stdout_print(output, "CPU time:");
	print_cpu_side(
		report, "wynctl", cpu->client_user_us, cpu->client_system_us);
	if (cpu->has_server) {
		wyn_stdout_print(output, ",");
		print_cpu_side(report, "wynd", cpu->server_user_us,
			cpu->server_system_us);
	}
	wyn_stdout_print(output, "\n");
}

static void print_errors(const struct report *report)
{
	const struct wyn_tally *tally = &report->bench->tally;
	struct wyn_stdout *output = &report->bench->ctl->output;
	char reason[WYN_TALLY_REASON_BYTES];
	char message[WYN_TALLY_MESSAGE_BYTES];

	for (unsigned i = 0; i < tally->errors_count; i++) {
		const struct wyn_tally_error *error = &tally->errors[i];

		wyn_stdout_print(output, "failed: %" PRIu64 " %s %s%s%s\n",
			error->count, wyn_status_name(error->code),
			wyn_escape_text(error->reason, reason, sizeof(reason)),
			error->message[0] != '\0' ? ", first: " : "",
			wyn_escape_text(
				error->message, message, sizeof(message)));
	}
}

static void print_rest(const struct report *report)
{
	const struct wyn_bench *bench = report->bench;
	struct wyn_stdout *output = &bench->ctl->output;
	uint64_t unanswered = bench->submitted - bench->answered;

	if (bench->config.connections > 1) {
		wyn_stdout_print(output,
			"tasks of a connection: %" PRIu64 " at least, %.1f in "
			"the mean, %" PRIu64 " at most\n",
			report->lane_min, report->lane_mean, report->lane_max);
	}
	print_errors(report);
	if (bench->missed > 0) {
		wyn_stdout_print(output,
			"missed: %" PRIu64 " were due and could not be "
			"submitted; the latencies are without them\n",
			bench->missed);
	}
	if (unanswered > 0) {
		wyn_stdout_print(
			output, "unanswered: %" PRIu64 "\n", unanswered);
	}
}

static void report_text(const struct report *report)
{
	const struct wyn_bench *bench = report->bench;
	struct wyn_stdout *output = &bench->ctl->output;

	print_load(report);
	wyn_stdout_print(output,
		"%" PRIu64 " tasks in %.3f s: %.0f per second, %" PRIu64
		" failed%s\n",
		bench->tally.tasks, report->seconds, report->per_second,
		bench->tally.failed, bench->whole ? "" : "; ended early");
	if (bench->tally.tasks > 0) {
		print_latency(report);
		wyn_stdout_print(output,
			"bytes: %.1f MiB/s of arguments, %.1f MiB/s of "
			"values\n",
			report->argument_bytes_per_second / 1048576,
			report->value_bytes_per_second / 1048576);
		print_cpu(report);
	}
	print_rest(report);
}

void wyn_bench_report(struct wyn_bench *bench)
{
	const struct report report = report_make(bench);

	if (bench->ctl->arguments->json) {
		report_json(&report);
	} else {
		report_text(&report);
	}
}

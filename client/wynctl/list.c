// SPDX-License-Identifier: MIT
/*
 * list.c - the commands that show what the daemon has: list, explain, module,
 * and reload, which shows what it changed.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/time.h"
#include "client/wynctl/ctl.h"
#include "client/wynctl/escape.h"
#include "client/wynctl/json.h"
#include "client/wynctl/words.h"

#define TEXT_BYTES 1024u /* of a server; what is longer is cut */
#define TIME_BYTES 24u
#define PART_TASKS 256u

/* How long, with three figures or so. */
static const char *time_of(uint64_t time_ns, char text[TIME_BYTES])
{
	double s = (double)time_ns / (double)WYN_NS_PER_S;

	if (s >= 3600) {
		(void)snprintf(text, TIME_BYTES, "%.1fh", s / 3600);
	} else if (s >= 60) {
		(void)snprintf(text, TIME_BYTES, "%.1fm", s / 60);
	} else if (s >= 1) {
		(void)snprintf(text, TIME_BYTES, "%.1fs", s);
	} else {
		(void)snprintf(text, TIME_BYTES, "%.1fms", s * 1e3);
	}
	return text;
}

/* A number that may pass 2^53. */
static json_t *json_large(uint64_t number)
{
	return json_sprintf("%" PRIu64, number);
}

static json_t *json_or_null(uint64_t number)
{
	return number != 0 ? json_integer((json_int_t)number) : json_null();
}

static json_t *task_json(const struct wyn_client_task *task)
{
	return json_pack("{s:o, s:o, s:I, s:s, s:s, s:s, s:s, s:I, s:o, s:I, "
			 "s:i, s:o, s:o, s:b, s:o}",
		"id", json_large(task->id), "seq", json_large(task->seq),
		"connection", (json_int_t)task->connection, "client",
		task->client_name, "function", task->function, "state",
		wyn_word_or_unknown(wyn_word_state(task->state)), "priority",
		wyn_word_or_unknown(wyn_word_priority(task->priority)),
		"age_ns", (json_int_t)task->age_ns, "run_ns",
		json_or_null(task->run_ns), "argument_bytes",
		(json_int_t)task->argument_bytes, "loop", (int)task->loop,
		"timeout_ms", json_or_null(task->timeout_ms), "deadline_ms",
		json_or_null(task->deadline_ms), "answered",
		(int)task->answered, "command",
		task->command[0] != '\0' ? json_string(task->command)
					 : json_null());
}

/* What it runs, for people. */
static const char *task_what(
	const struct wyn_client_task *task, char text[TEXT_BYTES])
{
	return wyn_escape_text(
		task->function[0] != '\0' ? task->function : task->command,
		text, TEXT_BYTES);
}

/* A list on its way. */
struct list {
	struct wyn_ctl *ctl;
	uint64_t count; /* printed */
	uint64_t last;	/* its id */
};

static int task_print(void *context, const struct wyn_client_task *task)
{
	struct list *list = context;
	struct wyn_ctl *ctl = list->ctl;
	char age[TIME_BYTES];
	char run[TIME_BYTES];
	char function[TEXT_BYTES];
	char client[TEXT_BYTES];

	list->count++;
	list->last = task->id;
	if (ctl->arguments->json) {
		wyn_json_print(&ctl->output, task_json(task));
	} else {
		wyn_stdout_print(&ctl->output,
			"%-19" PRIu64 " %5" PRIu64 " %9" PRIu64
			" %-9s %8s %8s %-6s %9" PRIu64 "  %-16s %s\n",
			task->id, task->connection, task->seq,
			wyn_word_or_unknown(wyn_word_state(task->state)),
			time_of(task->age_ns, age),
			task->run_ns > 0 ? time_of(task->run_ns, run) : "-",
			wyn_word_or_unknown(wyn_word_priority(task->priority)),
			task->argument_bytes, task_what(task, function),
			wyn_escape_text(
				task->client_name, client, sizeof(client)));
	}
	if (wyn_stdout_full(&ctl->output)) {
		wyn_stdout_wait(&ctl->output);
	}
	return 0;
}

/* Some at a time, so that it is not the length of the list that is bounded in
 * time but the wait for each part of it. */
static int list_print(struct list *list, struct wyn_client_filter filter)
{
	uint64_t limit = filter.limit;
	uint64_t wanted;
	uint64_t before;

	do {
		before = list->count;
		wanted = limit > 0 && limit - before < PART_TASKS
				 ? limit - before
				 : PART_TASKS;
		filter.limit = wanted;
		if (wyn_client_list(list->ctl->client,
			    wyn_client_deadline_in_ms(WYN_CTL_REQUEST_MS),
			    &filter, task_print, list) != 0) {
			return wyn_ctl_fail(list->ctl);
		}
		filter.after = list->last;
	} while (list->count - before == wanted && list->count != limit);
	return WYN_EXIT_OK;
}

int wyn_command_list(struct wyn_ctl *ctl)
{
	const struct wyn_arguments *arguments = ctl->arguments;
	const struct wyn_client_filter filter = {
		.after = arguments->after,
		.limit = arguments->limit,
		.function = arguments->function,
		.state = (enum wyn_client_state)arguments->state,
		.connection = arguments->connection,
	};
	struct list list = {.ctl = ctl};
	int code = wyn_ctl_connect(ctl, 0);

	if (code != WYN_EXIT_OK) {
		return code;
	}
	if (!arguments->json) {
		wyn_stdout_print(&ctl->output,
			"%-19s %5s %9s %-9s %8s %8s %-6s %9s  %-16s %s\n", "ID",
			"CONN", "SEQ", "STATE", "AGE", "RUNS", "PRIO", "BYTES",
			"FUNCTION", "CLIENT");
	}
	return list_print(&list, filter);
}

static void explain_json(
	struct wyn_ctl *ctl, const struct wyn_client_explanation *told)
{
	json_t *object = task_json(&told->task);
	json_t *rest = json_pack("{s:s, s:s, s:I, s:I, s:I, s:I}", "why",
		wyn_word_or_unknown(wyn_word_why(told->why)), "message",
		told->message, "ahead", (json_int_t)told->ahead,
		"connections_ahead", (json_int_t)told->connections,
		"executor_tasks", (json_int_t)told->executor, "have_bytes",
		(json_int_t)told->have_bytes);

	(void)json_object_update(object, rest);
	json_decref(rest);
	wyn_json_print(&ctl->output, object);
}

/* How long until a time is up that has gone on for `gone_ns`. */
static void limit_print(struct wyn_ctl *ctl, const char *name,
	uint64_t limit_ms, uint64_t gone_ns, const char *when)
{
	uint64_t limit_ns = limit_ms * WYN_NS_PER_MS;
	char limit[TIME_BYTES];
	char left[TIME_BYTES];

	if (limit_ms == 0) {
		return;
	}
	wyn_stdout_print(&ctl->output, "%s %s", name, time_of(limit_ns, limit));
	if (gone_ns == 0) {
		wyn_stdout_print(&ctl->output, " %s\n", when);
	} else if (gone_ns >= limit_ns) {
		wyn_stdout_print(&ctl->output, ", over\n");
	} else {
		wyn_stdout_print(&ctl->output, ", %s left\n",
			time_of(limit_ns - gone_ns, left));
	}
}

static void explain_text(
	struct wyn_ctl *ctl, const struct wyn_client_explanation *told)
{
	const struct wyn_client_task *task = &told->task;
	char text[TEXT_BYTES];
	char client[TEXT_BYTES];
	char time[TIME_BYTES];

	wyn_stdout_print(&ctl->output,
		"task %" PRIu64 ": %s, %" PRIu64 " bytes, priority %s\n",
		task->id, task_what(task, text), task->argument_bytes,
		wyn_word_or_unknown(wyn_word_priority(task->priority)));
	wyn_stdout_print(&ctl->output,
		"from seq %" PRIu64 " of connection %" PRIu64
		" (%s), on loop %u, %s ago\n",
		task->seq, task->connection,
		wyn_escape_text(task->client_name, client, sizeof(client)),
		task->loop, time_of(task->age_ns, time));
	wyn_stdout_print(&ctl->output, "%s: %s",
		wyn_word_or_unknown(wyn_word_state(task->state)),
		wyn_escape_text(told->message, text, sizeof(text)));
	if (task->run_ns > 0) {
		wyn_stdout_print(
			&ctl->output, ", for %s", time_of(task->run_ns, time));
	}
	wyn_stdout_print(&ctl->output, "\n");
	limit_print(ctl, "timeout", task->timeout_ms, task->run_ns,
		"from when it begins");
	limit_print(ctl, "deadline", task->deadline_ms, task->age_ns, "");
}

int wyn_command_explain(struct wyn_ctl *ctl)
{
	const struct wyn_arguments *arguments = ctl->arguments;
	bool by_seq = arguments->connection != 0;
	const struct wyn_client_which which = {
		.id = by_seq ? 0 : arguments->number,
		.seq = by_seq ? arguments->number : 0,
		.connection = arguments->connection,
	};
	struct wyn_client_explanation told;
	int code = wyn_ctl_connect(ctl, 0);

	if (code != WYN_EXIT_OK) {
		return code;
	}
	if (wyn_client_explain(ctl->client,
		    wyn_client_deadline_in_ms(WYN_CTL_REQUEST_MS), &which,
		    &told) != 0) {
		code = wyn_ctl_fail(ctl);
		if (!by_seq && wyn_client_error(ctl->client)->status ==
				       WYN_STATUS_NOT_FOUND) {
			wyn_ctl_say("if it is a seq, give --connection too");
		}
		return code;
	}
	if (arguments->json) {
		explain_json(ctl, &told);
	} else {
		explain_text(ctl, &told);
	}
	return WYN_EXIT_OK;
}

static int module_print(void *context, const struct wyn_client_module *module)
{
	struct wyn_ctl *ctl = context;
	char name[TEXT_BYTES];
	char version[TEXT_BYTES];
	char file[TEXT_BYTES];

	if (ctl->arguments->json) {
		wyn_json_print(&ctl->output,
			json_pack("{s:s, s:s, s:s, s:I}", "name", module->name,
				"version", module->version, "file",
				module->file, "functions",
				(json_int_t)module->functions));
		return 0;
	}
	wyn_stdout_print(&ctl->output,
		"%-16s %-10s %4" PRIu64 " functions  %s\n",
		wyn_escape_text(module->name, name, sizeof(name)),
		wyn_escape_text(module->version, version, sizeof(version)),
		module->functions,
		wyn_escape_text(module->file, file, sizeof(file)));
	return 0;
}

int wyn_command_module(struct wyn_ctl *ctl)
{
	int code;

	if (ctl->arguments->operand_count == 2) {
		return wyn_command_module_check(ctl);
	}
	code = wyn_ctl_connect(ctl, 0);
	if (code != WYN_EXIT_OK) {
		return code;
	}
	return wyn_client_modules(ctl->client,
		       wyn_client_deadline_in_ms(WYN_CTL_REQUEST_MS),
		       module_print, ctl) == 0
		       ? WYN_EXIT_OK
		       : wyn_ctl_fail(ctl);
}

struct changes {
	struct wyn_ctl *ctl;
	json_t *list; /* with --json */
	unsigned count;
};

static int change_print(void *context, const struct wyn_client_change *change)
{
	struct changes *changes = context;
	char what[TEXT_BYTES];
	char before[TEXT_BYTES];
	char after[TEXT_BYTES];

	changes->count++;
	if (changes->list != NULL) {
		(void)json_array_append_new(changes->list,
			json_pack("{s:s, s:s, s:s, s:b}", "what", change->what,
				"before", change->before, "after",
				change->after, "restart",
				(int)change->restart));
		return 0;
	}
	/* What is new was nothing before. */
	wyn_stdout_print(&changes->ctl->output, "%s: %s%s%s%s\n",
		wyn_escape_text(change->what, what, sizeof(what)),
		wyn_escape_text(change->before, before, sizeof(before)),
		change->before[0] != '\0' ? " -> " : "",
		wyn_escape_text(
			change->after[0] != '\0' ? change->after : "gone",
			after, sizeof(after)),
		change->restart ? ", with the next start" : "");
	return 0;
}

/* What is wrong is the configuration, not this call. */
static int reload_failed(const struct wyn_ctl *ctl)
{
	int code = wyn_ctl_fail(ctl);

	return strcmp(wyn_client_error(ctl->client)->reason,
		       "CONFIGURATION_VOID") == 0
		       ? WYN_EXIT_CONFIGURATION
		       : code;
}

int wyn_command_reload(struct wyn_ctl *ctl)
{
	struct changes changes = {.ctl = ctl};
	int code = wyn_ctl_connect(ctl, 0);

	if (code != WYN_EXIT_OK) {
		return code;
	}
	if (ctl->arguments->json) {
		changes.list = json_array();
	}
	if (wyn_client_reload(ctl->client,
		    wyn_client_deadline_in_ms(WYN_CTL_RELOAD_MS), change_print,
		    &changes) != 0) {
		json_decref(changes.list);
		return reload_failed(ctl);
	}
	if (changes.list != NULL) {
		wyn_json_print(&ctl->output,
			json_pack("{s:o}", "changes", changes.list));
	} else if (changes.count == 0) {
		wyn_stdout_print(&ctl->output, "nothing has changed\n");
	}
	return WYN_EXIT_OK;
}

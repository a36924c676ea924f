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
#include "client/wynctl/task_text.h"
#include "client/wynctl/words.h"

#define PART_TASKS 256u

/* A list on its way. */
struct list {
	struct wyn_ctl *ctl;
	uint64_t count; /* printed */
	uint64_t last;	/* its id */
};

static void row_print(struct wyn_ctl *ctl, const struct wyn_client_task *task)
{
	bool labelled = task->label[0] != '\0';
	bool named = task->client_name[0] != '\0';
	char age[WYN_TASK_TIME_BYTES];
	char run[WYN_TASK_TIME_BYTES];
	char exit[WYN_TASK_TIME_BYTES];
	char function[WYN_TASK_TEXT_BYTES];
	char client[WYN_TASK_TEXT_BYTES];
	char label[WYN_TASK_TEXT_BYTES];

	wyn_stdout_print(&ctl->output,
		"%-19" PRIu64 " %5" PRIu64 " %9" PRIu64
		" %-9s %-6s %8s %8s %-6s %9" PRIu64 "  %-16s %-*s%s%s\n",
		task->id, task->connection, task->seq,
		wyn_word_or_unknown(wyn_word_state(task->state)),
		wyn_task_exit(task, exit), wyn_task_time(task->age_ns, age),
		task->run_ns > 0 ? wyn_task_time(task->run_ns, run) : "-",
		wyn_word_or_unknown(wyn_word_priority(task->priority)),
		task->argument_bytes, wyn_task_what(task, function),
		labelled ? 8 : 0,
		named ? wyn_escape_text(
				task->client_name, client, sizeof(client))
		      : "-",
		labelled ? " " : "",
		wyn_escape_text(task->label, label, sizeof(label)));
}

static int task_print(void *context, const struct wyn_client_task *task)
{
	struct list *list = context;
	struct wyn_ctl *ctl = list->ctl;

	list->count++;
	list->last = task->id;
	if (ctl->arguments->json) {
		wyn_json_print(&ctl->output, wyn_task_json(task));
	} else {
		row_print(ctl, task);
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
		.label = arguments->label,
	};
	struct list list = {.ctl = ctl};
	int code = wyn_ctl_connect(ctl, 0);

	if (code != WYN_EXIT_OK) {
		return code;
	}
	if (!arguments->json) {
		wyn_stdout_print(&ctl->output,
			"%-19s %5s %9s %-9s %-6s %8s %8s %-6s %9s  %-16s %-8s "
			"%s\n",
			"ID", "CONN", "SEQ", "STATE", "EXIT", "AGE", "RUNS",
			"PRIO", "BYTES", "FUNCTION", "CLIENT", "LABEL");
	}
	return list_print(&list, filter);
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
		wyn_json_print(&ctl->output, wyn_task_explain_json(&told));
	} else {
		wyn_task_explain_text(ctl, &told);
	}
	return WYN_EXIT_OK;
}

static int module_print(void *context, const struct wyn_client_module *module)
{
	struct wyn_ctl *ctl = context;
	char name[WYN_TASK_TEXT_BYTES];
	char version[WYN_TASK_TEXT_BYTES];
	char file[WYN_TASK_TEXT_BYTES];

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
	char what[WYN_TASK_TEXT_BYTES];
	char before[WYN_TASK_TEXT_BYTES];
	char after[WYN_TASK_TEXT_BYTES];

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

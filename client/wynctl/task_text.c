// SPDX-License-Identifier: MIT
/*
 * task_text.c - see task_text.h.
 */
#include "client/wynctl/task_text.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/time.h"
#include "client/wynctl/escape.h"
#include "client/wynctl/json.h"
#include "client/wynctl/signal_name.h"
#include "client/wynctl/status.h"
#include "client/wynctl/words.h"

/* How long, with three figures or so. */
const char *wyn_task_time(uint64_t time_ns, char text[WYN_TASK_TIME_BYTES])
{
	double s = (double)time_ns / (double)WYN_NS_PER_S;

	if (s >= 3600) {
		(void)snprintf(text, WYN_TASK_TIME_BYTES, "%.1fh", s / 3600);
	} else if (s >= 60) {
		(void)snprintf(text, WYN_TASK_TIME_BYTES, "%.1fm", s / 60);
	} else if (s >= 1) {
		(void)snprintf(text, WYN_TASK_TIME_BYTES, "%.1fs", s);
	} else {
		(void)snprintf(text, WYN_TASK_TIME_BYTES, "%.1fms", s * 1e3);
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

static json_t *text_or_null(const char *text)
{
	return text[0] != '\0' ? json_string(text) : json_null();
}

/* How it ended, as far as a list says. */
static void json_set_end(json_t *object, const struct wyn_client_task *task)
{
	bool ended = task->state == WYN_CLIENT_STATE_ENDED;
	bool exited = ended && task->command[0] != '\0' &&
		      (task->code == WYN_STATUS_OK || task->exit_status != 0);

	(void)json_object_set_new(object, "status",
		ended ? json_string(wyn_status_name(task->code)) : json_null());
	(void)json_object_set_new(object, "exit_status",
		exited ? json_integer((json_int_t)task->exit_status)
		       : json_null());
	(void)json_object_set_new(
		object, "signal", json_or_null(ended ? task->signal : 0));
}

json_t *wyn_task_json(const struct wyn_client_task *task)
{
	json_t *object = json_pack("{s:o, s:o, s:I, s:s, s:s, s:s, s:s, s:I, "
				   "s:o, s:I, s:i, s:o, s:o, s:b, s:o, s:o}",
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
		(int)task->answered, "command", text_or_null(task->command),
		"label", text_or_null(task->label));

	json_set_end(object, task);
	return object;
}

const char *wyn_task_what(
	const struct wyn_client_task *task, char text[WYN_TASK_TEXT_BYTES])
{
	return wyn_escape_text(
		task->function[0] != '\0' ? task->function : task->command,
		text, WYN_TASK_TEXT_BYTES);
}

json_t *wyn_task_explain_json(const struct wyn_client_explanation *told)
{
	json_t *object = wyn_task_json(&told->task);
	json_t *rest = json_pack("{s:s, s:s, s:I, s:I, s:I, s:I}", "why",
		wyn_word_or_unknown(wyn_word_why(told->why)), "message",
		told->message, "ahead", (json_int_t)told->ahead,
		"connections_ahead", (json_int_t)told->connections,
		"executor_tasks", (json_int_t)told->executor, "have_bytes",
		(json_int_t)told->have_bytes);

	(void)json_object_update(object, rest);
	json_decref(rest);
	return object;
}

const char *wyn_task_exit(
	const struct wyn_client_task *task, char text[WYN_TASK_TIME_BYTES])
{
	const char *name = wyn_signal_name(task->signal);

	if (task->state != WYN_CLIENT_STATE_ENDED) {
		return "-";
	}
	if (task->signal != 0 && name != NULL) {
		return name;
	}
	if (task->code != WYN_STATUS_OK && task->exit_status == 0) {
		return "failed";
	}
	(void)snprintf(
		text, WYN_TASK_TIME_BYTES, "%" PRIu32, task->exit_status);
	return text;
}

/* How long until a time is up that has gone on for `gone_ns`. */
static void limit_print(struct wyn_ctl *ctl, const char *name,
	uint64_t limit_ms, uint64_t gone_ns, const char *when)
{
	uint64_t limit_ns = limit_ms * WYN_NS_PER_MS;
	char limit[WYN_TASK_TIME_BYTES];
	char left[WYN_TASK_TIME_BYTES];

	if (limit_ms == 0) {
		return;
	}
	wyn_stdout_print(
		&ctl->output, "%s %s", name, wyn_task_time(limit_ns, limit));
	if (gone_ns == 0) {
		wyn_stdout_print(&ctl->output, " %s\n", when);
	} else if (gone_ns >= limit_ns) {
		wyn_stdout_print(&ctl->output, ", over\n");
	} else {
		wyn_stdout_print(&ctl->output, ", %s left\n",
			wyn_task_time(limit_ns - gone_ns, left));
	}
}

void wyn_task_print(struct wyn_ctl *ctl, const struct wyn_client_task *task)
{
	bool named = task->client_name[0] != '\0';
	char text[WYN_TASK_TEXT_BYTES];
	char client[WYN_TASK_TEXT_BYTES];
	char label[WYN_TASK_TEXT_BYTES];
	char time[WYN_TASK_TIME_BYTES];

	wyn_stdout_print(&ctl->output, "task %" PRIu64 ": %s, ", task->id,
		wyn_task_what(task, text));
	/* That is not kept. */
	if (task->state != WYN_CLIENT_STATE_ENDED) {
		wyn_stdout_print(&ctl->output, "%" PRIu64 " bytes, ",
			task->argument_bytes);
	}
	wyn_stdout_print(&ctl->output, "priority %s%s%s\n",
		wyn_word_or_unknown(wyn_word_priority(task->priority)),
		task->label[0] != '\0' ? ", label " : "",
		wyn_escape_text(task->label, label, sizeof(label)));
	wyn_stdout_print(&ctl->output,
		"from seq %" PRIu64 " of connection %" PRIu64
		"%s%s%s, on loop %u, %s ago\n",
		task->seq, task->connection, named ? " (" : "",
		wyn_escape_text(task->client_name, client, sizeof(client)),
		named ? ")" : "", task->loop,
		wyn_task_time(task->age_ns, time));
}

void wyn_task_explain_text(
	struct wyn_ctl *ctl, const struct wyn_client_explanation *told)
{
	const struct wyn_client_task *task = &told->task;
	char text[WYN_TASK_TEXT_BYTES];
	char time[WYN_TASK_TIME_BYTES];

	wyn_task_print(ctl, task);
	wyn_stdout_print(&ctl->output, "%s: %s",
		wyn_word_or_unknown(wyn_word_state(task->state)),
		wyn_escape_text(told->message, text, sizeof(text)));
	if (task->run_ns > 0) {
		wyn_stdout_print(&ctl->output, ", for %s",
			wyn_task_time(task->run_ns, time));
	}
	wyn_stdout_print(&ctl->output, "\n");
	limit_print(ctl, "timeout", task->timeout_ms, task->run_ns,
		"from when it begins");
	limit_print(ctl, "deadline", task->deadline_ms, task->age_ns, "");
}

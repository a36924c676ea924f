// SPDX-License-Identifier: MIT
/*
 * process_outcome.c - see process_outcome.h.
 */
#include "daemon/spawn/process_outcome.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include <wyn/module.h>
#include <wyn/status.h>

#include "daemon/run/command.h"
#include "daemon/run/task.h"
#include "daemon/spawn/spawn_state.h"

#define MESSAGE_BYTES 1024u
#define WHERE_BYTES   512u /* of a path in a message */

static uint32_t code_of_errno(int error)
{
	switch (error) {
	case ENOENT:
		return WYN_STATUS_NOT_FOUND;
	case EACCES:
	case EPERM:
		return WYN_STATUS_PERMISSION_DENIED;
	case E2BIG:
	case EINVAL:
	case ENAMETOOLONG:
		return WYN_STATUS_INVALID_ARGUMENT;
	case EMFILE:
	case ENFILE:
	case ENOMEM:
	case EAGAIN:
	case ENOSPC:
	case ENOBUFS:
	case ETOOMANYREFS:
		return WYN_STATUS_RESOURCE_EXHAUSTED;
	default:
		return WYN_STATUS_FAILED_PRECONDITION;
	}
}

static const char *stage_name(Wyn__Spawn__V1__Stage stage)
{
	switch (stage) {
	case WYN__SPAWN__V1__STAGE__STAGE_PROGRAM:
		return "program";
	case WYN__SPAWN__V1__STAGE__STAGE_DIRECTORY:
		return "cwd";
	case WYN__SPAWN__V1__STAGE__STAGE_USER:
		return "user";
	case WYN__SPAWN__V1__STAGE__STAGE_LIMITS:
		return "limits";
	case WYN__SPAWN__V1__STAGE__STAGE_PROGRAMS:
		return "programs";
	case WYN__SPAWN__V1__STAGE__STAGE_TMP:
		return "private tmp";
	case WYN__SPAWN__V1__STAGE__STAGE_INTERPRETER:
		return "interpreter";
	default:
		return "process";
	}
}

/* What an errno means at that step, where people would ask. */
static const char *reason_of(Wyn__Spawn__V1__Stage stage, int error)
{
	const char *text = strerrordesc_np(error);

	if (stage == WYN__SPAWN__V1__STAGE__STAGE_DIRECTORY) {
		if (error == ENOENT) {
			return "no such directory";
		}
		if (error == EACCES) {
			return "no permission to enter";
		}
	}
	if (stage == WYN__SPAWN__V1__STAGE__STAGE_PROGRAM) {
		switch (error) {
		case ENOENT:
			return "no such program";
		case EACCES:
			return "no file that may be executed";
		case ENOEXEC:
			return "not in a format that can be executed; a "
			       "script begins with #!";
		case E2BIG:
			return "argv and environment are too long";
		default:
			break;
		}
	}
	if (error == EOPNOTSUPP &&
		stage == WYN__SPAWN__V1__STAGE__STAGE_LIMITS) {
		return "it needs a cgroup; see command_cgroup in wynd.conf(5)";
	}
	if (error == ENOENT && stage == WYN__SPAWN__V1__STAGE__STAGE_USER) {
		return "no such user";
	}
	if (error == ENOENT &&
		stage == WYN__SPAWN__V1__STAGE__STAGE_INTERPRETER) {
		return "what is to run it is not there";
	}
	return text != NULL ? text : "unknown error";
}

/* Whether it is the program that is wrong, or what it was to have. */
static enum wyn_refusal refusal_of(Wyn__Spawn__V1__Stage stage)
{
	switch (stage) {
	case WYN__SPAWN__V1__STAGE__STAGE_PROGRAM:
	case WYN__SPAWN__V1__STAGE__STAGE_INTERPRETER:
		return WYN_REFUSAL_NOT_STARTED;
	case WYN__SPAWN__V1__STAGE__STAGE_PROGRAMS:
		return WYN_REFUSAL_PROGRAM_NOT_LISTED;
	default:
		return WYN_REFUSAL_NOT_PREPARED;
	}
}

static void not_started(
	struct wyn_task *task, const Wyn__Spawn__V1__Ended *ended)
{
	struct wyn_outcome *outcome = &task->outcome;
	bool listed = ended->stage != WYN__SPAWN__V1__STAGE__STAGE_PROGRAMS;
	size_t bytes =
		ended->where.len < WHERE_BYTES ? ended->where.len : WHERE_BYTES;
	char message[MESSAGE_BYTES];
	int error = (int)ended->status;

	task->ran = false;
	outcome->refusal = refusal_of(ended->stage);
	outcome->code = listed ? (uint32_t)code_of_errno(error)
			       : WYN_STATUS_PERMISSION_DENIED;
	snprintf(message, sizeof(message), "%.*s%s%s (%s)", (int)bytes,
		bytes > 0 ? (const char *)ended->where.data : "",
		bytes > 0 ? ": " : "",
		listed ? reason_of(ended->stage, error)
		       : "not in the list of programs",
		stage_name(ended->stage));
	wyn_outcome_say(outcome, message);
}

static void exited(struct wyn_task *task, uint32_t status)
{
	char message[MESSAGE_BYTES];

	if (status == 0) {
		task->outcome.code = WYN_STATUS_OK;
		return;
	}
	snprintf(message, sizeof(message), "exit status %u", (unsigned)status);
	wyn_outcome_of_refusal(task, WYN_REFUSAL_EXIT_STATUS, message);
}

static void killed(struct wyn_task *task, uint32_t number, const char *by,
	enum wyn_refusal refusal)
{
	const char *name = sigabbrev_np((int)number);
	char message[MESSAGE_BYTES];

	snprintf(message, sizeof(message), "%s signal %u%s%s%s", by,
		(unsigned)number, name ? " (SIG" : "", name ? name : "",
		name ? ")" : "");
	wyn_outcome_of_refusal(task, refusal, message);
}

/* Without memory the row has no usage, and its code and message all the same.
 */
static void end_set(struct wyn_task *task, const Wyn__Spawn__V1__Ended *ended)
{
	const Wyn__V1__Usage *usage = ended->usage;
	struct wyn_command_end *end = calloc(1, sizeof(*end));

	if (end != NULL && ended->how == WYN__SPAWN__V1__HOW__HOW_EXITED) {
		end->exit_status = ended->status;
	} else if (end != NULL) {
		end->signal = ended->status;
	}
	if (end != NULL && usage != NULL) {
		end->usage.wall_ns = usage->wall_ns;
		end->usage.user_ns = usage->user_ns;
		end->usage.system_ns = usage->system_ns;
		end->usage.peak_rss_bytes = usage->peak_rss_bytes;
	}
	if (task->measured && usage != NULL) {
		task->run_ns = usage->wall_ns + 1; /* 0 is "not" */
	}
	task->outcome.end = end;
}

bool wyn_outcome_of_ended(
	struct wyn_task *task, const Wyn__Spawn__V1__Ended *ended)
{
	switch (ended->how) {
	case WYN__SPAWN__V1__HOW__HOW_EXITED:
		exited(task, ended->status);
		break;
	case WYN__SPAWN__V1__HOW__HOW_SIGNALLED:
		killed(task, ended->status, "ended by", WYN_REFUSAL_SIGNALLED);
		break;
	case WYN__SPAWN__V1__HOW__HOW_OUT_OF_MEMORY:
		killed(task, ended->status, "it was at its memory limit:",
			WYN_REFUSAL_OUT_OF_MEMORY);
		break;
	case WYN__SPAWN__V1__HOW__HOW_NOT_STARTED:
		not_started(task, ended);
		return true;
	default:
		return false;
	}
	end_set(task, ended);
	return true;
}

void wyn_outcome_of_errno(struct wyn_task *task, int error)
{
	char message[MESSAGE_BYTES];

	snprintf(message, sizeof(message), "wynd has no pipes for it: %s",
		strerrordesc_np(error));
	wyn_outcome_of_refusal(task, WYN_REFUSAL_NOT_PREPARED, message);
	task->outcome.code = code_of_errno(error);
}

void wyn_outcome_of_refusal(
	struct wyn_task *task, enum wyn_refusal refusal, const char *message)
{
	const struct wyn_refusal_entry *entry = wyn_refusal_of(refusal);

	task->outcome.refusal = refusal;
	task->outcome.code = entry->status;
	wyn_outcome_say(
		&task->outcome, message != NULL ? message : entry->text);
}

/* What the table says of some is for tasks that did not start. */
static const char *stopped_text(const struct wyn_task *task)
{
	if (!task->ran) {
		return NULL;
	}
	switch (task->stopped) {
	case WYN_REFUSAL_CANCELLED_BY_CLIENT:
		return "cancelled while it ran";
	case WYN_REFUSAL_DRAIN_TIMEOUT:
		return "the server shut down while it ran";
	case WYN_REFUSAL_QUEUE_DEADLINE:
		return "the deadline passed while it ran";
	case WYN_REFUSAL_DAEMON_BYTES_MAX:
		return "the server had no room for its input";
	default:
		return NULL;
	}
}

void wyn_outcome_finish(struct wyn_process *process)
{
	struct wyn_task *task = process->task;
	struct wyn_outcome *outcome = &task->outcome;

	if (outcome->end != NULL) {
		outcome->end->usage.output_bytes = process->pipes[1].bytes;
		outcome->end->usage.error_bytes = process->pipes[2].bytes;
	}
	if (process->output_lost && outcome->code == WYN_STATUS_OK) {
		wyn_outcome_of_refusal(task, WYN_REFUSAL_OUT_OF_MEMORY,
			"wynd had no memory for its output");
	}
	if (task->stopped != WYN_REFUSAL_NONE &&
		(task->stopped != WYN_REFUSAL_CANCELLED_BY_CLIENT ||
			outcome->code != WYN_STATUS_OK)) {
		wyn_outcome_of_refusal(task, task->stopped, stopped_text(task));
	}
}

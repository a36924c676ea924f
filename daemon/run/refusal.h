// SPDX-License-Identifier: MIT
/*
 * refusal.h - why a task did not end as its function said: one table.
 *
 * From it come what a program reads in the row (code, reason, whether it ran,
 * when to try again), what a person reads unless somebody knows better, and
 * the counter. docs/wire.md, section 7.1, says what each means.
 */
#pragma once

#include <stdint.h>

#include <wyn/status.h>

#include "daemon/limits.h"
#include "proto/message.h"

/* X(NAME, status, ran, retry after ms, counter, "text"). The status of a
 * function's failure is its own; this one is for when it has none. */
#define WYN_REFUSAL_TABLE(X)                                                 \
	X(FUNCTION_UNKNOWN, NOT_FOUND, NO, 0, functions_unknown,             \
		"no such function")                                          \
	X(FUNCTION_FAILED, INTERNAL, YES, 0, functions_failed,               \
		"the function failed")                                       \
	X(ARGUMENT_TOO_LARGE, INVALID_ARGUMENT, NO, 0, arguments_over_max,   \
		"the argument is larger than max_argument")                  \
	X(BATCH_TOO_LARGE, INVALID_ARGUMENT, NO, 0, batches_over_max,        \
		"more tasks in one Submit than max_batch")                   \
	X(OPTION_INVALID, INVALID_ARGUMENT, NO, 0, options_invalid,          \
		"an option has a value that it cannot have")                 \
	X(KEEP_TASKS_MAX, RESOURCE_EXHAUSTED, NO, WYN_RETRY_AFTER_MS,        \
		keep_tasks_over_max,                                         \
		"this user has keep-tasks tasks with on_disconnect KEEP "    \
		"that have not ended")                                       \
	X(KEEP_LOCAL_ONLY, PERMISSION_DENIED, NO, 0, keeps_not_local,        \
		"on_disconnect KEEP is for clients on a Unix socket, whose " \
		"user is known")                                             \
	X(COMMANDS_OFF, PERMISSION_DENIED, NO, 0, commands_while_off,        \
		"this server runs no commands; commands = yes in "           \
		"wynd.conf has it run them")                                 \
	X(COMMAND_INVALID, INVALID_ARGUMENT, NO, 0, commands_invalid,        \
		"a command that cannot be run")                              \
	X(COMMAND_TOO_LARGE, INVALID_ARGUMENT, NO, 0, commands_over_max,     \
		"argv, environment and directory are larger than "           \
		"max-command")                                               \
	X(TASKS_OVER_CREDIT, RESOURCE_EXHAUSTED, NO, WYN_RETRY_AFTER_MS,     \
		tasks_over_credit, "more tasks than credit was granted for") \
	X(BYTES_OVER_CREDIT, RESOURCE_EXHAUSTED, NO, WYN_RETRY_AFTER_MS,     \
		bytes_over_credit,                                           \
		"more argument bytes than credit was granted for")           \
	X(DAEMON_TASKS_MAX, RESOURCE_EXHAUSTED, NO, WYN_RETRY_AFTER_MS,      \
		daemon_tasks_over_max,                                       \
		"the server holds as many tasks as it may")                  \
	X(DAEMON_BYTES_MAX, RESOURCE_EXHAUSTED, NO, WYN_RETRY_AFTER_MS,      \
		daemon_bytes_over_max,                                       \
		"the server holds as many bytes as it may")                  \
	X(UPLOADS_MAX, RESOURCE_EXHAUSTED, NO, WYN_RETRY_AFTER_MS,           \
		uploads_over_max,                                            \
		"too many arguments are on their way in chunks")             \
	X(UPLOAD_STALLED, DEADLINE_EXCEEDED, NO, 0, uploads_stalled,         \
		"no Chunk of any argument came for too long")                \
	X(STREAM_STALLED, DEADLINE_EXCEEDED, NO, 0, streams_stalled,         \
		"partial values were not taken for too long, and others "    \
		"wait for a place")                                          \
	X(VALUE_TOO_LARGE, RESOURCE_EXHAUSTED, YES, 0, values_over_max,      \
		"the value is larger than max_value")                        \
	X(DRAINING, FAILED_PRECONDITION, NO, 0, tasks_after_drain,           \
		"the server is shutting down")                               \
	X(QUEUE_DEADLINE, DEADLINE_EXCEEDED, NO, 0, deadlines_passed,        \
		"the deadline passed before the task started")               \
	X(RUN_TIMEOUT, DEADLINE_EXCEEDED, YES, 0, timeouts_passed,           \
		"the task ran longer than its timeout")                      \
	X(CANCELLED_BY_CLIENT, CANCELLED, NO, 0, tasks_cancelled_by_client,  \
		"cancelled before it started")                               \
	X(DRAIN_TIMEOUT, CANCELLED, NO, 0, drain_over_time,                  \
		"the server shut down before the task started")              \
	/* Rules of engine/policy.h, as is COMMANDS_OFF. */                  \
	X(COMMANDS_LOCAL_ONLY, PERMISSION_DENIED, NO, 0, commands_not_local, \
		"commands are taken over Unix sockets only, whatever "       \
		"wynd.conf says")                                            \
	X(COMMAND_USERS, PERMISSION_DENIED, NO, 0, command_users_denied,     \
		"this user may not run commands; command_users in "          \
		"wynd.conf lists those who may")                             \
	X(COMMAND_ENV, PERMISSION_DENIED, NO, 0, command_env_denied,         \
		"a variable may not be set; command_env in wynd.conf lists " \
		"those that may")                                            \
	X(COMMAND_RUN_AS, PERMISSION_DENIED, NO, 0, command_run_as_denied,   \
		"running as that user is not allowed; command_run_as in "    \
		"wynd.conf says who may")                                    \
	X(EXIT_STATUS, UNKNOWN, YES, 0, commands_failed,                     \
		"the command exited with a status that is not 0")            \
	X(SIGNALLED, ABORTED, YES, 0, commands_signalled,                    \
		"a signal ended the command")                                \
	X(OUT_OF_MEMORY, RESOURCE_EXHAUSTED, YES, 0, commands_out_of_memory, \
		"the command had no memory left")                            \
	X(NOT_STARTED, NOT_FOUND, NO, 0, commands_not_started,               \
		"the command could not be started")                          \
	X(NOT_PREPARED, NOT_FOUND, NO, 0, commands_not_prepared,             \
		"what the command was to have could not be given to it")     \
	X(PROGRAM_NOT_LISTED, PERMISSION_DENIED, NO, 0, programs_not_listed, \
		"the program is not one of those that may run")              \
	X(SPAWNER_LOST, UNAVAILABLE, MAYBE, 0, spawners_lost,                \
		"what started the command died while it ran")                \
	X(SPAWNER_MISSING, UNAVAILABLE, NO, WYN_RETRY_AFTER_MS,              \
		spawners_missing, "there is nothing that starts commands")

enum wyn_refusal {
	WYN_REFUSAL_NONE,
#define WYN_REFUSAL_NAME(name, ...) WYN_REFUSAL_##name,
	WYN_REFUSAL_TABLE(WYN_REFUSAL_NAME)
#undef WYN_REFUSAL_NAME
	WYN_REFUSALS, /* how many, and NONE */
};

struct wyn_refusal_entry {
	const char *word;    /* the wire's reason */
	const char *counter; /* its name in stats */
	const char *text;
	uint64_t retry_after_ms;
	enum wyn_status status;
	uint8_t ran; /* Wyn__V1__Ran */
};

/*
 * wyn_refusal_of - its row of the table.
 *
 * Thread: any. Returns: for NONE an entry without words.
 */
const struct wyn_refusal_entry *wyn_refusal_of(enum wyn_refusal refusal);

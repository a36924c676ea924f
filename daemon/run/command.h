// SPDX-License-Identifier: MIT
/*
 * command.h - a process to run, in place of a function: what the tasks of a
 * batch have in common, and how one of them ended.
 *
 * The command stays as it was sent, checked, in one piece of memory: wynd does
 * not look into it again, and what starts it reads it for itself.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"
#include "proto/message.h"

struct wyn_account;
struct wyn_function_entry;

#define WYN_COMMAND_LINE_BYTES 128u /* of argv, for people, with a NUL */

/* [L] all of it; the batch's. */
struct wyn_command {
	struct wyn_account *account; /* of who sent it, charged; held */
	uint32_t uid;		     /* whom it runs as */
	uint32_t gid;
	uint64_t grace_ms; /* from SIGTERM to SIGKILL, if nobody says more */
	bool input_stream; /* it goes on after the argument: input.h */
	bool merge_stderr;
	char line[WYN_COMMAND_LINE_BYTES]; /* valid UTF-8 */
	size_t packed_bytes;
	uint8_t packed[]; /* a Command of wyn.proto */
};

/* How one ended that was started. [L] */
struct wyn_command_end {
	uint32_t exit_status;
	uint32_t signal; /* 0 = it exited */
	struct wyn_usage usage;
};

/* What a batch of commands has for a function: no name, and no flags. Its
 * version is never unloaded. */
extern const struct wyn_function_entry wyn_command_entry;

/*
 * wyn_command_create - a copy of a checked message, which the account holds
 * while it is there.
 *
 * Thread: loop. Owns: the caller's, then its batch's. Returns: NULL when there
 * is no memory.
 */
struct wyn_command *wyn_command_create(
	const Wyn__V1__Command *message, struct wyn_account *account);

/* wyn_command_destroy - NULL is a no-op. Thread: loop. */
void wyn_command_destroy(struct wyn_command *command);

/* wyn_command_bytes - what one is charged as; 0 for NULL. */
static inline size_t wyn_command_bytes(const struct wyn_command *command)
{
	return command == NULL ? 0 : sizeof(*command) + command->packed_bytes;
}

/*
 * wyn_command_wrong - what is wrong with a Command, whoever sent it: no
 * program, a NUL in a string, an environment that is no NAME=VALUE, a directory
 * that is not absolute.
 *
 * Thread: any. Returns: for people, with the field's name; NULL = nothing.
 */
const char *wyn_command_wrong(const Wyn__V1__Command *message);

/* wyn_command_size - bytes of argv and environment as execve(2) counts them,
 * and of all else that is as long as its sender likes. Thread: any. */
uint64_t wyn_command_size(const Wyn__V1__Command *message);

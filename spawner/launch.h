// SPDX-License-Identifier: MIT
/*
 * launch.h - from the message of a Start to a child that has executed.
 *
 * It puts together what the child needs, in the arena of the message, and says
 * in the words of spawn.proto why there is none.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/slice.h"
#include "proto/arena.h"
#include "proto/spawn.h"

struct wyn_command;
struct wyn_link;

struct wyn_launch_failure {
	Wyn__Spawn__V1__Stage stage;
	int error;
	struct wyn_slice where; /* in the arena, or constant */
};

/*
 * wyn_launch - starts the process of a command.
 *
 * fds: input, output, error; -1 = none. The command's cgroup and record are
 * acquired, and the caller's to release. Returns: true: there is a process, and
 * it is in the tree; ret_failure->stage is UNSPECIFIED, or it could not execute
 * and ends by itself. false: there is none.
 */
WYN_NODISCARD
bool wyn_launch(struct wyn_link *link, struct wyn_command *command,
	const Wyn__Spawn__V1__Start *start, const int fds[static 3],
	struct wyn_arena *arena, struct wyn_launch_failure *ret_failure);

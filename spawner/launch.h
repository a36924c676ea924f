// SPDX-License-Identifier: MIT
/*
 * launch.h - from the message of a Start to a child that is on its way.
 *
 * It puts together what the child needs, in the pad that the message is in, and
 * says in the words of spawn.proto why there is none, or why it did not
 * execute.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/slice.h"
#include "proto/spawn.h"

struct wyn_command;
struct wyn_link;
struct wyn_pad;

struct wyn_launch_failure {
	Wyn__Spawn__V1__Stage stage;
	int error;
	struct wyn_slice where; /* borrowed from the pad, or constant */
};

/*
 * wyn_launch - starts the process of a command.
 *
 * fds: input, output, error; -1 = none; borrowed. Owns: the command's cgroup
 * and record are acquired, and the caller's to release, whatever it returns.
 * Returns: true: there is a process, it is in the tree, and has the pad. false:
 * there is none, for that failure, and the pad is the caller's still.
 */
WYN_NODISCARD
bool wyn_launch(struct wyn_link *link, struct wyn_command *command,
	const Wyn__Spawn__V1__Start *start, const int fds[static 3],
	struct wyn_pad *pad, struct wyn_launch_failure *ret_failure);

/*
 * wyn_launch_failed - whether the process that had the pad told why it did not
 * execute.
 *
 * It is dead. Returns: true: for that failure.
 */
WYN_NODISCARD
bool wyn_launch_failed(
	struct wyn_pad *pad, struct wyn_launch_failure *ret_failure);

// SPDX-License-Identifier: MIT
/*
 * process_outcome.h - how a command ended, as the outcome of its task. The
 * loop's thread only.
 */
#pragma once

#include <stdbool.h>

#include "base/compiler.h"
#include "daemon/run/refusal.h"
#include "proto/spawn.h"

struct wyn_process;
struct wyn_task;

/* wyn_outcome_of_ended - as the spawner says. Returns: false when that is
 * nothing that there is. */
WYN_NODISCARD
bool wyn_outcome_of_ended(
	struct wyn_task *task, const Wyn__Spawn__V1__Ended *ended);

/* wyn_outcome_of_errno - we could not start it. */
void wyn_outcome_of_errno(struct wyn_task *task, int error);

/* wyn_outcome_of_refusal - with a message of its own; NULL = the table's. */
void wyn_outcome_of_refusal(
	struct wyn_task *task, enum wyn_refusal refusal, const char *message);

/* wyn_outcome_finish - when nothing follows: what was counted here, and why it
 * was stopped, if it was. */
void wyn_outcome_finish(struct wyn_process *process);

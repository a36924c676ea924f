// SPDX-License-Identifier: MIT
/*
 * process.h - one command that is started, runs, or has ended.
 *
 *	WAITING		there is a spawner	SENDING
 *	SENDING		its Start went		RUNNING
 *	RUNNING		Ended			ENDED
 *	ENDED		its output is over	REAPING, FREE
 *	REAPING		its Reap went		FREE
 *
 * Its task comes back on the way out of ENDED, or sooner: not started (any of
 * the first three), refused or cancelled (WAITING, SENDING), the spawner lost
 * (RUNNING). The loop's thread only.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "daemon/run/refusal.h"
#include "proto/spawn.h"

struct wyn_process;
struct wyn_spawn;
struct wyn_task;

/* wyn_process_add - it waits from now on. Returns: NULL without memory. */
struct wyn_process *wyn_process_add(
	struct wyn_spawn *self, struct wyn_task *task);

/* wyn_process_forget - it was never added. */
void wyn_process_forget(struct wyn_spawn *self, struct wyn_task *task);

/* wyn_process_find - by the id of a message; NULL = there is none. */
struct wyn_process *wyn_process_find(struct wyn_spawn *self, uint64_t id);

/* wyn_process_launch_all - all that wait get their pipes and are to be sent. */
void wyn_process_launch_all(struct wyn_spawn *self);

/* wyn_process_rewind_all - those whose Start was not sent whole wait again,
 * before the others. */
void wyn_process_rewind_all(struct wyn_spawn *self);

/* wyn_process_link_lost - the spawner is gone. Returns: whether its task is
 * back for that. */
bool wyn_process_link_lost(struct wyn_spawn *self, struct wyn_process *process);

/* wyn_process_descriptors_sent, wyn_process_started, wyn_process_sent - the
 * first packet of its Start went; all of it; there is nothing to be sent. */
void wyn_process_descriptors_sent(struct wyn_process *process);
void wyn_process_started(struct wyn_spawn *self, struct wyn_process *process);
void wyn_process_sent(struct wyn_spawn *self, struct wyn_process *process);

/* wyn_process_ended - as the spawner says. Returns: false when it did not run,
 * or ended in no way that there is. */
WYN_NODISCARD
bool wyn_process_ended(struct wyn_spawn *self, struct wyn_process *process,
	const Wyn__Spawn__V1__Ended *ended);

/* wyn_process_stop, wyn_process_signal - as its task wants. */
void wyn_process_stop(struct wyn_spawn *self, struct wyn_process *process);
void wyn_process_signal(
	struct wyn_spawn *self, struct wyn_process *process, unsigned number);

/* wyn_process_not_started - for an errno of ours. */
void wyn_process_not_started(
	struct wyn_spawn *self, struct wyn_process *process, int error);

/* wyn_process_refuse - it does not run, or not to its end. */
void wyn_process_refuse(struct wyn_spawn *self, struct wyn_process *process,
	enum wyn_refusal refusal, const char *message);

/* wyn_process_settle - if it has ended and its pipes are at their ends, its
 * task is back. */
void wyn_process_settle(struct wyn_spawn *self, struct wyn_process *process);

/* wyn_process_expire - no time is left for its output: what is in the pipes is
 * taken, and nothing after it. */
void wyn_process_expire(struct wyn_spawn *self, struct wyn_process *process);

/* wyn_processes_abandon - those that have ended, whatever they wrote. */
void wyn_processes_abandon(struct wyn_spawn *self);

/* wyn_processes_init, wyn_processes_fini - none is in use. */
void wyn_processes_init(struct wyn_spawn *self);
void wyn_processes_fini(struct wyn_spawn *self);

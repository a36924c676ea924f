// SPDX-License-Identifier: MIT
/*
 * command.h - one command, from Start to Ended, and to the end of its tree.
 *
 *	running		its first process has not been waited for
 *	left		it has; others of its tree live
 *	gone		nobody is left: it is forgotten
 *
 * In each of the first two it may be stopping, that is, killed when a time has
 * come, or killed. Ended is sent when it leaves `running`; the pad of its first
 * process says whether that has executed.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/list.h"
#include "proto/spawn.h"
#include "spawner/tree.h"
#include "spawner/watch.h"

struct wyn_cgroup;
struct wyn_link;
struct wyn_pad;
struct wyn_shared_cgroups;
struct wyn_shared_ledger;

struct wyn_command {
	struct wyn_tree_command tree;
	struct wyn_list link;	   /* of its owner's, or of the dead */
	struct wyn_list left;	   /* of those whose first process has ended */
	struct wyn_list stopping;  /* of those that have a kill_at_ns */
	struct wyn_list signalled; /* of those that have signals to come */
	struct wyn_command *next;  /* in the table */
	struct wyn_link *owner;
	uint64_t id;
	bool told;   /* Ended was sent, or nobody wants it */
	bool listed; /* wynd may name it: it is in the table */
	bool reuse;  /* its cgroup, afterwards */
	bool watched;
	bool terminates; /* SIGCONT comes with the next SIGTERM */
	uint64_t kill_at_ns;
	uint64_t signals;	  /* to come, bit N - 1 is signal N */
	uint64_t signals_from_ns; /* not before */
	uint64_t started_ns;
	uint64_t wall_ns;
	int status; /* as of wait(2) */
	struct rusage usage;
	struct wyn_watch watch;		    /* of its cgroup */
	struct wyn_shared_cgroups *cgroups; /* where that is */
	struct wyn_cgroup *cgroup;	    /* NULL = none */
	struct wyn_shared_ledger *ledger;   /* NULL = it is in none */
	uint32_t record;
	struct wyn_pad *pad; /* of its first process, while it needs one */
};

/*
 * wyn_command_start - by a Start; it is answered, sooner or later.
 *
 * fds: input, output, error; -1 = none; borrowed. pad: has the message; it is
 * the caller's still, unless pad->command says that it flies. Returns: 0;
 * -EPROTO: there is one with this id.
 */
WYN_NODISCARD
int wyn_command_start(struct wyn_link *link, const Wyn__Spawn__V1__Start *start,
	const int fds[static 3], struct wyn_pad *pad);

/* wyn_command_refuse - the answer to a Start of which there is no process. */
void wyn_command_refuse(struct wyn_link *link, uint64_t id,
	Wyn__Spawn__V1__Stage stage, int error, struct wyn_slice where);

/* wyn_command_release - gives back its cgroup, and its record. */
void wyn_command_release(struct wyn_command *command);

/*
 * wyn_command_signal, wyn_command_stop - as the messages of spawn.proto.
 *
 * At once; but for SIGKILL no more often than that looking for its processes
 * leaves time for others, however often it is asked for.
 */
void wyn_command_signal(
	struct wyn_loop *loop, struct wyn_command *command, int number);
void wyn_command_stop(
	struct wyn_loop *loop, struct wyn_command *command, uint64_t grace_ms);

/* wyn_command_abandon - wynd does not want it any more: it is killed, and
 * nobody is told. */
void wyn_command_abandon(struct wyn_loop *loop, struct wyn_command *command);

/* wyn_commands_wait - after SIGCHLD: who is dead, who is gone. Returns: 0; or
 * it has to be called again, soon. */
WYN_NODISCARD
int wyn_commands_wait(struct wyn_loop *loop);

/* wyn_commands_due - kills and signals whose time has come. Returns: when the
 * next one's comes, UINT64_MAX = never. */
uint64_t wyn_commands_due(struct wyn_loop *loop, uint64_t now_ns);

// SPDX-License-Identifier: MIT
/*
 * hunt.h - stops processes that go on making others, and kills them then.
 *
 * Who is hunted is said by a function that tags them in a look at /proc. A
 * process with a signal pending makes no other one: the kernel looks for that
 * when the new one is complete. So after a look that began when all that were
 * known were stopped, and that saw nobody else, nobody else is below them; but
 * for a chain of processes, each of which ends as soon as it has started the
 * next, that ran past the look.
 */
#pragma once

#include <sys/types.h>

#include "base/compiler.h"
#include "spawner/process.h"

#define WYN_HUNT_TAG 1u

/* Looks of one hunt: 100 generations, each with twice the processes of the
 * last, are beyond every limit on processes. */
#define WYN_HUNT_ROUNDS_MAX 100u

struct wyn_hunt {
	int proc;
	pid_t self;
	/* A new look, in which who is hunted has WYN_HUNT_TAG; -errno. */
	int (*look)(void *data, struct wyn_processes *ret_processes);
	void *data;
	struct wyn_processes now;
	struct wyn_processes before; /* the look before: they were stopped */
};

/* wyn_hunt_fini - gives back its memory. */
void wyn_hunt_fini(struct wyn_hunt *hunt);

/*
 * wyn_hunt_send - to one that was seen: by kill(2) if it is a child of ours,
 * which needs no descriptor, else by wyn_process_signal().
 */
WYN_NODISCARD
int wyn_hunt_send(const struct wyn_hunt *hunt,
	const struct wyn_process *process, int number);

/*
 * wyn_hunt_run - stops all, then sends SIGKILL to all that were stopped, also
 * if there is an error.
 *
 * Returns: 0: *ret_killed got it; -EAGAIN: there were new ones in the last
 * round too; -EPERM: of somebody; -errno of a look, or of a signal.
 */
WYN_NODISCARD
int wyn_hunt_run(struct wyn_hunt *hunt, unsigned *ret_killed);

// SPDX-License-Identifier: MIT
/*
 * process.h - what /proc says of processes, and signals that cannot meet
 * another.
 *
 * A pid that is read in /proc may be another's a moment later, unless it is a
 * child of ours (nobody else can wait for it). So whoever signals a process
 * that was found by a look gives all of what was seen, and it is compared once
 * more behind a descriptor that names this process and no later one.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/compiler.h"

struct wyn_process {
	pid_t pid;
	pid_t parent;
	pid_t group;
	pid_t session;
	uint32_t threads;
	bool exiting;	      /* its first thread is, or is dead */
	uint64_t start_ticks; /* CLOCK_BOOTTIME when it began, in _SC_CLK_TCK */
	char state;	      /* of the first thread: 'Z' is a zombie */
	uint8_t tag;	      /* whoever looks marks it with what he likes */
};

/* A first thread that is dead may have others that live. */
static inline bool wyn_process_is_dead(const struct wyn_process *process)
{
	return process->state == 'Z' && process->threads <= 1;
}

/* by pid, each once */
struct wyn_processes {
	struct wyn_process *each;
	size_t count;
	size_t capacity;
};

/*
 * wyn_process_parse - the line of /proc/PID/stat. The name in it may have any
 * bytes, spaces and parentheses among them.
 *
 * Returns: 0; -EBADMSG. The tag is 0. The session is -1 when the kernel has let
 * go of the process while it wrote the line.
 */
WYN_NODISCARD
int wyn_process_parse(
	const char *line, size_t bytes, struct wyn_process *ret_process);

/*
 * wyn_process_read - one.
 *
 * proc: descriptor of /proc, here and below. Returns: 0; -ESRCH: there is none;
 * -EBADMSG; -errno of open and read.
 */
WYN_NODISCARD
int wyn_process_read(int proc, pid_t pid, struct wyn_process *ret_process);

/*
 * wyn_process_signal - to the process that was seen, or to none.
 *
 * Returns: 0; -ESRCH: it is gone; -EPERM; -errno of open (-EMFILE): nothing was
 * sent.
 */
WYN_NODISCARD
int wyn_process_signal(int proc, const struct wyn_process *seen, int number);

/*
 * wyn_processes_look - all that /proc shows, in place of what was there.
 *
 * It is no picture of one moment: who begins meanwhile may be missed, who ends
 * may be in it. Owns: `processes` begins as zeroes and ends by
 * wyn_processes_fini. Returns: 0; -ENOMEM; -errno of open and read.
 */
WYN_NODISCARD
int wyn_processes_look(int proc, struct wyn_processes *processes);
void wyn_processes_fini(struct wyn_processes *processes);

/*
 * wyn_processes_add - one more, behind the others, with this tag. One that is
 * gone is left out.
 *
 * Returns: 0; -ENOMEM; -errno as wyn_process_read().
 */
WYN_NODISCARD
int wyn_processes_add(
	int proc, struct wyn_processes *processes, pid_t pid, uint8_t tag);

/*
 * wyn_processes_walk - adds what is below those from number `from` on, with
 * this tag. Only where the kernel has /proc/PID/task/TID/children.
 *
 * Returns: 0; -ENOMEM; -errno of open and read.
 */
WYN_NODISCARD
int wyn_processes_walk(
	int proc, struct wyn_processes *processes, size_t from, uint8_t tag);

/* wyn_processes_sort - by pid, each once, after the last of them was added. */
void wyn_processes_sort(struct wyn_processes *processes);

/* wyn_processes_find - by pid. Returns: borrowed until the next look; NULL. */
struct wyn_process *wyn_processes_find(
	const struct wyn_processes *processes, pid_t pid);

/*
 * wyn_processes_spread - gives `tag` to every descendant of one that has it.
 *
 * Returns: how many have it now.
 */
size_t wyn_processes_spread(struct wyn_processes *processes, uint8_t tag);

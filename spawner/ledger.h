// SPDX-License-Identifier: MIT
/*
 * ledger.h - what was started, in a file, for who comes after a SIGKILL.
 *
 * A file of records of one size, mapped: to note a command costs no system
 * call. Each has the leader's pid, which clone3(2) itself writes
 * (CLONE_PARENT_SETTID) before the child runs, and the time before and after
 * it. The file says which boot it is of, and has the mark of its commands
 * (mark.h).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/compiler.h"
#include "spawner/mark.h"

#define WYN_LEDGER_RECORDS_MAX 65536u

/*
 * Whom a sweep kills, and why it is never anybody else:
 *
 * (1) The process with a record's pid which began between the record's two
 *     times, to a tick (10 ms): two processes with one pid and one such time
 *     would need all numbers of the kernel to be given out once round between
 *     them.
 * (2) Who is in the session of (1): its leader lives, so the session is its
 *     own, and only a fork makes a member.
 * (3) Where the leader is dead the number may name another session by now. Who
 *     is in session PID and has the mark of this ledger in its environment: 128
 *     random bits, that nobody has by chance; and began after the record's
 *     command did.
 * (4) Who has the mark, has left the session, and whose first ancestor without
 *     the mark is process 1 or an ancestor of ours, that is, who was orphaned.
 *     A process that somebody else started with a copy of the environment (atd)
 *     is none.
 * (5) What is below one of those, as it is seen in /proc.
 *
 * Never ourselves, nor who is above us. Each is compared once more before the
 * signal (process.h). What has left the session and cleared its environment has
 * no name and is left. Whoever forges a mark brings nothing but himself to be
 * killed.
 */

/* A sweep: until those that were killed are gone. */
#define WYN_LEDGER_SWEEP_MS 5000u

struct wyn_ledger_file; /* ledger_file.h */

struct wyn_ledger {
	int fd; /* -1: none */
	uint32_t records;
	struct wyn_ledger_file *file; /* mapped */
	size_t bytes;
	uint32_t *free; /* numbers of records, a stack */
	uint32_t free_count;
};

/*
 * wyn_ledger_init - opens and locks the file, kills what is left of who had it
 * before, and begins anew, with `mark` and room for `records` commands.
 *
 * A file that is cut, garbage, or of another version is set aside as PATH.bad;
 * one of another boot names nobody who lives, and is begun anew. A file that is
 * no regular one, not ours, or that others may write or have a second name for,
 * is refused.
 *
 * proc: descriptor of /proc. Returns: 0: *ret_killed were killed; -EAGAIN: some
 * would not die, the ledger remains as it was; -EPERM: refused, or some may not
 * be killed by us; -ELOOP: it is a symbolic link; -EWOULDBLOCK: another spawner
 * has it; -ENOMEM; -errno. With an error there is no ledger. Blocks: until the
 * killed are gone, or the lock is free: seconds at most.
 */
WYN_NODISCARD
int wyn_ledger_init(struct wyn_ledger *ledger, const char *path,
	uint32_t records, const struct wyn_mark *mark, int proc,
	unsigned *ret_killed);

/* wyn_ledger_none - one that notes nothing: begin, started and clear work. */
void wyn_ledger_none(struct wyn_ledger *ledger);

/* wyn_ledger_fini - closes it; the file remains, and names who is in it. */
void wyn_ledger_fini(struct wyn_ledger *ledger);

/*
 * wyn_ledger_begin - before clone3: takes a record and notes the time.
 *
 * Returns: 0: *ret_pid is what `parent_tid` of clone_args points to, with
 * CLONE_PARENT_SETTID; *ret_record is for the two below; -ENOBUFS: all are
 * taken.
 */
WYN_NODISCARD
int wyn_ledger_begin(
	struct wyn_ledger *ledger, uint32_t *ret_record, pid_t **ret_pid);

/* wyn_ledger_started - after clone3, as soon as it returns. */
void wyn_ledger_started(struct wyn_ledger *ledger, uint32_t record);

/* wyn_ledger_clear - nothing of its command is left, or it had no process. */
void wyn_ledger_clear(struct wyn_ledger *ledger, uint32_t record);

// SPDX-License-Identifier: MIT
/*
 * mark.h - the variable by which a process says which command it is of.
 *
 * Every command has WYND_TASK=<mark>.<serial> in its environment, and what it
 * starts inherits it: <mark> is 32 hexadecimal digits that a spawner draws when
 * it begins, <serial> is the number that it gave to the command. A process may
 * take it out, or write another one: it is a hint where nothing better is
 * known, and never makes a process ours that has another origin (see ledger.h).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/compiler.h"

#define WYN_MARK_VARIABLE "WYND_TASK"

/* "WYND_TASK=", 32 digits, ".", 20 digits, NUL */
#define WYN_MARK_TEXT_BYTES (sizeof(WYN_MARK_VARIABLE) + 32 + 1 + 20 + 1)

/* Of an environment that is searched: what is behind is not seen. As much as a
 * command is given by default: thousands that one leaves may have more. */
#define WYN_MARK_ENVIRON_BYTES_MAX (128u << 10)

struct wyn_mark {
	char digits[33]; /* and a NUL */
};

/*
 * wyn_mark_draw - a new one, which nobody has had.
 *
 * Returns: 0; -errno of getrandom(2). Blocks: no, but early in a boot.
 */
WYN_NODISCARD
int wyn_mark_draw(struct wyn_mark *ret_mark);

/*
 * wyn_mark_text - what a command gets: the child puts it in front of the other
 * variables, and leaves out a WYND_TASK among those.
 */
void wyn_mark_text(const struct wyn_mark *mark, uint64_t serial,
	char text[static WYN_MARK_TEXT_BYTES]);

/*
 * wyn_mark_find - the serial in the environment that a process began with.
 *
 * proc: descriptor of /proc. Returns: 0; -ESRCH: no such process; -ENOENT: it
 * has no such variable, or one of another mark; -EACCES: we may not read it;
 * -errno of open and read.
 */
WYN_NODISCARD
int wyn_mark_find(
	int proc, pid_t pid, const struct wyn_mark *mark, uint64_t *ret_serial);

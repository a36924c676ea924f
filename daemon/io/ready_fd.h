// SPDX-License-Identifier: MIT
/*
 * ready_fd.h - tells whoever started us where we listen, and when.
 *
 * One line per bound address as endpoint text, then the line `ready`, then the
 * descriptor is closed. Nothing ever has to sleep to wait for wynd.
 */
#pragma once

#include "base/compiler.h"

struct wyn_acceptor;

/* wyn_ready_fd_check - is it open for writing? Thread: boot. Returns: 0,
 * -EBADF. */
WYN_NODISCARD
int wyn_ready_fd_check(int fd);

/*
 * wyn_ready_fd_tell - writes the lines and closes.
 *
 * Standard output is replaced by /dev/null instead, so that no later
 * descriptor gets its number. Thread: boot. Owns: takes the descriptor.
 * Returns: 0, what write(2) said. Blocks: while nobody reads.
 */
WYN_NODISCARD
int wyn_ready_fd_tell(int fd, const struct wyn_acceptor *acceptor);

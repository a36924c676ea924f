// SPDX-License-Identifier: MIT
/*
 * interrupt.h - SIGINT, once to cancel and twice to end.
 *
 * It may come at any time, and then what blocks ends with EINTR: reading a
 * file, writing to a pipe. Only between the look at its flag and the sleep of
 * wyn_interrupt_poll() is it blocked, where it would be slept over. The second
 * one ends the program at once, wherever it is.
 */
#pragma once

#include <poll.h>
#include <stdbool.h>

#include "base/compiler.h"

/* wyn_interrupt_init, _init_both - installs the handler, for SIGTERM as well.
 * Thread: main. */
void wyn_interrupt_init(void);
void wyn_interrupt_init_both(void);

/* wyn_interrupt_exit_code - after the first one: 128 and its number. */
int wyn_interrupt_exit_code(void);

/* wyn_interrupted - whether the first one has come. */
bool wyn_interrupted(void);

/*
 * wyn_interrupt_poll - poll(2) that SIGINT ends.
 *
 * Returns: as poll(2), errors as -errno; -EINTR once for a SIGINT, also for one
 * that came before. timeout_ms -1 = none.
 */
WYN_NODISCARD
int wyn_interrupt_poll(struct pollfd *fds, nfds_t n, int timeout_ms);

// SPDX-License-Identifier: MIT
/*
 * interrupt.h - SIGINT, once to cancel and twice to end.
 *
 * The signal is blocked except while wynctl waits, so that it cannot slip in
 * between the look at the flag and the sleep. After the first one it is let
 * through at any time, and the second ends the program at once.
 */
#pragma once

#include <poll.h>
#include <stdbool.h>

#include "base/compiler.h"

/* wyn_interrupt_init - blocks SIGINT and installs the handler. Thread: main. */
void wyn_interrupt_init(void);

/* wyn_interrupted - whether the first one has come. */
bool wyn_interrupted(void);

/*
 * wyn_interrupt_poll - poll(2) during which SIGINT is let in.
 *
 * Returns: as poll(2), -EINTR and others as -errno. timeout_ms -1 = none.
 */
WYN_NODISCARD
int wyn_interrupt_poll(struct pollfd *fds, nfds_t n, int timeout_ms);

// SPDX-License-Identifier: MIT
/*
 * signals.h - signals that are passed on to a command, as something to poll.
 *
 * SIGHUP, SIGINT, SIGQUIT and SIGTERM, as far as they were not ignored when
 * wynctl was started. While they are taken none of them interrupts or ends
 * anything. Main's thread, which is the only one.
 */
#pragma once

#include <signal.h>

#include "base/compiler.h"

struct wyn_signals {
	int fd;
	sigset_t before;
};

/* wyn_signals_take - from now on. Returns: 0, or the errors of signalfd(2). */
WYN_NODISCARD
int wyn_signals_take(struct wyn_signals *signals);

/* wyn_signals_next - the number of one that came; 0 = none did. */
int wyn_signals_next(const struct wyn_signals *signals);

/* wyn_signals_leave - they do again what they did; one that came ends us. */
void wyn_signals_leave(struct wyn_signals *signals);

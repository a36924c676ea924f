// SPDX-License-Identifier: MIT
/*
 * lock.h - one spawner at a time has a ledger, or a directory of cgroups.
 */
#pragma once

#include "base/compiler.h"

/* What a spawner that was killed, or whose link has closed, may take to end.
 * For both locks it is less than wynd waits for Ready (WYN_SPAWN_READY_MS),
 * which then says what is wanting. */
#define WYN_LOCK_WAIT_MS 4000u

/*
 * wyn_lock_wait - flock(2), exclusively.
 *
 * It is held until the last copy of the descriptor is closed: O_CLOEXEC, and
 * not for commands. Returns: 0; -EWOULDBLOCK: another had it all the time;
 * -errno of flock. Blocks: for wait_ms at most.
 */
WYN_NODISCARD
int wyn_lock_wait(int fd, unsigned wait_ms);

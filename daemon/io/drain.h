// SPDX-License-Identifier: MIT
/*
 * drain.h - how the daemon ends: signals, stages, exit code.
 *
 * Lives on loop 0. A SIGTERM, a SIGINT or an administrator's Call begins it; a
 * SIGTERM or SIGINT after that ends the process at once. A SIGHUP is watched
 * here as well, and asks for a reload; one that was ignored when we were
 * started (nohup(1)) stays so.
 */
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"
#include "base/exit_code.h"

struct wyn_acceptor;
struct wyn_drain;
struct wyn_loop;
struct wyn_shared;

/* wyn_drain_signals - those that it watches. Thread: boot. */
void wyn_drain_signals(sigset_t *ret_signals);

/*
 * wyn_drain_create - watches the signals on loop 0.
 *
 * Thread: boot, with the signals blocked; they count from the moment they are
 * unblocked. Owns: borrows all. Returns: 0; -ENOMEM; what libuv said, and
 * *ret_drain is then half made, to be stopped and destroyed all the same,
 * because a handle is closed in a turn of its loop.
 */
WYN_NODISCARD
int wyn_drain_create(struct wyn_shared *shared, struct wyn_loop *const *loops,
	size_t loops_count, struct wyn_acceptor *acceptor,
	struct wyn_drain **ret_drain);

/* wyn_drain_stop - closes its handles. NULL is a no-op. Thread: boot, when loop
 * 0 does not run. */
void wyn_drain_stop(struct wyn_drain *drain);

/* wyn_drain_destroy - after loop 0 was destroyed, whose handles it holds. NULL
 * is a no-op. Thread: boot. */
void wyn_drain_destroy(struct wyn_drain *drain);

/* wyn_drain_request - begins it, as a first signal does. Thread: any loop. */
void wyn_drain_request(struct wyn_drain *drain);

/* wyn_drain_quiet - one more loop has nothing left. Thread: any loop. */
void wyn_drain_quiet(struct wyn_drain *drain);

/* wyn_drain_turn - what was asked for since the last turn. Thread: loop 0. */
void wyn_drain_turn(struct wyn_drain *drain);

/* wyn_drain_begun - is the end near? Thread: loop 0. */
bool wyn_drain_begun(const struct wyn_drain *drain);

/* wyn_drain_exit_code - 0, or 124 if something had to be cut off. Thread:
 * boot, after loop 0 has ended. */
enum wyn_exit_code wyn_drain_exit_code(const struct wyn_drain *drain);

// SPDX-License-Identifier: MIT
/*
 * notifier.h - tells the service manager how we are, and when.
 *
 * Lives on loop 0, after all else is made: ready in its first turn, stopping in
 * the first one of a drain, a line of status when something changed, and a
 * sign of life for as long as the watchdog's decision (watchdog.h) allows it.
 * Where nobody listens it does nothing.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

#define WYN_NOTIFIER_STATUS_MS 5000u /* at least between two lines of status */

struct wyn_loop;
struct wyn_notifier;
struct wyn_shared;

/*
 * wyn_notifier_create - one that has told nothing yet.
 *
 * Thread: boot, before the loops run. Owns: borrows all; its handles are on
 * the first loop. Returns: 0; -ENOMEM; what pthread_create(3) said.
 */
WYN_NODISCARD
int wyn_notifier_create(struct wyn_shared *shared,
	struct wyn_loop *const *loops, size_t loops_count,
	struct wyn_notifier **ret_notifier);

/*
 * wyn_notifier_turn - tells what is new; `draining` once a drain has begun.
 *
 * Thread: loop 0, once per turn. Blocks: never.
 */
void wyn_notifier_turn(struct wyn_notifier *notifier, bool draining);

/*
 * wyn_notifier_reloads - so many reloads have begun, and so many of them are
 * over, whatever came of it.
 *
 * Thread: loop 0. Blocks: never.
 */
void wyn_notifier_reloads(
	struct wyn_notifier *notifier, uint64_t begun, uint64_t over);

/* wyn_notifier_stop - closes its handles, once all is told that can be. NULL is
 * a no-op. Thread: boot, when loop 0 does not run. */
void wyn_notifier_stop(struct wyn_notifier *notifier);

/* wyn_notifier_destroy - after loop 0 was destroyed, whose handles it holds.
 * NULL is a no-op. Thread: boot. */
void wyn_notifier_destroy(struct wyn_notifier *notifier);

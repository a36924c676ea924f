// SPDX-License-Identifier: MIT
/*
 * future.h - a future's trampoline, for the worker.
 *
 * The handle's side is public, in wyn/future.h.
 */
#pragma once

#include <wyn/future.h>

/*
 * wyn_future_run - consumes a future's place in the queue: runs it, or not.
 *
 * Thread: worker. Takes `arg`, a struct wyn_future. Blocks: as the body does.
 */
void wyn_future_run(void *arg);

/*
 * wyn_future_discard - the same without running it: it ends as cancelled.
 *
 * Thread: any. Takes the future. Blocks: never.
 */
void wyn_future_discard(struct wyn_future *future);

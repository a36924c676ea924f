// SPDX-License-Identifier: MIT
/*
 * combine.h - futures that end by the ends of others; what future.c calls.
 *
 * The caller's side is public, in wyn/combine.h.
 */
#pragma once

#include "scheduler/future.h"

/*
 * wyn_combine_tell - tells `output` that its input has ended, and goes on with
 * whoever waits for that.
 *
 * output may be NULL: nothing to tell.
 *
 * Thread: any. Blocks: never.
 */
void wyn_combine_tell(struct wyn_future *output, struct wyn_future *input);

/*
 * wyn_combine_cancel - stops the inputs of a combined future that has ended.
 *
 * Thread: any, before the handle is dropped. Blocks: never.
 */
void wyn_combine_cancel(struct wyn_future *output);

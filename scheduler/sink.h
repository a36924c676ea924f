// SPDX-License-Identifier: MIT
/*
 * sink.h - the worker's side of a completion sink.
 *
 * The owner's side is public, in wyn/job.h.
 */
#pragma once

#include <wyn/job.h>

/*
 * wyn_sink_push - gives a job back to its owner, waking it if it is armed.
 *
 * The job is the owner's from the first moment of the call.
 *
 * Thread: worker; `lane` is the same for each push of one thread.
 * Blocks: never.
 */
void wyn_sink_push(struct wyn_sink *sink, struct wyn_job *job, unsigned lane);

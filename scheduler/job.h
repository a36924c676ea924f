// SPDX-License-Identifier: MIT
/*
 * job.h - how a job travels through the queues.
 */
#pragma once

/*
 * wyn_job_run - the trampoline of a job: runs it and gives it to its sink.
 *
 * Thread: worker. Takes `arg`, a struct wyn_job. Blocks: as the body does.
 */
void wyn_job_run(void *arg);

// SPDX-License-Identifier: MIT
/*
 * sys_faults.h - calls of the spawner's units that fail for want of something,
 * one at a time, in the process of the test.
 *
 * What opens, allocates and maps by wyn_sys. A spawner that runs as a process
 * has its own way (spawner_faults.h).
 */
#pragma once

#include <stdbool.h>

/* sys_faults_begin, sys_faults_end - nothing is armed; wyn_sys is as before. */
void sys_faults_begin(void);
void sys_faults_end(void);

/* sys_faults_arm - the call that comes after so many others fails. */
void sys_faults_arm(unsigned calls);

/* sys_faults_disarm - nothing fails from now on. Returns: whether one did since
 * it was armed. */
bool sys_faults_disarm(void);

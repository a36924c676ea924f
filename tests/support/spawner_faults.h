// SPDX-License-Identifier: MIT
/*
 * spawner_faults.h - the spawner's table of calls, with some that fail.
 *
 * What is to fail is in memory that the test, its spawner and the children of
 * that share.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

/* Calls of spawner/sys.h. */
enum spawner_fault {
	SPAWNER_FAULT_NONE,
	SPAWNER_FAULT_CALLOC,
	SPAWNER_FAULT_REALLOC,
	SPAWNER_FAULT_MMAP,
	SPAWNER_FAULT_OPENAT,
	SPAWNER_FAULT_RECVMSG,
	SPAWNER_FAULT_SEND,
	SPAWNER_FAULT_ACCEPT,
	SPAWNER_FAULT_EPOLL_CTL,
	SPAWNER_FAULT_GETPWUID,
	SPAWNER_FAULT_GETGROUPLIST,
	SPAWNER_FAULT_CLONE,
	SPAWNER_FAULT_SETSID,
	SPAWNER_FAULT_DUP,
	SPAWNER_FAULT_CLOSE_RANGE,
	SPAWNER_FAULT_SETRLIMIT,
	SPAWNER_FAULT_SETGROUPS,
	SPAWNER_FAULT_SETGID,
	SPAWNER_FAULT_SETUID,
	SPAWNER_FAULT_CHDIR,
	SPAWNER_FAULT_PRIVATE_TMP,
	SPAWNER_FAULT_EXECVE,
	SPAWNER_FAULT_FEXECVE,
};

struct spawner_shared {
	enum spawner_fault fault;
	unsigned skip; /* so many go well before */
	unsigned left; /* so many fail then */
	int error;     /* errno */
	bool hold;     /* the next child stops as soon as it is there */
	pid_t held;    /* atomic, a futex: it is about to; 0 = none is */
};

/* spawner_faults_share - what this process and its forks look at from now on.
 * Owns: the caller's, for munmap(2). Nothing is to fail yet. */
struct spawner_shared *spawner_faults_share(void);

/* spawner_faults_install - puts the calls in the table, after
 * spawner_faults_share(). */
void spawner_faults_install(void);

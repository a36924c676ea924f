// SPDX-License-Identifier: MIT
/*
 * spawner_rig.h - a spawner's loop in a process of its own, and a wynd that
 * talks to it.
 *
 * The process is a fork of the test, so that its calls can be made to fail when
 * the test says so; by sanitizers its end tells what it has leaked. All that
 * waits gives up after a bound, as a failure of the test.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/slice.h"
#include "proto/spawn.h"
#include "tests/support/spawner_faults.h"

struct spawner_rig {
	int link;
	pid_t pid;
	struct spawner_shared *shared;
	Wyn__Spawn__V1__Configure
		configure; /* to be changed before it is sent */
};

/* A command; zeroes are the usual. */
struct spawner_command {
	const char *const *argv; /* ends with NULL */
	const char *const *env;	 /* likewise; NULL = PATH alone */
	const char *cwd;
	uint64_t memory_bytes;
	uint64_t processes;
	uint64_t cpu_percent;
	uint32_t uid; /* 0 = ours */
	uint32_t gid;
	int input; /* descriptors, 0 = none; they stay the test's */
	int output;
	int error;
};

/* As cmocka's; *state is the struct spawner_rig. The link is there, nothing has
 * been sent. tear_down closes it, and wants the spawner to end well. */
int spawner_rig_set_up(void **state);
int spawner_rig_tear_down(void **state);

/* The same, and it is configured: 8 commands, no cgroups. */
int spawner_rig_set_up_ready(void **state);

/* The next calls of this kind fail so, n times. */
void spawner_rig_arm(struct spawner_rig *rig, enum spawner_fault fault,
	unsigned n, int error);

/* The child of the next Start stops, before it has done anything. */
void spawner_rig_hold(struct spawner_rig *rig);

/* It has stopped. Returns: its pid; SIGCONT lets it go on. */
pid_t spawner_rig_held(struct spawner_rig *rig);

/* A spawner that begins while the n-th call of this kind fails. Returns: 0: it
 * has begun, and ended well; else the errno that it would not for. */
int spawner_rig_begin(enum spawner_fault fault, unsigned n, int error);

/* The same for one in this process. */
void spawner_rig_arm_here(enum spawner_fault fault, unsigned n, int error);

/* Lets go of the link, and waits for the spawner. Returns: as of wait(2). */
int spawner_rig_end(struct spawner_rig *rig);

/* Sends Configure, and waits for the Ready, which is borrowed until the next
 * event. */
const Wyn__Spawn__V1__Ready *spawner_rig_configure(struct spawner_rig *rig);

/* One message, in as many packets as it takes. */
void spawner_rig_send(struct spawner_rig *rig,
	const Wyn__Spawn__V1__Request *request, const int *fds, size_t n);
void spawner_rig_packet(struct spawner_rig *rig, uint8_t flags,
	struct wyn_slice bytes, const int *fds, size_t n);

void spawner_rig_start(struct spawner_rig *rig, uint64_t id,
	const struct spawner_command *command);
void spawner_rig_signal(struct spawner_rig *rig, uint64_t id, int number);
void spawner_rig_stop(struct spawner_rig *rig, uint64_t id, uint64_t grace_ms);
void spawner_rig_reap(struct spawner_rig *rig, uint64_t id);

/* /bin/sh -c SCRIPT with all of its output into a pipe, of which the end is
 * returned. Who lives of it holds the pipe. */
int spawner_rig_shell(struct spawner_rig *rig, uint64_t id, const char *script);

/* The next event; NULL = the link was closed. */
const Wyn__Spawn__V1__Event *spawner_rig_event(struct spawner_rig *rig);

/* The same, an Ended of this id. */
const Wyn__Spawn__V1__Ended *spawner_rig_ended(
	struct spawner_rig *rig, uint64_t id);

/* The same, and it has exited so, with nobody left. */
void spawner_rig_exited(struct spawner_rig *rig, uint64_t id, unsigned status);

/* The same: not started, at this stage, for this error. */
void spawner_rig_refused(struct spawner_rig *rig, uint64_t id, unsigned stage,
	int error, const char *where);

/* All that comes until the end, as a string, borrowed until the next; closes
 * it. */
const char *spawner_rig_read(int fd);

/* What this command, of id 1, writes to its output until it has exited with 0.
 * As spawner_rig_read(). */
const char *spawner_rig_output(
	struct spawner_rig *rig, struct spawner_command command);

/* One byte of it, which somebody writes when he is ready. */
void spawner_rig_await(int fd);

/* May we mount, in a name space of its own, as for a private /tmp? Not so in a
 * chroot, nor in a container without the capability. */
bool spawner_rig_may_mount(void);

/* How many descriptors the spawner has: at this moment, in which it may look at
 * /proc; so it is asked again and again, until they are so few. */
unsigned spawner_rig_fds(const struct spawner_rig *rig);
void spawner_rig_has_fds(struct spawner_rig *rig, unsigned fds);

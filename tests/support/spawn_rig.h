// SPDX-License-Identifier: MIT
/*
 * spawn_rig.h - an executor of commands whose spawner is the test.
 *
 * The executor connects to a socket of the test, which reads what it is sent
 * and says what it likes. Both are one thread: what one of them has sent is
 * there when the other one looks, so a turn of the loop never waits.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <uv.h>

#include "daemon/run/batch.h"
#include "daemon/run/command.h"
#include "daemon/run/input.h"
#include "daemon/run/stream.h"
#include "daemon/run/task.h"
#include "daemon/spawn/spawn_executor.h"
#include "proto/spawn.h"

#define SPAWN_RIG_PATH_BYTES 64
#define SPAWN_RIG_HOUR_MS    3600000u

/* A command and its task. */
struct spawn_rig_task {
	struct wyn_task task;
	struct wyn_input input;
	bool back;
	uint8_t *output; /* what it wrote, malloc'd */
	size_t output_bytes;
	uint8_t *error;
	size_t error_bytes;
	size_t partials;
	struct wyn_batch batch; /* last, for its region */
};

/* What the executor has sent. */
struct spawn_rig_request {
	const Wyn__Spawn__V1__Request *message; /* in the rig's arena */
	int fds[WYN_SPAWN_FDS_MAX];
	size_t fds_count;
	size_t packets;
};

struct spawn_rig {
	uv_loop_t uv;
	struct wyn_executor *executor;
	struct wyn_command_config config;
	struct wyn_stream stream;
	char directory[SPAWN_RIG_PATH_BYTES];
	char path[SPAWN_RIG_PATH_BYTES];
	int listener;
	int link; /* -1 = none was accepted */
	struct wyn_arena arena;
	uint8_t *arena_memory;
	uint8_t *message;
};

/* The config may be changed before the executor is made. */
void spawn_rig_init(struct spawn_rig *rig);
void spawn_rig_executor(struct spawn_rig *rig);
/* Both work from a cmocka teardown as well. */
void spawn_rig_close(struct spawn_rig *rig);
void spawn_rig_fini(struct spawn_rig *rig);

/* A task whose command is `bytes` long, with that argument. */
struct spawn_rig_task *spawn_rig_task(
	struct spawn_rig *rig, size_t bytes, struct wyn_slice argument);
void spawn_rig_task_free(struct spawn_rig_task *task);
/* Its input goes on after its argument. */
void spawn_rig_stream(struct spawn_rig_task *task);

#define SPAWN_RIG_NO ((struct wyn_slice){NULL, 0}) /* no argument */

void spawn_rig_start(struct spawn_rig *rig, struct spawn_rig_task *task);

/* Turns of the loop that do not wait, and what came of them is taken; the first
 * does not take what was written. */
void spawn_rig_turn(struct spawn_rig *rig);
void spawn_rig_turn_slow(struct spawn_rig *rig);
/* A turn that waits for a timer, until the task is back. */
void spawn_rig_wait(struct spawn_rig *rig, struct spawn_rig_task *task);

/* The executor's connection, whose Configure is read, and answered by
 * spawn_rig_ready(). */
void spawn_rig_accept(struct spawn_rig *rig);
void spawn_rig_ready(struct spawn_rig *rig);
/* Accept, once it is asked for, Ready and a turn. */
void spawn_rig_begin(struct spawn_rig *rig);
void spawn_rig_hang_up(struct spawn_rig *rig);

/* The next request; it has to be there. */
void spawn_rig_receive(
	struct spawn_rig *rig, struct spawn_rig_request *ret_request);
bool spawn_rig_is_silent(struct spawn_rig *rig);
/* A Start, whose descriptors are in fds by kind: input, output, error; -1 =
 * none. Returns: its id. */
uint64_t spawn_rig_receive_start(
	struct spawn_rig *rig, int fds[WYN_SPAWN_FDS_MAX]);

/* A task without an argument that was started, and its Start received. */
struct spawn_rig_task *spawn_rig_run(
	struct spawn_rig *rig, uint64_t *ret_id, int fds[WYN_SPAWN_FDS_MAX]);

/* The command's ends of its outputs. */
void spawn_rig_close_outputs(const int fds[WYN_SPAWN_FDS_MAX]);

/* The command closes its outputs and exits with 0; the task is back. */
void spawn_rig_end(struct spawn_rig *rig, struct spawn_rig_task *task,
	uint64_t id, const int fds[WYN_SPAWN_FDS_MAX]);

void spawn_rig_send_packet(
	struct spawn_rig *rig, const void *packet, size_t bytes);
void spawn_rig_send(struct spawn_rig *rig, const Wyn__Spawn__V1__Event *event);
void spawn_rig_exited(
	struct spawn_rig *rig, uint64_t id, uint32_t status, bool left);
void spawn_rig_ended(struct spawn_rig *rig, const Wyn__Spawn__V1__Ended *ended);

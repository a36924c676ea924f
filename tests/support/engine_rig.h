// SPDX-License-Identifier: MIT
/*
 * engine_rig.h - a whole engine without I/O: scripted executor, fake clock,
 * connections whose sockets are buffers.
 *
 * Everything happens in the caller's thread, and only when it says so. What is
 * wrong whatever a client does aborts with the place (rig_check), so a fuzzer
 * can use this too.
 */
#pragma once

#include <semaphore.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "daemon/engine/engine.h"
#include "daemon/run/executor.h"
#include "daemon/limits.h"

#define RIG_SECOND_NS UINT64_C(1000000000)

struct rig_client;
struct rig_commands;
struct wyn_job;
struct wyn_strip;
struct wyn_catalog;
struct wyn_module_version;
struct wyn_registry;
struct wyn_task;

/* Says where and aborts, if what must hold does not. */
#define rig_check(condition)                                        \
	do {                                                        \
		if (!(condition)) {                                 \
			rig_failed(__FILE__, __LINE__, #condition); \
		}                                                   \
	} while (0)

void rig_failed(const char *file, int line, const char *what)
	__attribute__((noreturn));

struct rig {
	struct wyn_shared shared;
	struct wyn_catalog *catalog;
	struct wyn_module_version *functions;
	const struct wyn_registry *registry; /* the catalog's */
	struct wyn_engine *engine;
	struct wyn_engine *engines[2];
	struct rig *first;	       /* whose shared is ours; NULL = it is */
	struct rig_commands *commands; /* NULL = it runs none */
	unsigned wakes; /* how often somebody woke the loop; no bell */
	sem_t *bell;	/* rung for it; NULL = none */
	struct wyn_executor executor;
	struct wyn_list clients;
	uint64_t now_ns;
	unsigned width;	      /* of the executor */
	unsigned drain_calls; /* shared.drain was called */
	bool fed;	      /* somebody was heard since the last turn */

	struct wyn_job **started; /* in the executor, oldest first */
	size_t started_count;
	size_t started_room;
	size_t started_peak;
	bool no_memory;		/* the executor takes nothing */
	uint64_t started_total; /* since the beginning */
	struct wyn_job *done;	/* came back, oldest first */
	struct wyn_job **done_tail;
};

/*
 * rig_create - an engine with these limits (NULL = the defaults), whose
 * executor runs `width` tasks at once.
 */
struct rig *rig_create(const struct wyn_limits *limits, unsigned width);

/*
 * rig_create_beside - a second loop of the first rig's daemon, which has a
 * clock and clients of its own; it is destroyed first.
 */
struct rig *rig_create_beside(struct rig *first);

/*
 * rig_destroy - disconnects all clients, lets what runs come back, and checks
 * that everything which is counted is back to 0.
 */
void rig_destroy(struct rig *rig);

/* rig_turn - one turn of the engine, and its output to the clients. */
void rig_turn(struct rig *rig);

/* rig_settle - turns until the loop would sleep; runs nothing. */
void rig_settle(struct rig *rig);

/* rig_finish_all - turns and runs until nothing is left that may run; commands
 * exit with 0. */
void rig_finish_all(struct rig *rig);

/* rig_advance - the clock goes on; then a turn. */
void rig_advance(struct rig *rig, uint64_t ms);

/* rig_run - lets up to n of the oldest jobs run and come back; no turn. */
void rig_run(struct rig *rig, size_t n);

/* rig_is_strip_at, rig_task_at, rig_strip_at - what the job at this place of
 * `started` is. */
bool rig_is_strip_at(const struct rig *rig, size_t at);
struct wyn_task *rig_task_at(const struct rig *rig, size_t at);
struct wyn_strip *rig_strip_at(const struct rig *rig, size_t at);

/* rig_run_at - the same for one job, by its place in `started`. */
void rig_run_at(struct rig *rig, size_t at);

/* rig_begin_at - a worker has begun with the task, and is at it; of a strip, or
 * of those that share a job, with one more. */
void rig_begin_at(struct rig *rig, size_t at);

/* rig_emit_at - it emits a partial value. Returns: as wyn_emit(). */
int rig_emit_at(struct rig *rig, size_t at, const char *text);

/* rig_started_at - where in `started` the task with this seq is, of whatever
 * connection, if it is a job of its own; rig->started_count if it is not. */
size_t rig_started_at(const struct rig *rig, uint64_t seq);

/* rig_drain, rig_cancel_all - as the loop does; then a turn. */
void rig_drain(struct rig *rig);
void rig_cancel_all(struct rig *rig);

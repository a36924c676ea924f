// SPDX-License-Identifier: MIT
/*
 * loop.h - one loop thread: a libuv loop that drives an engine.
 *
 * Gets sockets handed over, feeds what they read to the engine, gives it one
 * turn just before the loop would sleep, writes what came of it. Knows neither
 * listeners nor signals: those live on loop 0 (acceptor.c, drain.c).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <uv.h>

#include "base/compiler.h"
#include "daemon/engine/engine.h"
#include "daemon/io/handover.h"

#define WYN_LOOP_FLUSHES_MAX 4096u /* connections written in one turn */
#define WYN_LOOP_TURNS_MAX   4u	   /* before it looks at its sockets again */
#define WYN_LOOP_LINGERS_MAX 3u	   /* yields before it sleeps */

struct wyn_loop;

/* What a loop has been told to do, each including those before it. */
enum wyn_loop_phase {
	WYN_LOOP_SERVE,
	WYN_LOOP_DRAIN,	 /* wyn_engine_drain() */
	WYN_LOOP_CANCEL, /* wyn_engine_cancel_all() */
	WYN_LOOP_ABORT,	 /* close every socket */
	WYN_LOOP_END,	 /* return from wyn_loop_join() */
};

/* [I] All may be NULL. Thread: the loop's. */
struct wyn_loop_hooks {
	void (*turn)(void *context);  /* once per turn, before the engine's */
	void (*gone)(void *context);  /* a socket was closed */
	void (*quiet)(void *context); /* once: draining, and nothing is left */
	void *context;
};

/*
 * wyn_loop_create - a loop that does not run yet.
 *
 * Thread: boot. Owns: borrows shared, pool and what the hooks point to.
 * Returns: 0, -ENOMEM, what libuv or pthreads said.
 */
WYN_NODISCARD
int wyn_loop_create(struct wyn_shared *shared, size_t index,
	struct wyn_pool *pool, const struct wyn_loop_hooks *hooks,
	struct wyn_loop **ret_loop);

/*
 * wyn_loop_start - runs it in a thread named wyn-loop-N.
 *
 * Thread: boot. Returns: 0, what pthread_create said.
 */
WYN_NODISCARD
int wyn_loop_start(struct wyn_loop *loop);

/* wyn_loop_join - waits until it has ended. Thread: boot. No-op if it was
 * never started. */
void wyn_loop_join(struct wyn_loop *loop);

/*
 * wyn_loop_destroy - after the join, and after the pool's workers have ended,
 * which might still wake it. NULL is a no-op. Thread: boot.
 *
 * Closes the handles that are left, so whoever put some on wyn_loop_uv() has
 * closed them before.
 */
void wyn_loop_destroy(struct wyn_loop *loop);

/* wyn_loop_wake - makes it take a turn. Thread: any. */
void wyn_loop_wake(struct wyn_loop *loop);

/* wyn_loop_enter - sets the phase, never an earlier one. Thread: any. */
void wyn_loop_enter(struct wyn_loop *loop, enum wyn_loop_phase phase);

/*
 * wyn_loop_room - can it be handed another socket?
 *
 * Thread: loop 0. Returns: false when WYN_HANDOVER_MAX are on the way already.
 */
bool wyn_loop_room(struct wyn_loop *loop);

/*
 * wyn_loop_hand_over - gives it an accepted socket; it has room.
 *
 * Thread: loop 0. Owns: takes the descriptor.
 */
void wyn_loop_hand_over(struct wyn_loop *loop, const struct wyn_handed *socket);

/* wyn_loop_sockets_approx - its sockets, also those on the way. Thread: any;
 * statistics only. */
size_t wyn_loop_sockets_approx(const struct wyn_loop *loop);

/* wyn_loop_running_approx - tasks that its executor has. Thread: any;
 * statistics only, as of its last turn. */
size_t wyn_loop_running_approx(const struct wyn_loop *loop);

/*
 * wyn_loop_turns - so many times it was about to sleep.
 *
 * One that does not grow after wyn_loop_wake() is stuck. Thread: any.
 */
uint64_t wyn_loop_turns(const struct wyn_loop *loop);

/* For whoever puts handles of its own on loop 0. Thread: boot, loop. */
uv_loop_t *wyn_loop_uv(struct wyn_loop *loop);

/* wyn_loop_commands - it may run commands, whose ledger is at that path ("" =
 * none). Thread: boot, before it is started. */
void wyn_loop_commands(struct wyn_loop *loop, const char *ledger);

/* wyn_loop_engine - the one it drives. Thread: any. */
struct wyn_engine *wyn_loop_engine(struct wyn_loop *loop);

// SPDX-License-Identifier: MIT
/*
 * engine.h - one loop's share of the daemon, without its I/O.
 *
 * Connections, ready queues, dispatch, replies, timers and counters: bytes,
 * times and completed tasks come in, bytes and submits go out. It never touches
 * a socket, a clock or libuv, so tests and fuzzers drive it with a scripted
 * executor and a fake clock. loop.c is what drives it in the daemon.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "daemon/limits.h"

#define WYN_LEDGER_PATH_BYTES  160u /* of a path, with a NUL */
#define WYN_PEER_ADDRESS_BYTES 56u  /* [IPV6]:PORT and a NUL */

struct wyn_conn;
struct wyn_engine;
struct wyn_executor;
struct wyn_pool;
struct wyn_catalog;
struct wyn_later;
struct wyn_policy;
struct wyn_stats;
struct wyn_stream;

/* What all loops share. */
struct wyn_shared {
	struct wyn_limits limits;    /* [I] each loop begins with them */
	struct wyn_catalog *catalog; /* [I] */
	struct wyn_pool *pool;	     /* [I] its counters; NULL = none */
	struct wyn_engine **engines; /* [I] one per loop */
	size_t engines_count;	     /* [I] */
	uint64_t id_base;	     /* [I] ids of this run start here */
	uint64_t started_ns;	     /* [I] */
	/* [I] asks the daemon to drain, as SIGTERM does. Thread: loop */
	void (*drain)(struct wyn_shared *shared);
	/* [I] loads the configuration and the modules anew, and answers by
	 * wyn_later_answer(); NULL = it cannot. Thread: loop; not blocking */
	void (*reload)(
		struct wyn_shared *shared, const struct wyn_later *later);
	/* [I] one is told CONNECTIONS_MAX; NULL = nobody asks. Thread: loop */
	void (*crowded)(struct wyn_shared *shared);
	_Atomic uint64_t ids_used;    /* [A held] beyond id_base */
	_Atomic uint64_t tasks_held;  /* [A held] accepted, not yet returned */
	_Atomic uint64_t bytes_held;  /* [A held] their arguments */
	_Atomic uint64_t values_held; /* [A held] their values over 64 bytes */
	_Atomic uint64_t connections; /* [A held] open now */
	_Atomic uint64_t buffered;    /* [A held] input and output they keep */
	_Atomic uint64_t conns_used;  /* [A held] numbers of connections */
	_Atomic uint64_t surveys;     /* [A held] on their way: survey.h */
	_Atomic uint64_t commands;    /* [A commands] that run now */
	/* [A askers] uid + 1 of who asks, for each on its way; 0 = free */
	_Atomic uint64_t inquiries[WYN_INQUIRIES_MAX];
};

/* Who is at the other end. */
struct wyn_peer {
	bool administrator; /* root or our own uid, by peer credentials */
	bool local;	    /* uid, gid and pid are the kernel's word */
	uint32_t uid;
	uint32_t gid; /* its group when it connected */
	uint32_t pid;
	char address[WYN_PEER_ADDRESS_BYTES]; /* else: "1.2.3.4:5" or "" */
};

/*
 * wyn_engine_create - one per loop.
 *
 * Thread: boot. Owns: borrows shared, executor. stream_wake is called by
 * workers when a partial value was emitted. Returns: 0, -ENOMEM.
 */
WYN_NODISCARD
int wyn_engine_create(struct wyn_shared *shared, struct wyn_executor *executor,
	void (*stream_wake)(struct wyn_stream *stream),
	struct wyn_engine **ret_engine);

/*
 * wyn_engine_destroy - no task may be in the executor, every connection has
 * been let go by wyn_conn_gone(). NULL is a no-op. Thread: boot, loop.
 */
void wyn_engine_destroy(struct wyn_engine *engine);

/* wyn_engine_commands - who runs commands, before the first policy, and the
 * path of the ledger of these, "" = none. Thread: boot. Owns: borrows the
 * executor, copies the path. */
void wyn_engine_commands(struct wyn_engine *engine,
	struct wyn_executor *executor, const char *ledger);

/* wyn_engine_commands_end - takes back what its executor of commands, which is
 * closed, has given back, and lets go of it. Thread: boot, after the loop. */
void wyn_engine_commands_end(struct wyn_engine *engine);

/* The engine's stream is the one its stream_wake is called with; `context` is
 * the caller's, to find its loop again. Thread: boot to set, any to read. */
void wyn_engine_context_set(struct wyn_engine *engine, void *context);
void *wyn_engine_of_stream(struct wyn_stream *stream); /* its context */

/*
 * wyn_engine_open - a connection was accepted.
 *
 * Thread: loop. Owns: the engine's until wyn_conn_gone(). `transport` is the
 * caller's. Returns: 0, also over connections_max: such a connection is told
 * so and closes; -ENOMEM; -EMFILE when not even that can be had.
 */
WYN_NODISCARD
int wyn_engine_open(struct wyn_engine *engine, const struct wyn_peer *peer,
	void *transport, uint64_t now_ns, struct wyn_conn **ret_conn);

/*
 * wyn_engine_turn - everything that is due: timers, tasks that came back,
 * partial values, replies, one submit to the executor.
 *
 * Thread: loop, once per turn, after reading. Then write what is dirty.
 */
void wyn_engine_turn(struct wyn_engine *engine, uint64_t now_ns);

/*
 * wyn_engine_dirty - a connection that has something to write, whose reading
 * is to be stopped or resumed, which is to be closed, or whose peer has been
 * silent so long that it may be gone.
 *
 * Thread: loop. Each is given once, until something changes again. Returns:
 * NULL when there is none.
 */
struct wyn_conn *wyn_engine_dirty(struct wyn_engine *engine);

/*
 * wyn_engine_expects - tasks may be back any moment: such as are thought to
 * take no longer than a sleep, and the wake that ends it. Thread: loop.
 */
bool wyn_engine_expects(const struct wyn_engine *engine);

/* wyn_engine_peek - one came back since the last turn: a hint. Thread: loop. */
bool wyn_engine_peek(const struct wyn_engine *engine);

/*
 * wyn_engine_arm - before the loop sleeps.
 *
 * Thread: loop. Returns: true = the executor wakes the loop when a task comes
 * back; false = something is there already: take another turn.
 */
bool wyn_engine_arm(struct wyn_engine *engine);

/* wyn_engine_next_ns - when a turn is due at the latest; UINT64_MAX = none. */
uint64_t wyn_engine_next_ns(const struct wyn_engine *engine);

/*
 * wyn_engine_drain - no new work: GoAway to all, Submits are refused, each
 * connection closes once it is answered and written. Thread: loop. Idempotent.
 */
void wyn_engine_drain(struct wyn_engine *engine, uint64_t now_ns);

/*
 * wyn_engine_cancel_all - the drain took too long: what is queued is answered
 * CANCELLED (DRAIN_TIMEOUT), what runs is asked to end. Thread: loop.
 */
void wyn_engine_cancel_all(struct wyn_engine *engine, uint64_t now_ns);

/*
 * wyn_engine_limit - other limits from now on.
 *
 * Those that only a restart changes (limits.h) are as before, since
 * connections were told of them and memory was made by them. Thread: loop.
 */
void wyn_engine_limit(
	struct wyn_engine *engine, const struct wyn_limits *limits);

/*
 * wyn_engine_policy - who may run commands from now on; NULL, as at first, is
 * nobody.
 *
 * What was accepted stays. Thread: loop; boot before that. Owns: holds it, and
 * the one before no longer.
 */
void wyn_engine_policy(struct wyn_engine *engine, struct wyn_policy *policy);

/* wyn_engine_limits - the present ones. Thread: loop. */
const struct wyn_limits *wyn_engine_limits(const struct wyn_engine *engine);

/* wyn_engine_stats - what it has counted so far. Thread: loop; boot once it has
 * ended. */
const struct wyn_stats *wyn_engine_stats(const struct wyn_engine *engine);

/* wyn_engine_in_executor - tasks that have not come back; what was left empty
 * there counts as one until it is back as well. Thread: loop. */
size_t wyn_engine_in_executor(const struct wyn_engine *engine);

/* wyn_engine_keeps - tasks go on whose connection has gone. Thread: loop. */
bool wyn_engine_keeps(const struct wyn_engine *engine);

/* wyn_engine_linger_cut - counts a socket that lingered and was closed early,
 * because too many did. Thread: loop. */
void wyn_engine_linger_cut(struct wyn_engine *engine);

// SPDX-License-Identifier: MIT
/*
 * spawn_state.h - what the units of daemon/spawn share: one executor.
 *
 * All of it is the loop thread's, but for commands_max. Descriptors are watched
 * by an epoll of our own that libuv polls: a pipe costs one epoll_ctl then, and
 * what came of many is had by one epoll_wait.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <uv.h>

#include "base/compiler.h"
#include "base/list.h"
#include "daemon/run/executor.h"
#include "daemon/spawn/spawn_executor.h"
#include "daemon/spawn/spawn_packets.h"
#include "proto/arena.h"
#include "proto/spawn.h"

#define WYN_SPAWN_READ_BYTES   (64u << 10) /* of a pipe, at once */
#define WYN_SPAWN_PIPE_BYTES   (1 << 20)   /* of one that much goes through */
#define WYN_SPAWN_LARGE_MAX    64u	   /* of these at a time, of a loop */
#define WYN_SPAWN_MOVES_MAX    16u /* reads or writes of a pipe, a turn */
#define WYN_SPAWN_EVENTS_MAX   64u /* of epoll, at once */
#define WYN_SPAWN_EVENT_BYTES  (64u << 10) /* one message of the spawner */
#define WYN_SPAWN_ARENA_BYTES  (256u << 10)
#define WYN_SPAWN_READY_MS     10000u /* for its answer to Configure */
#define WYN_SPAWN_FAILURES_MAX 3u     /* in a row, before tasks are refused */
#define WYN_SPAWN_DELAY_MS_MAX 1000u  /* before it is tried again */
#define WYN_SPAWN_END_MS       2000   /* for its end, at the daemon's */

/* What an event of epoll is about; the first member of who is watched. */
enum wyn_watched_kind {
	WYN_WATCHED_LINK,
	WYN_WATCHED_CHILD,
	WYN_WATCHED_INPUT,
	WYN_WATCHED_OUTPUT,
	WYN_WATCHED_ERROR,
};

struct wyn_watched {
	enum wyn_watched_kind kind;
	int fd;	      /* -1 = none */
	bool watched; /* it is in the epoll */
	int epoll_fd; /* if it is */
};

/* Our end of a pipe. */
struct wyn_pipe {
	struct wyn_watched on; /* first */
	struct wyn_process *process;
	int child_fd;	     /* until it was sent; -1 = none */
	bool large;	     /* its size was set */
	uint64_t bytes;	     /* that went through */
	uint64_t bytes_left; /* to be read yet; UINT64_MAX = to the end */
};

enum wyn_process_state {
	WYN_PROCESS_FREE,
	WYN_PROCESS_WAITING, /* for a spawner; it has no pipes */
	WYN_PROCESS_SENDING, /* its Start is not sent whole */
	WYN_PROCESS_RUNNING,
	WYN_PROCESS_ENDED,   /* its output is not over */
	WYN_PROCESS_REAPING, /* its task is back, a Reap is to be sent */
};

/* One command, from start() until its task is back. */
struct wyn_process {
	struct wyn_list link; /* free, waiting or sending */
	struct wyn_list draining;
	struct wyn_task *task;
	uint64_t id; /* (generation, slot), of the link's messages */
	enum wyn_process_state state;
	struct wyn_pipe pipes[WYN_SPAWN_FDS_MAX]; /* input, output, error */
	size_t argument_at; /* so much of it is in the pipe */
	bool left;	    /* processes of it live after its Ended */
	bool output_lost;   /* there was no memory for some of it */
	uint64_t due_ms;    /* when what is left of its output is given up */
	struct wyn_request request; /* what is to be sent about it */
};

/* A spawner that we have started, until it has been waited for. */
struct wyn_spawner_child {
	struct wyn_watched on; /* first; a pidfd */
	struct wyn_list link;
	pid_t pid;
};

enum wyn_link_state {
	WYN_LINK_NONE,
	WYN_LINK_CONFIGURING, /* no Ready yet */
	WYN_LINK_READY,
	WYN_LINK_PAUSED, /* it is opened when the timer fires */
};

/* The socket to the spawner. */
struct wyn_spawner_link {
	struct wyn_watched on; /* first */
	enum wyn_link_state state;
	bool full;	    /* it takes no packet now */
	bool stale;	    /* the last Configure is not of the newest */
	uint8_t *configure; /* a message, to be sent; NULL = none */
	size_t configure_bytes;
	size_t configure_at;
	unsigned failures; /* in a row, without a Ready */
	unsigned breaks;   /* in a row, without an Ended */
	uint64_t retry_ms; /* not tried before */
	uint8_t *message;  /* of several packets, as far as it came */
	size_t message_bytes;
	struct wyn_list children;
	/* Whose the other end is; NULL = a service's, or it has ended. */
	const struct wyn_spawner_child *child;
};

struct wyn_spawn {
	struct wyn_executor executor;
	uv_loop_t *uv; /* [I] */
	struct wyn_command_config config;
	atomic_uint commands_max; /* [A width] relaxed; of config */
	bool closed;

	int epoll_fd; /* -1 = not yet */
	uv_poll_t poll;
	uv_timer_t drain_timer;
	uv_timer_t link_timer;

	struct wyn_spawner_link link;
	struct wyn_list waiting;  /* processes, oldest first */
	struct wyn_list sending;  /* that have something to be sent */
	struct wyn_list draining; /* by due_ms */
	struct wyn_list free;
	struct wyn_process **processes; /* by slot */
	size_t slots;
	size_t slots_room;
	unsigned large_pipes;

	struct wyn_job *done;
	struct wyn_job **done_tail;

	struct wyn_arena arena; /* over arena_memory */
	struct wyn_spawn_packets packets;
	_Alignas(16) uint8_t arena_memory[WYN_SPAWN_ARENA_BYTES];
	uint8_t scratch[WYN_SPAWN_READ_BYTES];
};

static inline struct wyn_spawn *wyn_spawn_of(struct wyn_executor *executor)
{
	return WYN_CONTAINER_OF(executor, struct wyn_spawn, executor);
}

/*
 * wyn_spawn_watch - from now on, for these events; wyn_watched_unwatch.
 *
 * Returns: 0, -errno.
 */
WYN_NODISCARD
int wyn_spawn_watch(
	struct wyn_spawn *self, struct wyn_watched *on, uint32_t events);
void wyn_watched_unwatch(struct wyn_watched *on);

/* wyn_watched_close - and it is watched no more; closed already = nothing. */
void wyn_watched_close(struct wyn_watched *on);

/* wyn_spawn_drain_arm - the timer, for the first of self->draining. */
void wyn_spawn_drain_arm(struct wyn_spawn *self);

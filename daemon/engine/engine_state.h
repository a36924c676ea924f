// SPDX-License-Identifier: MIT
/*
 * engine_state.h - what an engine and its connections are made of.
 *
 * Private to the engine's own files: engine.c (turns and owners), conn*.c (the
 * protocol), dispatch.c (ready to executor), reply.c (outcomes to frames).
 * Everything is the loop's own [L] but what the headers of its parts say.
 */
#pragma once

#include "daemon/modules/catalog.h"
#include "daemon/engine/credit.h"
#include "daemon/engine/dispatch.h"
#include "daemon/engine/engine.h"
#include "daemon/engine/engine_owner.h"
#include "daemon/run/executor.h"
#include "daemon/engine/held.h"
#include "daemon/engine/kept.h"
#include "daemon/engine/output.h"
#include "daemon/engine/post.h"
#include "daemon/engine/ready.h"
#include "daemon/engine/stats.h"
#include "daemon/run/stream.h"
#include "daemon/run/task.h"
#include "daemon/run/timers.h"
#include "daemon/engine/verdict.h"
#include "proto/arena.h"
#include "proto/codec.h"

/* Places beyond connections_max, for those that are told that they are too
 * many. */
#define WYN_SLOTS_SPARE 64u

#define WYN_ROWS_MAX 256u /* of one Results frame, at most */

enum wyn_conn_phase {
	WYN_CONN_PREFACE, /* the eight bytes are awaited */
	WYN_CONN_HELLO,	  /* Hello is awaited */
	WYN_CONN_OPEN,
	WYN_CONN_FINISHED, /* Finish came: the rest of the results goes out */
	WYN_CONN_KEEPER,   /* it never was one: see keeper.h */
	WYN_CONN_CLOSING,  /* what is in the output goes out, nothing else */
	WYN_CONN_CLOSED,   /* nothing goes out any more */
};

/* Bytes that came and could not be used yet: part of a frame, or more while
 * the connection is paused. */
struct wyn_carry {
	uint8_t *data;
	size_t len;
	size_t room;
};

/* Ids of accepted tasks that the client wants to know, as one run. */
struct wyn_accepted_run {
	uint64_t first_seq;
	uint64_t first_id;
	uint64_t count;
};

struct wyn_conn {
	struct wyn_list link;	 /* the engine's connections */
	struct wyn_list active;	 /* the engine's, while replies are due */
	struct wyn_list dirty;	 /* the engine's, for the transport to look */
	struct wyn_list worked;	 /* the engine's, until its next turn */
	struct wyn_list keepers; /* the engine's, if it is one */
	struct wyn_engine *engine;
	void *transport;
	struct wyn_peer peer;
	char client_name[WYN_CLIENT_NAME_BYTES];
	uint64_t id;	 /* (generation << 32) | slot */
	uint64_t number; /* among all of this run, for people */
	enum wyn_conn_phase phase;
	bool failed; /* CLOSING: by an error, which bounds it in time */
	const char *failure, *ending; /* for the log: see conn.h */
	uint64_t accepted_tasks;
	bool keeps;    /* some of them outlive it */
	bool paused;   /* too much is unsent: no reading */
	uint64_t work; /* looks since its turn: see wyn_conn_work() */
	struct wyn_carry carry;
	struct wyn_output output;
	struct wyn_timer timer; /* Hello, keepalive, then the last flush */
	uint64_t heard_ns;	/* its last sign of life */
	unsigned misses;	/* keepalive times without one, since */

	struct wyn_credit tasks;
	struct wyn_credit bytes;
	uint64_t stream_granted; /* cumulative; UINT64_MAX = not limited */
	uint64_t stream_used;
	struct wyn_account *account; /* of its values */

	uint64_t next_seq;   /* the least that a Submit may begin with */
	uint64_t last_seq;   /* of the last accepted task, for GoAway */
	uint64_t unanswered; /* tasks whose row is not in the output */

	struct wyn_ready_owner ready;	 /* tasks that call a function */
	struct wyn_ready_owner commands; /* tasks that run a command */
	struct wyn_list inputs;		 /* of those, that go on in Chunks */
	uint64_t input_untold;		 /* bytes that these have taken */
	struct wyn_list uploads;
	uint64_t uploads_count;
	uint64_t upload_ns;	 /* when any of them last made progress */
	struct wyn_list running; /* tasks in the executor, each a job */
	struct wyn_list strips;	 /* likewise, many to a job */
	uint64_t streaming;	 /* of these, those that may emit */
	struct wyn_list starved; /* the engine's, while no more may start */
	uint64_t starved_ns;	 /* since when; 0 = it has begun one since */
	bool starved_emits;	 /* one that emits did, the last time */
	struct wyn_list stalled; /* the engine's, while partials wait */
	uint64_t stalled_ns;	 /* when any of them last went */
	struct wyn_list waiting; /* came back; their partial values go first */
	struct wyn_list done;	 /* tasks whose row is next */
	struct wyn_list strips_due; /* strips with such tasks, by their rows */
	struct wyn_list large;	    /* done ones whose value goes in chunks */
	struct wyn_list verdicts;
	struct wyn_partial *partials; /* oldest first */
	struct wyn_partial **partials_tail;
	struct wyn_accepted_run accepted;
	size_t unsent_bytes; /* tasks, partials, verdicts not encoded yet */
	size_t stream_bytes; /* of these, what stream credit may hold back */
	uint64_t quiet_done;
	uint64_t calls[WYN_CALLS_PENDING_MAX]; /* oldest first: conn_later.h */
	size_t calls_count;
};

/* One place in the table of owners. */
struct wyn_owner_slot {
	struct wyn_conn *conn; /* NULL = free */
	uint32_t generation;
	uint32_t next_free; /* + 1; 0 = none */
};

struct wyn_engine {
	struct wyn_shared *shared;
	struct wyn_limits limits; /* as of the last reload */
	struct wyn_executor *executor;
	void *context;
	uint64_t now_ns;
	bool draining;

	struct wyn_list conns;
	size_t conns_count;
	struct wyn_list active;
	struct wyn_list dirty;
	struct wyn_list starved; /* they wait for tasks that emit to end */
	struct wyn_list stalled; /* they stream; who moved last is last */
	uint64_t streaming;	 /* tasks in the executor that may emit */
	bool streams_ended;	 /* some, since the last turn */
	struct wyn_list worked;
	uint64_t work; /* of all connections, since the last turn */
	struct wyn_owner_slot *slots;
	uint32_t slots_count;
	uint32_t slots_free; /* + 1; 0 = none */

	struct wyn_catalog_reader functions;
	struct wyn_timers timers;
	struct wyn_ready ready;
	struct wyn_dispatch dispatch;
	struct wyn_ready commands;	       /* the same for commands */
	struct wyn_executor *command_executor; /* NULL = they are refused */
	char ledger[WYN_LEDGER_PATH_BYTES];    /* of those; "" = none */
	struct wyn_policy *policy;	       /* held; NULL = likewise */
	struct wyn_keep keep;
	struct wyn_timer keep_timer; /* the end of what is kept */
	struct wyn_list keepers;
	size_t keepers_count;
	struct wyn_list inquiries; /* that wait here */
	uint64_t commands_running; /* in that executor; its part of shared's */
	atomic_bool commands_wait; /* [A commands] for a place */
	_Atomic uint64_t commands_given; /* [A commands] places left to it */
	struct wyn_stream stream;
	struct wyn_mailbox mailbox;
	struct wyn_segments segments;
	struct wyn_memory memory;
	struct wyn_batch *growing;  /* NULL = none; see grow.h */
	struct wyn_list free_tasks; /* by their link */
	size_t free_tasks_count;
	struct wyn_list recalled; /* by their link; empty between two turns */
	struct wyn_list free_strips; /* by their link */
	size_t free_strips_count;
	struct wyn_job **slice; /* what one submit takes: executor_tasks_max */
	size_t slice_count;
	struct wyn_strip *last_strip; /* in it; NULL = none */
	uint64_t last_strip_ns;	      /* what its job is thought to take */
	uint64_t released_tasks; /* since the last turn, which tells shared */
	uint64_t released_bytes;
	uint64_t carry_bytes;	/* of all its connections */
	uint64_t buffered_told; /* what of it and the output shared knows */

	struct wyn_stats stats;
	struct wyn_stats stats_sum; /* while a stats Call is answered */
	uint64_t unfinished;	    /* accepted and not released */
	uint64_t surveyed_turn;	    /* the last with a look of survey.h */

	struct wyn_result rows[WYN_ROWS_MAX]; /* while a frame is made */
	struct wyn_detail details[WYN_ROWS_MAX];
	struct wyn_arena arena;
	_Alignas(16) uint8_t arena_memory[WYN_ARENA_BYTES];
};

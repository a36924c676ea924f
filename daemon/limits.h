// SPDX-License-Identifier: MIT
/*
 * limits.h - every bound of the daemon: name, default, range, what it bounds.
 *
 * One table, from which come the struct, the settings, their help and the
 * checks of their ranges.
 */
#pragma once

#include <stdint.h>

#include "base/time.h"
#include "proto/frame.h"

#define WYN_KIB (UINT64_C(1) << 10)
#define WYN_MIB (UINT64_C(1) << 20)
#define WYN_GIB (UINT64_C(1) << 30)

/* X(field, "flag", unit, default, min, max, when, "help"); the unit is the end
 * of a WYN_QUANTITY_ (base/quantity.h): COUNT, BYTES or MS; when: a change
 * applies NOW, by a reload, or only by a RESTART */
#define WYN_LIMIT_TABLE(X)                                                     \
	X(frame_bytes_max, "max-frame", BYTES, WYN_FRAME_BYTES_DEFAULT,        \
		WYN_FRAME_BYTES_LEAST, WYN_FRAME_BYTES_HARD, RESTART,          \
		"body of one frame")                                           \
	X(batch_max, "max-batch", COUNT, 65536, 1, 1048576, RESTART,           \
		"tasks in one Submit")                                         \
	X(argument_bytes_max, "max-argument", BYTES, 64 * WYN_MIB, 1, WYN_GIB, \
		RESTART, "one argument")                                       \
	X(value_bytes_max, "max-value", BYTES, 64 * WYN_MIB, 1, WYN_GIB,       \
		RESTART, "one value")                                          \
	X(credit_tasks, "credit-tasks", COUNT, 65536, 1, 16777216, RESTART,    \
		"unanswered tasks of one connection")                          \
	X(credit_bytes, "credit-bytes", BYTES, 128 * WYN_MIB, 1, 16 * WYN_GIB, \
		RESTART, "unanswered arguments of one connection")             \
	X(daemon_tasks_max, "max-tasks", COUNT, 1048576, 1, 1 << 30, NOW,      \
		"unanswered tasks of all connections")                         \
	X(daemon_bytes_max, "max-bytes", BYTES, WYN_GIB, WYN_MIB,              \
		1024 * WYN_GIB, NOW,                                           \
		"arguments, and again values, of all connections")             \
	X(buffer_bytes_max, "max-buffer", BYTES, WYN_GIB, WYN_MIB,             \
		1024 * WYN_GIB, NOW,                                           \
		"frames half come and half read, of all connections")          \
	X(output_bytes_max, "max-output", BYTES, 4 * WYN_MIB, 64 * WYN_KIB,    \
		WYN_GIB, NOW, "unsent results of one connection")              \
	X(stream_bytes_max, "max-stream", BYTES, 256 * WYN_KIB, 4 * WYN_KIB,   \
		WYN_GIB, NOW, "unsent partial values of one task")             \
	X(uploads_max, "max-uploads", COUNT, 1024, 1, 65536, NOW,              \
		"tasks of one connection whose argument is on the way")        \
	X(connections_max, "max-connections", COUNT, 16384, 1, 1048576,        \
		RESTART, "connections")                                        \
	X(executor_tasks_max, "max-executor", COUNT, 4096, 1, 65536, RESTART,  \
		"tasks handed to the pool and not back yet")                   \
	X(commands_max, "max-commands", COUNT, 16, 1, 4096, NOW,               \
		"commands that run at once")                                   \
	X(command_bytes_max, "max-command", BYTES, 128 * WYN_KIB, WYN_KIB,     \
		2 * WYN_MIB, RESTART,                                          \
		"argv, environment and directory of one command")              \
	X(command_grace_ms, "command-grace", MS, 5000, 0, 86400000, NOW,       \
		"from SIGTERM to SIGKILL, for a command that is ended")        \
	X(command_drain_ms, "command-drain", MS, 1000, 0, 86400000, NOW,       \
		"for output after the end of a command")                       \
	X(keep_tasks, "keep-tasks", COUNT, 1024, 0, 1 << 20, NOW,              \
		"ended tasks that are kept for one user, of one loop")         \
	X(keep_bytes, "keep-bytes", BYTES, 64 * WYN_MIB, 0, 1024 * WYN_GIB,    \
		NOW,                                                           \
		"values and output that are kept for one user, of one "        \
		"loop")                                                        \
	X(keep_output_bytes, "keep-output", BYTES, WYN_MIB, 0, WYN_GIB, NOW,   \
		"output that is kept of one task, the newest")                 \
	X(keep_ms, "keep-time", MS, 3600000, 0, 2678400000, NOW,               \
		"how long an ended task is kept")                              \
	X(hello_ms, "hello-timeout", MS, 5000, 10, 600000, NOW,                \
		"from connecting to Hello")                                    \
	X(keepalive_ms, "keepalive", MS, 30000, 10, 86400000, NOW,             \
		"silence before a Ping; gone after two unanswered")            \
	X(drain_ms, "drain-timeout", MS, 30000, 0, 86400000, NOW,              \
		"for accepted tasks at shutdown, then cancelled")

struct wyn_limits {
#define WYN_LIMIT_FIELD(field, ...) uint64_t field;
	WYN_LIMIT_TABLE(WYN_LIMIT_FIELD)
#undef WYN_LIMIT_FIELD
};

#define WYN_LIMIT_DEFAULT(field, flag, unit, value, ...) .field = (value),
#define WYN_LIMITS_INIT                            \
	{                                          \
		WYN_LIMIT_TABLE(WYN_LIMIT_DEFAULT) \
	}

/* Bounds that no flag changes. */
#define WYN_CHUNK_BYTES	      (64u << 10)	   /* data of one VALUE Chunk */
#define WYN_CLOSING_NS	      UINT64_C(5000000000) /* for the last bytes */
#define WYN_CLIENT_NAME_BYTES 64u	  /* kept of client_name, with a NUL */
#define WYN_REPLY_HEAD_BYTES  256u	  /* beside its list, at most */
#define WYN_HELLO_BYTES_MAX   4096u	  /* frame body of Hello */
#define WYN_RECEIVE_BYTES     (64u << 10) /* read at once, one per loop */
#define WYN_ARENA_BYTES	      (4u << 20)  /* decoding one frame, one per loop */
#define WYN_SEGMENT_BYTES     (32u << 10) /* piece of a connection's output */
#define WYN_BUFFER_SHARE_MIN \
	(64u << 10) /* what each may keep when max-buffer is reached */
#define WYN_OUTPUT_HIGH_BYTES \
	(256u << 10)		      /* encoded and unsent: encode later */
#define WYN_CALLS_PENDING_MAX  8u     /* Calls answered later, of one each */
#define WYN_INQUIRIES_MAX      256u   /* who ask for what is kept: inquiry.h */
#define WYN_INQUIRIES_USER_MAX 64u    /* of them, of one user */
#define WYN_CONN_WORK_MAX      16384u /* looks in one turn: about 1 ms */
#define WYN_TIMERS_TURN_MAX    1024u  /* fired in one turn */
#define WYN_LABEL_BYTES	       64u    /* of a task's label, with a NUL */
#define WYN_INLINE_VALUE_BYTES 64u    /* kept in the task itself */
#define WYN_KEEPALIVE_MISSES   2u
#define WYN_RETRY_AFTER_MS     50u   /* told to who is over a limit */
#define WYN_FUNCTIONS_MAX      1024u /* of all modules */
#define WYN_MODULES_MAX	       64u   /* at the same time */
#define WYN_VERSIONS_MAX       256u  /* of them, old ones included */
#define WYN_STREAMS_MAX	       256u  /* tasks that emit or block, at once */
#define WYN_AWAITS_MAX	       256u  /* awaits that lend their seat */
#define WYN_DRAIN_GRACE_MS     1000u /* of a command, then */
#define WYN_DRAIN_CANCEL_MS    2000u /* for what was cancelled by the drain */
#define WYN_DRAIN_LOOK_MS      50u   /* for each loop to say what still runs */

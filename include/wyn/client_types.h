// SPDX-License-Identifier: MIT
/*
 * wyn/client_types.h - what goes into and comes out of libwynclient.
 *
 * Plain data; the functions are in wyn/client.h, which includes this file. All
 * zero bytes are the defaults of every struct that the caller fills in.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <wyn/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Deadlines are nanoseconds of CLOCK_MONOTONIC. */
#define WYN_CLIENT_AT_ONCE UINT64_C(0)
#define WYN_CLIENT_FOREVER UINT64_MAX

#define WYN_CLIENT_IN_FLIGHT_DEFAULT	16384u
#define WYN_CLIENT_IN_FLIGHT_MAX	(1u << 22)
#define WYN_CLIENT_STREAM_BYTES_DEFAULT (4u << 20)
/* Far more than any server has; what it has not it refuses by itself. */
#define WYN_CLIENT_FUNCTION_BYTES_MAX 255u
#define WYN_CLIENT_LABEL_BYTES_MAX    63u
/*
 * Values larger than a frame come in parts. Those of them that are not taken
 * yet: as much as a wynd holds for all its clients, unless it is told to hold
 * more. A server that sends more than that costs the connection.
 */
#define WYN_CLIENT_PARTS_BYTES_MAX (UINT64_C(1) << 30)

/* A view of somebody's bytes. */
struct wyn_bytes {
	const void *data;
	size_t size;
};

struct wyn_client_config {
	const char *name; /* told to the server; NULL = "libwynclient" */
	/*
	 * Tasks submitted whose results the caller has not taken yet; memory
	 * is bounded by it. 0 = WYN_CLIENT_IN_FLIGHT_DEFAULT.
	 */
	uint32_t in_flight_max;
	/*
	 * Partial values that the server may have on the way to the caller. It
	 * is raised to four frames. 0 = WYN_CLIENT_STREAM_BYTES_DEFAULT.
	 */
	uint64_t stream_bytes;
	/*
	 * Grants the server no stream credit at all: only the socket holds it
	 * back. What is kept here is bounded by stream_bytes all the same.
	 */
	bool stream_unbounded;
	/*
	 * After so long a silence the server is asked whether it is there, and
	 * after as much again the connection is lost: for networks that
	 * swallow it without a word. It works while a call waits, or is made.
	 * 0 = never.
	 */
	uint64_t keepalive_ms;
};

enum wyn_client_priority {
	WYN_CLIENT_PRIORITY_DEFAULT = 0,
	WYN_CLIENT_PRIORITY_LOW = 1,
	WYN_CLIENT_PRIORITY_NORMAL = 2,
	WYN_CLIENT_PRIORITY_HIGH = 3,
};

/* Shared by the tasks of one submit. */
struct wyn_client_options {
	enum wyn_client_priority priority;
	uint64_t timeout_ms;  /* from the start of the task; 0 = none */
	uint64_t deadline_ms; /* from its receipt by the server; 0 = none */
	uint64_t tag;	      /* task i's events carry tag + i, see the event */
	bool stream; /* outputs, partial values and progress are wanted */
	bool accept; /* a WYN_CLIENT_ACCEPTED is wanted */
	bool quiet;  /* only failures come back one by one, and a count */
	bool keep;   /* they outlive the connection: wyn/client_kept.h */
	/* -EAGAIN instead of waiting for credit or the socket; afterwards one
	 * WYN_CLIENT_ROOM says when to try again. */
	bool nonblock;
	const char *label; /* for people, WYN_CLIENT_LABEL_BYTES_MAX at most;
			    * NULL = none */
};

/*
 * Where a large argument comes from. read fills in up to `size` bytes: more
 * than 0 = so many, 0 = the end, negative = -errno. It may block; it must not
 * call the client. release is called exactly once, when the library is done
 * with the source, also if submitting failed; NULL = nothing to do.
 */
struct wyn_client_source {
	uint64_t size;
	ssize_t (*read)(void *context, void *buffer, size_t size);
	void (*release)(void *context);
	void *context;
};

enum wyn_client_event_kind {
	WYN_CLIENT_RESULT = 1,	 /* the one end of a task */
	WYN_CLIENT_PARTIAL = 2,	 /* a partial value; before the task's result */
	WYN_CLIENT_ACCEPTED = 3, /* `count` tasks from `seq`, ids from `id` */
	WYN_CLIENT_QUIET = 4,	 /* `count` quiet tasks ended with `code` */
	WYN_CLIENT_GO_AWAY = 5,	 /* nothing after `seq` will be accepted */
	WYN_CLIENT_ROOM = 6,	 /* what was refused with -EAGAIN may fit now */
	WYN_CLIENT_CONNECTED = 7, /* what wyn_client_connect_start() began */
	WYN_CLIENT_PROGRESS = 8,  /* `count` of `total` is done; 0 = unknown */
	WYN_CLIENT_STDOUT = 9,	  /* `value` of a command, from `offset` on */
	WYN_CLIENT_STDERR = 10,	  /* the same of its other output */
};

/* Whether a task that did not end OK has run; as Ran in wyn.proto. */
enum wyn_client_ran {
	WYN_CLIENT_RAN_UNKNOWN = 0,
	WYN_CLIENT_RAN_NO = 1,
	WYN_CLIENT_RAN_YES = 2,
	WYN_CLIENT_RAN_MAYBE = 3,
};

struct wyn_client_usage; /* wyn/client_command.h */

/*
 * Its pointers are valid until the next call with the same client. reason and
 * message are never NULL, and empty where there is nothing to say.
 */
struct wyn_client_event {
	enum wyn_client_event_kind kind;
	enum wyn_client_ran ran;
	uint32_t code; /* enum wyn_status */
	uint64_t seq;
	uint64_t tag; /* of its submit; 0 for quiet tasks and ACCEPTED */
	uint64_t count;
	uint64_t total;
	uint64_t id;
	uint64_t retry_after_ms;
	struct wyn_bytes value;
	const char *reason; /* stable, UPPER_CASE */
	const char *message;
	uint64_t offset; /* STDOUT, STDERR: of value, in that stream */
	/* Of a command's RESULT: what it exited with, the signal that ended it
	 * (0 = none did), and what it took (NULL = not known). */
	uint32_t exit_status;
	uint32_t signal;
	const struct wyn_client_usage *usage;
};

/*
 * Why the last call failed: for programs, and a sentence for people.
 *
 * A reason is one of the protocol (docs/wire.md, section 7), or of the library
 * itself, and an event may bear either:
 * CANNOT_CONNECT, CONNECTED, NOT_CONNECTED, CONNECTION_CLOSED, CONNECTION_LOST,
 * PROTOCOL_VIOLATION, VERSION_MISMATCH, FINISHED (wyn_client_finish() was
 * called), TIMED_OUT, INTERRUPTED, CLIENT_NO_MEMORY, IN_FLIGHT, PARTIAL_VALUES
 * (take some events first), VALUE_PARTS (too much of large values at
 * once: have fewer tasks in flight), FUNCTION_NAME, ARGUMENT_INCOMPLETE,
 * NOTHING_IN_FLIGHT, NO_SUCH_TASK, NO_ANSWER.
 */
struct wyn_client_error {
	uint32_t status; /* enum wyn_status */
	int error;	 /* the -errno that was returned */
	char reason[48]; /* stable, UPPER_CASE; of the server where it said */
	char message[512];
};

/* What the server said of itself. */
struct wyn_client_server {
	uint32_t version; /* of the protocol */
	char name[64];
	uint64_t frame_bytes_max;
	uint64_t batch_max;
	uint64_t argument_bytes_max;
	uint64_t value_bytes_max;
};

struct wyn_client_function {
	const char *name;
	const char *module;
	const char *summary;
};

struct wyn_client_counter {
	const char *name;
	uint64_t value;
};

#ifdef __cplusplus
}
#endif

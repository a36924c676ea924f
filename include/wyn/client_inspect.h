// SPDX-License-Identifier: MIT
/*
 * wyn/client_inspect.h - what the server tells of its tasks and modules.
 *
 * Lists, and one task explained; and reloading, which says what it changed.
 * docs/wire.md, section 2.7, says who may see what. Included by wyn/client.h,
 * whose rules hold here.
 */
#pragma once

#include <wyn/client.h>

#ifdef __cplusplus
extern "C" {
#endif

/* As TaskState in wyn.proto. A newer server may know others. */
enum wyn_client_state {
	WYN_CLIENT_STATE_ANY = 0,
	WYN_CLIENT_STATE_UPLOADING = 1,
	WYN_CLIENT_STATE_QUEUED = 2,
	WYN_CLIENT_STATE_NEXT = 3,
	WYN_CLIENT_STATE_RUNNING = 4,
	WYN_CLIENT_STATE_OUTPUT = 5,
	WYN_CLIENT_STATE_ENDED = 6, /* how it ended is kept */
};

/* As Why in wyn.proto: what a task waits for. A newer server may know others.
 */
enum wyn_client_why {
	WYN_CLIENT_WHY_UNKNOWN = 0,
	WYN_CLIENT_WHY_ARGUMENT = 1,
	WYN_CLIENT_WHY_OUTPUT_MAX = 2,
	WYN_CLIENT_WHY_STREAMS_FULL = 3,
	WYN_CLIENT_WHY_EXECUTOR_FULL = 4,
	WYN_CLIENT_WHY_TURN = 5,
	WYN_CLIENT_WHY_WORKERS = 6,
	WYN_CLIENT_WHY_FUNCTION = 7,
	WYN_CLIENT_WHY_STREAM_ROOM = 8,
	WYN_CLIENT_WHY_STREAM_CREDIT = 9,
	WYN_CLIENT_WHY_OUTPUT = 10,
	WYN_CLIENT_WHY_COMMANDS_MAX = 11,
	WYN_CLIENT_WHY_COMMAND = 12,
};

/* A task that the server has. Its texts are never NULL. */
struct wyn_client_task {
	uint64_t id;
	uint64_t seq;	     /* of its connection */
	uint64_t connection; /* the server's number for it */
	const char *client_name;
	const char *function;
	uint32_t state;	   /* enum wyn_client_state */
	uint32_t priority; /* enum wyn_client_priority */
	uint32_t loop;	   /* of the server */
	bool answered;	   /* its result was sent, and it runs still */
	uint64_t age_ns;   /* since it was received */
	uint64_t run_ns;   /* since it began; 0 = it has not, or who knows */
	uint64_t argument_bytes;
	uint64_t timeout_ms;  /* 0 = none */
	uint64_t deadline_ms; /* 0 = none */
	/* Of a command, as one line, cut; function is empty then. */
	const char *command;
	const char *label;
	/* Of one that has ENDED, as of its RESULT. */
	uint32_t code; /* enum wyn_status */
	uint32_t exit_status;
	uint32_t signal;
};

/* Which tasks. All zero bytes are all of them. */
struct wyn_client_filter {
	uint64_t after;		     /* ids above this one */
	uint64_t limit;		     /* so many at most; 0 = all */
	const char *function;	     /* NULL = of all */
	enum wyn_client_state state; /* ANY = in all */
	uint64_t connection;	     /* 0 = of all */
	const char *label;	     /* NULL = with any */
};

/*
 * wyn_client_list - gives the tasks that wait, run or are kept, by ascending
 * id.
 *
 * A NULL filter lets all through. Thread, Blocks, `each`: as
 * wyn_client_functions(). Returns: likewise; -EINVAL (its function or
 * label is not UTF-8).
 */
WYN_CLIENT_NODISCARD
int wyn_client_list(struct wyn_client *client, uint64_t deadline_ns,
	const struct wyn_client_filter *filter,
	int (*each)(void *context, const struct wyn_client_task *task),
	void *context);

/* One task: by id, or if that is 0 by seq. */
struct wyn_client_which {
	uint64_t id;
	uint64_t seq;
	uint64_t connection; /* whose seq; 0 = this client's own */
};

/* Its pointers are valid until the next call with the same client. */
struct wyn_client_explanation {
	struct wyn_client_task task;
	uint32_t why;	      /* enum wyn_client_why */
	const char *message;  /* the same for people; never NULL */
	uint64_t ahead;	      /* queued ones of its connection before it */
	uint64_t connections; /* others that have turns before or with it */
	uint64_t executor;    /* tasks that its loop gave to the workers */
	uint64_t have_bytes;  /* of its argument, while UPLOADING */
};

/*
 * wyn_client_explain - what one task waits for, or where it runs.
 *
 * Thread, Blocks: as wyn_client_functions(). Returns: likewise; -EREMOTEIO with
 * the status NOT_FOUND when there is no such task that the caller may see.
 */
WYN_CLIENT_NODISCARD
int wyn_client_explain(struct wyn_client *client, uint64_t deadline_ns,
	const struct wyn_client_which *which,
	struct wyn_client_explanation *ret_explanation);

/* Its texts are never NULL, and empty where the server does not say. */
struct wyn_client_module {
	const char *name;
	const char *version;
	const char *file;
	uint64_t functions;
};

/*
 * wyn_client_modules - gives every module that the server has loaded, by name.
 *
 * Thread, Returns, Blocks, `each`: as wyn_client_functions().
 */
WYN_CLIENT_NODISCARD
int wyn_client_modules(struct wyn_client *client, uint64_t deadline_ns,
	int (*each)(void *context, const struct wyn_client_module *module),
	void *context);

/* What a reload changed. Its texts are never NULL. */
struct wyn_client_change {
	const char *what; /* a key of the configuration, or a module */
	const char *before;
	const char *after;
	bool restart; /* it takes effect with the server's next start only */
};

/*
 * wyn_client_reload - has the server read its configuration and modules anew,
 * and gives what changed.
 *
 * For administrators, as wyn_client_drain(). When the server finds something
 * wrong nothing changes, and it says what: -EREMOTEIO.
 *
 * Thread, Returns, Blocks, `each`: as wyn_client_functions().
 */
WYN_CLIENT_NODISCARD
int wyn_client_reload(struct wyn_client *client, uint64_t deadline_ns,
	int (*each)(void *context, const struct wyn_client_change *change),
	void *context);

#ifdef __cplusplus
}
#endif

/* Whichever is included first: it has a struct of this one as a member. */
#include <wyn/client_kept.h>

// SPDX-License-Identifier: MIT
/*
 * wyn/client_kept.h - libwynclient: tasks that outlive their connection.
 *
 * A task whose options say `keep` goes on when its client has gone. How it
 * ended, its value and what it wrote are kept by the server for its user, for a
 * time and within bounds, and asked for by its id: options->accept brings that.
 * docs/wire.md, section 3.8, says what is kept. Included by wyn/client.h, whose
 * rules hold here.
 */
#pragma once

#include <wyn/client.h>

#ifdef __cplusplus
extern "C" {
#endif

/* No server waits for longer than that before it answers: ask again. */
#define WYN_CLIENT_WAIT_MS_MAX 30000u

/* Its pointers are valid until the next call with the same client. */
struct wyn_client_outcome {
	struct wyn_client_task task;
	bool ended; /* else `result` and what follows ended_ns is empty */
	/*
	 * As its RESULT was, without tag and retry_after_ms; `id` is set. Its
	 * value begins at value_from, and is as much as one answer has room
	 * for.
	 */
	struct wyn_client_event result;
	uint64_t output_bytes; /* that it wrote so far, kept or not */
	uint64_t ended_ns;     /* since its end */
	uint64_t left_ns;      /* for which it is kept yet */
	uint64_t value_bytes;  /* of the whole value */
	bool value_lost;       /* there was no room to keep it */
};

/*
 * wyn_client_outcome - how a task that is kept ended, or that it has not yet.
 *
 * The server waits for its end, at most wait_ms and WYN_CLIENT_WAIT_MS_MAX, and
 * not while it shuts down; deadline_ns should leave time for that. To read a
 * value that is longer than one answer, call it again with a value_from of as
 * many bytes as have come.
 *
 * Thread, Blocks: as wyn_client_functions(). Returns: likewise; -EREMOTEIO with
 * the status NOT_FOUND when nothing is kept of such a task, or not for this
 * caller.
 */
WYN_CLIENT_NODISCARD
int wyn_client_outcome(struct wyn_client *client, uint64_t deadline_ns,
	uint64_t id, uint64_t wait_ms, uint64_t value_from,
	struct wyn_client_outcome *ret_outcome);

/* Some of what a task wrote. */
struct wyn_client_piece {
	/* STDOUT, STDERR or PARTIAL; of a newer server also 0, for others. */
	enum wyn_client_event_kind kind;
	uint64_t at; /* bytes of all streams before it */
	struct wyn_bytes bytes;
};

/* Where the next call of wyn_client_logs() goes on. */
struct wyn_client_logs {
	uint64_t next;
	bool ended; /* the task has, and nothing comes after `next` */
};

/*
 * wyn_client_logs - gives what a task that is kept wrote, from `from` on.
 *
 * All streams in the order in which it came, as far as it is kept: the first
 * piece may begin behind `from`. It is one answer of the server, so ask again
 * from ret_logs->next on; with wait_ms the server waits, as for an outcome,
 * until there is something.
 *
 * Thread, Blocks, `each`: as wyn_client_functions(). Returns: likewise, and as
 * wyn_client_outcome().
 */
WYN_CLIENT_NODISCARD
int wyn_client_logs(struct wyn_client *client, uint64_t deadline_ns,
	uint64_t id, uint64_t from, uint64_t wait_ms,
	int (*each)(void *context, const struct wyn_client_piece *piece),
	void *context, struct wyn_client_logs *ret_logs);

/*
 * wyn_client_end - asks that a task of any connection ends early, or sends a
 * signal to the processes of one that is a command.
 *
 * signal 0 cancels it; then grace_ms is the time from SIGTERM to SIGKILL, 0 =
 * the server's own. Who may do so is who may see it in a list. A request: the
 * task still ends in its own way.
 *
 * Thread, Blocks: as wyn_client_functions(). Returns: likewise; -EINVAL (signal
 * is over 64); -EREMOTEIO with the status NOT_FOUND when there is no such task,
 * or it has ended.
 */
WYN_CLIENT_NODISCARD
int wyn_client_end(struct wyn_client *client, uint64_t deadline_ns, uint64_t id,
	unsigned signal, uint64_t grace_ms);

#ifdef __cplusplus
}
#endif

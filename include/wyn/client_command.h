// SPDX-License-Identifier: MIT
/*
 * wyn/client_command.h - libwynclient: tasks that are processes.
 *
 * A command is submitted in place of a function, and ends in one result like
 * any other task: OK is the exit status 0, and the event says how it ended
 * otherwise. Its outputs come before that, as they are written, if
 * options->stream asks for them. Included by wyn/client.h, whose rules hold
 * here.
 */
#pragma once

#include <wyn/client.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Input that is on its way to a command, as far as the server tells. */
#define WYN_CLIENT_INPUT_BYTES_MAX (UINT64_C(1) << 20)

/* What a command took, its descendants that were waited for included. */
struct wyn_client_usage {
	uint64_t wall_ns;
	uint64_t user_ns;
	uint64_t system_ns;
	uint64_t peak_rss_bytes;
	uint64_t stdout_bytes; /* that it wrote, also those nobody wanted */
	uint64_t stderr_bytes;
};

/*
 * A process to run. Lists end with NULL, as those of execve(2); all zero bytes
 * but argv are the defaults.
 */
struct wyn_client_command {
	char *const *argv;  /* the program first: a path, or a name for PATH */
	char *const *env;   /* NAME=VALUE, all that it gets; NULL = nothing */
	const char *cwd;    /* an absolute path; NULL = "/" */
	const char *run_as; /* a user, where allowed; NULL = the usual one */
	uint64_t memory_bytes; /* limits; 0 = none */
	uint64_t processes;
	uint64_t cpu_percent; /* of one CPU: 200 is two of them */
	bool input_stream;    /* wyn_client_input() brings its input, or more */
	bool merge_stderr;    /* into its output */
};

/*
 * wyn_client_submit_command - hands one command to the server.
 *
 * `input` is what it reads, before what wyn_client_input() brings; with neither
 * it reads /dev/null. With options->stream its outputs come as
 * WYN_CLIENT_STDOUT and WYN_CLIENT_STDERR, else they are dropped and counted.
 * options->timeout_ms ends all of its processes.
 *
 * While wyn_client_connect_start() is under way, one small command without
 * input is taken at once, and goes out together with the greeting.
 *
 * Thread: the client's. Owns: copies all it is given. Returns: as
 * wyn_client_submit(), -EINVAL (no argv; run_as is not UTF-8; an input stream
 * of a quiet task), -E2BIG (command or input over the server's limits).
 * Blocks: as wyn_client_submit().
 */
WYN_CLIENT_NODISCARD
int wyn_client_submit_command(struct wyn_client *client,
	const struct wyn_client_command *command, struct wyn_bytes input,
	const struct wyn_client_options *options, uint64_t *ret_seq);

/*
 * wyn_client_input - more input for a command with input_stream.
 *
 * Like write(2) it may take fewer bytes than it is given, *ret_taken of them:
 * what the server's credit, the output and a window of
 * WYN_CLIENT_INPUT_BYTES_MAX allow. With `eof` nothing follows these bytes; it
 * holds only if all of them were taken.
 *
 * Thread: the client's. Owns: copies what it takes. Returns: 0, at least one
 * byte was taken or there was none; -EAGAIN (none now; one WYN_CLIENT_ROOM says
 * when to try again); -ENOENT (no such command that takes input: it ended, or
 * has had its eof); the connection's errors. Blocks: no; it is sent as submits
 * are.
 */
WYN_CLIENT_NODISCARD
int wyn_client_input(struct wyn_client *client, uint64_t seq,
	struct wyn_bytes bytes, bool eof, size_t *ret_taken);

/*
 * wyn_client_signal - sends a signal to all processes of `count` commands from
 * `first` on.
 *
 * Seqs that are unknown, finished or no commands do no harm. Thread: the
 * client's. Returns: 0; -EINVAL (number is none from 1 to 64); the connection's
 * errors. Blocks: no; it is sent as submits are.
 */
WYN_CLIENT_NODISCARD
int wyn_client_signal(struct wyn_client *client, uint64_t first, uint64_t count,
	unsigned number);

/*
 * wyn_client_cancel_grace - wyn_client_cancel(), with the time that commands
 * have from SIGTERM to SIGKILL; 0 = the server's own.
 *
 * Thread, Returns, Blocks: as wyn_client_cancel().
 */
WYN_CLIENT_NODISCARD
int wyn_client_cancel_grace(struct wyn_client *client, uint64_t first,
	uint64_t count, uint64_t grace_ms);

#ifdef __cplusplus
}
#endif

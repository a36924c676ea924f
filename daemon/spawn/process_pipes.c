// SPDX-License-Identifier: MIT
/*
 * process_pipes.c - see process_pipes.h.
 *
 * Our ends do not block, for a command can open its output for reading too, and
 * take what we were told of. A read that got less than it asked for is thought
 * to have had all: epoll tells of what is left (a pipe may hold packets).
 */
#include "daemon/spawn/process_pipes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/assert.h"
#include "daemon/run/command.h"
#include "daemon/run/input.h"
#include "daemon/run/stream.h"
#include "daemon/run/task.h"
#include "daemon/spawn/spawn_state.h"

static struct wyn_pipe *pipe_of(
	struct wyn_process *process, enum wyn_watched_kind kind)
{
	return &process->pipes[kind - WYN_WATCHED_INPUT];
}

static const struct wyn_command *command_of(const struct wyn_process *process)
{
	return process->task->batch->command;
}

/* NULL = it has none. */
static struct wyn_input *stream_of(const struct wyn_process *process)
{
	return command_of(process)->input_stream ? process->task->batch->input
						 : NULL;
}

static bool is_wanted(const struct wyn_task *task)
{
	return task->partial_bytes_max > 0 && task->owner != 0 &&
	       !wyn_task_is_cancelled(task);
}

/* Of a pipe that has no room for what is there: one call for many. It is memory
 * of the kernel, so only some have it; others may be told that it is more than
 * a user may have. */
static void enlarge(struct wyn_spawn *self, struct wyn_pipe *pipe)
{
	if (!pipe->large && self->large_pipes < WYN_SPAWN_LARGE_MAX) {
		pipe->large = true;
		self->large_pipes++;
		(void)fcntl(pipe->on.fd, F_SETPIPE_SZ, WYN_SPAWN_PIPE_BYTES);
	}
}

/* Returns: 0, -errno. */
static int open_pipe(struct wyn_process *process, enum wyn_watched_kind kind)
{
	struct wyn_pipe *pipe = pipe_of(process, kind);
	unsigned ours = kind == WYN_WATCHED_INPUT ? 1 : 0;
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0) {
		return -errno;
	}
	pipe->on.fd = fds[ours];
	pipe->child_fd = fds[1 - ours];
	pipe->bytes = 0;
	pipe->bytes_left = UINT64_MAX;
	/* The access mode is none of what it sets. */
	return fcntl(pipe->on.fd, F_SETFL, O_NONBLOCK) < 0 ? -errno : 0;
}

static int open_output(struct wyn_spawn *self, struct wyn_process *process,
	enum wyn_watched_kind kind)
{
	int error = open_pipe(process, kind);

	return error ? error
		     : wyn_spawn_watch(
			       self, &pipe_of(process, kind)->on, EPOLLIN);
}

static struct wyn_slice argument_rest(const struct wyn_process *process)
{
	const struct wyn_slice *argument = &process->task->element.argument;

	if (process->argument_at == argument->len) {
		return (struct wyn_slice){NULL, 0};
	}
	return (struct wyn_slice){argument->data + process->argument_at,
		argument->len - process->argument_at};
}

static void argument_put(struct wyn_spawn *self, struct wyn_process *process)
{
	struct wyn_pipe *pipe = pipe_of(process, WYN_WATCHED_INPUT);
	struct wyn_slice rest = argument_rest(process);
	ssize_t put;

	if (rest.len > WYN_SPAWN_READ_BYTES) {
		enlarge(self, pipe);
	}
	put = rest.len > 0 ? write(pipe->on.fd, rest.data, rest.len) : 0;
	if (put > 0) {
		process->argument_at += (size_t)put;
	}
	if (process->argument_at == process->task->element.argument.len &&
		stream_of(process) == NULL) {
		wyn_watched_close(&pipe->on);
	}
}

static int open_all(struct wyn_spawn *self, struct wyn_process *process)
{
	int error = 0;

	process->argument_at = 0;
	if (process->task->element.argument.len > 0 ||
		stream_of(process) != NULL) {
		error = open_pipe(process, WYN_WATCHED_INPUT);
		if (!error) {
			argument_put(self, process);
		}
	}
	if (!error) {
		error = open_output(self, process, WYN_WATCHED_OUTPUT);
	}
	if (!error && !command_of(process)->merge_stderr) {
		error = open_output(self, process, WYN_WATCHED_ERROR);
	}
	return error;
}

int wyn_pipes_open(struct wyn_spawn *self, struct wyn_process *process)
{
	int error = open_all(self, process);

	if (error) {
		wyn_pipes_close(self, process);
	}
	return error;
}

void wyn_pipes_child_close(struct wyn_process *process)
{
	for (unsigned i = 0; i < WYN_SPAWN_FDS_MAX; i++) {
		struct wyn_pipe *pipe = &process->pipes[i];

		if (pipe->child_fd >= 0) {
			close(pipe->child_fd);
			pipe->child_fd = -1;
		}
	}
}

void wyn_pipes_close(struct wyn_spawn *self, struct wyn_process *process)
{
	for (unsigned i = 0; i < WYN_SPAWN_FDS_MAX; i++) {
		struct wyn_pipe *pipe = &process->pipes[i];

		wyn_watched_close(&pipe->on);
		self->large_pipes -= pipe->large;
		pipe->large = false;
	}
	wyn_pipes_child_close(process);
}

bool wyn_pipes_over(const struct wyn_process *process)
{
	return process->pipes[1].on.fd < 0 && process->pipes[2].on.fd < 0;
}

/* Returns: how many bytes may be read now; 0 = none. */
static size_t readable(const struct wyn_pipe *pipe)
{
	const struct wyn_task *task = pipe->process->task;
	uint64_t bytes = WYN_SPAWN_READ_BYTES;

	if (is_wanted(task)) {
		size_t room = wyn_stream_room(task);

		bytes = room < bytes ? room : bytes;
	}
	return (size_t)(bytes < pipe->bytes_left ? bytes : pipe->bytes_left);
}

static uint8_t stream_of_pipe(const struct wyn_pipe *pipe)
{
	return pipe->on.kind == WYN_WATCHED_OUTPUT
		       ? WYN__V1__STREAM__STREAM_OUTPUT
		       : WYN__V1__STREAM__STREAM_ERROR;
}

/* What was read is lost without memory: the command is not let succeed. */
static void push(struct wyn_pipe *pipe, const uint8_t *data, size_t bytes)
{
	struct wyn_task *task = pipe->process->task;

	if (is_wanted(task) && wyn_stream_push(task->stream, task,
				       stream_of_pipe(pipe), data, bytes) < 0) {
		pipe->process->output_lost = true;
	}
}

/* Where much goes through it is read to where it stays. A copy of what turns
 * out to be little costs less than the memory. Returns: as read(2). */
static ssize_t read_some(
	struct wyn_spawn *self, struct wyn_pipe *pipe, size_t want)
{
	struct wyn_task *task = pipe->process->task;
	struct wyn_partial *partial =
		pipe->large && is_wanted(task)
			? wyn_stream_partial(task, stream_of_pipe(pipe), want)
			: NULL;
	uint8_t *room = partial != NULL ? partial->data : self->scratch;
	ssize_t got = read(pipe->on.fd, room, want);
	int error = errno;

	if (got > 0 && partial != NULL && (size_t)got > want / 2) {
		wyn_stream_put(task->stream, partial, (size_t)got);
		partial = NULL;
	} else if (got > 0) {
		push(pipe, room, (size_t)got);
	}
	free(partial);
	errno = error;
	return got;
}

/* Returns: whether there may be more, and it may be read now. */
static bool read_once(struct wyn_spawn *self, struct wyn_pipe *pipe, bool all)
{
	size_t want = readable(pipe);
	ssize_t got;

	if (want == 0) {
		wyn_watched_unwatch(&pipe->on);
		return false;
	}
	got = read_some(self, pipe, want);
	if (got < 0 && errno == EINTR) {
		return true;
	}
	if (got < 0 && errno == EAGAIN && pipe->bytes_left == UINT64_MAX) {
		return false;
	}
	/* Somebody else has read what was left when the time was up. */
	if (got <= 0) {
		wyn_watched_close(&pipe->on);
		return false;
	}
	pipe->bytes += (size_t)got;
	if (pipe->bytes_left != UINT64_MAX) {
		pipe->bytes_left -= (size_t)got;
	}
	if (pipe->bytes_left == 0) {
		wyn_watched_close(&pipe->on);
		return false;
	}
	if ((size_t)got == WYN_SPAWN_READ_BYTES) {
		enlarge(self, pipe);
	}
	return all || (size_t)got == want;
}

void wyn_pipe_read(struct wyn_spawn *self, struct wyn_pipe *pipe, bool all)
{
	unsigned reads = 0;

	while (reads < WYN_SPAWN_MOVES_MAX && read_once(self, pipe, all)) {
		reads++;
	}
}

void wyn_pipes_resume(struct wyn_spawn *self, struct wyn_process *process)
{
	for (unsigned i = 1; i < WYN_SPAWN_FDS_MAX; i++) {
		struct wyn_pipe *pipe = &process->pipes[i];

		if (pipe->on.fd < 0 || pipe->on.watched ||
			readable(pipe) == 0) {
			continue;
		}
		/* Read when the loop looks, for in its turn nobody may take
		 * what comes. It was watched before: no memory, if any. */
		if (wyn_spawn_watch(self, &pipe->on, EPOLLIN) < 0) {
			process->output_lost = true;
			wyn_watched_close(&pipe->on);
		}
	}
}

void wyn_pipes_expire(struct wyn_spawn *self, struct wyn_process *process)
{
	for (unsigned i = 1; i < WYN_SPAWN_FDS_MAX; i++) {
		struct wyn_pipe *pipe = &process->pipes[i];
		int bytes = 0;

		if (pipe->on.fd < 0) {
			continue;
		}
		(void)ioctl(pipe->on.fd, FIONREAD, &bytes);
		if (bytes <= 0) {
			wyn_watched_close(&pipe->on);
		} else {
			pipe->bytes_left = (uint64_t)bytes;
			wyn_pipe_read(self, pipe, true);
		}
	}
}

void wyn_pipes_input_shut(struct wyn_process *process)
{
	struct wyn_input *stream = stream_of(process);

	wyn_watched_close(&pipe_of(process, WYN_WATCHED_INPUT)->on);
	if (stream != NULL && !stream->shut) {
		wyn_input_shut(stream);
	}
}

static struct wyn_slice input_next(const struct wyn_process *process)
{
	const struct wyn_input *stream = stream_of(process);
	struct wyn_slice rest = argument_rest(process);

	return rest.len > 0 || stream == NULL ? rest : wyn_input_peek(stream);
}

static void input_took(struct wyn_process *process, size_t bytes)
{
	if (argument_rest(process).len > 0) {
		process->argument_at += bytes;
	} else {
		wyn_input_take(stream_of(process), bytes);
	}
}

/* Returns: whether there is more that it may take. */
static bool write_once(
	struct wyn_spawn *self, struct wyn_process *process, bool *ret_is_full)
{
	struct wyn_pipe *pipe = pipe_of(process, WYN_WATCHED_INPUT);
	const struct wyn_input *stream = stream_of(process);
	struct wyn_slice next = input_next(process);
	ssize_t put;

	if (next.len == 0) {
		wyn_watched_unwatch(&pipe->on);
		if (stream == NULL || stream->eof) {
			wyn_watched_close(&pipe->on);
		}
		return false;
	}
	put = write(pipe->on.fd, next.data, next.len);
	if (put < 0 && errno == EAGAIN) {
		enlarge(self, pipe);
		*ret_is_full = true;
		return false;
	}
	if (put < 0 && errno != EINTR) {
		wyn_pipes_input_shut(process);
		return false;
	}
	if (put > 0) {
		input_took(process, (size_t)put);
	}
	return true;
}

void wyn_pipes_input(struct wyn_spawn *self, struct wyn_process *process)
{
	struct wyn_pipe *pipe = pipe_of(process, WYN_WATCHED_INPUT);
	unsigned writes = 0;
	bool is_full = false;

	while (pipe->on.fd >= 0 && write_once(self, process, &is_full)) {
		writes++;
		if (writes == WYN_SPAWN_MOVES_MAX) {
			is_full = true;
			break;
		}
	}
	if (is_full && !pipe->on.watched &&
		wyn_spawn_watch(self, &pipe->on, EPOLLOUT) < 0) {
		wyn_pipes_input_shut(process);
	}
}

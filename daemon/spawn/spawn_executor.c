// SPDX-License-Identifier: MIT
/*
 * spawn_executor.c - see spawn_executor.h: the interface of an executor, and
 * what epoll and the timers say, given to whom it is for.
 */
#include "daemon/spawn/spawn_executor.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/assert.h"
#include "daemon/run/task.h"
#include "daemon/spawn/process.h"
#include "daemon/spawn/process_pipes.h"
#include "daemon/spawn/spawn_state.h"
#include "daemon/spawn/spawner_link.h"

int wyn_spawn_watch(
	struct wyn_spawn *self, struct wyn_watched *on, uint32_t events)
{
	struct epoll_event event = {.events = events, .data = {.ptr = on}};

	if (epoll_ctl(self->epoll_fd,
		    on->watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, on->fd,
		    &event) < 0) {
		return -errno;
	}
	on->watched = true;
	on->epoll_fd = self->epoll_fd;
	return 0;
}

void wyn_watched_unwatch(struct wyn_watched *on)
{
	if (on->watched) {
		int error =
			epoll_ctl(on->epoll_fd, EPOLL_CTL_DEL, on->fd, NULL);

		wyn_assert(error == 0);
		on->watched = false;
	}
}

/*
 * Closing does not take it out of the epoll while anybody has a copy, as a
 * process has that another thread starts, until it executes: we would be told
 * of it as of what is in its place by then.
 */
void wyn_watched_close(struct wyn_watched *on)
{
	if (on->fd >= 0) {
		wyn_watched_unwatch(on);
		close(on->fd);
		on->fd = -1;
	}
}

static void on_pipe(
	struct wyn_spawn *self, struct wyn_watched *on, uint32_t events)
{
	struct wyn_pipe *pipe = WYN_CONTAINER_OF(on, struct wyn_pipe, on);
	struct wyn_process *process = pipe->process;

	if (on->kind == WYN_WATCHED_INPUT) {
		wyn_pipes_input(self, process);
		return;
	}
	if ((events & EPOLLIN) == 0) {
		/* It is empty, and nobody has its other end. */
		wyn_watched_close(on);
	} else {
		wyn_pipe_read(self, pipe, (events & EPOLLHUP) != 0);
	}
	wyn_process_settle(self, process);
}

static void on_link(struct wyn_spawn *self, uint32_t events)
{
	if ((events & ~(uint32_t)EPOLLOUT) != 0) {
		wyn_spawner_receive(self);
	}
}

static void on_event(struct wyn_spawn *self, const struct epoll_event *event)
{
	struct wyn_watched *on = event->data.ptr;

	if (on->fd < 0) {
		/* Closed for another event of the same look. */
		return;
	}
	switch (on->kind) {
	case WYN_WATCHED_LINK:
		on_link(self, event->events);
		break;
	case WYN_WATCHED_CHILD:
		wyn_spawner_child_reap(self,
			WYN_CONTAINER_OF(on, struct wyn_spawner_child, on));
		break;
	default:
		on_pipe(self, on, event->events);
		break;
	}
}

static void on_poll(uv_poll_t *poll, int status, int poll_events)
{
	struct wyn_spawn *self = poll->data;
	struct epoll_event events[WYN_SPAWN_EVENTS_MAX];
	int count;

	(void)status;
	(void)poll_events;
	count = epoll_wait(self->epoll_fd, events, WYN_SPAWN_EVENTS_MAX, 0);
	for (int i = 0; i < count; i++) {
		on_event(self, &events[i]);
	}
	wyn_spawn_flush(self);
}

static void on_drain_timer(uv_timer_t *timer)
{
	struct wyn_spawn *self = timer->data;
	struct wyn_list *first;

	while ((first = wyn_list_first(&self->draining)) != NULL) {
		struct wyn_process *process =
			wyn_list_entry(first, struct wyn_process, draining);

		if (process->due_ms > uv_now(self->uv)) {
			break;
		}
		wyn_process_expire(self, process);
	}
	wyn_spawn_drain_arm(self);
	wyn_spawn_flush(self);
}

void wyn_spawn_drain_arm(struct wyn_spawn *self)
{
	const struct wyn_list *first = wyn_list_first(&self->draining);
	uint64_t now_ms = uv_now(self->uv);
	uint64_t due_ms;

	if (first == NULL) {
		uv_timer_stop(&self->drain_timer);
		return;
	}
	due_ms = wyn_list_entry(first, struct wyn_process, draining)->due_ms;
	uv_timer_start(&self->drain_timer, on_drain_timer,
		due_ms > now_ms ? due_ms - now_ms : 0, 0);
}

/* Descriptors are had with the first command. Returns: 0, -errno. */
static int open_epoll(struct wyn_spawn *self)
{
	int fd;
	int error;

	if (self->epoll_fd >= 0) {
		return 0;
	}
	fd = epoll_create1(EPOLL_CLOEXEC);
	if (fd < 0) {
		return -errno;
	}
	error = uv_poll_init(self->uv, &self->poll, fd);
	if (error) {
		close(fd);
		return error;
	}
	self->poll.data = self;
	self->epoll_fd = fd;
	/* It fails only on a handle that is being closed. */
	(void)uv_poll_start(&self->poll, UV_READABLE, on_poll);
	return 0;
}

static int spawn_start(
	struct wyn_executor *executor, struct wyn_job *const *jobs, size_t n)
{
	struct wyn_spawn *self = wyn_spawn_of(executor);
	int error = open_epoll(self);

	wyn_assert(!self->closed);
	for (size_t i = 0; i < n; i++) {
		struct wyn_task *task =
			WYN_CONTAINER_OF(jobs[i], struct wyn_task, job);
		struct wyn_process *process = wyn_process_add(self, task);

		if (process == NULL) {
			/* All or none: these were not begun. */
			while (i-- > 0) {
				wyn_process_forget(
					self, WYN_CONTAINER_OF(jobs[i],
						      struct wyn_task, job));
			}
			return -ENOMEM;
		}
	}
	for (size_t i = 0; error && i < n; i++) {
		wyn_process_not_started(self,
			WYN_CONTAINER_OF(jobs[i], struct wyn_task, job)
				->process,
			-error);
	}
	if (!error) {
		wyn_spawner_want(self);
		wyn_spawn_flush(self);
	}
	return 0;
}

static void spawn_cancel(struct wyn_executor *executor, struct wyn_task *task)
{
	struct wyn_spawn *self = wyn_spawn_of(executor);

	if (task->process != NULL) {
		wyn_process_stop(self, task->process);
		wyn_spawn_flush(self);
	}
}

static struct wyn_job *spawn_done(struct wyn_executor *executor)
{
	struct wyn_spawn *self = wyn_spawn_of(executor);
	struct wyn_job *first = self->done;

	self->done = NULL;
	self->done_tail = &self->done;
	return first;
}

static bool spawn_peek(const struct wyn_executor *executor)
{
	const struct wyn_spawn *self =
		WYN_CONTAINER_OF(executor, const struct wyn_spawn, executor);

	return self->done != NULL;
}

/* What comes back later does so in a callback of its loop. */
static bool spawn_arm(struct wyn_executor *executor)
{
	return !spawn_peek(executor);
}

static void spawn_sent(struct wyn_executor *executor, struct wyn_task *task)
{
	if (task->process != NULL) {
		wyn_pipes_resume(wyn_spawn_of(executor), task->process);
	}
}

static void spawn_input(struct wyn_executor *executor, struct wyn_task *task)
{
	if (task->process != NULL &&
		task->process->state == WYN_PROCESS_RUNNING) {
		wyn_pipes_input(wyn_spawn_of(executor), task->process);
	}
}

static void spawn_signal(
	struct wyn_executor *executor, struct wyn_task *task, unsigned number)
{
	struct wyn_spawn *self = wyn_spawn_of(executor);

	if (task->process != NULL) {
		wyn_process_signal(self, task->process, number);
		wyn_spawn_flush(self);
	}
}

static unsigned spawn_width(const struct wyn_executor *executor)
{
	const struct wyn_spawn *self =
		WYN_CONTAINER_OF(executor, const struct wyn_spawn, executor);

	/* [width] carries no data. */
	return atomic_load_explicit(&self->commands_max, memory_order_relaxed);
}

static void config_set(
	struct wyn_spawn *self, const struct wyn_command_config *config)
{
	self->config = *config;
	/* [width] carries no data. */
	atomic_store_explicit(&self->commands_max,
		(unsigned)config->commands_max, memory_order_relaxed);
}

static void spawn_configure(
	struct wyn_executor *executor, const struct wyn_command_config *config)
{
	struct wyn_spawn *self = wyn_spawn_of(executor);

	config_set(self, config);
	wyn_spawner_configure(self);
	wyn_spawn_flush(self);
}

static const struct wyn_executor_ops spawn_ops = {
	.start = spawn_start,
	.cancel = spawn_cancel,
	.done = spawn_done,
	.peek = spawn_peek,
	.arm = spawn_arm,
	.sent = spawn_sent,
	.input = spawn_input,
	.signal = spawn_signal,
	.configure = spawn_configure,
	.width = spawn_width,
};

int wyn_spawn_executor_create(uv_loop_t *uv, struct wyn_executor **ret_executor)
{
	/* Most of it is buffers, which are memory once they are used. */
	struct wyn_spawn *self = calloc(1, sizeof(*self));

	if (self == NULL) {
		return -ENOMEM;
	}
	self->executor.ops = &spawn_ops;
	self->uv = uv;
	self->epoll_fd = -1;
	self->done_tail = &self->done;
	wyn_processes_init(self);
	wyn_spawner_init(&self->link);
	wyn_spawn_packets_init(&self->packets);
	wyn_arena_init(
		&self->arena, self->arena_memory, sizeof(self->arena_memory));
	/* They only fill in the handle. */
	(void)uv_timer_init(uv, &self->drain_timer);
	(void)uv_timer_init(uv, &self->link_timer);
	self->drain_timer.data = self;
	self->link_timer.data = self;
	*ret_executor = &self->executor;
	return 0;
}

void wyn_spawn_executor_close(struct wyn_executor *executor)
{
	struct wyn_spawn *self = wyn_spawn_of(executor);

	if (self->closed) {
		return;
	}
	self->closed = true;
	wyn_spawner_close(self);
	while (!wyn_list_empty(&self->draining)) {
		struct wyn_process *process =
			wyn_list_entry(wyn_list_first(&self->draining),
				struct wyn_process, draining);

		wyn_process_expire(self, process);
	}
	wyn_processes_abandon(self);
	uv_close((uv_handle_t *)&self->drain_timer, NULL);
	uv_close((uv_handle_t *)&self->link_timer, NULL);
	if (self->epoll_fd >= 0) {
		uv_close((uv_handle_t *)&self->poll, NULL);
		close(self->epoll_fd);
		self->epoll_fd = -1;
	}
}

void wyn_spawn_executor_destroy(struct wyn_executor *executor)
{
	struct wyn_spawn *self;

	if (executor == NULL) {
		return;
	}
	self = wyn_spawn_of(executor);
	wyn_assert(self->closed);
	wyn_assert(self->done == NULL);
	wyn_spawner_fini(&self->link);
	wyn_processes_fini(self);
	free(self);
}

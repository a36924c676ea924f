// SPDX-License-Identifier: MIT
/*
 * process.c - see process.h.
 *
 * Structs are kept for the next command, so that one costs no memory once as
 * many have run at a time. An id has a generation: what the spawner says of a
 * command that is gone cannot be taken for one of its successor.
 */
#include "daemon/spawn/process.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "base/assert.h"
#include "daemon/clock.h"
#include "daemon/run/command.h"
#include "daemon/run/stream.h"
#include "daemon/run/task.h"
#include "daemon/spawn/process_outcome.h"
#include "daemon/spawn/process_pipes.h"
#include "daemon/spawn/spawn_state.h"

#define GENERATION (UINT64_C(1) << 32)

void wyn_processes_init(struct wyn_spawn *self)
{
	wyn_list_init(&self->waiting);
	wyn_list_init(&self->sending);
	wyn_list_init(&self->draining);
	wyn_list_init(&self->free);
}

void wyn_processes_fini(struct wyn_spawn *self)
{
	for (size_t i = 0; i < self->slots; i++) {
		wyn_assert(self->processes[i]->state == WYN_PROCESS_FREE);
		free(self->processes[i]);
	}
	free(self->processes);
}

static void process_init(struct wyn_process *process, size_t slot)
{
	wyn_list_init(&process->link);
	wyn_list_init(&process->draining);
	process->id = slot;
	for (unsigned i = 0; i < WYN_SPAWN_FDS_MAX; i++) {
		process->pipes[i] = (struct wyn_pipe){
			.on = {.kind = (enum wyn_watched_kind)(
				       WYN_WATCHED_INPUT + i),
				.fd = -1},
			.process = process,
			.child_fd = -1,
		};
	}
}

/* Returns: whether there is a free one now. */
static bool process_create(struct wyn_spawn *self)
{
	struct wyn_process *process;

	if (self->slots == self->slots_room) {
		size_t room = self->slots_room == 0 ? 16 : self->slots_room * 2;
		struct wyn_process **processes = realloc(
			self->processes, room * sizeof(struct wyn_process *));

		if (processes == NULL) {
			return false;
		}
		self->processes = processes;
		self->slots_room = room;
	}
	process = calloc(1, sizeof(*process));
	if (process == NULL) {
		return false;
	}
	process_init(process, self->slots);
	self->processes[self->slots++] = process;
	wyn_list_push_back(&self->free, &process->link);
	return true;
}

struct wyn_process *wyn_process_add(
	struct wyn_spawn *self, struct wyn_task *task)
{
	struct wyn_process *process;

	if (wyn_list_empty(&self->free) && !process_create(self)) {
		return NULL;
	}
	process = wyn_list_entry(
		wyn_list_pop_front(&self->free), struct wyn_process, link);
	process->id += GENERATION;
	process->state = WYN_PROCESS_WAITING;
	process->left = false;
	process->output_lost = false;
	process->request.signals = 0;
	process->request.stop = false;
	process->task = task;
	task->process = process;
	wyn_list_push_back(&self->waiting, &process->link);
	return process;
}

struct wyn_process *wyn_process_find(struct wyn_spawn *self, uint64_t id)
{
	uint64_t slot = id % GENERATION;

	return slot < self->slots && self->processes[slot]->id == id
		       ? self->processes[slot]
		       : NULL;
}

static void set_free(struct wyn_spawn *self, struct wyn_process *process)
{
	wyn_list_remove(&process->link);
	process->request = (struct wyn_request){.start = false};
	process->state = WYN_PROCESS_FREE;
	wyn_list_push_front(&self->free, &process->link);
}

/* Its outcome is filled in. It is on the list of what is to be sent if there
 * is a Reap. */
static void give_back(struct wyn_spawn *self, struct wyn_process *process)
{
	struct wyn_task *task = process->task;

	wyn_pipes_input_shut(process);
	wyn_pipes_close(self, process);
	if (!wyn_list_empty(&process->draining)) {
		wyn_list_remove(&process->draining);
		wyn_spawn_drain_arm(self);
	}
	wyn_outcome_finish(process);
	process->task = NULL;
	task->process = NULL;
	task->job.next = NULL;
	*self->done_tail = &task->job;
	self->done_tail = &task->job.next;
	if (process->request.reap) {
		process->state = WYN_PROCESS_REAPING;
	} else {
		set_free(self, process);
	}
}

void wyn_process_forget(struct wyn_spawn *self, struct wyn_task *task)
{
	struct wyn_process *process = task->process;

	wyn_assert(process->state == WYN_PROCESS_WAITING);
	process->task = NULL;
	task->process = NULL;
	set_free(self, process);
}

void wyn_processes_abandon(struct wyn_spawn *self)
{
	for (size_t i = 0; i < self->slots; i++) {
		struct wyn_process *process = self->processes[i];

		if (process->state == WYN_PROCESS_ENDED) {
			process->left = false;
			wyn_pipes_close(self, process);
			wyn_process_settle(self, process);
		}
	}
}

void wyn_process_refuse(struct wyn_spawn *self, struct wyn_process *process,
	enum wyn_refusal refusal, const char *message)
{
	wyn_outcome_of_refusal(process->task, refusal, message);
	process->request.reap = false;
	give_back(self, process);
}

void wyn_process_not_started(
	struct wyn_spawn *self, struct wyn_process *process, int error)
{
	wyn_outcome_of_errno(process->task, error);
	give_back(self, process);
}

/* Nothing is pending yet, so it is on no list: the first of these puts it on
 * the one of what is to be sent. */
static void pend(struct wyn_spawn *self, struct wyn_process *process)
{
	if (wyn_list_empty(&process->link)) {
		wyn_list_push_back(&self->sending, &process->link);
	}
}

static void launch(struct wyn_spawn *self, struct wyn_process *process)
{
	const struct wyn_command *command = process->task->batch->command;
	struct wyn_request *request = &process->request;
	Wyn__Spawn__V1__Start start = WYN__SPAWN__V1__START__INIT;
	int error = wyn_pipes_open(self, process);

	if (error) {
		wyn_process_not_started(self, process, -error);
		return;
	}
	start.id = process->id;
	start.uid = command->uid;
	start.gid = command->gid;
	start.input = process->pipes[0].child_fd >= 0;
	start.output = process->pipes[1].child_fd >= 0;
	start.error = process->pipes[2].child_fd >= 0;
	request->head_bytes = wyn_spawn_start_head(
		&start, command->packed_bytes, request->head);
	request->start_at = 0;
	request->start = true;
	process->state = WYN_PROCESS_SENDING;
	wyn_list_remove(&process->link);
	pend(self, process);
}

void wyn_process_launch_all(struct wyn_spawn *self)
{
	struct wyn_list *first;

	while ((first = wyn_list_first(&self->waiting)) != NULL) {
		launch(self, wyn_list_entry(first, struct wyn_process, link));
	}
}

void wyn_process_rewind_all(struct wyn_spawn *self)
{
	struct wyn_list *last;

	while ((last = wyn_list_last(&self->sending)) != NULL) {
		struct wyn_process *process =
			wyn_list_entry(last, struct wyn_process, link);

		wyn_list_remove(last);
		if (process->state == WYN_PROCESS_SENDING) {
			wyn_pipes_close(self, process);
			process->request.start = false;
			process->state = WYN_PROCESS_WAITING;
			wyn_list_push_front(&self->waiting, last);
			if (process->request.stop) {
				wyn_process_refuse(self, process,
					WYN_REFUSAL_CANCELLED_BY_CLIENT, NULL);
			}
		}
	}
}

bool wyn_process_link_lost(struct wyn_spawn *self, struct wyn_process *process)
{
	switch (process->state) {
	case WYN_PROCESS_REAPING:
		set_free(self, process);
		return false;
	case WYN_PROCESS_ENDED:
		process->left = false;
		process->request = (struct wyn_request){.start = false};
		return false;
	case WYN_PROCESS_RUNNING:
		/* What it wrote is there; the end of it may never be. */
		wyn_pipes_expire(self, process);
		wyn_process_refuse(
			self, process, WYN_REFUSAL_SPAWNER_LOST, NULL);
		return true;
	case WYN_PROCESS_FREE:
	case WYN_PROCESS_WAITING:
	case WYN_PROCESS_SENDING:
		break;
	}
	return false;
}

void wyn_process_descriptors_sent(struct wyn_process *process)
{
	wyn_pipes_child_close(process);
}

void wyn_process_started(struct wyn_spawn *self, struct wyn_process *process)
{
	struct wyn_task *task = process->task;

	process->state = WYN_PROCESS_RUNNING;
	task->ran = true;
	/* [start] released for whoever looks; here it is the same thread. */
	atomic_store_explicit(&task->started_ns, wyn_clock_ns(CLOCK_MONOTONIC),
		memory_order_release);
	wyn_pipes_input(self, process);
}

void wyn_process_sent(struct wyn_spawn *self, struct wyn_process *process)
{
	if (process->state == WYN_PROCESS_REAPING) {
		set_free(self, process);
	} else {
		wyn_list_remove(&process->link);
	}
}

/* Into the list of those that drain, which is by time. */
static void drain_begin(struct wyn_spawn *self, struct wyn_process *process)
{
	struct wyn_list *at = self->draining.prev;

	process->due_ms = uv_now(self->uv) + self->config.drain_ms;
	while (at != &self->draining &&
		wyn_list_entry(at, struct wyn_process, draining)->due_ms >
			process->due_ms) {
		at = at->prev;
	}
	wyn_list_insert_between(&process->draining, at, at->next);
	wyn_spawn_drain_arm(self);
}

bool wyn_process_ended(struct wyn_spawn *self, struct wyn_process *process,
	const Wyn__Spawn__V1__Ended *ended)
{
	if (process->state != WYN_PROCESS_RUNNING ||
		!wyn_outcome_of_ended(process->task, ended)) {
		return false;
	}
	process->state = WYN_PROCESS_ENDED;
	process->left = ended->left;
	wyn_pipes_input_shut(process);
	if (ended->how == WYN__SPAWN__V1__HOW__HOW_NOT_STARTED) {
		wyn_pipes_close(self, process);
	}
	/* Its ends of them were closed before it was waited for. */
	for (unsigned i = 1; i < WYN_SPAWN_FDS_MAX; i++) {
		if (process->pipes[i].on.fd >= 0) {
			wyn_pipe_read(self, &process->pipes[i], true);
		}
	}
	if (!wyn_pipes_over(process)) {
		drain_begin(self, process);
	}
	wyn_process_settle(self, process);
	return true;
}

static void reap(struct wyn_spawn *self, struct wyn_process *process)
{
	if (process->left) {
		process->left = false;
		process->request.reap = true;
		pend(self, process);
	}
}

void wyn_process_settle(struct wyn_spawn *self, struct wyn_process *process)
{
	if (process->state != WYN_PROCESS_ENDED || !wyn_pipes_over(process)) {
		return;
	}
	/* A Stop or a signal would come too late. */
	process->request.stop = false;
	process->request.signals = 0;
	if (!wyn_request_pending(&process->request)) {
		wyn_list_remove(&process->link);
	}
	reap(self, process);
	give_back(self, process);
}

void wyn_process_expire(struct wyn_spawn *self, struct wyn_process *process)
{
	wyn_assert(process->state == WYN_PROCESS_ENDED);
	wyn_list_remove(&process->draining);
	reap(self, process);
	wyn_pipes_expire(self, process);
	wyn_process_settle(self, process);
}

void wyn_process_stop(struct wyn_spawn *self, struct wyn_process *process)
{
	struct wyn_request *request = &process->request;

	switch (process->state) {
	case WYN_PROCESS_ENDED:
		wyn_pipes_resume(self, process);
		if (!wyn_list_empty(&process->draining)) {
			wyn_process_expire(self, process);
		}
		return;
	case WYN_PROCESS_SENDING:
	case WYN_PROCESS_WAITING:
		if (process->state == WYN_PROCESS_WAITING ||
			request->start_at == 0) {
			wyn_process_refuse(self, process,
				WYN_REFUSAL_CANCELLED_BY_CLIENT, NULL);
			return;
		}
		break;
	case WYN_PROCESS_RUNNING:
		break;
	case WYN_PROCESS_FREE:
	case WYN_PROCESS_REAPING:
		return;
	}
	wyn_pipes_resume(self, process);
	/* One that the socket has not taken yet may have a shorter one. */
	if (!request->stop || process->task->grace_ms < request->grace_ms) {
		request->grace_ms = process->task->grace_ms;
	}
	request->stop = true;
	pend(self, process);
}

void wyn_process_signal(
	struct wyn_spawn *self, struct wyn_process *process, unsigned number)
{
	if (number == 0 || number > WYN_SPAWN_SIGNALS_MAX) {
		return;
	}
	process->request.signals |= UINT64_C(1) << (number - 1);
	if (process->state == WYN_PROCESS_RUNNING ||
		process->state == WYN_PROCESS_ENDED) {
		pend(self, process);
	}
}

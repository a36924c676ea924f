// SPDX-License-Identifier: MIT
/*
 * rig_commands.c - see rig_commands.h. The caller's thread only.
 */
#include "tests/support/rig_commands.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"
#include "daemon/engine/engine_state.h"
#include "daemon/run/command.h"
#include "daemon/run/input.h"

static struct rig_commands *commands_of(const struct wyn_executor *executor)
{
	return WYN_CONTAINER_OF(executor, struct rig_commands, executor);
}

static void process_start(struct rig_commands *commands, struct wyn_job *job)
{
	struct wyn_list *link = wyn_list_pop_front(&commands->unused);
	struct wyn_process *process;

	rig_check(link != NULL);
	process = wyn_list_entry(link, struct wyn_process, link);
	*process = (struct wyn_process){
		.task = WYN_CONTAINER_OF(job, struct wyn_task, job)};
	rig_check(process->task->batch->command != NULL);
	rig_check(process->task->process == NULL);
	process->task->process = process;
	wyn_list_push_back(&commands->running, &process->link);
	commands->started++;
	commands->count++;
	if (commands->count > commands->peak) {
		commands->peak = commands->count;
	}
}

static int commands_start(
	struct wyn_executor *executor, struct wyn_job *const *jobs, size_t n)
{
	rig_check(n > 0);
	if (commands_of(executor)->no_memory) {
		return -ENOMEM;
	}
	for (size_t i = 0; i < n; i++) {
		process_start(commands_of(executor), jobs[i]);
	}
	return 0;
}

/* Of this and of what follows: no process, for it is on its way back. */
static void commands_cancel(
	struct wyn_executor *executor, struct wyn_task *task)
{
	(void)executor;
	rig_check(task->stopped != WYN_REFUSAL_NONE);
	if (task->process != NULL) {
		task->process->stops++;
		task->process->grace_ms = task->grace_ms;
	}
}

static struct wyn_job *commands_done(struct wyn_executor *executor)
{
	struct rig_commands *commands = commands_of(executor);
	struct wyn_job *first = commands->done;

	commands->done = NULL;
	commands->done_tail = &commands->done;
	return first;
}

static bool commands_peek(const struct wyn_executor *executor)
{
	return commands_of(executor)->done != NULL;
}

static bool commands_arm(struct wyn_executor *executor)
{
	return commands_of(executor)->done == NULL;
}

static void commands_sent(struct wyn_executor *executor, struct wyn_task *task)
{
	(void)executor;
	if (task->process != NULL) {
		task->process->sents++;
	}
}

static void commands_input(struct wyn_executor *executor, struct wyn_task *task)
{
	(void)executor;
	rig_check(task->batch->input != NULL);
	if (task->process != NULL) {
		task->process->inputs++;
	}
}

static void commands_signal(
	struct wyn_executor *executor, struct wyn_task *task, unsigned number)
{
	(void)executor;
	rig_check(number > 0);
	if (task->process != NULL) {
		task->process->signals++;
		task->process->signal = number;
	}
}

static void commands_configure(
	struct wyn_executor *executor, const struct wyn_command_config *config)
{
	commands_of(executor)->config = *config;
	commands_of(executor)->configures++;
}

static unsigned commands_width(const struct wyn_executor *executor)
{
	(void)executor;
	return RIG_PROCESSES_MAX;
}

static const struct wyn_executor_ops commands_ops = {
	.start = commands_start,
	.cancel = commands_cancel,
	.done = commands_done,
	.peek = commands_peek,
	.arm = commands_arm,
	.sent = commands_sent,
	.input = commands_input,
	.signal = commands_signal,
	.configure = commands_configure,
	.width = commands_width,
};

struct rig_commands *rig_commands_attach(struct rig *rig)
{
	struct rig_commands *commands = calloc(1, sizeof(*commands));

	rig_check(commands != NULL);
	rig_check(rig->commands == NULL);
	commands->executor.ops = &commands_ops;
	commands->rig = rig;
	commands->done_tail = &commands->done;
	atomic_init(&commands->policy.holders, 1);
	commands->policy.commands = true;
	wyn_list_init(&commands->unused);
	wyn_list_init(&commands->running);
	for (size_t i = 0; i < RIG_PROCESSES_MAX; i++) {
		wyn_list_push_back(
			&commands->unused, &commands->processes[i].link);
	}
	wyn_engine_commands(rig->engine, &commands->executor, "");
	wyn_engine_policy(rig->engine, &commands->policy);
	rig->commands = commands;
	return commands;
}

void rig_commands_free(struct rig_commands *commands)
{
	if (commands != NULL) {
		rig_check(commands->count == 0);
		rig_check(commands->done == NULL);
		free(commands);
	}
}

size_t rig_commands_finish(struct rig_commands *commands)
{
	struct wyn_list *link;
	size_t n = 0;

	while (commands != NULL &&
		(link = wyn_list_first(&commands->running)) != NULL) {
		rig_process_exit(
			wyn_list_entry(link, struct wyn_process, link), 0);
		n++;
	}
	return n;
}

struct wyn_process *rig_process(struct rig *rig, uint64_t seq)
{
	struct wyn_list *link;

	wyn_list_for_each (link, &rig->commands->running) {
		struct wyn_process *process =
			wyn_list_entry(link, struct wyn_process, link);

		if (process->task->seq == seq) {
			return process;
		}
	}
	return NULL;
}

static struct rig_commands *commands_with(const struct wyn_process *process)
{
	const struct wyn_engine *engine = WYN_CONTAINER_OF(
		process->task->stream, struct wyn_engine, stream);

	return commands_of(engine->command_executor);
}

void rig_process_begin(struct wyn_process *process)
{
	struct wyn_task *task = process->task;

	task->ran = true;
	if (atomic_load_explicit(&task->started_ns, memory_order_relaxed) ==
		0) {
		atomic_store_explicit(&task->started_ns,
			commands_with(process)->rig->now_ns,
			memory_order_release);
	}
}

size_t rig_process_write(struct wyn_process *process, uint8_t stream,
	const char *data, size_t bytes)
{
	struct wyn_task *task = process->task;
	size_t room =
		task->partial_bytes_max == 0 ? bytes : wyn_stream_room(task);
	size_t n = bytes < room ? bytes : room;

	rig_process_begin(process);
	if (n > 0 && task->partial_bytes_max > 0) {
		rig_check(wyn_stream_push(
				  task->stream, task, stream, data, n) == 0);
	}
	if (stream == RIG_OUTPUT) {
		process->usage.output_bytes += n;
	} else {
		process->usage.error_bytes += n;
	}
	return n;
}

void rig_process_say(struct wyn_process *process, const char *text)
{
	rig_check(rig_process_write(process, RIG_OUTPUT, text, strlen(text)) ==
		  strlen(text));
}

size_t rig_process_read(struct wyn_process *process, char *into, size_t bytes)
{
	struct wyn_input *input = process->task->batch->input;
	size_t read = 0;

	rig_check(input != NULL);
	while (read < bytes) {
		struct wyn_slice piece = wyn_input_peek(input);
		size_t n = piece.len < bytes - read ? piece.len : bytes - read;

		if (n == 0) {
			break;
		}
		memcpy(into + read, piece.data, n);
		wyn_input_take(input, n);
		read += n;
	}
	into[read] = '\0';
	return read;
}

/* It is back with the next turn. */
static void process_end(struct wyn_process *process)
{
	struct rig_commands *commands = commands_with(process);
	struct wyn_job *job = &process->task->job;

	process->task->process = NULL;
	wyn_list_remove(&process->link);
	wyn_list_push_back(&commands->unused, &process->link);
	commands->count--;
	job->next = NULL;
	*commands->done_tail = job;
	commands->done_tail = &job->next;
}

static void outcome_set(struct wyn_outcome *outcome, enum wyn_refusal refusal)
{
	outcome->refusal = refusal;
	outcome->code = wyn_refusal_of(refusal)->status;
}

/* By the table of section 3.7 of docs/wire.md. */
static void outcome_fill(
	struct wyn_process *process, uint32_t status, uint32_t signal)
{
	struct wyn_task *task = process->task;
	struct wyn_outcome *outcome = &task->outcome;
	bool well = status == 0 && signal == 0;

	outcome->end = calloc(1, sizeof(*outcome->end));
	rig_check(outcome->end != NULL);
	outcome->end->exit_status = status;
	outcome->end->signal = signal;
	outcome->end->usage = process->usage;
	if (task->stopped != WYN_REFUSAL_NONE &&
		!(well && task->stopped == WYN_REFUSAL_CANCELLED_BY_CLIENT)) {
		outcome_set(outcome, task->stopped);
	} else if (!well) {
		outcome_set(outcome, signal == 0 ? WYN_REFUSAL_EXIT_STATUS
						 : WYN_REFUSAL_SIGNALLED);
	}
}

void rig_process_exit(struct wyn_process *process, uint32_t status)
{
	rig_process_begin(process);
	outcome_fill(process, status, 0);
	process_end(process);
}

void rig_process_die(struct wyn_process *process, uint32_t signal)
{
	rig_process_begin(process);
	outcome_fill(process, 0, signal);
	process_end(process);
}

void rig_process_fail(struct wyn_process *process, enum wyn_refusal refusal)
{
	outcome_set(&process->task->outcome, refusal);
	process_end(process);
}

// SPDX-License-Identifier: MIT
/*
 * hunt.c - rounds of looks and signals.
 */
#include "spawner/hunt.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>

void wyn_hunt_fini(struct wyn_hunt *hunt)
{
	wyn_processes_fini(&hunt->now);
	wyn_processes_fini(&hunt->before);
}

int wyn_hunt_send(const struct wyn_hunt *hunt,
	const struct wyn_process *process, int number)
{
	if (process->parent == hunt->self) {
		return kill(process->pid, number) == 0 ? 0 : -errno;
	}
	return wyn_process_signal(hunt->proc, process, number);
}

/* The first error that is worth to be told; who is gone is none. */
static void note(int *result, int error)
{
	if (*result == 0 && error != -ESRCH) {
		*result = error;
	}
}

static bool is_hunted(const struct wyn_process *process)
{
	return process->tag == WYN_HUNT_TAG && !wyn_process_is_dead(process);
}

static bool is_known(
	const struct wyn_hunt *hunt, const struct wyn_process *process)
{
	const struct wyn_process *before =
		wyn_processes_find(&hunt->before, process->pid);

	return before != NULL && is_hunted(before) &&
	       before->start_ticks == process->start_ticks;
}

static size_t stop_new(struct wyn_hunt *hunt, int *result)
{
	size_t stopped = 0;

	for (size_t i = 0; i < hunt->now.count; i++) {
		const struct wyn_process *process = &hunt->now.each[i];
		if (is_hunted(process) && !is_known(hunt, process)) {
			note(result, wyn_hunt_send(hunt, process, SIGSTOP));
			stopped++;
		}
	}
	return stopped;
}

static int stop_all(struct wyn_hunt *hunt)
{
	int result = 0;

	hunt->before.count = 0;
	for (unsigned round = 0; round < WYN_HUNT_ROUNDS_MAX; round++) {
		int error = hunt->look(hunt->data, &hunt->now);
		if (error != 0) {
			return error;
		}
		if (stop_new(hunt, &result) == 0) {
			return result;
		}
		struct wyn_processes seen = hunt->now;
		hunt->now = hunt->before;
		hunt->before = seen;
	}
	return -EAGAIN;
}

int wyn_hunt_run(struct wyn_hunt *hunt, unsigned *ret_killed)
{
	int result = stop_all(hunt);
	unsigned killed = 0;

	for (size_t i = 0; i < hunt->before.count; i++) {
		const struct wyn_process *process = &hunt->before.each[i];
		if (is_hunted(process)) {
			int error = wyn_hunt_send(hunt, process, SIGKILL);
			killed += error == 0;
			note(&result, error);
		}
	}
	*ret_killed = killed;
	return result;
}

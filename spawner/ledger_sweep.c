// SPDX-License-Identifier: MIT
/*
 * ledger_sweep.c - whom a ledger names among those that live, and their end.
 */
#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/time.h"
#include "spawner/hunt.h"
#include "spawner/ledger_file.h"
#include "spawner/sys.h"

/* Between two looks at whether they are dead. */
#define STEP_MS 5u

/* Tags. */
#define ABOVE  2u /* we ourselves, and who is above us */
#define MARKED 3u /* has the mark, and may be another's */

static int by_pid(const void *left, const void *right)
{
	pid_t a = ((const struct wyn_ledger_record *)left)->pid;
	pid_t b = ((const struct wyn_ledger_record *)right)->pid;

	return (a > b) - (a < b);
}

int wyn_ledger_names_init(struct wyn_ledger_names *names,
	const struct wyn_ledger_file *file, int proc, pid_t self)
{
	*names = (struct wyn_ledger_names){
		.proc = proc,
		.self = self,
		.mark = file->mark,
		.ticks_per_s = (uint64_t)sysconf(_SC_CLK_TCK),
	};
	names->record =
		wyn_sys.calloc(file->records + 1, sizeof(names->record[0]));
	if (names->record == NULL) {
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < file->records; i++) {
		if (file->record[i].pid > 0) {
			names->record[names->count++] = file->record[i];
		}
	}
	qsort(names->record, names->count, sizeof(names->record[0]), by_pid);
	return 0;
}

void wyn_ledger_names_fini(struct wyn_ledger_names *names)
{
	free(names->record);
	names->record = NULL;
}

/* As the kernel does it, for /proc/PID/stat. */
static uint64_t ticks_of(const struct wyn_ledger_names *names, uint64_t ns)
{
	return ns / (WYN_NS_PER_S / names->ticks_per_s);
}

static bool began_in(const struct wyn_ledger_names *names,
	const struct wyn_ledger_record *record,
	const struct wyn_process *process)
{
	return record->after_ns != 0 &&
	       process->start_ticks >= ticks_of(names, record->before_ns) &&
	       process->start_ticks <= ticks_of(names, record->after_ns);
}

static bool has_mark(
	const struct wyn_ledger_names *names, const struct wyn_process *process)
{
	uint64_t serial;

	return wyn_mark_find(
		       names->proc, process->pid, &names->mark, &serial) == 0;
}

/* The first record with this pid. Two may have it: of the earlier one nobody is
 * in the session. */
static size_t first_of(const struct wyn_ledger_names *names, pid_t pid)
{
	size_t low = 0;
	size_t high = names->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (names->record[middle].pid < pid) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return low;
}

/* Rules (1), (2) and (3). */
static uint8_t tag_of(const struct wyn_ledger_names *names,
	const struct wyn_processes *processes,
	const struct wyn_process *process)
{
	const struct wyn_process *leader =
		wyn_processes_find(processes, process->session);
	bool marked = has_mark(names, process);

	for (size_t i = first_of(names, process->session);
		i < names->count && names->record[i].pid == process->session;
		i++) {
		const struct wyn_ledger_record *record = &names->record[i];
		if (leader != NULL && began_in(names, record, leader)) {
			return WYN_HUNT_TAG;
		}
		if (marked && process->start_ticks >=
				      ticks_of(names, record->before_ns)) {
			return WYN_HUNT_TAG;
		}
	}
	/* It may have executed between clone and setsid, with our session. */
	for (size_t i = first_of(names, process->pid);
		i < names->count && names->record[i].pid == process->pid; i++) {
		if (began_in(names, &names->record[i], process)) {
			return WYN_HUNT_TAG;
		}
	}
	return marked ? MARKED : 0;
}

static void tag_above(
	const struct wyn_ledger_names *names, struct wyn_processes *processes)
{
	struct wyn_process *process =
		wyn_processes_find(processes, names->self);

	while (process != NULL && process->tag != ABOVE) {
		process->tag = ABOVE;
		process = wyn_processes_find(processes, process->parent);
	}
}

/* Rule (4), by the first ancestor that has no mark. */
static bool is_orphan(const struct wyn_processes *processes,
	const struct wyn_process *process)
{
	size_t steps = 0;

	while (process->tag == MARKED && steps++ < processes->count) {
		if (process->parent == 1) {
			return true;
		}
		process = wyn_processes_find(processes, process->parent);
		if (process == NULL) {
			return false;
		}
	}
	return process->tag == ABOVE;
}

int wyn_ledger_names_look(void *data, struct wyn_processes *processes)
{
	const struct wyn_ledger_names *names = data;
	int error = wyn_processes_look(names->proc, processes);

	if (error != 0) {
		return error;
	}
	tag_above(names, processes);
	for (size_t i = 0; i < processes->count; i++) {
		struct wyn_process *process = &processes->each[i];
		if (process->tag != ABOVE && !wyn_process_is_dead(process)) {
			process->tag = tag_of(names, processes, process);
		}
	}
	for (size_t i = 0; i < processes->count; i++) {
		struct wyn_process *process = &processes->each[i];
		if (process->tag == MARKED && is_orphan(processes, process)) {
			process->tag = WYN_HUNT_TAG;
		}
	}
	wyn_processes_spread(processes, WYN_HUNT_TAG);
	return 0;
}

static size_t count_alive(const struct wyn_processes *processes)
{
	size_t alive = 0;

	for (size_t i = 0; i < processes->count; i++) {
		alive += processes->each[i].tag == WYN_HUNT_TAG &&
			 !wyn_process_is_dead(&processes->each[i]);
	}
	return alive;
}

/* Those that are dying are hunted again, and counted once. */
static int sweep(struct wyn_hunt *hunt, unsigned *ret_killed)
{
	const struct timespec step = {
		.tv_nsec = (long)(STEP_MS * WYN_NS_PER_MS),
	};
	int error = -EAGAIN;

	for (unsigned ms = 0; ms < WYN_LEDGER_SWEEP_MS; ms += STEP_MS) {
		unsigned killed = 0;
		error = wyn_hunt_run(hunt, &killed);
		*ret_killed = killed > *ret_killed ? killed : *ret_killed;
		if (error != 0 && error != -EAGAIN) {
			return error;
		}
		error = hunt->look(hunt->data, &hunt->now);
		if (error != 0 || count_alive(&hunt->now) == 0) {
			return error;
		}
		error = -EAGAIN;
		nanosleep(&step, NULL);
	}
	return error;
}

int wyn_ledger_sweep(
	const struct wyn_ledger_file *file, int proc, unsigned *ret_killed)
{
	struct wyn_ledger_names names;
	int error = wyn_ledger_names_init(&names, file, proc, getpid());

	*ret_killed = 0;
	if (error == 0 && names.count > 0) {
		struct wyn_hunt hunt = {
			.proc = proc,
			.self = names.self,
			.look = wyn_ledger_names_look,
			.data = &names,
		};
		error = sweep(&hunt, ret_killed);
		wyn_hunt_fini(&hunt);
	}
	wyn_ledger_names_fini(&names);
	return error;
}

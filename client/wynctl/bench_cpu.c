// SPDX-License-Identifier: MIT
/*
 * bench_cpu.c - the CPU time of both ends of `wynctl bench`.
 *
 * The server tells its own among its counters, so it is known over TCP too.
 */
#include <string.h>
#include <sys/resource.h>

#include "client/wynctl/bench.h"

/* Meanwhile no task is served. */
#define CPU_ANSWER_MS 5000u

static uint64_t cpu_us(const struct timeval *time)
{
	return (uint64_t)time->tv_sec * 1000000u + (uint64_t)time->tv_usec;
}

static int cpu_each(void *context, const struct wyn_client_counter *counter)
{
	struct wyn_bench_cpu *cpu = context;

	if (strcmp(counter->name, "cpu_user_us") == 0) {
		cpu->server_user_us = counter->value;
		cpu->has_server = true;
	} else if (strcmp(counter->name, "cpu_system_us") == 0) {
		cpu->server_system_us = counter->value;
	}
	return 0;
}

void wyn_bench_cpu(struct wyn_bench *bench, struct wyn_bench_cpu *ret_cpu)
{
	struct wyn_bench_cpu cpu = {.has_server = false};
	struct rusage usage;

	if (wyn_client_stats(bench->ctl->client,
		    wyn_client_deadline_in_ms(CPU_ANSWER_MS), cpu_each,
		    &cpu) != 0) {
		cpu.has_server = false;
	}
	(void)getrusage(RUSAGE_SELF, &usage);
	cpu.client_user_us = cpu_us(&usage.ru_utime);
	cpu.client_system_us = cpu_us(&usage.ru_stime);
	*ret_cpu = cpu;
}

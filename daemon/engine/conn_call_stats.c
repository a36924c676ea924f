// SPDX-License-Identifier: MIT
/*
 * conn_call_stats.c - stats: what all loops, the pool and the process count.
 *
 * Answered at once, from what any loop may read.
 */
#include <sys/resource.h>

#include <wyn/pool.h>

#include "base/assert.h"
#include "daemon/engine/conn_call.h"
#include "daemon/engine/conn_later.h"
#include "daemon/engine/conn_state.h"
#include "daemon/engine/engine_state.h"

#define WYN_CALL_COUNTERS_MAX 96u

/* What it costs in looks, of each loop: see wyn_conn_work(). */
#define WYN_CALL_STATS_LOOKS 200u

/* Named numbers on their way into a StatsReply. */
struct counters {
	Wyn__V1__Counter list[WYN_CALL_COUNTERS_MAX];
	Wyn__V1__Counter *pointers[WYN_CALL_COUNTERS_MAX];
	size_t n;
};

static void counter_add(
	struct counters *counters, const char *name, uint64_t value)
{
	Wyn__V1__Counter *counter = &counters->list[counters->n];

	wyn_assert(counters->n < WYN_CALL_COUNTERS_MAX);
	wyn__v1__counter__init(counter);
	counter->name = wyn_message_text(name);
	counter->value = value;
	counters->pointers[counters->n++] = counter;
}

static void counters_add_loops(
	struct counters *counters, const struct wyn_stats *sum)
{
	const struct wyn_histogram *latency = &sum->latency_ns;

#define WYN_STATS_COUNTER(field) \
	counter_add(counters, #field, sum->field##_approx);
	WYN_STATS_TABLE(WYN_STATS_COUNTER)
#undef WYN_STATS_COUNTER
	for (unsigned i = WYN_REFUSAL_NONE + 1; i < WYN_REFUSALS; i++) {
		counter_add(counters, wyn_refusal_of(i)->counter,
			sum->refused_approx[i]);
	}
	counter_add(counters, "latency_count", wyn_histogram_count(latency));
	counter_add(counters, "latency_p50_ns",
		wyn_histogram_percentile(latency, 50));
	counter_add(counters, "latency_p90_ns",
		wyn_histogram_percentile(latency, 90));
	counter_add(counters, "latency_p99_ns",
		wyn_histogram_percentile(latency, 99));
	counter_add(counters, "latency_p999_ns",
		wyn_histogram_percentile(latency, 99.9));
	counter_add(counters, "latency_max_ns", wyn_histogram_max(latency));
}

static void counters_add_shared(
	struct counters *counters, const struct wyn_shared *shared)
{
	counter_add(counters, "loops", shared->engines_count);
	counter_add(counters, "connections_open",
		atomic_load_explicit(
			&shared->connections, memory_order_relaxed));
	counter_add(counters, "tasks_held",
		atomic_load_explicit(
			&shared->tasks_held, memory_order_relaxed));
	counter_add(counters, "tasks_held_bytes",
		atomic_load_explicit(
			&shared->bytes_held, memory_order_relaxed));
	counter_add(counters, "values_held_bytes",
		atomic_load_explicit(
			&shared->values_held, memory_order_relaxed));
	counter_add(counters, "buffers_held_bytes",
		atomic_load_explicit(&shared->buffered, memory_order_relaxed));
}

static void counters_add_pool(struct counters *counters, struct wyn_pool *pool)
{
	struct wyn_pool_counters sum;

	if (pool == NULL) {
		return;
	}
	wyn_pool_counters(pool, &sum);
	counter_add(counters, "workers", sum.workers);
	counter_add(counters, "pool_run", sum.run);
	counter_add(counters, "pool_stolen", sum.stolen);
	counter_add(counters, "pool_injected", sum.injected);
	counter_add(counters, "pool_parked", sum.parked);
	counter_add(counters, "pool_woken", sum.woken);
}

static void counters_add_process(struct counters *counters)
{
	struct rusage usage;

	if (getrusage(RUSAGE_SELF, &usage) < 0) {
		return;
	}
	counter_add(counters, "rss_peak_bytes",
		(uint64_t)usage.ru_maxrss * WYN_KIB);
	counter_add(counters, "cpu_user_us",
		(uint64_t)usage.ru_utime.tv_sec * 1000000 +
			(uint64_t)usage.ru_utime.tv_usec);
	counter_add(counters, "cpu_system_us",
		(uint64_t)usage.ru_stime.tv_sec * 1000000 +
			(uint64_t)usage.ru_stime.tv_usec);
}

void wyn_conn_call_stats(struct wyn_conn *conn, const Wyn__V1__Call *call)
{
	struct wyn_engine *engine = conn->engine;
	const struct wyn_shared *shared = engine->shared;
	struct wyn_stats *sum = &engine->stats_sum;
	struct counters counters = {.n = 0};
	Wyn__V1__StatsReply stats = WYN__V1__STATS_REPLY__INIT;
	Wyn__V1__Reply answer = WYN__V1__REPLY__INIT;

	wyn_conn_work(conn, WYN_CALL_STATS_LOOKS * shared->engines_count);
	wyn_stats_init(sum);
	for (size_t i = 0; i < shared->engines_count; i++) {
		wyn_stats_sum(sum, &shared->engines[i]->stats);
	}
	counter_add(
		&counters, "uptime_ns", engine->now_ns - shared->started_ns);
	counters_add_shared(&counters, shared);
	counters_add_loops(&counters, sum);
	counters_add_pool(&counters, shared->pool);
	counters_add_process(&counters);
	stats.n_counters = counters.n;
	stats.counters = counters.pointers;
	answer.what_case = WYN__V1__REPLY__WHAT_STATS;
	answer.stats = &stats;
	wyn_conn_reply(conn, &answer, call->call_id);
}

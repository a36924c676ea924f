// SPDX-License-Identifier: MIT
/*
 * gearman.c - echo jobs over gearmand.
 *
 *	gearman serve PORT
 *	gearman call PORT ms=NUMBER in_flight=NUMBER
 *
 * Fair because these are foreground tasks, whose value comes back, which one
 * gearman_client_run_tasks keeps in flight together over one connection; one at
 * a time it is gearman_client_do, which is made for that. The worker is
 * libgearman's plain loop.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libgearman-1.0/gearman.h>

#include "bench/meter.h"
#include "bench/meter_latency.h"
#include "bench/meter_words.h"

#define FUNCTION "echo"
#define ARGUMENT "0123456789abcdef"
#define BYTES	 16u
#define HOST	 "127.0.0.1"

static struct meter_latency latency;
static uint64_t ended;

static in_port_t port_of(const struct meter *meter)
{
	return (in_port_t)strtoul(meter->address, NULL, 10);
}

static gearman_return_t echo(gearman_job_st *job, void *context)
{
	(void)context;
	return gearman_job_send_complete(
		job, gearman_job_workload(job), gearman_job_workload_size(job));
}

static void serve(const struct meter *meter)
{
	gearman_worker_st *worker = gearman_worker_create(NULL);

	meter_require(worker != NULL);
	meter_require(gearman_success(
		gearman_worker_add_server(worker, HOST, port_of(meter))));
	meter_require(gearman_success(gearman_worker_define_function(worker,
		FUNCTION, strlen(FUNCTION), gearman_function_create_v2(echo), 0,
		NULL)));
	printf("ready\n");
	fflush(stdout);
	for (;;) {
		meter_require(gearman_success(gearman_worker_work(worker)));
	}
}

static gearman_return_t on_complete(gearman_task_st *task)
{
	meter_require(gearman_task_data_size(task) == BYTES);
	ended++;
	return GEARMAN_SUCCESS;
}

static void run_together(gearman_client_st *client, uint64_t n)
{
	gearman_return_t err;

	ended = 0;
	for (uint64_t i = 0; i < n; i++) {
		meter_require(
			gearman_client_add_task(client, NULL, NULL, FUNCTION,
				NULL, ARGUMENT, BYTES, &err) != NULL);
	}
	meter_require(gearman_success(gearman_client_run_tasks(client)));
	meter_require(ended == n);
	gearman_client_task_free_all(client);
}

static void run_one(gearman_client_st *client)
{
	gearman_return_t err;
	size_t size;
	void *value = gearman_client_do(
		client, FUNCTION, NULL, ARGUMENT, BYTES, &size, &err);

	meter_require(gearman_success(err) && size == BYTES);
	free(value);
}

static void call(const struct meter *meter)
{
	gearman_client_st *client = gearman_client_create(NULL);
	uint64_t now_ns, end_ns;

	meter_require(client != NULL);
	meter_require(gearman_success(
		gearman_client_add_server(client, HOST, port_of(meter))));
	gearman_client_set_complete_fn(client, on_complete);
	meter_latency_start(&latency);
	now_ns = latency.start_ns;
	end_ns = now_ns + meter->ms * METER_NS_PER_MS;
	while (now_ns < end_ns) {
		uint64_t from_ns = now_ns;

		if (meter->in_flight == 1) {
			run_one(client);
		} else {
			run_together(client, meter->in_flight);
		}
		now_ns = meter_now_ns();
		meter_latency_add(&latency, now_ns - from_ns, meter->in_flight);
	}
	meter_latency_print(&latency, 0);
	gearman_client_free(client);
}

int main(int argc, char **argv)
{
	struct meter meter;

	meter_parse_address(&meter, argc, argv);
	if (strcmp(meter.work, "serve") == 0) {
		serve(&meter);
	} else {
		meter_require(strcmp(meter.work, "call") == 0);
		call(&meter);
	}
	return 0;
}

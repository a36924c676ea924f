// SPDX-License-Identifier: MIT
/*
 * bench.c - `wynctl bench FUNC [ARG]`: a load, and what the daemon makes of it.
 *
 * It measures and does not check values, which `repeat` does.
 */
#include "client/wynctl/bench.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "client/wynctl/interrupt.h"
#include "client/wynctl/progress.h"

/* Beside one for each connection. */
#define BENCH_DESCRIPTORS 32u
/* More than a frame needs around one argument. What does not fit goes in chunks
 * from our own bytes: the library would have to make a copy each time. */
#define BENCH_FRAME_HEAD 1024u

static uint32_t bench_flight_max(
	const struct wyn_bench *bench, const struct wyn_bench_lane *lane)
{
	uint64_t connections = bench->config.connections;
	uint64_t most;

	if (!bench->config.open) {
		return (uint32_t)lane->flight_max;
	}
	most = 16u * WYN_BENCH_OPEN_FLIGHT_MAX / connections;
	if (most > WYN_BENCH_OPEN_FLIGHT_MAX) {
		most = WYN_BENCH_OPEN_FLIGHT_MAX;
	}
	return most < WYN_BENCH_OPEN_FLIGHT_LEAST ? WYN_BENCH_OPEN_FLIGHT_LEAST
						  : (uint32_t)most;
}

static int bench_watch(
	struct wyn_bench *bench, struct wyn_client *client, void *context)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = context};

	if (epoll_ctl(bench->epoll_fd, EPOLL_CTL_ADD, wyn_client_fd(client),
		    &event) != 0) {
		wyn_ctl_say("epoll: %s", strerror(errno));
		return WYN_EXIT_TRY_AGAIN;
	}
	return WYN_EXIT_OK;
}

/* Returns: the exit code, after it has said why. */
static int bench_connect(struct wyn_bench *bench)
{
	struct wyn_ctl *ctl = bench->ctl;
	uint64_t share = bench->config.in_flight / bench->config.connections;
	uint64_t rest = bench->config.in_flight % bench->config.connections;
	int code;

	for (uint64_t i = 0; i < bench->config.connections; i++) {
		struct wyn_bench_lane *lane = &bench->lanes[i];

		lane->index = (uint32_t)i;
		lane->flight_max = share + (i < rest ? 1 : 0);
		code = wyn_ctl_connect(ctl, bench_flight_max(bench, lane));
		if (wyn_interrupted()) {
			return WYN_EXIT_INTERRUPTED;
		}
		if (code != WYN_EXIT_OK) {
			return code;
		}
		/* The last one that ctl connects it keeps. */
		lane->client = ctl->client;
		ctl->client = NULL;
		code = bench_watch(bench, lane->client, lane);
		if (code != WYN_EXIT_OK) {
			return code;
		}
	}
	code = wyn_ctl_connect(ctl, 0);
	if (code != WYN_EXIT_OK) {
		return code;
	}
	bench->in_chunks = bench->argument.size + BENCH_FRAME_HEAD >
			   wyn_client_server(ctl->client)->frame_bytes_max;
	return bench_watch(bench, ctl->client, NULL);
}

static void bench_raise_descriptors(uint64_t connections)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 &&
		limit.rlim_cur < connections + BENCH_DESCRIPTORS) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
}

static int bench_make_argument(struct wyn_bench *bench, uint8_t **ret_bytes)
{
	const struct wyn_bench_config *config = &bench->config;
	uint8_t *bytes = malloc(config->size + 1);

	if (bytes == NULL) {
		return -ENOMEM;
	}
	for (uint64_t i = 0; i < config->size; i++) {
		bytes[i] = config->text != NULL ? (uint8_t)config->text[i]
						: (uint8_t)('a' + i % 26);
	}
	bench->argument = (struct wyn_bytes){bytes, config->size};
	for (size_t i = 0; i < config->batch; i++) {
		bench->arguments[i] = bench->argument;
	}
	*ret_bytes = bytes;
	return 0;
}

static int bench_connected(struct wyn_bench *bench)
{
	int code;

	if (bench->config.open) {
		/* The kernel may be late by 50 us otherwise. */
		(void)prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0);
	}
	wyn_progress_start(bench->config.count);
	code = wyn_bench_run(bench);
	wyn_progress_end();
	wyn_bench_report(bench);
	if (code == WYN_EXIT_OK && bench->tally.failed > 0) {
		code = WYN_EXIT_FAILED;
	}
	return code;
}

static int bench_allocate(struct wyn_bench *bench, uint8_t **ret_bytes)
{
	uint64_t connections = bench->config.connections;

	bench->lanes = calloc(connections, sizeof(*bench->lanes));
	bench->queue = calloc(connections, sizeof(*bench->queue));
	bench->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (bench->lanes == NULL || bench->queue == NULL) {
		return -ENOMEM;
	}
	return bench->epoll_fd < 0 ? -errno
				   : bench_make_argument(bench, ret_bytes);
}

static void bench_free(struct wyn_bench *bench, uint8_t *bytes)
{
	for (uint64_t i = 0;
		bench->lanes != NULL && i < bench->config.connections; i++) {
		wyn_client_destroy(bench->lanes[i].client);
	}
	if (bench->epoll_fd >= 0) {
		(void)close(bench->epoll_fd);
	}
	free(bytes);
	free(bench->lanes);
	free(bench->queue);
	free(bench);
}

int wyn_command_bench(struct wyn_ctl *ctl)
{
	char why[WYN_ARGUMENTS_WHY_BYTES];
	struct wyn_bench *bench = calloc(1, sizeof(*bench));
	uint8_t *bytes = NULL;
	int code = WYN_EXIT_USAGE;
	int err;

	if (bench == NULL) {
		wyn_ctl_say("%s", strerror(ENOMEM));
		return WYN_EXIT_TRY_AGAIN;
	}
	bench->ctl = ctl;
	bench->epoll_fd = -1;
	if (wyn_bench_configure(ctl->arguments, &bench->config, why) != 0) {
		wyn_ctl_say("%s", why);
		bench_free(bench, bytes);
		return code;
	}
	bench->options = wyn_ctl_options(ctl->arguments);
	bench->options.nonblock = true;
	bench_raise_descriptors(bench->config.connections);
	err = bench_allocate(bench, &bytes);
	if (err == 0) {
		wyn_interrupt_init();
		code = bench_connect(bench);
		if (code == WYN_EXIT_OK) {
			code = bench_connected(bench);
		}
	} else {
		wyn_ctl_say("%s", strerror(-err));
		code = WYN_EXIT_TRY_AGAIN;
	}
	bench_free(bench, bytes);
	return code;
}

// SPDX-License-Identifier: MIT
/*
 * map.c - `wynctl map FUNC`: one task for each line of input.
 *
 * Takes items as long as there is room in every bound, submits them, and then
 * waits for whatever comes first: a result, more input, room in an output that
 * was full, or SIGINT. It never
 * waits for the one while the other is ready, so `tail -f | wynctl map` prints
 * each result at once.
 */
#include "client/wynctl/map.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/wynctl/interrupt.h"
#include "client/wynctl/progress.h"

/* Ends the input, and asks for the end of what is on its way. */
static void map_cancel(struct wyn_map *map)
{
	if (map->cancelled || map->first_seq == 0) {
		return;
	}
	map->cancelled = true;
	/* On a connection that is lost there is nothing left to cancel. */
	(void)!wyn_client_cancel(map->ctl->client, map->first_seq,
		map->last_seq - map->first_seq + 1);
}

/* What was taken and is not submitted will not be. */
static void map_give_up(struct wyn_map *map)
{
	for (; map->sent < map->count; map->sent++) {
		wyn_map_fail(map, map->tags[map->sent], "not submitted");
	}
	map->sent = 0;
	map->count = 0;
	if (map->large != NULL) {
		wyn_file_close(map->large);
		map->large = NULL;
		wyn_map_fail(map, map->large_tag, "not submitted");
	}
}

static void map_fill(struct wyn_map *map)
{
	int err = wyn_lines_fill(&map->lines);

	map->fill = false;
	if (err == -E2BIG) {
		wyn_map_pass_over(map, "longer than a line may be, 64 MiB");
	} else if (err != 0 && err != -EINTR) {
		wyn_ctl_say("cannot read the input: %s", strerror(-err));
		map->input_ended = true;
		map->failed++;
	}
}

/* Waits for a result, for input if that is wanted, or for SIGINT. */
static int map_wait(struct wyn_map *map)
{
	bool full = wyn_stdout_full(&map->ctl->output);
	bool read_on = map->fill && map->count == 0 && map->large == NULL &&
		       map->stop == WYN_EXIT_OK && !full;
	struct wyn_client_event event;
	int result;

	if (map->flight == 0 && !read_on && !full) {
		return 0;
	}
	result = wyn_ctl_wait(map->ctl, read_on ? STDIN_FILENO : -1, &event);
	if (result == 0) {
		wyn_map_event(map, &event);
		return 0;
	}
	if (result == 1 && read_on) {
		map_fill(map);
	}
	return result == 1 || result == -EINTR ? 0 : result;
}

static bool map_ended(const struct wyn_map *map)
{
	return map->flight == 0 &&
	       (map->input_ended || map->stop != WYN_EXIT_OK);
}

/* Returns: 0, or the error of the connection. */
static int map_run(struct wyn_map *map)
{
	bool taken;
	int err = 0;

	while (err == 0 && !map_ended(map)) {
		taken = wyn_map_take(map);
		err = wyn_map_submit(map);
		if (err != 0 && err != -EAGAIN && map->stop == WYN_EXIT_OK) {
			map->stop = wyn_ctl_fail(map->ctl);
		}
		if (map->ctl->output.error != 0 && map->stop == WYN_EXIT_OK) {
			map->stop = WYN_EXIT_FAILED;
		}
		if (wyn_interrupted()) {
			map->stop = WYN_EXIT_INTERRUPTED;
		}
		if (map->stop != WYN_EXIT_OK) {
			map_give_up(map);
			map_cancel(map);
		} else if (err == 0 && taken) {
			/* A batch is not all that --jobs has room for. */
			continue;
		}
		err = map_wait(map);
	}
	return err;
}

/* Without an error every item that was taken has had its result by now. */
static int map_exit_code(struct wyn_map *map, int err)
{
	int code;

	if (map->undone > 0) {
		wyn_ctl_say("%" PRIu64
			    " %s%s not done, the first is %s %" PRIu64,
			map->undone, map->item,
			map->undone == 1 ? " was" : "s were", map->item,
			map->undone_first);
	}
	if (err != 0) {
		return wyn_ctl_fail(map->ctl);
	}
	if (map->stop != WYN_EXIT_OK) {
		return map->stop;
	}
	if (map->unavailable) {
		code = wyn_ctl_lost(map->ctl);
		if (code != WYN_EXIT_OK) {
			return code;
		}
	}
	return map->failed > 0 ? WYN_EXIT_FAILED : WYN_EXIT_OK;
}

static int map_connected(struct wyn_map *map)
{
	int err;

	wyn_interrupt_init();
	if (isatty(STDOUT_FILENO) != 1) {
		wyn_progress_start(map->lines.operand_count);
	}
	err = map_run(map);
	wyn_progress_end();
	return map_exit_code(map, err);
}

static void map_open_input(struct wyn_map *map)
{
	const struct wyn_arguments *arguments = map->ctl->arguments;

	if (arguments->operand_count > 1) {
		map->item = "operand";
		wyn_lines_init_operands(&map->lines, arguments->operands + 1,
			arguments->operand_count - 1);
	} else {
		map->item = "line";
		wyn_lines_init_fd(&map->lines, STDIN_FILENO,
			arguments->null ? '\0' : '\n');
	}
}

int wyn_command_map(struct wyn_ctl *ctl)
{
	const struct wyn_arguments *arguments = ctl->arguments;
	struct wyn_map *map = calloc(1, sizeof(*map));
	int code = WYN_EXIT_TRY_AGAIN;

	if (map == NULL) {
		wyn_ctl_say("%s", strerror(ENOMEM));
		return code;
	}
	map->ctl = ctl;
	map->function = arguments->operands[0];
	map->jobs = arguments->jobs != 0 ? arguments->jobs : WYN_JOBS_DEFAULT;
	map->options = wyn_ctl_options(arguments);
	map->options.nonblock = true;
	map->buffer = malloc(WYN_MAP_BUFFER_BYTES);
	map_open_input(map);
	if (map->buffer == NULL ||
		wyn_window_init(&map->window, map->jobs * WYN_MAP_WINDOW_JOBS,
			!arguments->unordered) != 0) {
		wyn_ctl_say("%s", strerror(ENOMEM));
	} else {
		code = wyn_ctl_connect(ctl, map->jobs);
		if (code == WYN_EXIT_OK) {
			code = map_connected(map);
		}
		wyn_window_fini(&map->window);
	}
	wyn_lines_fini(&map->lines);
	wyn_file_close(map->large);
	free(map->buffer);
	free(map);
	return code;
}

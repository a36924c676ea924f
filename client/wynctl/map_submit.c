// SPDX-License-Identifier: MIT
/*
 * map_submit.c - from items to submits.
 *
 * Arguments are views, into the input's buffer or into that of the small
 * files, so neither is filled again before all of the batch is submitted.
 */
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "client/wynctl/interrupt.h"
#include "client/wynctl/map.h"

static uint64_t map_argument_max(const struct wyn_map *map)
{
	return wyn_client_server(map->ctl->client)->argument_bytes_max;
}

static void map_add(
	struct wyn_map *map, uint64_t tag, const void *data, size_t size)
{
	map->arguments[map->count] = (struct wyn_bytes){data, size};
	map->tags[map->count] = tag;
	map->count++;
}

/* A place and a number for the next item. Returns: whether there is one. */
static bool map_claim(struct wyn_map *map, const char *name, uint64_t *ret_tag)
{
	int err = wyn_window_claim(&map->window, name, ret_tag);

	if (err != 0) {
		wyn_ctl_say("%s", strerror(-err));
		map->stop = WYN_EXIT_TRY_AGAIN;
		return false;
	}
	map->flight++;
	return true;
}

void wyn_map_pass_over(struct wyn_map *map, const char *why)
{
	uint64_t tag;

	/* No item was taken since there was room for this one. */
	if (map_claim(map, NULL, &tag)) {
		wyn_map_fail(map, tag, why);
	}
}

/* Takes one item for which there is room. */
static void map_take_item(struct wyn_map *map, struct wyn_slice line)
{
	const char *name = (const char *)line.data;
	bool files = map->ctl->arguments->files;
	uint8_t *room;
	size_t bytes = 0;
	uint64_t tag;
	int err;

	if (!map_claim(map, files ? name : NULL, &tag)) {
		return;
	}
	if (!files) {
		map_add(map, tag, line.data, line.len);
		return;
	}
	room = map->buffer + map->buffer_used;
	if (memchr(line.data, '\0', line.len) != NULL) {
		err = -EINVAL;
	} else {
		err = wyn_file_open(
			name, room, map_argument_max(map), &bytes, &map->large);
	}
	if (err == -EINTR && wyn_interrupted()) {
		map->stop = WYN_EXIT_INTERRUPTED;
	}
	if (err != 0) {
		wyn_map_fail(map, tag,
			err == -E2BIG ? "larger than the daemon's limit of an "
					"argument"
				      : strerror(-err));
	} else if (map->large != NULL) {
		map->large_tag = tag;
	} else {
		map_add(map, tag, room, bytes);
		map->buffer_used += bytes;
	}
}

/* Room for one item more, in every bound. */
static bool map_has_room(const struct wyn_map *map)
{
	const struct wyn_window *window = &map->window;

	return map->sent == 0 && map->large == NULL &&
	       map->count < WYN_MAP_BATCH_MAX && map->flight < map->jobs &&
	       map->buffer_used + WYN_FILE_SMALL_BYTES <=
		       WYN_MAP_BUFFER_BYTES &&
	       window->held_bytes < WYN_MAP_HELD_BYTES_MAX &&
	       !wyn_stdout_full(&map->ctl->output) &&
	       (!window->ordered ||
		       window->next - window->head <= window->mask) &&
	       wyn_client_uploads(map->ctl->client) < WYN_MAP_UPLOADS_MAX;
}

bool wyn_map_take(struct wyn_map *map)
{
	uint64_t enough = map->jobs / 4;
	bool taken = false;
	struct wyn_slice line;
	int err;

	if (enough > WYN_MAP_BATCH_MAX) {
		enough = WYN_MAP_BATCH_MAX;
	}
	/* One by one as results come would make a request of each. */
	if (map->flight > 0 && map->jobs - map->flight < enough) {
		return false;
	}
	while (map->stop == WYN_EXIT_OK && !map->input_ended && !map->fill &&
		map_has_room(map)) {
		err = wyn_lines_next(&map->lines, &line);
		if (err == 0) {
			map_take_item(map, line);
			taken = true;
		} else if (err == -EAGAIN) {
			map->fill = true;
		} else {
			map->input_ended = true;
		}
	}
	return taken;
}

static void map_note_seqs(struct wyn_map *map, uint64_t first, size_t count)
{
	if (map->first_seq == 0) {
		map->first_seq = first;
	}
	map->last_seq = first + count - 1;
}

/* A refusal of ours: of the item, or of all. Returns: 0 to go on. */
static int map_refused(struct wyn_map *map, uint64_t tag, int err)
{
	const struct wyn_client_error *error =
		wyn_client_error(map->ctl->client);

	if (err == -E2BIG) {
		wyn_map_fail(map, tag, error->message);
		return 0;
	}
	if (err == -EAGAIN || (err != -ESHUTDOWN && err != -EINVAL)) {
		return err;
	}
	if (map->stop == WYN_EXIT_OK) {
		map->stop = wyn_exit_status(error->status);
		wyn_ctl_say("%s", error->message);
	}
	wyn_map_fail(map, tag, "not submitted");
	return 0;
}

/* As many as have tags in a row go in one request. */
static size_t map_run(const struct wyn_map *map)
{
	size_t n = 1;

	while (map->sent + n < map->count &&
		map->tags[map->sent + n] == map->tags[map->sent] + n) {
		n++;
	}
	return n;
}

static int map_submit_batch(struct wyn_map *map)
{
	uint64_t first = 0;
	size_t taken = 0;
	int err;

	map->options.tag = map->tags[map->sent];
	err = wyn_client_submit_batch(map->ctl->client, map->function,
		map->arguments + map->sent, map_run(map), &map->options, &first,
		&taken);
	if (err != 0) {
		taken = 1;
		err = map_refused(map, map->tags[map->sent], err);
	} else {
		map_note_seqs(map, first, taken);
	}
	if (err == 0) {
		map->sent += taken;
	}
	return err;
}

static int map_submit_large(struct wyn_map *map)
{
	uint64_t seq = 0;
	int err;

	map->options.tag = map->large_tag;
	err = wyn_file_submit(map->large, map->ctl->client, map->function,
		&map->options, &seq);
	if (err == -EAGAIN) {
		return err;
	}
	map->large = NULL;
	if (err != 0) {
		return map_refused(map, map->large_tag, err);
	}
	map_note_seqs(map, seq, 1);
	return 0;
}

int wyn_map_submit(struct wyn_map *map)
{
	int err = 0;

	while (err == 0 && map->sent < map->count) {
		err = map_submit_batch(map);
	}
	if (err != 0) {
		return err;
	}
	map->sent = 0;
	map->count = 0;
	map->buffer_used = 0;
	return map->large != NULL ? map_submit_large(map) : 0;
}

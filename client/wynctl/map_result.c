// SPDX-License-Identifier: MIT
/*
 * map_result.c - from results to lines of output.
 *
 * A value and a newline; with --files two blanks and the file's name between
 * them, escaped as coreutils does.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "client/wynctl/escape.h"
#include "client/wynctl/json.h"
#include "client/wynctl/map.h"
#include "client/wynctl/progress.h"

static void map_print_json(struct wyn_map *map, const struct wyn_place *place,
	struct wyn_bytes value)
{
	json_t *object = json_object();

	(void)json_object_set_new(
		object, map->item, json_integer((json_int_t)place->number));
	if (place->name != NULL) {
		wyn_json_bytes(object, "name",
			(struct wyn_bytes){place->name, strlen(place->name)});
	}
	wyn_json_bytes(object, "value", value);
	wyn_json_print(&map->ctl->output, object);
}

static void map_print_name(struct wyn_map *map, const char *name)
{
	size_t room = 2 * strlen(name) + 1;
	char *escaped = malloc(room);

	if (escaped == NULL) {
		map->stop = WYN_EXIT_TRY_AGAIN;
		return;
	}
	wyn_stdout_write(&map->ctl->output, escaped, wyn_escape(name, escaped));
	free(escaped);
}

static void map_print(
	void *context, const struct wyn_place *place, struct wyn_bytes value)
{
	struct wyn_map *map = context;
	struct wyn_stdout *output = &map->ctl->output;
	bool escaped;

	if (map->ctl->arguments->json) {
		map_print_json(map, place, value);
		return;
	}
	escaped = place->name != NULL && wyn_escape_needed(place->name);
	if (escaped) {
		wyn_stdout_write(output, "\\", 1);
	}
	wyn_stdout_write(output, value.data, value.size);
	if (place->name != NULL) {
		wyn_stdout_write(output, "  ", 2);
	}
	if (escaped) {
		map_print_name(map, place->name);
	} else if (place->name != NULL) {
		wyn_stdout_write(output, place->name, strlen(place->name));
	}
	wyn_stdout_write(output, "\n", 1);
}

void wyn_map_fail(struct wyn_map *map, uint64_t tag, const char *why)
{
	const struct wyn_place *place = wyn_window_place(&map->window, tag);

	if (map->stop != WYN_EXIT_OK) {
		if (map->undone == 0 || place->number < map->undone_first) {
			map->undone_first = place->number;
		}
		map->undone++;
	} else if (place->name != NULL) {
		wyn_ctl_say("%s %" PRIu64 ": %s: %s", map->item, place->number,
			place->name, why);
	} else {
		wyn_ctl_say(
			"%s %" PRIu64 ": %s", map->item, place->number, why);
	}
	map->failed++;
	map->flight--;
	map->done++;
	wyn_progress_update(map->done);
	wyn_window_failed(&map->window, tag, map_print, map);
}

void wyn_map_event(struct wyn_map *map, const struct wyn_client_event *event)
{
	if (event->kind != WYN_CLIENT_RESULT) {
		return;
	}
	if (event->code != WYN_STATUS_OK) {
		if (event->code == WYN_STATUS_UNAVAILABLE) {
			map->unavailable = true;
		}
		wyn_map_fail(map, event->tag, wyn_ctl_reason(event));
		return;
	}
	map->flight--;
	map->done++;
	wyn_progress_update(map->done);
	if (wyn_window_value(&map->window, event->tag, event->value, map_print,
		    map) != 0) {
		wyn_ctl_say("no memory for a value that waits for its turn");
		map->failed++;
		map->stop = WYN_EXIT_TRY_AGAIN;
	}
}

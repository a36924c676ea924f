// SPDX-License-Identifier: MIT
/*
 * window.c - the ring of places.
 *
 * A result that comes in its turn is printed from where it is; only those that
 * are early are copied.
 */
#include "client/wynctl/window.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

int wyn_window_init(struct wyn_window *window, uint64_t places, bool ordered)
{
	uint64_t size = 1;

	while (size < places) {
		size *= 2;
	}
	*window = (struct wyn_window){.mask = size - 1, .ordered = ordered};
	window->places = calloc(size, sizeof(*window->places));
	return window->places != NULL ? 0 : -ENOMEM;
}

static void window_free(struct wyn_window *window, struct wyn_place *place)
{
	if (place->value != NULL) {
		window->held_bytes -= place->value_size;
	}
	free(place->name);
	free(place->value);
	*place = (struct wyn_place){.state = WYN_PLACE_FREE};
}

void wyn_window_fini(struct wyn_window *window)
{
	for (uint64_t i = 0; window->places != NULL && i <= window->mask; i++) {
		window_free(window, &window->places[i]);
	}
	free(window->places);
	window->places = NULL;
}

int wyn_window_claim(
	struct wyn_window *window, const char *name, uint64_t *ret_tag)
{
	uint64_t tag = window->next;
	uint64_t last = tag + window->mask;
	struct wyn_place *place = &window->places[tag & window->mask];
	char *copy = NULL;

	while (!window->ordered && place->state != WYN_PLACE_FREE &&
		tag < last) {
		tag++;
		place = &window->places[tag & window->mask];
	}
	if (place->state != WYN_PLACE_FREE) {
		return -EAGAIN;
	}
	if (name != NULL) {
		copy = strdup(name);
		if (copy == NULL) {
			return -ENOMEM;
		}
	}
	window->next = tag + 1;
	window->numbers++;
	*place = (struct wyn_place){
		.state = WYN_PLACE_TAKEN,
		.tag = tag,
		.number = window->numbers,
		.name = copy,
	};
	*ret_tag = tag;
	return 0;
}

struct wyn_place *wyn_window_place(struct wyn_window *window, uint64_t tag)
{
	struct wyn_place *place = &window->places[tag & window->mask];

	wyn_assert(place->state == WYN_PLACE_TAKEN);
	wyn_assert(place->tag == tag);
	return place;
}

/* Whatever is done from the head on goes out. */
static void window_advance(
	struct wyn_window *window, wyn_window_print *print, void *context)
{
	struct wyn_place *place;

	while (window->head < window->next) {
		place = &window->places[window->head & window->mask];
		if (place->state == WYN_PLACE_TAKEN) {
			return;
		}
		if (place->state == WYN_PLACE_VALUE) {
			print(context, place,
				(struct wyn_bytes){
					place->value, place->value_size});
		}
		window_free(window, place);
		window->head++;
	}
}

int wyn_window_value(struct wyn_window *window, uint64_t tag,
	struct wyn_bytes value, wyn_window_print *print, void *context)
{
	struct wyn_place *place = wyn_window_place(window, tag);

	if (!window->ordered) {
		print(context, place, value);
		window_free(window, place);
		return 0;
	}
	if (tag == window->head) {
		print(context, place, value);
		place->state = WYN_PLACE_FAILED; /* nothing more to print */
		window_advance(window, print, context);
		return 0;
	}
	if (value.size > 0) {
		place->value = malloc(value.size);
		if (place->value == NULL) {
			place->state = WYN_PLACE_FAILED;
			return -ENOMEM;
		}
		memcpy(place->value, value.data, value.size);
		place->value_size = value.size;
		window->held_bytes += value.size;
	}
	place->state = WYN_PLACE_VALUE;
	return 0;
}

void wyn_window_failed(struct wyn_window *window, uint64_t tag,
	wyn_window_print *print, void *context)
{
	struct wyn_place *place = wyn_window_place(window, tag);

	if (!window->ordered) {
		window_free(window, place);
		return;
	}
	place->state = WYN_PLACE_FAILED;
	if (tag == window->head) {
		window_advance(window, print, context);
	}
}

// SPDX-License-Identifier: MIT
/*
 * window.h - which items of `map` are on their way, and in which order their
 * results go out.
 *
 * A ring of places. In order, a result waits in its place until all before it
 * are out, and the ring's size is how far the work may run ahead. Unordered, a
 * place that is still taken is passed over. A place is named by its tag, which
 * travels with the task. Main's thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <wyn/client_types.h>

#include "base/compiler.h"

enum wyn_place_state {
	WYN_PLACE_FREE = 0,
	WYN_PLACE_TAKEN,  /* its task is on its way */
	WYN_PLACE_VALUE,  /* done, the value waits */
	WYN_PLACE_FAILED, /* done, nothing to print */
};

struct wyn_place {
	enum wyn_place_state state;
	uint64_t tag;
	uint64_t number; /* of the item, from 1 */
	char *name;	 /* --files; ours to free */
	uint8_t *value;	 /* VALUE; ours to free */
	size_t value_size;
};

struct wyn_window {
	struct wyn_place *places;
	uint64_t mask;
	uint64_t head; /* ordered: the oldest tag that is not out */
	uint64_t next; /* tag */
	uint64_t numbers;
	bool ordered;
	uint64_t held_bytes; /* of values that wait */
};

/* Prints one value. place->name is there, value may be a view. */
typedef void wyn_window_print(
	void *context, const struct wyn_place *place, struct wyn_bytes value);

/* wyn_window_init - at least `places` places. Returns: 0, -ENOMEM. */
WYN_NODISCARD
int wyn_window_init(struct wyn_window *window, uint64_t places, bool ordered);

/* wyn_window_fini - frees the places and what waits in them. */
void wyn_window_fini(struct wyn_window *window);

/*
 * wyn_window_claim - takes a place for the next item.
 *
 * name is copied, NULL = none. Returns: 0; -EAGAIN (ordered: the oldest is
 * not done; unordered: all are taken); -ENOMEM.
 */
WYN_NODISCARD
int wyn_window_claim(
	struct wyn_window *window, const char *name, uint64_t *ret_tag);

/* wyn_window_place - what is known of a tag that is taken. */
struct wyn_place *wyn_window_place(struct wyn_window *window, uint64_t tag);

/*
 * wyn_window_value - the item is done: prints it and all that waited for it,
 * or copies the value until its turn comes.
 *
 * Returns: 0, -ENOMEM (then the item counts as failed).
 */
WYN_NODISCARD
int wyn_window_value(struct wyn_window *window, uint64_t tag,
	struct wyn_bytes value, wyn_window_print *print, void *context);

/* wyn_window_failed - the item is done without a value. */
void wyn_window_failed(struct wyn_window *window, uint64_t tag,
	wyn_window_print *print, void *context);

// SPDX-License-Identifier: MIT
/*
 * input.c - see input.h.
 */
#include "daemon/run/input.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

#define PIECE_BYTES_MIN 4096u /* once so many have come */

struct wyn_input_piece {
	struct wyn_input_piece *next;
	size_t bytes;
	size_t room;
	uint8_t data[];
};

void wyn_input_init(struct wyn_input *input,
	void (*taken)(struct wyn_input *input, size_t bytes))
{
	*input = (struct wyn_input){.taken = taken};
	input->tail = &input->head;
	wyn_list_init(&input->link);
}

static void head_drop(struct wyn_input *input)
{
	struct wyn_input_piece *piece = input->head;

	input->head = piece->next;
	input->at = 0;
	if (input->head == NULL) {
		input->tail = &input->head;
		input->last = NULL;
	}
	free(piece);
}

/*
 * Chunks of a byte are not to take many times what they are charged for: what
 * comes goes behind the last ones, and has twice their room, if it needs more.
 */
static size_t room_for(const struct wyn_input *input, size_t bytes)
{
	size_t room = input->last == NULL ? 0 : 2 * input->last->room;

	room = room < PIECE_BYTES_MIN ? room : PIECE_BYTES_MIN;
	return room > bytes ? room : bytes;
}

static struct wyn_input_piece *piece_add(struct wyn_input *input, size_t bytes)
{
	size_t room = room_for(input, bytes);
	struct wyn_input_piece *piece = malloc(sizeof(*piece) + room);

	if (piece == NULL) {
		return NULL;
	}
	piece->next = NULL;
	piece->bytes = 0;
	piece->room = room;
	*input->tail = piece;
	input->tail = &piece->next;
	input->last = piece;
	return piece;
}

int wyn_input_put(struct wyn_input *input, struct wyn_slice bytes)
{
	struct wyn_input_piece *piece = input->last;

	if (bytes.len == 0) {
		return 0;
	}
	if (input->shut) {
		input->taken(input, bytes.len);
		return 0;
	}
	if (piece == NULL || bytes.len > piece->room - piece->bytes) {
		piece = piece_add(input, bytes.len);
	}
	if (piece == NULL) {
		return -ENOMEM;
	}
	memcpy(piece->data + piece->bytes, bytes.data, bytes.len);
	piece->bytes += bytes.len;
	return 0;
}

struct wyn_slice wyn_input_peek(const struct wyn_input *input)
{
	const struct wyn_input_piece *piece = input->head;

	return piece == NULL ? (struct wyn_slice){NULL, 0}
			     : (struct wyn_slice){piece->data + input->at,
				       piece->bytes - input->at};
}

void wyn_input_take(struct wyn_input *input, size_t bytes)
{
	wyn_assert(input->head != NULL);
	wyn_assert(bytes <= input->head->bytes - input->at);
	input->at += bytes;
	if (input->at == input->head->bytes) {
		head_drop(input);
	}
	input->taken(input, bytes);
}

void wyn_input_shut(struct wyn_input *input)
{
	input->shut = true;
	while (input->head != NULL) {
		wyn_input_take(input, input->head->bytes - input->at);
	}
}

void wyn_input_fini(struct wyn_input *input)
{
	wyn_input_shut(input);
	wyn_list_remove(&input->link);
}

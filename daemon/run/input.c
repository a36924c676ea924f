// SPDX-License-Identifier: MIT
/*
 * input.c - see input.h.
 */
#include "daemon/run/input.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

struct wyn_input_piece {
	struct wyn_input_piece *next;
	size_t bytes;
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
	}
	free(piece);
}

int wyn_input_put(struct wyn_input *input, struct wyn_slice bytes)
{
	struct wyn_input_piece *piece;

	if (bytes.len == 0) {
		return 0;
	}
	if (input->shut) {
		input->taken(input, bytes.len);
		return 0;
	}
	piece = malloc(sizeof(*piece) + bytes.len);
	if (piece == NULL) {
		return -ENOMEM;
	}
	piece->next = NULL;
	piece->bytes = bytes.len;
	memcpy(piece->data, bytes.data, bytes.len);
	*input->tail = piece;
	input->tail = &piece->next;
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

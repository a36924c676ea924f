// SPDX-License-Identifier: MIT
/*
 * outbox.c - the send buffer of a session.
 *
 * The unsent rest moves to the front only when room at the end is short, and
 * the buffer doubles only when moving does not help.
 */
#include "client/outbox.h"

#include <stdlib.h>
#include <string.h>

#define OUTBOX_BYTES_MIN (64u << 10)

void wyn_outbox_fini(struct wyn_outbox *outbox)
{
	free(outbox->data);
	*outbox = (struct wyn_outbox){0};
}

uint8_t *wyn_outbox_reserve(struct wyn_outbox *outbox, size_t bytes)
{
	size_t used = outbox->tail - outbox->head;
	size_t capacity = outbox->capacity;
	uint8_t *data;

	if (outbox->capacity - outbox->tail >= bytes) {
		return outbox->data + outbox->tail;
	}
	if (used > 0 && outbox->head > 0) {
		memmove(outbox->data, outbox->data + outbox->head, used);
	}
	outbox->head = 0;
	outbox->tail = used;
	if (capacity < OUTBOX_BYTES_MIN) {
		capacity = OUTBOX_BYTES_MIN;
	}
	while (capacity - used < bytes) {
		capacity *= 2;
	}
	if (capacity > outbox->capacity) {
		data = realloc(outbox->data, capacity);
		if (data == NULL) {
			return NULL;
		}
		outbox->data = data;
		outbox->capacity = capacity;
	}
	return outbox->data + outbox->tail;
}

void wyn_outbox_sent(struct wyn_outbox *outbox, size_t bytes)
{
	wyn_assert(bytes <= outbox->tail - outbox->head);
	outbox->head += bytes;
	if (outbox->head == outbox->tail) {
		outbox->head = 0;
		outbox->tail = 0;
	}
}

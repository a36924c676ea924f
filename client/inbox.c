// SPDX-License-Identifier: MIT
/*
 * inbox.c - the receive buffer of a session.
 *
 * Frames are taken by moving the head; what is left of an incomplete frame is
 * moved to the front only when more is read, so a frame costs at most one copy
 * of its own first part.
 */
#include "client/inbox.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

void wyn_inbox_fini(struct wyn_inbox *inbox)
{
	free(inbox->data);
	*inbox = (struct wyn_inbox){0};
}

static int inbox_grow(struct wyn_inbox *inbox, size_t capacity)
{
	uint8_t *data = realloc(inbox->data, capacity);

	if (data == NULL) {
		return -ENOMEM;
	}
	inbox->data = data;
	inbox->capacity = capacity;
	return 0;
}

int wyn_inbox_room(
	struct wyn_inbox *inbox, uint8_t **ret_room, size_t *ret_bytes)
{
	size_t used = inbox->tail - inbox->head;
	size_t needed = inbox->wanted;
	int err;

	if (inbox->head > 0) {
		if (used > 0) {
			memmove(inbox->data, inbox->data + inbox->head, used);
		}
		inbox->head = 0;
		inbox->tail = used;
	}
	if (needed < WYN_INBOX_BYTES) {
		needed = WYN_INBOX_BYTES;
	}
	if (inbox->capacity < needed) {
		err = inbox_grow(inbox, needed);
		if (err != 0) {
			return err;
		}
	}
	if (inbox->tail == inbox->capacity) {
		err = inbox_grow(inbox, inbox->capacity * 2);
		if (err != 0) {
			return err;
		}
	}
	*ret_room = inbox->data + inbox->tail;
	*ret_bytes = inbox->capacity - inbox->tail;
	return 0;
}

void wyn_inbox_received(struct wyn_inbox *inbox, size_t bytes)
{
	wyn_assert(bytes <= inbox->capacity - inbox->tail);
	inbox->tail += bytes;
}

enum wyn_frame_state wyn_inbox_next(
	struct wyn_inbox *inbox, size_t body_max, struct wyn_frame *ret_frame)
{
	struct wyn_slice data = {
		inbox->data + inbox->head, inbox->tail - inbox->head};
	enum wyn_frame_state state;
	size_t bytes = 0;

	if (data.len == 0) {
		inbox->wanted = WYN_FRAME_HEADER_BYTES;
		return WYN_FRAME_PARTIAL;
	}
	state = wyn_frame_next(data, body_max, ret_frame, &bytes);
	if (state == WYN_FRAME_READY) {
		inbox->head += bytes;
		inbox->wanted = WYN_FRAME_HEADER_BYTES;
	} else if (state == WYN_FRAME_PARTIAL) {
		inbox->wanted = bytes;
	}
	return state;
}

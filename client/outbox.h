// SPDX-License-Identifier: MIT
/*
 * outbox.h - bytes that are encoded and not sent yet.
 *
 * One contiguous buffer that is written at the end and sent from the front, so
 * that everything gathered goes out in one call. Its users stop putting work
 * in above WYN_OUTBOX_HIGH_BYTES, which with the frame limit bounds it. Part
 * of a session: one thread at a time, no I/O.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/assert.h"
#include "base/slice.h"

#define WYN_OUTBOX_HIGH_BYTES (256u << 10)

struct wyn_outbox {
	uint8_t *data;
	size_t capacity;
	size_t head;
	size_t tail;
};

/* wyn_outbox_fini - frees the buffer. All zero bytes are an empty outbox. */
void wyn_outbox_fini(struct wyn_outbox *outbox);

/*
 * wyn_outbox_reserve - room for `bytes` at the end.
 *
 * Owns: the outbox's, valid until the next call with it. Returns: NULL when
 * there is no memory.
 */
uint8_t *wyn_outbox_reserve(struct wyn_outbox *outbox, size_t bytes);

/* wyn_outbox_commit - so many of the reserved bytes are written. */
static inline void wyn_outbox_commit(struct wyn_outbox *outbox, size_t bytes)
{
	wyn_assert(bytes <= outbox->capacity - outbox->tail);
	outbox->tail += bytes;
}

/* wyn_outbox_pending - a view of what is to be sent. */
static inline struct wyn_slice wyn_outbox_pending(
	const struct wyn_outbox *outbox)
{
	if (outbox->tail == outbox->head) {
		return (struct wyn_slice){NULL, 0};
	}
	return (struct wyn_slice){
		outbox->data + outbox->head, outbox->tail - outbox->head};
}

/* wyn_outbox_full - too much is unsent to put more work in. */
static inline bool wyn_outbox_full(const struct wyn_outbox *outbox)
{
	return outbox->tail - outbox->head >= WYN_OUTBOX_HIGH_BYTES;
}

/* wyn_outbox_sent - the socket took so many bytes. */
void wyn_outbox_sent(struct wyn_outbox *outbox, size_t bytes);

// SPDX-License-Identifier: MIT
/*
 * inbox.h - bytes that have come and are not consumed yet.
 *
 * One contiguous buffer, so that a frame is always a view. It grows to the
 * largest frame that the server sends, never past what the frame limit allows.
 * Part of a session: one thread at a time, no I/O.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "proto/frame.h"

/* At first, and the usual read: four pieces of a stream, with their heads, so
 * that none is cut and moved to the front. */
#define WYN_INBOX_BYTES ((256u << 10) + (4u << 10))

struct wyn_inbox {
	uint8_t *data;
	size_t capacity;
	size_t head;
	size_t tail;
	size_t wanted; /* contiguous bytes without which nothing goes on */
};

/* wyn_inbox_fini - frees the buffer. All zero bytes are an empty inbox. */
void wyn_inbox_fini(struct wyn_inbox *inbox);

/*
 * wyn_inbox_room - where the next bytes are to be put.
 *
 * Owns: the inbox's. Ends the validity of every frame taken before. Returns:
 * 0 with at least one byte of room, -ENOMEM.
 */
WYN_NODISCARD
int wyn_inbox_room(
	struct wyn_inbox *inbox, uint8_t **ret_room, size_t *ret_bytes);

/* wyn_inbox_received - `bytes` of the room were filled. */
void wyn_inbox_received(struct wyn_inbox *inbox, size_t bytes);

/*
 * wyn_inbox_next - takes the next frame out.
 *
 * Owns: the frame is a view that is valid until wyn_inbox_room(). Returns: the
 * state as of wyn_frame_next(); only READY takes and writes *ret_frame.
 */
enum wyn_frame_state wyn_inbox_next(
	struct wyn_inbox *inbox, size_t body_max, struct wyn_frame *ret_frame);

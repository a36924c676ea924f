// SPDX-License-Identifier: MIT
/*
 * output.c - see output.h. Segments of one size are kept for reuse; a frame
 * that is larger than one gets a segment of its own, freed once written, as is
 * what was given.
 */
#include "daemon/engine/output.h"

#include <stdlib.h>

#include "base/assert.h"
#include "daemon/limits.h"

#define WYN_SEGMENTS_FREE_MAX 64u /* kept per loop: 2 MiB */

struct segment {
	struct wyn_list link;
	size_t room;
	size_t head; /* written up to here */
	size_t tail; /* filled up to here */
	void *given; /* NULL, or what data lies in, to be freed with it */
	const uint8_t *data;
	uint8_t own[];
};

static struct segment *segment_of(struct wyn_list *link)
{
	return wyn_list_entry(link, struct segment, link);
}

static struct segment *segment_acquire(struct wyn_segments *segments, size_t n)
{
	size_t room = n > WYN_SEGMENT_BYTES ? n : WYN_SEGMENT_BYTES;
	struct segment *segment;

	if (room == WYN_SEGMENT_BYTES && segments->free_count > 0) {
		segments->free_count--;
		segment = segment_of(wyn_list_pop_front(&segments->free));
	} else {
		segment = malloc(sizeof(*segment) + room);
		if (segment == NULL) {
			return NULL;
		}
		segment->room = room;
		segment->given = NULL;
		segment->data = segment->own;
		wyn_list_init(&segment->link);
	}
	segment->head = 0;
	segment->tail = 0;
	segments->used_bytes += room;
	return segment;
}

static void segment_release(
	struct wyn_segments *segments, struct segment *segment)
{
	wyn_list_remove(&segment->link);
	segments->used_bytes -= segment->room;
	if (segment->given != NULL || segment->room != WYN_SEGMENT_BYTES ||
		segments->free_count == WYN_SEGMENTS_FREE_MAX) {
		free(segment->given);
		free(segment);
		return;
	}
	wyn_list_push_front(&segments->free, &segment->link);
	segments->free_count++;
}

void wyn_segments_init(struct wyn_segments *segments)
{
	wyn_list_init(&segments->free);
	segments->free_count = 0;
	segments->used_bytes = 0;
}

void wyn_segments_fini(struct wyn_segments *segments)
{
	struct wyn_list *link;

	while ((link = wyn_list_pop_front(&segments->free)) != NULL) {
		free(segment_of(link));
	}
	segments->free_count = 0;
}

void wyn_output_init(struct wyn_output *output, struct wyn_segments *segments)
{
	output->segments = segments;
	wyn_list_init(&output->queue);
	output->bytes = 0;
}

void wyn_output_fini(struct wyn_output *output)
{
	struct wyn_list *link;

	while ((link = wyn_list_first(&output->queue)) != NULL) {
		segment_release(output->segments, segment_of(link));
	}
	output->bytes = 0;
}

uint8_t *wyn_output_reserve(struct wyn_output *output, size_t bytes)
{
	struct wyn_list *last = wyn_list_last(&output->queue);
	struct segment *segment = last == NULL ? NULL : segment_of(last);

	if (segment == NULL || segment->given != NULL ||
		segment->room - segment->tail < bytes) {
		segment = segment_acquire(output->segments, bytes);
		if (segment == NULL) {
			return NULL;
		}
		wyn_list_push_back(&output->queue, &segment->link);
	}
	return segment->own + segment->tail;
}

void wyn_output_commit(struct wyn_output *output, size_t bytes)
{
	struct segment *segment = segment_of(wyn_list_last(&output->queue));

	wyn_assert(segment->room - segment->tail >= bytes);
	segment->tail += bytes;
	output->bytes += bytes;
}

bool wyn_output_give(struct wyn_output *output, void *memory,
	const uint8_t *data, size_t bytes)
{
	struct segment *segment = malloc(sizeof(*segment));

	if (segment == NULL) {
		return false;
	}
	*segment = (struct segment){
		.room = bytes,
		.tail = bytes,
		.given = memory,
		.data = data,
	};
	wyn_list_init(&segment->link);
	wyn_list_push_back(&output->queue, &segment->link);
	output->segments->used_bytes += bytes;
	output->bytes += bytes;
	return true;
}

size_t wyn_output_pieces(const struct wyn_output *output,
	struct wyn_slice *pieces, size_t pieces_max)
{
	struct wyn_list *link;
	size_t n = 0;

	wyn_list_for_each (link, &output->queue) {
		const struct segment *segment = segment_of(link);

		if (n == pieces_max) {
			break;
		}
		if (segment->tail == segment->head) {
			continue;
		}
		pieces[n].data = segment->data + segment->head;
		pieces[n].len = segment->tail - segment->head;
		n++;
	}
	return n;
}

void wyn_output_written(struct wyn_output *output, size_t bytes)
{
	wyn_assert(bytes <= output->bytes);
	output->bytes -= bytes;
	while (!wyn_list_empty(&output->queue)) {
		struct segment *segment =
			segment_of(wyn_list_first(&output->queue));
		size_t ready = segment->tail - segment->head;

		if (bytes < ready) {
			segment->head += bytes;
			return;
		}
		bytes -= ready;
		segment_release(output->segments, segment);
	}
	wyn_assert(bytes == 0);
}

// SPDX-License-Identifier: MIT
/*
 * gather.c - from the outputs of commands to our own.
 */
#include "client/wynctl/gather.h"

#include <stdlib.h>
#include <string.h>

#include "client/wynctl/progress.h"

void wyn_gather_init(struct wyn_gather *gather, enum wyn_gather_mode mode,
	struct wyn_stdout *output, struct wyn_stdout *error)
{
	*gather = (struct wyn_gather){
		.mode = mode,
		.outputs = {output, error},
	};
	wyn_spill_init(&gather->spill);
	wyn_list_init(&gather->queue);
}

void wyn_gather_fini(struct wyn_gather *gather)
{
	wyn_spill_fini(&gather->spill);
}

bool wyn_gather_full(const struct wyn_gather *gather)
{
	return wyn_stdout_full(gather->outputs[WYN_GATHER_STDOUT]) ||
	       wyn_stdout_full(gather->outputs[WYN_GATHER_STDERR]);
}

/* Lines with the command's tag before each. */
static void gather_write_tagged(struct wyn_stdout *output,
	struct wyn_gathered *one, enum wyn_gather_stream stream,
	struct wyn_slice bytes)
{
	const uint8_t *end;
	size_t size;

	while (bytes.len > 0) {
		if (!one->in_line[stream]) {
			wyn_stdout_write(output, one->tag, strlen(one->tag));
			wyn_stdout_write(output, "\t", 1);
		}
		end = memchr(bytes.data, '\n', bytes.len);
		size = end != NULL ? (size_t)(end - bytes.data) + 1 : bytes.len;
		wyn_stdout_write(output, bytes.data, size);
		one->in_line[stream] = end == NULL;
		bytes.data += size;
		bytes.len -= size;
	}
}

static void gather_write(struct wyn_gather *gather, struct wyn_gathered *one,
	enum wyn_gather_stream stream, struct wyn_slice bytes)
{
	struct wyn_stdout *output = gather->outputs[stream];

	if (bytes.len == 0) {
		return;
	}
	/* Both may be the same file. */
	wyn_stdout_flush(gather->outputs[WYN_GATHER_STDERR - stream]);
	if (gather->shares_terminal) {
		wyn_progress_clear();
	}
	if (gather->write != NULL) {
		gather->write(gather->context, one, stream, bytes);
	} else if (one->tag != NULL) {
		gather_write_tagged(output, one, stream, bytes);
	} else {
		wyn_stdout_write(output, bytes.data, bytes.len);
		one->in_line[stream] = bytes.data[bytes.len - 1] != '\n';
	}
}

/* What is held of a stream: until the output is full, or `wholly`.
 * Returns: 0 or -errno. */
static int gather_write_held(struct wyn_gather *gather,
	struct wyn_gathered *one, enum wyn_gather_stream stream, bool wholly)
{
	struct wyn_held *held = &one->held[stream];
	char room[WYN_SPILL_BLOCK_BYTES];
	struct wyn_slice piece;
	int err;

	while (wyn_held_bytes(held) > 0 &&
		(wholly || !wyn_stdout_full(gather->outputs[stream]))) {
		err = wyn_held_take(&gather->spill, held, room, &piece);
		if (err != 0) {
			return err;
		}
		gather_write(gather, one, stream, piece);
	}
	return 0;
}

void wyn_gather_begin(
	struct wyn_gather *gather, struct wyn_gathered *one, char *tag)
{
	*one = (struct wyn_gathered){.tag = tag};
	wyn_list_init(&one->link);
	for (int i = 0; i < WYN_GATHER_STREAMS; i++) {
		wyn_held_init(&one->held[i]);
	}
	if (gather->mode == WYN_GATHER_ORDER) {
		wyn_list_push_back(&gather->queue, &one->link);
	}
}

/* Out goes what is held, wholly: it is one line at most. */
static int gather_write_line(struct wyn_gather *gather,
	struct wyn_gathered *one, enum wyn_gather_stream stream)
{
	int err = gather_write_held(gather, one, stream, true);

	if (err == 0) {
		wyn_held_drop(&gather->spill, &one->held[stream]);
	}
	return err;
}

static int gather_put_lines(struct wyn_gather *gather, struct wyn_gathered *one,
	enum wyn_gather_stream stream, struct wyn_slice bytes)
{
	const uint8_t *end = memrchr(bytes.data, '\n', bytes.len);
	struct wyn_slice lines = {bytes.data, 0};
	int err;

	if (end != NULL) {
		lines.len = (size_t)(end - bytes.data) + 1;
	} else if (wyn_held_bytes(&one->held[stream]) + bytes.len >
		   WYN_GATHER_LINE_BYTES_MAX) {
		lines.len = bytes.len;
	}
	if (lines.len > 0) {
		err = gather_write_line(gather, one, stream);
		if (err != 0) {
			return err;
		}
		gather_write(gather, one, stream, lines);
	}
	return wyn_held_put(&gather->spill, &one->held[stream],
		(struct wyn_slice){
			bytes.data + lines.len, bytes.len - lines.len});
}

int wyn_gather_put(struct wyn_gather *gather, struct wyn_gathered *one,
	enum wyn_gather_stream stream, struct wyn_slice bytes)
{
	if (bytes.len == 0) {
		return 0;
	}
	switch (gather->mode) {
	case WYN_GATHER_LINES:
		return gather_put_lines(gather, one, stream, bytes);
	case WYN_GATHER_PIECES:
		gather_write(gather, one, stream, bytes);
		return 0;
	case WYN_GATHER_GROUPS:
	case WYN_GATHER_ORDER:
		break;
	}
	return wyn_held_put(&gather->spill, &one->held[stream], bytes);
}

int wyn_gather_end(struct wyn_gather *gather, struct wyn_gathered *one)
{
	int err = 0;

	one->ended = true;
	if (gather->mode == WYN_GATHER_LINES) {
		for (int i = 0; err == 0 && i < WYN_GATHER_STREAMS; i++) {
			err = gather_write_line(
				gather, one, (enum wyn_gather_stream)i);
		}
	}
	if (gather->mode != WYN_GATHER_ORDER) {
		wyn_list_push_back(&gather->queue, &one->link);
	}
	return err;
}

/* A line that was begun must not go on with another command's. */
static void gather_end_lines(
	struct wyn_gather *gather, struct wyn_gathered *one)
{
	if (one->tag == NULL && gather->mode != WYN_GATHER_LINES) {
		return;
	}
	for (int i = 0; i < WYN_GATHER_STREAMS; i++) {
		if (one->in_line[i]) {
			wyn_stdout_write(gather->outputs[i], "\n", 1);
		}
	}
}

int wyn_gather_print(struct wyn_gather *gather, struct wyn_gathered **ret_one)
{
	struct wyn_gathered *one;
	int err;

	*ret_one = NULL;
	if (wyn_list_empty(&gather->queue)) {
		return 0;
	}
	one = wyn_list_entry(gather->queue.next, struct wyn_gathered, link);
	if (!one->ended) {
		return 0;
	}
	for (int i = 0; i < WYN_GATHER_STREAMS; i++) {
		err = gather_write_held(
			gather, one, (enum wyn_gather_stream)i, false);
		if (err != 0) {
			return err;
		}
		if (wyn_held_bytes(&one->held[i]) > 0) {
			return 0;
		}
	}
	gather_end_lines(gather, one);
	wyn_gather_drop(gather, one);
	*ret_one = one;
	return 0;
}

void wyn_gather_drop(struct wyn_gather *gather, struct wyn_gathered *one)
{
	for (int i = 0; i < WYN_GATHER_STREAMS; i++) {
		wyn_held_drop(&gather->spill, &one->held[i]);
	}
	wyn_list_remove(&one->link);
	free(one->tag);
	one->tag = NULL;
}

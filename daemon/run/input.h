// SPDX-License-Identifier: MIT
/*
 * input.h - what is still to be written to the input of a command.
 *
 * Filled by the connection as Chunks come, emptied by the executor as the pipe
 * takes it. The loop's thread only; one for a batch whose command's input goes
 * on after its argument, which has one task.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/list.h"
#include "base/slice.h"

struct wyn_input_piece;
struct wyn_task;

/* [L] all of it */
struct wyn_input {
	struct wyn_input_piece *head; /* oldest first */
	struct wyn_input_piece **tail;
	struct wyn_input_piece *last; /* NULL = none */
	size_t at;		      /* bytes of the head that were taken */
	bool eof;		      /* nothing comes after what is here */
	bool shut; /* nobody reads on: what is here and comes is dropped */
	/* So many bytes are not needed any more. [I] by the connection. */
	void (*taken)(struct wyn_input *input, size_t bytes);
	/* The connection's */
	struct wyn_list link; /* its inputs */
	void *context;
	uint64_t owner;
	uint64_t seq;
	uint64_t have;	       /* bytes that came */
	struct wyn_task *task; /* in the executor; NULL = not */
};

/* wyn_input_init, wyn_input_fini - nothing is there yet; nobody reads on, and
 * it is on no list. */
void wyn_input_init(struct wyn_input *input,
	void (*taken)(struct wyn_input *input, size_t bytes));
void wyn_input_fini(struct wyn_input *input);

/*
 * wyn_input_put - appends a copy.
 *
 * Returns: 0; -ENOMEM. When it is shut the bytes are taken at once.
 */
WYN_NODISCARD
int wyn_input_put(struct wyn_input *input, struct wyn_slice bytes);

/* wyn_input_peek - the next bytes; empty = none is here. Valid until the next
 * call. */
struct wyn_slice wyn_input_peek(const struct wyn_input *input);

/* wyn_input_take - the first so many of what wyn_input_peek() showed went. */
void wyn_input_take(struct wyn_input *input, size_t bytes);

/* wyn_input_shut - nobody reads on. */
void wyn_input_shut(struct wyn_input *input);

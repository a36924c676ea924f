// SPDX-License-Identifier: MIT
/*
 * spill.h - outputs that wait for their turn: in memory, and on disk when they
 * are large or many.
 *
 * All of them share one file, which has no name from the moment it is made. Its
 * blocks are used again, so it is as large as what waited at a time. Main's
 * thread.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/slice.h"

#define WYN_SPILL_BLOCK_BYTES (16u << 10)
/* In memory: of one output, and of all together. */
#define WYN_SPILL_HELD_BYTES_MAX  (64u << 10)
#define WYN_SPILL_TOTAL_BYTES_MAX (16u << 20)

struct wyn_spill {
	int fd;		  /* -1 = not needed so far */
	uint32_t *next;	  /* block after this one, of one output or free */
	size_t blocks;	  /* of the file */
	size_t room;	  /* of next */
	uint32_t free;	  /* the first of those that are not in use */
	size_t in_memory; /* bytes of all outputs there */
};

/* One output: first what is in memory, then its blocks. */
struct wyn_held {
	char *data;
	size_t size;
	size_t capacity;
	size_t taken;	  /* of data */
	uint64_t spilled; /* bytes in blocks, not taken */
	uint32_t first;	  /* block */
	uint32_t last;
	size_t last_used;  /* bytes of the last block */
	size_t first_used; /* bytes of the first one that are taken */
};

/* wyn_spill_init, _fini - the file comes with the first need. */
void wyn_spill_init(struct wyn_spill *spill);
void wyn_spill_fini(struct wyn_spill *spill);

/* wyn_held_init - nothing. */
void wyn_held_init(struct wyn_held *held);

/* wyn_held_put - appends. Returns: 0, -ENOMEM, -EFBIG (4 Gi blocks), the errors
 * of making and writing a file in TMPDIR, or else /tmp. */
WYN_NODISCARD
int wyn_held_put(
	struct wyn_spill *spill, struct wyn_held *held, struct wyn_slice bytes);

/*
 * wyn_held_take - the next piece, from the beginning on.
 *
 * Owns: a view, of `room` or of what is held, valid until the next call. It is
 * empty when all was taken. Returns: 0, the errors of read(2).
 */
WYN_NODISCARD
int wyn_held_take(struct wyn_spill *spill, struct wyn_held *held,
	char room[WYN_SPILL_BLOCK_BYTES], struct wyn_slice *ret_piece);

/* wyn_held_bytes - how much there is to take. */
uint64_t wyn_held_bytes(const struct wyn_held *held);

/* wyn_held_drop - gives back what it has; it is as after _init. */
void wyn_held_drop(struct wyn_spill *spill, struct wyn_held *held);

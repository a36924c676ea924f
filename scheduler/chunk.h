// SPDX-License-Identifier: MIT
/*
 * chunk.h - where the memory of queues and futures comes from.
 *
 * Chunks of one size, aligned to it, mapped from the kernel and given back to
 * it: the first ones alone, later ones in extents of a huge page, whose first
 * touch costs a tenth. A pool keeps some when it needs none. Of those the one
 * that has rested longest is used first, and only when 2 MiB rest, or half of
 * what is kept: what another core has just read is slow to write, 9 ns for an
 * item of 16 bytes, and fast, 3 ns, once other memory has driven it out of that
 * core's cache.
 */
#pragma once

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"

/* A chunk's size and alignment: enough that mapping it costs a task nothing. */
#define WYN_CHUNK_BYTES		((size_t)128 * 1024)
#define WYN_CHUNKS_PER_EXTENT	16u /* a huge page */
#define WYN_CHUNKS_MAPPED_ALONE 4u  /* before there are extents */
#define WYN_CHUNKS_RESTING_MAX	16u /* before one is used again */

/* The head of every chunk; its user's memory begins behind it. */
struct wyn_chunk {
	struct wyn_chunk *extent; /* [I] the first chunk of its mapping */
	struct wyn_list rest;	  /* [M lock] among those that are kept */
	/* Of the first chunk of a mapping, for all of it: */
	struct wyn_list mapping; /* [M lock] among all mappings */
	uint32_t count;		 /* [I] chunks */
	uint32_t kept;		 /* [M lock] of them */
};

struct wyn_chunks {
	pthread_mutex_t lock;
	size_t keep_max;	 /* [I] chunks that nobody uses, as a rule */
	size_t resting_max;	 /* [I] of them, before one is used again */
	size_t kept;		 /* [M lock] */
	size_t mapped;		 /* [M lock] chunks, kept ones included */
	struct wyn_list resting; /* [M lock] the one that rests longest first */
	struct wyn_list mappings; /* [M lock] by their first chunks */
};

/*
 * wyn_chunks_init - makes a store that keeps so many bytes unused.
 *
 * It keeps more only where a chunk in use holds its extent.
 *
 * Thread: boot. Blocks: never.
 */
void wyn_chunks_init(struct wyn_chunks *chunks, size_t keep_bytes);

/*
 * wyn_chunks_fini - gives back everything, chunks in use included.
 *
 * In a forked child whose lock is held it gives back nothing.
 *
 * Thread: boot, when nobody else uses it. Blocks: never.
 */
void wyn_chunks_fini(struct wyn_chunks *chunks);

/*
 * wyn_chunk_acquire - gives a chunk with anything behind its head.
 *
 * Thread: any. Returns: NULL if memory is out. Blocks: on the store's mutex.
 */
struct wyn_chunk *wyn_chunk_acquire(struct wyn_chunks *chunks);

/*
 * wyn_chunk_release - takes it back.
 *
 * Thread: any. Takes the chunk. Blocks: on the store's mutex.
 */
void wyn_chunk_release(struct wyn_chunks *chunks, struct wyn_chunk *chunk);

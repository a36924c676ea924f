// SPDX-License-Identifier: MIT
/*
 * chunk.h - where the memory of queues and futures comes from.
 *
 * Chunks of one size, aligned to it, mapped from the kernel and given back to
 * it. A pool keeps some when it needs none. Of those the one that has rested
 * longest is used first, and only when the pool keeps its half already: what
 * another core has just read is slow to write, 9 ns for an item of 16 bytes,
 * and fast, 3 ns, once other memory has driven it out of that core's cache.
 */
#pragma once

#include <pthread.h>
#include <stddef.h>

/* A chunk's size and alignment: enough that mapping it costs a task nothing. */
#define WYN_CHUNK_BYTES ((size_t)128 * 1024)

struct wyn_chunk;

struct wyn_chunks {
	pthread_mutex_t lock;
	size_t keep_max;	 /* [I] chunks that nobody uses, at most */
	size_t kept;		 /* [M lock] */
	struct wyn_chunk *first; /* [M lock] the one that rests longest */
	struct wyn_chunk *last;	 /* [M lock] */
};

/*
 * wyn_chunks_init - makes a store that keeps at most so many bytes unused.
 *
 * Thread: boot. Blocks: never.
 */
void wyn_chunks_init(struct wyn_chunks *chunks, size_t keep_bytes);

/*
 * wyn_chunks_fini - gives back what is kept; the rest is released or discarded.
 *
 * In a forked child whose lock is held it gives back nothing.
 *
 * Thread: boot, when nobody else uses it. Blocks: never.
 */
void wyn_chunks_fini(struct wyn_chunks *chunks);

/*
 * wyn_chunk_acquire - gives a chunk with anything in it.
 *
 * Thread: any. Returns: NULL if memory is out. Blocks: on the store's mutex.
 */
void *wyn_chunk_acquire(struct wyn_chunks *chunks);

/*
 * wyn_chunk_release - takes it back.
 *
 * Thread: any. Takes the chunk. Blocks: on the store's mutex.
 */
void wyn_chunk_release(struct wyn_chunks *chunks, void *chunk);

/*
 * wyn_chunk_discard - gives it back to the kernel, as the store ends.
 *
 * Thread: any. Takes the chunk. Blocks: never.
 */
void wyn_chunk_discard(void *chunk);

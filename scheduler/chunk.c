// SPDX-License-Identifier: MIT
/*
 * chunk.c - a queue of unused chunks, and the kernel behind it.
 */
#include "scheduler/chunk.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>

#include "base/assert.h"

struct wyn_chunk {
	struct wyn_chunk *next; /* [M lock] */
};

static_assert((WYN_CHUNK_BYTES & (WYN_CHUNK_BYTES - 1)) == 0, "masked");

static void *map(size_t bytes)
{
	void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return memory != MAP_FAILED ? memory : NULL;
}

static void unmap(void *memory, size_t bytes)
{
	int r = bytes > 0 ? munmap(memory, bytes) : 0;

	/* It fails only for want of memory to split a mapping; then the pages
	 * are given back at least. */
	if (r < 0) {
		(void)madvise(memory, bytes, MADV_DONTNEED);
	}
}

static void *chunk_map(void)
{
	char *memory = map(WYN_CHUNK_BYTES);
	size_t off;

	/* The kernel puts one mapping below the other, so that the second time
	 * it is aligned. */
	if (memory == NULL || (uintptr_t)memory % WYN_CHUNK_BYTES == 0) {
		return memory;
	}
	unmap(memory, WYN_CHUNK_BYTES);
	memory = map(2 * WYN_CHUNK_BYTES);
	if (memory == NULL) {
		return NULL;
	}
	off = WYN_CHUNK_BYTES - (uintptr_t)memory % WYN_CHUNK_BYTES;
	unmap(memory, off);
	unmap(memory + off + WYN_CHUNK_BYTES, WYN_CHUNK_BYTES - off);
	return memory + off;
}

/* With the lock, and one there. */
static struct wyn_chunk *kept_pop(struct wyn_chunks *chunks)
{
	struct wyn_chunk *chunk = chunks->first;

	chunks->first = chunk->next;
	chunks->kept--;
	return chunk;
}

/* The one that rests longest, if more than `spared` do. */
static struct wyn_chunk *kept_take(struct wyn_chunks *chunks, size_t spared)
{
	struct wyn_chunk *chunk = NULL;

	pthread_mutex_lock(&chunks->lock);
	if (chunks->kept > spared) {
		chunk = kept_pop(chunks);
	}
	pthread_mutex_unlock(&chunks->lock);
	return chunk;
}

void wyn_chunks_init(struct wyn_chunks *chunks, size_t keep_bytes)
{
	*chunks = (struct wyn_chunks){.keep_max = keep_bytes / WYN_CHUNK_BYTES};
	pthread_mutex_init(&chunks->lock, NULL);
}

void wyn_chunks_fini(struct wyn_chunks *chunks)
{
	/* A forked child's may be held by a thread that it does not have and
	 * that was in the midst of the list. */
	if (pthread_mutex_trylock(&chunks->lock) != 0) {
		return;
	}
	while (chunks->kept > 0) {
		wyn_chunk_discard(kept_pop(chunks));
	}
	pthread_mutex_unlock(&chunks->lock);
	pthread_mutex_destroy(&chunks->lock);
}

void *wyn_chunk_acquire(struct wyn_chunks *chunks)
{
	void *chunk = kept_take(chunks, chunks->keep_max / 2);

	if (chunk == NULL) {
		chunk = chunk_map();
	}
	return chunk != NULL ? chunk : kept_take(chunks, 0);
}

void wyn_chunk_release(struct wyn_chunks *chunks, void *chunk)
{
	struct wyn_chunk *kept = chunk;
	bool keep;

	kept->next = NULL;
	pthread_mutex_lock(&chunks->lock);
	keep = chunks->kept < chunks->keep_max;
	if (keep) {
		*(chunks->kept > 0 ? &chunks->last->next : &chunks->first) =
			kept;
		chunks->last = kept;
		chunks->kept++;
	}
	pthread_mutex_unlock(&chunks->lock);
	if (!keep) {
		unmap(chunk, WYN_CHUNK_BYTES);
	}
}

void wyn_chunk_discard(void *chunk)
{
	unmap(chunk, WYN_CHUNK_BYTES);
}

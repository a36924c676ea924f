// SPDX-License-Identifier: MIT
/*
 * chunk.c - a queue of unused chunks, and the kernel behind it.
 *
 * An extent is unmapped when all of its chunks are kept and more are than need
 * be. So extents of which a chunk is used stay whole.
 */
#include "scheduler/chunk.h"

#include <stdbool.h>
#include <sys/mman.h>

#include "base/assert.h"

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

/* Memory that is aligned to its size. */
static void *map_aligned(size_t bytes)
{
	char *memory = map(bytes);
	size_t off;

	/* The kernel puts one mapping below the other, so that the second time
	 * it is aligned. */
	if (memory == NULL || (uintptr_t)memory % bytes == 0) {
		return memory;
	}
	unmap(memory, bytes);
	memory = map(2 * bytes);
	if (memory == NULL) {
		return NULL;
	}
	off = bytes - (uintptr_t)memory % bytes;
	unmap(memory, off);
	unmap(memory + off + bytes, bytes - off);
	return memory + off;
}

/* A mapping of so many chunks with their heads filled in, none of them kept. */
static struct wyn_chunk *extent_map(uint32_t count)
{
	char *memory = map_aligned(count * WYN_CHUNK_BYTES);

	if (memory == NULL) {
		return NULL;
	}
	if (count > 1) {
		/* Advice: without huge pages all is as it was. */
		(void)madvise(memory, count * WYN_CHUNK_BYTES, MADV_HUGEPAGE);
	}
	for (uint32_t i = 0; i < count; i++) {
		struct wyn_chunk *chunk =
			(void *)(memory + i * WYN_CHUNK_BYTES);

		chunk->extent = (void *)memory;
		chunk->count = count;
		chunk->kept = 0;
	}
	return (void *)memory;
}

static void extent_unmap(struct wyn_chunk *extent)
{
	if (extent != NULL) {
		unmap(extent, extent->count * WYN_CHUNK_BYTES);
	}
}

static struct wyn_chunk *chunk_at(struct wyn_chunk *extent, uint32_t i)
{
	return (void *)((char *)extent + i * WYN_CHUNK_BYTES);
}

/* Counts a chunk that was put on the list of the resting ones, or off it. */
static void kept_add(struct wyn_chunks *chunks, struct wyn_chunk *chunk)
{
	chunk->extent->kept++;
	chunks->kept++;
}

static void kept_remove(struct wyn_chunks *chunks, struct wyn_chunk *chunk)
{
	wyn_list_remove(&chunk->rest);
	chunk->extent->kept--;
	chunks->kept--;
}

/* Some are kept. */
static struct wyn_chunk *kept_first(const struct wyn_chunks *chunks)
{
	return wyn_list_entry(
		wyn_list_first(&chunks->resting), struct wyn_chunk, rest);
}

/* The one that rests longest, if more than `spared` do. */
static struct wyn_chunk *kept_take(struct wyn_chunks *chunks, size_t spared)
{
	struct wyn_chunk *chunk;

	if (chunks->kept <= spared) {
		return NULL;
	}
	chunk = kept_first(chunks);
	kept_remove(chunks, chunk);
	return chunk;
}

/* Takes an extent whose chunks all are kept away, if it is one. */
static struct wyn_chunk *extent_take(
	struct wyn_chunks *chunks, struct wyn_chunk *extent)
{
	if (extent->kept != extent->count) {
		return NULL;
	}
	for (uint32_t i = 0; i < extent->count; i++) {
		kept_remove(chunks, chunk_at(extent, i));
	}
	wyn_list_remove(&extent->mapping);
	chunks->mapped -= extent->count;
	return extent;
}

/* Maps some, without the lock, and keeps all but the first. */
static struct wyn_chunk *chunk_map(struct wyn_chunks *chunks, uint32_t count)
{
	struct wyn_chunk *extent = extent_map(count);

	if (extent == NULL) {
		return NULL;
	}
	pthread_mutex_lock(&chunks->lock);
	wyn_list_push_front(&chunks->mappings, &extent->mapping);
	chunks->mapped += count;
	for (uint32_t i = 1; i < count; i++) {
		struct wyn_chunk *chunk = chunk_at(extent, count - i);

		/* Before those that rest, in whose stead it was mapped. */
		wyn_list_push_front(&chunks->resting, &chunk->rest);
		kept_add(chunks, chunk);
	}
	pthread_mutex_unlock(&chunks->lock);
	return extent;
}

void wyn_chunks_init(struct wyn_chunks *chunks, size_t keep_bytes)
{
	*chunks = (struct wyn_chunks){.keep_max = keep_bytes / WYN_CHUNK_BYTES};
	chunks->resting_max = chunks->keep_max / 2 < WYN_CHUNKS_RESTING_MAX
				      ? chunks->keep_max / 2
				      : WYN_CHUNKS_RESTING_MAX;
	wyn_list_init(&chunks->resting);
	wyn_list_init(&chunks->mappings);
	pthread_mutex_init(&chunks->lock, NULL);
}

void wyn_chunks_fini(struct wyn_chunks *chunks)
{
	struct wyn_list *link, *after;

	/* A forked child's may be held by a thread that it does not have and
	 * that was in the midst of the lists. */
	if (pthread_mutex_trylock(&chunks->lock) != 0) {
		return;
	}
	wyn_list_for_each_safe (link, after, &chunks->mappings) {
		extent_unmap(wyn_list_entry(link, struct wyn_chunk, mapping));
	}
	pthread_mutex_unlock(&chunks->lock);
	pthread_mutex_destroy(&chunks->lock);
}

struct wyn_chunk *wyn_chunk_acquire(struct wyn_chunks *chunks)
{
	struct wyn_chunk *chunk;
	bool alone;

	pthread_mutex_lock(&chunks->lock);
	chunk = kept_take(chunks, chunks->resting_max);
	alone = chunks->mapped < WYN_CHUNKS_MAPPED_ALONE;
	pthread_mutex_unlock(&chunks->lock);
	if (chunk == NULL && !alone) {
		chunk = chunk_map(chunks, WYN_CHUNKS_PER_EXTENT);
	}
	if (chunk == NULL) {
		chunk = chunk_map(chunks, 1);
	}
	if (chunk == NULL) {
		pthread_mutex_lock(&chunks->lock);
		chunk = kept_take(chunks, 0);
		pthread_mutex_unlock(&chunks->lock);
	}
	return chunk;
}

void wyn_chunk_release(struct wyn_chunks *chunks, struct wyn_chunk *chunk)
{
	struct wyn_chunk *extent = NULL;

	pthread_mutex_lock(&chunks->lock);
	wyn_list_push_back(&chunks->resting, &chunk->rest);
	kept_add(chunks, chunk);
	if (chunks->kept > chunks->keep_max) {
		extent = extent_take(chunks, chunk->extent);
		if (extent == NULL) {
			/* In use: that of the one that rests longest. */
			extent =
				extent_take(chunks, kept_first(chunks)->extent);
		}
	}
	pthread_mutex_unlock(&chunks->lock);
	extent_unmap(extent);
}

// SPDX-License-Identifier: MIT
/*
 * large.h - memory of any size that ends with its pool.
 *
 * For what does not fit a slot of the slabs. A list knows every piece, so that
 * a pool that is destroyed with work left frees them all.
 */
#pragma once

#include <pthread.h>
#include <stddef.h>

#include "base/list.h"

struct wyn_larges {
	pthread_mutex_t lock;
	struct wyn_list pieces; /* [M lock] */
};

/*
 * wyn_larges_init - makes an empty store.
 *
 * Thread: boot. Blocks: never.
 */
void wyn_larges_init(struct wyn_larges *larges);

/*
 * wyn_larges_fini - frees every piece, those in use included.
 *
 * Thread: boot, when nobody else uses it. Blocks: never.
 */
void wyn_larges_fini(struct wyn_larges *larges);

/*
 * wyn_large_acquire - gives `bytes` of memory, aligned to 16.
 *
 * Thread: any. Returns: NULL if memory is out. Blocks: on the store's mutex.
 */
void *wyn_large_acquire(struct wyn_larges *larges, size_t bytes);

/*
 * wyn_large_release - takes it back.
 *
 * Thread: any. Blocks: on the store's mutex.
 */
void wyn_large_release(struct wyn_larges *larges, void *memory);

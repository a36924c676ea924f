// SPDX-License-Identifier: MIT
/*
 * pad.c - see pad.h.
 *
 * The pad itself is in memory that is shared by mmap(2), for what a child
 * reports that has a copy of ours (clone.h); stack and arena are one mapping.
 */
#include "spawner/pad.h"

#include <sys/mman.h>

#include "spawner/clone.h"
#include "spawner/command.h"
#include "spawner/sys.h"

/* If more of an arena was touched the kernel gets all of it back. */
#define KEPT_BYTES (WYN_PADS_KEPT_BYTES_MAX / WYN_PADS_KEPT_MAX)

static void *map(size_t bytes, int flags)
{
	void *memory = wyn_sys.mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		flags | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

static void destroy(struct wyn_pad *pad)
{
	munmap(pad->stack, WYN_CLONE_STACK_BYTES + pad->bytes);
	munmap(pad, sizeof(*pad));
}

static struct wyn_pad *create(size_t bytes)
{
	struct wyn_pad *pad = map(sizeof(*pad), MAP_SHARED);
	uint8_t *memory = map(WYN_CLONE_STACK_BYTES + bytes, MAP_PRIVATE);

	if (!pad || !memory) {
		if (memory) {
			munmap(memory, WYN_CLONE_STACK_BYTES + bytes);
		}
		if (pad) {
			munmap(pad, sizeof(*pad));
		}
		return NULL;
	}
	wyn_list_init(&pad->link);
	pad->stack = memory;
	pad->memory = memory + WYN_CLONE_STACK_BYTES;
	pad->bytes = bytes;
	return pad;
}

void wyn_pads_init(struct wyn_pads *pads)
{
	*pads = (struct wyn_pads){.free_count = 0};
	wyn_list_init(&pads->free);
	wyn_list_init(&pads->flying);
}

static void destroy_all(struct wyn_list *list)
{
	struct wyn_list *link;

	while ((link = wyn_list_pop_front(list)) != NULL) {
		destroy(wyn_list_entry(link, struct wyn_pad, link));
	}
}

void wyn_pads_fini(struct wyn_pads *pads)
{
	destroy_all(&pads->free);
	destroy_all(&pads->flying);
}

/* Why a child could not is told when it was waited for. */
static bool has_executed(struct wyn_pad *pad)
{
	/* [busy] pairs with the kernel's, after the child's last access. */
	return __atomic_load_n(&pad->busy, __ATOMIC_ACQUIRE) == 0 &&
	       pad->report.stage == WYN__SPAWN__V1__STAGE__STAGE_UNSPECIFIED;
}

static void look(struct wyn_pads *pads)
{
	for (unsigned i = 0; i < WYN_PADS_LOOKS; i++) {
		struct wyn_list *link = wyn_list_pop_front(&pads->flying);
		struct wyn_pad *pad;

		if (!link) {
			return;
		}
		pad = wyn_list_entry(link, struct wyn_pad, link);
		wyn_list_push_back(&pads->flying, link);
		if (has_executed(pad)) {
			wyn_pad_land(pads, pad->command);
		}
	}
}

struct wyn_pad *wyn_pad_acquire(struct wyn_pads *pads, size_t bytes)
{
	struct wyn_pad *pad;

	look(pads);
	if (bytes > WYN_PAD_BYTES) {
		pad = create(bytes);
	} else if (pads->free_count > 0) {
		pad = wyn_list_entry(
			wyn_list_pop_front(&pads->free), struct wyn_pad, link);
		pads->free_count--;
	} else {
		pad = create(WYN_PAD_BYTES);
	}
	if (pad) {
		wyn_arena_init(&pad->arena, pad->memory, pad->bytes);
	}
	return pad;
}

void wyn_pad_release(struct wyn_pads *pads, struct wyn_pad *pad)
{
	if (pad->bytes > WYN_PAD_BYTES ||
		pads->free_count == WYN_PADS_KEPT_MAX) {
		pads->grown = true;
		destroy(pad);
		return;
	}
	if (pad->arena.used_bytes > KEPT_BYTES) {
		pads->grown = true;
		(void)madvise(pad->memory, pad->bytes, MADV_DONTNEED);
	}
	/* The last one is in the cache. */
	wyn_list_push_front(&pads->free, &pad->link);
	pads->free_count++;
}

void wyn_pad_fly(
	struct wyn_pads *pads, struct wyn_pad *pad, struct wyn_command *command)
{
	pad->command = command;
	command->pad = pad;
	wyn_list_push_back(&pads->flying, &pad->link);
}

void wyn_pad_land(struct wyn_pads *pads, struct wyn_command *command)
{
	struct wyn_pad *pad = command->pad;

	if (pad) {
		command->pad = NULL;
		pad->command = NULL;
		wyn_list_remove(&pad->link);
		wyn_pad_release(pads, pad);
	}
}

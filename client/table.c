// SPDX-License-Identifier: MIT
/*
 * table.c - the ring of a session's tasks.
 *
 * The ring has twice as many places as tasks may be in use, so that at any
 * time half of it is free and a batch finds a run of free places soon, also
 * when results come in an order far from that of the submits. Walking past
 * taken places costs at most one step per place and lap.
 */
#include "client/table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "client/reason.h"

#define NONE UINT32_MAX

static uint32_t table_index(
	const struct wyn_table *table, const struct wyn_table_slot *slot)
{
	return (uint32_t)(slot - table->slots);
}

int wyn_table_init(struct wyn_table *table, uint32_t in_use_max)
{
	uint64_t places = 2;

	while (places < 2 * (uint64_t)in_use_max) {
		places *= 2;
	}
	*table = (struct wyn_table){
		.mask = places - 1,
		.in_use_max = in_use_max,
		.done_head = NONE,
		.done_tail = NONE,
		.next_seq = 1,
		.parts_bytes_max = WYN_CLIENT_PARTS_BYTES_MAX,
	};
	table->slots = calloc(places, sizeof(*table->slots));
	table->kept = calloc(places, sizeof(*table->kept));
	if (table->slots == NULL || table->kept == NULL) {
		wyn_table_fini(table);
		return -ENOMEM;
	}
	return 0;
}

void wyn_table_fini(struct wyn_table *table)
{
	wyn_table_release(table);
	if (table->slots != NULL && table->kept != NULL && table->in_use > 0) {
		for (uint64_t i = 0; i <= table->mask; i++) {
			if (table->slots[i].state != WYN_TABLE_FREE &&
				table->slots[i].has_kept) {
				free(table->kept[i].heap);
				free(table->kept[i].text);
			}
		}
	}
	free(table->slots);
	free(table->kept);
	*table = (struct wyn_table){0};
}

static struct wyn_table_slot *table_place(struct wyn_table *table, uint64_t seq)
{
	return &table->slots[seq & table->mask];
}

size_t wyn_table_run(struct wyn_table *table, size_t n)
{
	size_t room = table->in_use_max - table->in_use;
	size_t run = 0;

	if (n > room) {
		n = room;
	}
	if (n == 0) {
		return 0;
	}
	while (table_place(table, table->next_seq)->state != WYN_TABLE_FREE) {
		table->next_seq++;
	}
	while (run < n && table_place(table, table->next_seq + run)->state ==
				  WYN_TABLE_FREE) {
		run++;
	}
	return run;
}

uint64_t wyn_table_claim(struct wyn_table *table, size_t n, uint64_t tag)
{
	uint64_t first = table->next_seq;

	wyn_assert(n <= table->in_use_max - table->in_use);
	for (size_t i = 0; i < n; i++) {
		struct wyn_table_slot *slot = table_place(table, first + i);

		wyn_assert(slot->state == WYN_TABLE_FREE);
		slot->seq = first + i;
		slot->tag = tag + i;
		slot->state = WYN_TABLE_PENDING;
		slot->uploading = false;
		slot->input = false;
		slot->has_kept = false;
		slot->ended = false;
	}
	table->next_seq = first + n;
	table->in_use += (uint32_t)n;
	return first;
}

struct wyn_kept *wyn_table_kept(
	struct wyn_table *table, struct wyn_table_slot *slot)
{
	struct wyn_kept *kept = &table->kept[table_index(table, slot)];

	if (!slot->has_kept) {
		kept->event = (struct wyn_client_event){0};
		kept->heap = NULL;
		kept->heap_size = 0;
		kept->heap_capacity = 0;
		kept->text = NULL;
		slot->has_kept = true;
	}
	return kept;
}

int wyn_table_part(struct wyn_table *table, struct wyn_table_slot *slot,
	const void *data, size_t size)
{
	struct wyn_kept *kept = wyn_table_kept(table, slot);
	size_t needed = kept->heap_size + size;
	size_t capacity = kept->heap_capacity;
	uint8_t *heap;

	if (needed > capacity) {
		capacity = capacity * 2 > needed ? capacity * 2 : needed;
		heap = realloc(kept->heap, capacity);
		if (heap == NULL) {
			return -ENOMEM;
		}
		kept->heap = heap;
		kept->heap_capacity = capacity;
	}
	if (size > 0) {
		memcpy(kept->heap + kept->heap_size, data, size);
	}
	kept->heap_size = needed;
	table->parts_bytes += size;
	return 0;
}

/* The two strings in one piece, or NULL when both are empty or no memory. */
static char *table_text(const char *reason, const char *message)
{
	size_t reason_size = strlen(reason) + 1;
	size_t message_size = strlen(message) + 1;
	char *text;

	if (reason_size == 1 && message_size == 1) {
		return NULL;
	}
	text = malloc(reason_size + message_size);
	if (text != NULL) {
		memcpy(text, reason, reason_size);
		memcpy(text + reason_size, message, message_size);
	}
	return text;
}

static void table_append_done(
	struct wyn_table *table, struct wyn_table_slot *slot)
{
	uint32_t index = table_index(table, slot);
	struct wyn_kept *kept = &table->kept[index];

	slot->state = WYN_TABLE_DONE;
	kept->next = NONE;
	kept->prev = table->done_tail;
	if (table->done_tail == NONE) {
		table->done_head = index;
	} else {
		table->kept[table->done_tail].next = index;
	}
	table->done_tail = index;
	table->done++;
}

static void table_keep_value(struct wyn_kept *kept, struct wyn_bytes value)
{
	if (value.size == 0 || value.data == kept->heap) {
		return;
	}
	if (value.size <= sizeof(kept->room)) {
		memcpy(kept->room, value.data, value.size);
		kept->event.value.data = kept->room;
		return;
	}
	free(kept->heap);
	kept->heap = malloc(value.size);
	if (kept->heap == NULL) {
		kept->event.value = (struct wyn_bytes){NULL, 0};
		kept->event.code = WYN_STATUS_RESOURCE_EXHAUSTED;
		kept->event.reason = WYN_REASON_CLIENT_NO_MEMORY;
		kept->event.message = "no memory here to keep the value";
		return;
	}
	memcpy(kept->heap, value.data, value.size);
	kept->event.value.data = kept->heap;
}

void wyn_table_keep(struct wyn_table *table, struct wyn_table_slot *slot,
	const struct wyn_client_event *event)
{
	struct wyn_kept *kept = wyn_table_kept(table, slot);
	char *text = NULL;

	wyn_assert(slot->state == WYN_TABLE_PENDING);
	if (event->code != WYN_STATUS_OK) {
		text = table_text(event->reason, event->message);
	}
	free(kept->text);
	kept->text = text;
	kept->event = *event;
	kept->event.reason = text != NULL ? text : "";
	kept->event.message = text != NULL ? text + strlen(text) + 1 : "";
	if (event->usage != NULL) {
		kept->usage = *event->usage;
		kept->event.usage = &kept->usage;
	}
	table_keep_value(kept, event->value);
	table_append_done(table, slot);
}

void wyn_table_fail_here(struct wyn_table *table, struct wyn_table_slot *slot,
	const char *reason, const char *message)
{
	struct wyn_kept *kept = wyn_table_kept(table, slot);

	free(kept->text);
	kept->text = table_text(reason, message);
}

void wyn_table_lend(struct wyn_table *table, struct wyn_table_slot *slot)
{
	struct wyn_kept *kept = wyn_table_kept(table, slot);

	wyn_table_release(table);
	table->parts_bytes -= kept->heap_size;
	table->lent_heap = kept->heap;
	table->lent_text = kept->text;
	slot->has_kept = false;
}

bool wyn_table_take(struct wyn_table *table, struct wyn_table_slot *slot,
	struct wyn_client_event *ret_event)
{
	const struct wyn_kept *kept;

	if (slot == NULL) {
		if (table->done == 0) {
			return false;
		}
		slot = &table->slots[table->done_head];
	}
	wyn_assert(slot->state == WYN_TABLE_DONE);
	kept = &table->kept[table_index(table, slot)];
	if (kept->prev == NONE) {
		table->done_head = kept->next;
	} else {
		table->kept[kept->prev].next = kept->next;
	}
	if (kept->next == NONE) {
		table->done_tail = kept->prev;
	} else {
		table->kept[kept->next].prev = kept->prev;
	}
	table->done--;
	*ret_event = kept->event;
	slot->state = WYN_TABLE_PENDING;
	wyn_table_end(table, slot);
	return true;
}

void wyn_table_free_lent(struct wyn_table *table)
{
	free(table->lent_heap);
	free(table->lent_text);
	table->lent_heap = NULL;
	table->lent_text = NULL;
}

struct wyn_table_slot *wyn_table_sweep(struct wyn_table *table)
{
	struct wyn_table_slot *slot;

	while (table->swept <= table->mask) {
		slot = table_place(table, table->next_seq + table->swept);
		table->swept++;
		if (slot->state == WYN_TABLE_PENDING) {
			return slot;
		}
	}
	return NULL;
}

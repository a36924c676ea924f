// SPDX-License-Identifier: MIT
/*
 * table.h - every task of a session that has no result yet, or whose result
 * nobody has taken.
 *
 * A ring indexed by seq: since the client chooses the seqs and may leave gaps,
 * a seq whose place is still taken by an old task is simply left out. So a
 * lookup is one index and one comparison, and a task that never ends holds up
 * nobody. Results that are kept lie in a second ring of the same shape, whose
 * pages are not touched as long as the caller takes results as they come.
 *
 * Part of a session: one thread at a time, no I/O.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <wyn/client.h>

#include "base/assert.h"
#include "base/compiler.h"

#define WYN_TABLE_INLINE_BYTES 64u /* values up to this need no malloc */

enum wyn_table_slot_state {
	WYN_TABLE_FREE = 0,
	WYN_TABLE_PENDING, /* no result yet */
	WYN_TABLE_DONE,	   /* its result is in kept[] */
};

/* Small, because every task touches one twice. */
struct wyn_table_slot {
	uint64_t seq;
	uint64_t tag;
	uint8_t state; /* enum wyn_table_slot_state */
	bool uploading;
	bool input;    /* a command whose input goes on */
	bool has_kept; /* kept[] holds value parts, or why it failed here */
	bool ended;    /* the last part of the value has come */
	bool awaited;  /* only during wyn_client_await_any() */
};

/* What a slot holds beyond that. */
struct wyn_kept {
	struct wyn_client_event event;
	uint32_t next; /* of the DONE ones, in the order they came */
	uint32_t prev;
	uint8_t *heap; /* a value over the inline size; ours to free */
	size_t heap_size;
	size_t heap_capacity;
	char *text; /* reason NUL message NUL, of a failure; ours to free */
	struct wyn_client_usage usage; /* of event */
	uint8_t room[WYN_TABLE_INLINE_BYTES];
};

struct wyn_table {
	struct wyn_table_slot *slots;
	struct wyn_kept *kept;
	uint64_t mask;
	uint32_t in_use_max;
	uint32_t in_use;
	uint32_t done;
	uint32_t done_head; /* valid while done > 0 */
	uint32_t done_tail;
	uint64_t next_seq;	  /* the least that was never used */
	uint64_t parts_bytes;	  /* of values that came in parts, untaken */
	uint64_t parts_bytes_max; /* WYN_CLIENT_PARTS_BYTES_MAX */
	uint64_t swept;		  /* slots that wyn_table_sweep() has seen */
	uint8_t *lent_heap;	  /* of what was taken last */
	char *lent_text;
};

/*
 * wyn_table_init - room for `in_use_max` tasks.
 *
 * Returns: 0, -ENOMEM. Memory is virtual until it is used.
 */
WYN_NODISCARD
int wyn_table_init(struct wyn_table *table, uint32_t in_use_max);

/* wyn_table_fini - frees everything. All zero bytes are fine too. */
void wyn_table_fini(struct wyn_table *table);

/*
 * wyn_table_run - how many seqs in a row the next submit may use, at most `n`.
 *
 * Returns: the count, from table->next_seq on; 0 when in_use_max are in use.
 */
size_t wyn_table_run(struct wyn_table *table, size_t n);

/* wyn_table_claim - takes the next `n` seqs, which wyn_table_run() found. */
uint64_t wyn_table_claim(struct wyn_table *table, size_t n, uint64_t tag);

/* wyn_table_find - the slot of a seq that is in use, or NULL. */
static inline struct wyn_table_slot *wyn_table_find(
	struct wyn_table *table, uint64_t seq)
{
	struct wyn_table_slot *slot = &table->slots[seq & table->mask];

	return slot->state != WYN_TABLE_FREE && slot->seq == seq ? slot : NULL;
}

/* wyn_table_kept - where the slot's result is. Cleared if it held nothing. */
struct wyn_kept *wyn_table_kept(
	struct wyn_table *table, struct wyn_table_slot *slot);

/*
 * wyn_table_part - appends a piece of the value of a pending task.
 *
 * Returns: 0, -ENOMEM. `size` has been checked against the limit.
 */
WYN_NODISCARD
int wyn_table_part(struct wyn_table *table, struct wyn_table_slot *slot,
	const void *data, size_t size);

/*
 * wyn_table_keep - the task is done and its result is to wait: copies it.
 *
 * event->value may be the slot's own parts. Without memory for a long value
 * the result becomes RESOURCE_EXHAUSTED: the task still has its one end.
 */
void wyn_table_keep(struct wyn_table *table, struct wyn_table_slot *slot,
	const struct wyn_client_event *event);

/*
 * wyn_table_fail_here - notes why a pending task cannot end well; its result
 * will say so whatever the server thinks of it. Out of memory it says less.
 */
void wyn_table_fail_here(struct wyn_table *table, struct wyn_table_slot *slot,
	const char *reason, const char *message);

/* wyn_table_lend - the slot keeps nothing any more; see wyn_table_release(). */
void wyn_table_lend(struct wyn_table *table, struct wyn_table_slot *slot);

/*
 * wyn_table_end - frees a pending slot whose result is handed out now.
 *
 * What it kept stays valid until wyn_table_release().
 */
static inline void wyn_table_end(
	struct wyn_table *table, struct wyn_table_slot *slot)
{
	wyn_assert(slot->state == WYN_TABLE_PENDING);
	if (WYN_UNLIKELY(slot->has_kept)) {
		wyn_table_lend(table, slot);
	}
	slot->state = WYN_TABLE_FREE;
	table->in_use--;
}

/*
 * wyn_table_take - hands out a kept result, and frees its slot.
 *
 * slot is a DONE one; NULL = the oldest. Returns: false when there is none.
 * The event is valid until wyn_table_release() or the next claim.
 */
bool wyn_table_take(struct wyn_table *table, struct wyn_table_slot *slot,
	struct wyn_client_event *ret_event);

/* wyn_table_free_lent - the rest of wyn_table_release(). */
void wyn_table_free_lent(struct wyn_table *table);

/* wyn_table_release - ends the validity of what was taken last. */
static inline void wyn_table_release(struct wyn_table *table)
{
	if (WYN_UNLIKELY(
		    table->lent_heap != NULL || table->lent_text != NULL)) {
		wyn_table_free_lent(table);
	}
}

/*
 * wyn_table_sweep - a task that is still pending, after a break.
 *
 * Each is given once, in no certain order; the caller ends it. Returns: NULL
 * when none is left.
 */
struct wyn_table_slot *wyn_table_sweep(struct wyn_table *table);

/* wyn_table_pending - tasks without a result. */
static inline uint32_t wyn_table_pending(const struct wyn_table *table)
{
	return table->in_use - table->done;
}

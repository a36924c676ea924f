// SPDX-License-Identifier: MIT
/*
 * table.c - see table.h.
 */
#include "spawner/table.h"

#include <stddef.h>

/* Ids are counted up, mostly; links are few. */
static size_t bucket_of(const struct wyn_link *owner, uint64_t id)
{
	return (id ^ ((uintptr_t)owner >> 6)) % WYN_TABLE_BUCKETS;
}

void wyn_table_add(struct wyn_table *table, struct wyn_command *command)
{
	size_t bucket = bucket_of(command->owner, command->id);

	command->next = table->buckets[bucket];
	table->buckets[bucket] = command;
}

void wyn_table_remove(struct wyn_table *table, struct wyn_command *command)
{
	struct wyn_command **at =
		&table->buckets[bucket_of(command->owner, command->id)];

	while (*at && *at != command) {
		at = &(*at)->next;
	}
	if (*at) {
		*at = command->next;
	}
}

struct wyn_command *wyn_table_find(const struct wyn_table *table,
	const struct wyn_link *owner, uint64_t id)
{
	struct wyn_command *command = table->buckets[bucket_of(owner, id)];

	while (command && (command->owner != owner || command->id != id)) {
		command = command->next;
	}
	return command;
}

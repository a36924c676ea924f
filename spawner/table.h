// SPDX-License-Identifier: MIT
/*
 * table.h - the commands of all links by the ids that wynd has given them.
 *
 * By pid they are found in the tree.
 */
#pragma once

#include <stdint.h>

#include "spawner/command.h"

#define WYN_TABLE_BUCKETS 1024u

struct wyn_table {
	struct wyn_command *buckets[WYN_TABLE_BUCKETS];
};

/* wyn_table_add - no other of its link has its id. */
void wyn_table_add(struct wyn_table *table, struct wyn_command *command);

/* wyn_table_remove - also one that is not there. */
void wyn_table_remove(struct wyn_table *table, struct wyn_command *command);

/* wyn_table_find - NULL = none. */
struct wyn_command *wyn_table_find(const struct wyn_table *table,
	const struct wyn_link *owner, uint64_t id);

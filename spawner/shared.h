// SPDX-License-Identifier: MIT
/*
 * shared.h - directories of cgroups, and ledgers, that several links may name.
 *
 * There can be one of each name, for who has it kills what an earlier one has
 * left. So links, and commands that were started under an earlier Configure,
 * hold what they need, and the last one lets go of it.
 */
#pragma once

#include "base/compiler.h"
#include "base/list.h"
#include "spawner/cgroup.h"
#include "spawner/ledger.h"

/* Commands of all who share a ledger: a file of less than a megabyte. */
#define WYN_SHARED_RECORDS 4096u

struct wyn_shared {
	struct wyn_list link;
	unsigned holders;
	char *name; /* as Configure has it */
};

struct wyn_shared_cgroups {
	struct wyn_shared shared; /* first */
	struct wyn_cgroups cgroups;
};

struct wyn_shared_ledger {
	struct wyn_shared shared; /* first */
	struct wyn_ledger ledger;
};

/*
 * wyn_shared_cgroups_hold, wyn_shared_ledger_hold - the one of this name, begun
 * if it is the first.
 *
 * Returns: 0; -errno of wyn_cgroups_init(), wyn_ledger_init(). *ret_cgroups is
 * NULL where there are to be none. *killed counts on. Blocks: as those do.
 */
WYN_NODISCARD
int wyn_shared_cgroups_hold(struct wyn_list *all, const char *name,
	unsigned *killed, struct wyn_shared_cgroups **ret_cgroups);
WYN_NODISCARD
int wyn_shared_ledger_hold(struct wyn_list *all, const char *name,
	const struct wyn_mark *mark, int proc, unsigned *killed,
	struct wyn_shared_ledger **ret_ledger);

/* wyn_shared_*_release - NULL is a no-op. */
void wyn_shared_cgroups_release(struct wyn_shared_cgroups *cgroups);
void wyn_shared_ledger_release(struct wyn_shared_ledger *ledger);

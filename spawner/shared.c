// SPDX-License-Identifier: MIT
/*
 * shared.c - see shared.h.
 */
#include "spawner/shared.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "spawner/sys.h"

/* The one of this name, held once more; NULL = there is none. */
static struct wyn_shared *held(struct wyn_list *all, const char *name)
{
	struct wyn_list *link;

	wyn_list_for_each (link, all) {
		struct wyn_shared *shared =
			wyn_list_entry(link, struct wyn_shared, link);

		if (strcmp(shared->name, name) == 0) {
			shared->holders++;
			return shared;
		}
	}
	return NULL;
}

static void destroy(struct wyn_shared *shared)
{
	free(shared->name);
	free(shared);
}

/* So many bytes with a head of this name, on no list. NULL = no memory. */
static struct wyn_shared *create(size_t bytes, const char *name)
{
	struct wyn_shared *shared = wyn_sys.calloc(1, bytes);
	size_t name_bytes = strlen(name) + 1;

	if (!shared) {
		return NULL;
	}
	shared->name = wyn_sys.calloc(name_bytes, 1);
	if (!shared->name) {
		free(shared);
		return NULL;
	}
	memcpy(shared->name, name, name_bytes);
	return shared;
}

static void enter(struct wyn_list *all, struct wyn_shared *shared)
{
	shared->holders = 1;
	wyn_list_init(&shared->link);
	wyn_list_push_back(all, &shared->link);
}

int wyn_shared_cgroups_hold(struct wyn_list *all, const char *name,
	unsigned *killed, struct wyn_shared_cgroups **ret_cgroups)
{
	struct wyn_shared_cgroups *cgroups =
		(struct wyn_shared_cgroups *)held(all, name);
	unsigned found = 0;
	int error;

	if (cgroups) {
		*ret_cgroups = cgroups;
		return 0;
	}
	cgroups = (struct wyn_shared_cgroups *)create(sizeof(*cgroups), name);
	if (!cgroups) {
		return -ENOMEM;
	}
	error = wyn_cgroups_init(&cgroups->cgroups, name, &found);
	*killed += found;
	if (error || !wyn_cgroups_have(&cgroups->cgroups)) {
		destroy(&cgroups->shared);
		if (!error) {
			*ret_cgroups = NULL;
		}
		return error;
	}
	enter(all, &cgroups->shared);
	*ret_cgroups = cgroups;
	return 0;
}

int wyn_shared_ledger_hold(struct wyn_list *all, const char *name,
	const struct wyn_mark *mark, int proc, unsigned *killed,
	struct wyn_shared_ledger **ret_ledger)
{
	struct wyn_shared_ledger *ledger =
		(struct wyn_shared_ledger *)held(all, name);
	unsigned found = 0;
	int error;

	if (ledger) {
		*ret_ledger = ledger;
		return 0;
	}
	ledger = (struct wyn_shared_ledger *)create(sizeof(*ledger), name);
	if (!ledger) {
		return -ENOMEM;
	}
	error = wyn_ledger_init(
		&ledger->ledger, name, WYN_SHARED_RECORDS, mark, proc, &found);
	*killed += found;
	if (error) {
		destroy(&ledger->shared);
		return error;
	}
	enter(all, &ledger->shared);
	*ret_ledger = ledger;
	return 0;
}

void wyn_shared_cgroups_release(struct wyn_shared_cgroups *cgroups)
{
	if (!cgroups || --cgroups->shared.holders > 0) {
		return;
	}
	wyn_list_remove(&cgroups->shared.link);
	wyn_cgroups_fini(&cgroups->cgroups);
	destroy(&cgroups->shared);
}

void wyn_shared_ledger_release(struct wyn_shared_ledger *ledger)
{
	if (!ledger || --ledger->shared.holders > 0) {
		return;
	}
	wyn_list_remove(&ledger->shared.link);
	wyn_ledger_fini(&ledger->ledger);
	destroy(&ledger->shared);
}

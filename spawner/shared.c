// SPDX-License-Identifier: MIT
/*
 * shared.c - see shared.h.
 */
#include "spawner/shared.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "spawner/sys.h"

static char *copy_of(const char *text)
{
	size_t bytes = strlen(text) + 1;
	char *copy = wyn_sys.calloc(bytes, 1);

	return copy ? memcpy(copy, text, bytes) : NULL;
}

int wyn_shared_cgroups_hold(struct wyn_list *all, const char *name,
	unsigned *killed, struct wyn_shared_cgroups **ret_cgroups)
{
	struct wyn_shared_cgroups *shared;
	struct wyn_list *link;
	unsigned found = 0;
	int error = -ENOMEM;

	wyn_list_for_each (link, all) {
		shared = wyn_list_entry(link, struct wyn_shared_cgroups, link);
		if (strcmp(shared->name, name) == 0) {
			shared->holders++;
			*ret_cgroups = shared;
			return 0;
		}
	}
	shared = wyn_sys.calloc(1, sizeof(*shared));
	if (!shared) {
		return -ENOMEM;
	}
	shared->name = copy_of(name);
	if (!shared->name) {
		goto free_shared;
	}
	error = wyn_cgroups_init(&shared->cgroups, name, &found);
	*killed += found;
	if (error || !wyn_cgroups_have(&shared->cgroups)) {
		goto free_name;
	}
	shared->holders = 1;
	wyn_list_init(&shared->link);
	wyn_list_push_back(all, &shared->link);
	*ret_cgroups = shared;
	return 0;
free_name:
	free(shared->name);
free_shared:
	free(shared);
	if (!error) {
		*ret_cgroups = NULL;
	}
	return error;
}

int wyn_shared_ledger_hold(struct wyn_list *all, const char *name,
	const struct wyn_mark *mark, int proc, unsigned *killed,
	struct wyn_shared_ledger **ret_ledger)
{
	struct wyn_shared_ledger *shared;
	struct wyn_list *link;
	unsigned found = 0;
	int error = -ENOMEM;

	wyn_list_for_each (link, all) {
		shared = wyn_list_entry(link, struct wyn_shared_ledger, link);
		if (strcmp(shared->name, name) == 0) {
			shared->holders++;
			*ret_ledger = shared;
			return 0;
		}
	}
	shared = wyn_sys.calloc(1, sizeof(*shared));
	if (!shared) {
		return -ENOMEM;
	}
	shared->name = copy_of(name);
	if (!shared->name) {
		goto free_shared;
	}
	error = wyn_ledger_init(
		&shared->ledger, name, WYN_SHARED_RECORDS, mark, proc, &found);
	*killed += found;
	if (error) {
		goto free_name;
	}
	shared->holders = 1;
	wyn_list_init(&shared->link);
	wyn_list_push_back(all, &shared->link);
	*ret_ledger = shared;
	return 0;
free_name:
	free(shared->name);
free_shared:
	free(shared);
	return error;
}

void wyn_shared_cgroups_release(struct wyn_shared_cgroups *cgroups)
{
	if (!cgroups || --cgroups->holders > 0) {
		return;
	}
	wyn_list_remove(&cgroups->link);
	wyn_cgroups_fini(&cgroups->cgroups);
	free(cgroups->name);
	free(cgroups);
}

void wyn_shared_ledger_release(struct wyn_shared_ledger *ledger)
{
	if (!ledger || --ledger->holders > 0) {
		return;
	}
	wyn_list_remove(&ledger->link);
	wyn_ledger_fini(&ledger->ledger);
	free(ledger->name);
	free(ledger);
}

// SPDX-License-Identifier: MIT
/*
 * stub.c - until they are there.
 */
#include <errno.h>
#include "spawner/cgroup.h"
#include "spawner/ledger.h"
int wyn_cgroups_init(struct wyn_cgroups *c, const char *d, unsigned *k)
{
	(void)d;
	*k = 0;
	c->base = -1;
	return 0;
}
void wyn_cgroups_fini(struct wyn_cgroups *c)
{
	(void)c;
}
int wyn_cgroup_acquire(struct wyn_cgroups *c, const struct wyn_cgroup_limits *l,
	struct wyn_cgroup **r)
{
	(void)c;
	(void)l;
	(void)r;
	return -ENOSYS;
}
void wyn_cgroup_release(struct wyn_cgroups *c, struct wyn_cgroup *g, bool r)
{
	(void)c;
	(void)g;
	(void)r;
}
bool wyn_cgroup_is_empty(const struct wyn_cgroup *g)
{
	(void)g;
	return true;
}
int wyn_cgroup_kill(struct wyn_cgroup *g)
{
	(void)g;
	return 0;
}
int wyn_cgroup_signal(struct wyn_cgroup *g, int p, int n, int a)
{
	(void)g;
	(void)p;
	(void)n;
	(void)a;
	return 0;
}
bool wyn_cgroup_out_of_memory(const struct wyn_cgroup *g)
{
	(void)g;
	return false;
}
int wyn_ledger_init(struct wyn_ledger *l, const char *p, uint32_t r,
	const struct wyn_mark *m, int proc, unsigned *k)
{
	(void)l;
	(void)p;
	(void)r;
	(void)m;
	(void)proc;
	*k = 0;
	return -ENOSYS;
}
void wyn_ledger_fini(struct wyn_ledger *l)
{
	(void)l;
}
int wyn_ledger_begin(struct wyn_ledger *l, uint32_t *r, pid_t **p)
{
	(void)l;
	(void)r;
	(void)p;
	return -ENOSYS;
}
void wyn_ledger_started(struct wyn_ledger *l, uint32_t r)
{
	(void)l;
	(void)r;
}
void wyn_ledger_clear(struct wyn_ledger *l, uint32_t r)
{
	(void)l;
	(void)r;
}

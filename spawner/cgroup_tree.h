// SPDX-License-Identifier: MIT
/*
 * cgroup_tree.h - a cgroup with those that its command has made below it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

/* A command that goes deeper has what is below killed and removed all the same,
 * but not signalled nor counted. */
#define WYN_CGROUP_DEPTH_MAX 32u

/*
 * wyn_cgroup_tree_populated - by the file cgroup.events, which is open.
 *
 * Returns: 0: *ret_frozen too; -errno.
 */
WYN_NODISCARD
int wyn_cgroup_tree_populated(
	int events, bool *ret_populated, bool *ret_frozen);

/* wyn_cgroup_tree_count - how many processes are in it and below. */
uint32_t wyn_cgroup_tree_count(int directory);

/*
 * wyn_cgroup_tree_signal - to every process in it and below, once.
 *
 * proc: /proc. name: of the cgroup; a process that is in none of this name gets
 * nothing, for it has come by its number since. Returns: 0: *ret_sent got it;
 * -EPERM; -errno.
 */
WYN_NODISCARD
int wyn_cgroup_tree_signal(int directory, int proc, const char *name,
	int number, int after, uint32_t *ret_sent);

/* wyn_cgroup_tree_kill - as wyn_cgroup_kill(). */
WYN_NODISCARD
int wyn_cgroup_tree_kill(int directory, const char *name);

/* wyn_cgroup_tree_kill_frozen - the same before Linux 5.14. */
WYN_NODISCARD
int wyn_cgroup_tree_kill_frozen(int directory, const char *name);

/*
 * wyn_cgroup_tree_remove - `name` in `base` and all below it, by `remove`.
 *
 * Returns: 0; -EBUSY: it is not empty; -errno.
 */
WYN_NODISCARD
int wyn_cgroup_tree_remove(int base, const char *name,
	int (*remove)(int directory, const char *name));

// SPDX-License-Identifier: MIT
/*
 * cgroup_place.h - where our own cgroup is in the file system.
 */
#pragma once

#include <limits.h>
#include <stdio.h>

#include "base/compiler.h"

/*
 * wyn_cgroup_place_find - the directory of our cgroup of version 2, by
 * mountinfo and cgroup of /proc/self.
 *
 * Returns: 0; -ENOENT: there is none, or it is not below what is mounted;
 * -ENAMETOOLONG; -ENOMEM.
 */
WYN_NODISCARD
int wyn_cgroup_place_find(
	FILE *mountinfo, FILE *cgroup, char ret_path[PATH_MAX]);

/* wyn_cgroup_place_own - the same with these files, and -errno of opening
 * them. */
WYN_NODISCARD
int wyn_cgroup_place_own(char ret_path[PATH_MAX]);

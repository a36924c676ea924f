// SPDX-License-Identifier: MIT
/*
 * cpus.h - how many workers this process may keep busy.
 *
 * The one file of the pool that reads the system: the affinity mask, and the
 * CPU quota of the process's cgroup and all its ancestors, below a root that
 * tests replace.
 */
#pragma once

/*
 * wyn_cpus_allowed - the smaller of affinity and quota, at least 1.
 *
 * A quota of 1.5 CPUs counts as 2: the half is better throttled than lost.
 * What cannot be read does not limit. `root` is a prefix of /proc and /sys.
 *
 * Thread: boot. Blocks: reads a few small files.
 */
unsigned wyn_cpus_allowed(const char *root);

/*
 * wyn_cpus_quota - the quota alone, in whole CPUs; 0 = none.
 *
 * Thread: boot. Blocks: reads a few small files.
 */
unsigned wyn_cpus_quota(const char *root);

// SPDX-License-Identifier: MIT
/*
 * cgroup.h - a cgroup (version 2) for each command: made, reused, limited,
 * killed whole, removed.
 *
 * The base is a directory below which commands have one each, named
 * WYN_CGROUP_PREFIX and a number; nothing else in it is touched. Nothing here
 * knows that it is a cgroup but by the files in it, so that a test can put
 * ordinary files there. Without a base (`wyn_cgroups_have` is false) none of
 * the other functions is called. One thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/compiler.h"
#include "base/list.h"

#define WYN_CGROUP_PREFIX "wynd-command."

/* We are there, when the base is our own cgroup: a cgroup that has controllers
 * for those below it may have no processes. */
#define WYN_CGROUP_LEAF "wynd-main"

/* Empty ones that are kept for the next command: making and removing one costs
 * more than to start /bin/true (README.md has figures). */
#define WYN_CGROUPS_KEPT_MAX 64u

/* A kill where there is no cgroup.kill: freezing it first may take so long. */
#define WYN_CGROUP_FREEZE_MS 100u

/* A sweep: until those that were killed are gone. */
#define WYN_CGROUP_SWEEP_MS 5000u

#define WYN_CGROUP_MEMORY 0x1u
#define WYN_CGROUP_PIDS	  0x2u
#define WYN_CGROUP_CPU	  0x4u

/* Of a command; 0 = none. */
struct wyn_cgroup_limits {
	uint64_t memory_bytes;
	uint64_t processes;
	uint64_t cpu_percent; /* of one CPU */
};

/* One command's, from acquire to release. */
struct wyn_cgroup {
	struct wyn_list link; /* of the kept, or of the leaving */
	uint64_t number;
	uint64_t oom_kills; /* before */
	int directory;	    /* for CLONE_INTO_CGROUP */
	int events; /* cgroup.events; EPOLLPRI when `populated` changes */
	bool limited;
	bool memory_limited;
	bool killed;
};

struct wyn_cgroups {
	int base;	      /* -1: none */
	int lock;	      /* what of it is locked; -1: itself */
	char *path;	      /* of the base; NULL = none */
	unsigned controllers; /* WYN_CGROUP_*: what can be limited */
	uint64_t number;      /* of the last one */
	uint32_t kept_count;
	struct wyn_list kept;
	struct wyn_list leaving; /* released, and not removed yet */
	/* mkdirat(2) and rmdir, also for tests, whose files come with them */
	int (*make)(int directory, const char *name, mode_t mode);
	int (*remove)(int directory, const char *name);
};

/*
 * wyn_cgroups_init - finds the base, locks it, kills and removes what an
 * earlier run has left in it, and enables the controllers that we may have.
 *
 * directory: absolute, of a cgroup2, made if its parent is there; "" = our own
 * cgroup if it was delegated to us, or the one above it was (systemd's
 * DelegateSubgroup=): it is ours and has the attribute user.delegate or
 * trusted.delegate; all processes of it then move to WYN_CGROUP_LEAF, and if
 * they cannot there are no controllers; "none" = no cgroups.
 *
 * Returns: 0: *ret_killed processes were killed; without a base when
 * `directory` is "none", or is "" and nothing was delegated; -EWOULDBLOCK:
 * another spawner has it; -EINVAL: not of a cgroup2; -ETIMEDOUT: what was
 * killed does not go; -ENOMEM; -errno. With an error there is no base. Blocks:
 * until the killed are gone, or the lock is free: seconds at most.
 */
WYN_NODISCARD
int wyn_cgroups_init(struct wyn_cgroups *cgroups, const char *directory,
	unsigned *ret_killed);

/*
 * wyn_cgroups_init_at - the same with a base that is open and ours, by the
 * `make` and `remove` that are in there. For tests.
 *
 * Owns: takes `base`, also with an error. own: move its processes.
 */
WYN_NODISCARD
int wyn_cgroups_init_at(struct wyn_cgroups *cgroups, int base, const char *path,
	bool own, unsigned *ret_killed);

/* wyn_cgroups_none - without a base. */
void wyn_cgroups_none(struct wyn_cgroups *cgroups);

/* wyn_cgroups_fini - removes what is empty. All have been released. */
void wyn_cgroups_fini(struct wyn_cgroups *cgroups);

static inline bool wyn_cgroups_have(const struct wyn_cgroups *cgroups)
{
	return cgroups->base >= 0;
}

/*
 * wyn_cgroup_acquire - an empty one with these limits.
 *
 * Limits without a controller are not set; the caller compares
 * `cgroups->controllers` and does what he can by rlimits. Owns: gives it, until
 * wyn_cgroup_release. Returns: 0; -ENOMEM; -errno of mkdir, open and write
 * (-EMFILE, -EAGAIN: too many cgroups): nothing is left of it.
 */
WYN_NODISCARD
int wyn_cgroup_acquire(struct wyn_cgroups *cgroups,
	const struct wyn_cgroup_limits *limits, struct wyn_cgroup **ret_cgroup);

/*
 * wyn_cgroup_release - whatever is in it, it is ours no more: kept if it is
 * empty and as new, else removed, now or when it is empty.
 *
 * As new is one without limits, its command's own among them, that is not
 * frozen, was not killed and has none below it. reuse: false when a clone into
 * it failed, or its command may have killed it.
 */
void wyn_cgroup_release(
	struct wyn_cgroups *cgroups, struct wyn_cgroup *cgroup, bool reuse);

/*
 * wyn_cgroups_tidy - removes what was not empty when it was released.
 *
 * Acquire does it too. Returns: how many are left. Costs: nothing if none are.
 */
uint32_t wyn_cgroups_tidy(struct wyn_cgroups *cgroups);

/*
 * wyn_cgroup_is_empty - no process is in it, nor below it. Zombies are none.
 *
 * Costs: one pread(2) when it is, and was so for a moment. Returns: false also
 * when that fails.
 */
bool wyn_cgroup_is_empty(const struct wyn_cgroup *cgroup);

/*
 * wyn_cgroup_kill - SIGKILL to all in it and below it. They are gone when
 * wyn_cgroup_is_empty says so.
 *
 * Returns: 0; -EAGAIN: it would not freeze, and may have grown meanwhile: again
 * (never with cgroup.kill, Linux 5.14); -errno. Blocks: without cgroup.kill,
 * WYN_CGROUP_FREEZE_MS at most.
 */
WYN_NODISCARD
int wyn_cgroup_kill(struct wyn_cgroup *cgroup);

/*
 * wyn_cgroup_signal - `number`, then `after` if it is not 0, to all in it and
 * below.
 *
 * proc: descriptor of /proc. Returns: 0; -ESRCH: to nobody; -EPERM; -errno.
 */
WYN_NODISCARD
int wyn_cgroup_signal(
	struct wyn_cgroup *cgroup, int proc, int number, int after);

/*
 * wyn_cgroup_out_of_memory - the kernel has killed of it for its memory limit.
 * False where it has none of its own: then the machine had no more.
 */
bool wyn_cgroup_out_of_memory(const struct wyn_cgroup *cgroup);

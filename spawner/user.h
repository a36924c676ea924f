// SPDX-License-Identifier: MIT
/*
 * user.h - the ids and groups that a command gets, kept for the next one.
 *
 * The groups are those of the system's data bases, which may take a while to
 * ask; what they said is good for WYN_USER_KEPT_NS. Who is in none has his own
 * group alone. Without root there is nothing to ask: commands run as we do.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/compiler.h"
#include "base/time.h"

#define WYN_USERS_KEPT_MAX 16u
#define WYN_USER_KEPT_NS   (10 * WYN_NS_PER_S)

/* of one user: the kernel's own bound is 65536 */
#define WYN_USER_GROUPS_MAX 65536

struct wyn_user {
	uid_t uid;
	gid_t gid;
	gid_t *groups; /* NULL = this entry is free */
	size_t groups_count;
	uint64_t asked_ns;
	uint64_t used; /* the number of the use */
};

struct wyn_users {
	uint64_t uses;
	struct wyn_user kept[WYN_USERS_KEPT_MAX];
};

/*
 * wyn_users_get - whom to become; *ret_user is NULL where that is who we are.
 *
 * Owns: borrowed until the next call. Returns: 0; -EINVAL: a number that means
 * nobody; -EPERM: we are not root, and not this user; -ENOMEM; -errno of
 * getpwuid_r(3). Blocks: as long as the data base of users takes.
 */
WYN_NODISCARD
int wyn_users_get(struct wyn_users *users, uid_t uid, gid_t gid,
	uint64_t now_ns, const struct wyn_user **ret_user);
void wyn_users_fini(struct wyn_users *users);

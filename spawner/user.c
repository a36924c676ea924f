// SPDX-License-Identifier: MIT
/*
 * user.c - see user.h.
 */
#include "spawner/user.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "spawner/sys.h"

#define ENTRY_BYTES	(16u << 10)
#define ENTRY_BYTES_MAX (1u << 20)
#define GROUPS_FIRST	64

/* As getpwuid_r(3) wants it: a buffer that is large enough, whatever that is.
 * The entry's strings are in *ret_buffer. Returns: 0, also with no entry. */
static int find_entry(uid_t uid, struct passwd *entry, char **ret_buffer,
	struct passwd **ret_entry)
{
	char *buffer = NULL;
	int error = ERANGE;

	for (size_t bytes = ENTRY_BYTES;
		error == ERANGE && bytes <= ENTRY_BYTES_MAX; bytes *= 4) {
		free(buffer);
		buffer = wyn_sys.calloc(bytes, 1);
		if (!buffer) {
			return -ENOMEM;
		}
		do {
			error = wyn_sys.getpwuid(
				uid, entry, buffer, bytes, ret_entry);
		} while (error == EINTR);
	}
	if (error == ENOENT || error == ESRCH) {
		/* Some say so of a user who is not there: see the manual. */
		*ret_entry = NULL;
		error = 0;
	}
	if (error) {
		free(buffer);
		return -error;
	}
	*ret_buffer = buffer;
	return 0;
}

static int find_groups(const char *name, struct wyn_user *user)
{
	int room = GROUPS_FIRST;

	for (;;) {
		int count = room;
		gid_t *groups = wyn_sys.realloc(
			user->groups, (size_t)room * sizeof(*user->groups));

		if (!groups) {
			return -ENOMEM;
		}
		user->groups = groups;
		if (wyn_sys.getgrouplist(name, user->gid, groups, &count) >=
			0) {
			user->groups_count = (size_t)count;
			return 0;
		}
		/* The same count again: it has failed, and does not say why. */
		if (count <= room || room >= WYN_USER_GROUPS_MAX) {
			return -ENOMEM;
		}
		room = count;
	}
}

static int ask(struct wyn_user *user)
{
	struct passwd entry;
	struct passwd *found = NULL;
	char *buffer = NULL;
	int error = find_entry(user->uid, &entry, &buffer, &found);

	if (!error && found) {
		error = find_groups(found->pw_name, user);
	} else if (!error) {
		user->groups = wyn_sys.calloc(1, sizeof(*user->groups));
		error = user->groups ? 0 : -ENOMEM;
		if (user->groups) {
			user->groups[0] = user->gid;
			user->groups_count = 1;
		}
	}
	free(buffer);
	return error;
}

static void forget(struct wyn_user *user)
{
	free(user->groups);
	*user = (struct wyn_user){0};
}

/* The entry of this user, else the one that was not used for longest. */
static struct wyn_user *entry_of(struct wyn_users *users, uid_t uid, gid_t gid)
{
	struct wyn_user *oldest = &users->kept[0];

	for (size_t i = 0; i < WYN_USERS_KEPT_MAX; i++) {
		struct wyn_user *user = &users->kept[i];

		if (user->groups && user->uid == uid && user->gid == gid) {
			return user;
		}
		if (user->used < oldest->used) {
			oldest = user;
		}
	}
	return oldest;
}

int wyn_users_get(struct wyn_users *users, uid_t uid, gid_t gid,
	uint64_t now_ns, const struct wyn_user **ret_user)
{
	struct wyn_user *user;

	/* setresuid(2) would take it for "as it is", which is root. */
	if (uid == (uid_t)-1 || gid == (gid_t)-1) {
		return -EINVAL;
	}
	if (geteuid() != 0) {
		if (uid != geteuid() || gid != getegid()) {
			return -EPERM;
		}
		*ret_user = NULL;
		return 0;
	}
	user = entry_of(users, uid, gid);
	if (!user->groups || user->uid != uid || user->gid != gid ||
		now_ns - user->asked_ns >= WYN_USER_KEPT_NS) {
		int error;

		forget(user);
		user->uid = uid;
		user->gid = gid;
		user->asked_ns = now_ns;
		error = ask(user);
		if (error) {
			forget(user);
			return error;
		}
	}
	user->used = ++users->uses;
	*ret_user = user;
	return 0;
}

void wyn_users_fini(struct wyn_users *users)
{
	for (size_t i = 0; i < WYN_USERS_KEPT_MAX; i++) {
		forget(&users->kept[i]);
	}
}

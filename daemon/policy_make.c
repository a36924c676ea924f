// SPDX-License-Identifier: MIT
/*
 * policy_make.c - see policy_make.h.
 *
 * Whom commands run as depends on what the spawner may. One that we start is
 * root if we are. One that is a service is meant to be: it is for daemons that
 * are not root and run commands of others. If it is not, it says so to the
 * first command of somebody else, which does not run.
 */
#include "daemon/policy_make.h"

#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/quantity.h"
#include "daemon/engine/policy.h"

#define SPAWNER_NAME "wynd-spawner"
#define PASSWD_BYTES (1u << 12)	      /* to begin with */
#define PASSWD_MAX   (1u << 20)	      /* of one user */
#define USER_ID_MAX  (UINT32_MAX - 1) /* the last one means nobody */

/* What is being made. */
struct making {
	const struct wyn_settings *settings;
	struct wyn_policy *policy;
	struct wyn_fault *fault;
};

static int no_memory(const struct making *making)
{
	return wyn_fault_system(
		making->fault, -ENOMEM, "keep the rules of commands");
}

/* Returns: 0; -ENOENT; -errno. What it gives is in *buffer, which is to be
 * freed whatever comes back. */
static int passwd_find(
	const char *name, bool number, struct passwd *ret_entry, char **buffer)
{
	uint64_t uid = 0;
	struct passwd *found = NULL;
	int error = ERANGE;

	*buffer = NULL;
	if (number && wyn_quantity_parse_count(name, 0, USER_ID_MAX, &uid)) {
		return -ENOENT;
	}
	for (size_t bytes = PASSWD_BYTES;
		error == ERANGE && bytes <= PASSWD_MAX; bytes *= 2) {
		free(*buffer);
		*buffer = malloc(bytes);
		if (*buffer == NULL) {
			return -ENOMEM;
		}
		error = number ? getpwuid_r((uid_t)uid, ret_entry, *buffer,
					 bytes, &found)
			       : getpwnam_r(name, ret_entry, *buffer, bytes,
					 &found);
	}
	/* Some databases say so of who is not there: getpwnam(3). */
	if (error == ESRCH || error == ENOENT) {
		error = 0;
	}
	return error != 0 ? -error : (found == NULL ? -ENOENT : 0);
}

static bool is_number(const char *name)
{
	return name[0] != '\0' && strspn(name, "0123456789") == strlen(name);
}

static int user_fault(const struct making *making, const char *key,
	const char *name, int error)
{
	if (error == -ENOENT) {
		return wyn_fault_set(making->fault, error,
			WYN_EXIT_CONFIGURATION,
			"%s: there is no user %.100s; name one, or its number",
			key, name);
	}
	return wyn_fault_set(making->fault, error, wyn_fault_exit_code(error),
		"%s: the user %.100s cannot be looked up: %s", key, name,
		strerror(-error));
}

/* A number need not be anybody's. */
static int uid_find(const struct making *making, const char *key,
	const char *name, uint32_t *ret_uid)
{
	struct passwd entry;
	char *buffer;
	uint64_t uid;
	int error;

	if (is_number(name)) {
		error = wyn_quantity_parse_count(name, 0, USER_ID_MAX, &uid);
		if (error != 0) {
			return user_fault(making, key, name, -ENOENT);
		}
		*ret_uid = (uint32_t)uid;
		return 0;
	}
	error = passwd_find(name, false, &entry, &buffer);
	if (error == 0) {
		*ret_uid = entry.pw_uid;
	} else {
		error = user_fault(making, key, name, error);
	}
	free(buffer);
	return error;
}

static int users_make(const struct making *making)
{
	const struct wyn_setting_list *list = &making->settings->command_users;
	struct wyn_policy *policy = making->policy;
	const char *word = NULL;
	int error = 0;

	policy->users = calloc(list->count + 1, sizeof(*policy->users));
	if (policy->users == NULL) {
		return no_memory(making);
	}
	while (error == 0 && (word = wyn_setting_word(list, word)) != NULL) {
		error = uid_find(making, "command_users", word,
			&policy->users[policy->users_count]);
		policy->users_count += error == 0;
	}
	return error;
}

static int texts_make(const struct making *making,
	const struct wyn_setting_list *list, char ***ret_texts,
	size_t *ret_count)
{
	char **texts = calloc(list->count + 1, sizeof(*texts));
	const char *word = NULL;

	if (texts == NULL) {
		return no_memory(making);
	}
	*ret_texts = texts;
	while ((word = wyn_setting_word(list, word)) != NULL) {
		texts[*ret_count] = strdup(word);
		if (texts[*ret_count] == NULL) {
			return no_memory(making);
		}
		++*ret_count;
	}
	return 0;
}

/* The user's own name, for that is what is asked for. */
static int target_find(const struct making *making, const char *name,
	struct wyn_policy_run_as *row)
{
	struct passwd entry;
	char *buffer;
	int error = passwd_find(name, is_number(name), &entry, &buffer);

	if (error != 0) {
		error = user_fault(making, "command_run_as", name, error);
	} else {
		row->as_uid = entry.pw_uid;
		row->as_gid = entry.pw_gid;
		row->as = strdup(entry.pw_name);
		error = row->as == NULL ? no_memory(making) : 0;
	}
	free(buffer);
	return error;
}

static int row_make(const struct making *making, const char *word,
	struct wyn_policy_run_as *row)
{
	const struct wyn_policy *policy = making->policy;
	const char *equals = strchr(word, '=');
	char *peer = strndup(word, (size_t)(equals - word));
	int error = peer == NULL ? no_memory(making) : 0;

	if (error == 0) {
		error = uid_find(making, "command_run_as", peer, &row->uid);
	}
	free(peer);
	if (error == 0) {
		error = target_find(making, equals + 1, row);
	}
	if (error == 0 && !policy->root && row->as_uid != policy->own_uid) {
		error = wyn_fault_set(making->fault, -EPERM,
			WYN_EXIT_CONFIGURATION,
			"command_run_as = %.200s: needs a spawner that is "
			"root; start wynd as root, or set spawner to the "
			"socket of its service",
			word);
	}
	/* Root by way of a service: its socket is open to our own user. */
	if (error == 0 && policy->root && policy->own_uid != 0 &&
		row->as_uid == policy->own_uid) {
		error = wyn_fault_set(making->fault, -EPERM,
			WYN_EXIT_CONFIGURATION,
			"command_run_as = %.200s: is the user that wynd runs "
			"as, who could have anything run by the service of the "
			"spawner",
			word);
	}
	return error;
}

static int run_as_make(const struct making *making)
{
	const struct wyn_setting_list *list = &making->settings->command_run_as;
	struct wyn_policy *policy = making->policy;
	const char *word = NULL;
	int error = 0;

	policy->run_as = calloc(list->count + 1, sizeof(*policy->run_as));
	if (policy->run_as == NULL) {
		return no_memory(making);
	}
	while (error == 0 && (word = wyn_setting_word(list, word)) != NULL) {
		/* Counted also when it fails, for its text. */
		error = row_make(
			making, word, &policy->run_as[policy->run_as_count++]);
	}
	return error;
}

/* Of a wynd that runs where it was built, or was installed elsewhere. NULL:
 * there is none. */
static char *spawner_beside(void)
{
	static const char tail[] = "/" SPAWNER_NAME;
	char path[WYN_SETTING_TEXT_BYTES + sizeof(tail)];
	ssize_t bytes =
		readlink("/proc/self/exe", path, WYN_SETTING_TEXT_BYTES - 1);
	char *slash;

	if (bytes <= 0) {
		return NULL;
	}
	path[bytes] = '\0';
	slash = strrchr(path, '/');
	if (slash == NULL) {
		return NULL;
	}
	memcpy(slash, tail, sizeof(tail));
	return access(path, X_OK) == 0 ? strdup(path) : NULL;
}

static int spawner_find(const struct making *making)
{
	const char *said = making->settings->spawner;
	struct wyn_policy *policy = making->policy;
	struct stat status;
	bool program;

	if (strcmp(said, WYN_SPAWNER) == 0) {
		policy->spawner = spawner_beside();
	}
	if (policy->spawner == NULL) {
		policy->spawner = strdup(said);
	}
	if (policy->spawner == NULL) {
		return no_memory(making);
	}
	program = stat(policy->spawner, &status) == 0 &&
		  !S_ISSOCK(status.st_mode);
	policy->root = policy->own_uid == 0 || !program;
	return 0;
}

/* value: 0 = none is set. The hard limit is `hard`, or ours where that is 0;
 * the soft one is no more, unless the spawner may raise both. */
static void rlimit_make(
	struct wyn_policy *policy, int resource, uint64_t value, uint64_t hard)
{
	struct rlimit ours;

	if (value == 0 ||
		getrlimit((__rlimit_resource_t)resource, &ours) != 0) {
		return;
	}
	if (!policy->root && value > ours.rlim_max) {
		value = ours.rlim_max;
		hard = value;
	}
	if (hard == 0) {
		hard = value > ours.rlim_max ? value : ours.rlim_max;
	}
	policy->rlimits[policy->rlimits_count++] =
		(struct wyn_rlimit){(uint32_t)resource, value, hard};
}

static int cgroup_make(const struct making *making)
{
	const char *said = making->settings->command_cgroup;
	bool own = strcmp(said, WYN_CGROUP_OWN) == 0;

	making->policy->cgroup = strdup(own ? "" : said);
	return making->policy->cgroup == NULL ? no_memory(making) : 0;
}

static int lists_make(const struct making *making)
{
	const struct wyn_settings *settings = making->settings;
	struct wyn_policy *policy = making->policy;
	int error = users_make(making);

	if (error == 0) {
		error = texts_make(making, &settings->command_programs,
			&policy->programs, &policy->programs_count);
	}
	if (error == 0) {
		error = texts_make(making, &settings->command_env,
			&policy->names, &policy->names_count);
	}
	if (error == 0) {
		error = run_as_make(making);
	}
	return error;
}

int wyn_policy_make(const struct wyn_settings *settings,
	struct wyn_policy **ret_policy, struct wyn_fault *ret_fault)
{
	struct wyn_policy *policy = wyn_policy_create();
	const struct making making = {settings, policy, ret_fault};
	int error;

	if (policy == NULL) {
		return no_memory(&making);
	}
	if (settings->command_env.count > WYN_POLICY_NAMES_MAX) {
		wyn_policy_release(policy);
		return wyn_fault_set(ret_fault, -E2BIG, WYN_EXIT_CONFIGURATION,
			"command_env: has %zu names, and may have %u",
			settings->command_env.count, WYN_POLICY_NAMES_MAX);
	}
	policy->commands = settings->commands;
	policy->own_uid = geteuid();
	policy->own_gid = getegid();
	policy->umask = settings->command_umask;
	policy->private_tmp = settings->command_private_tmp;
	error = spawner_find(&making);
	if (error == 0) {
		rlimit_make(policy, RLIMIT_NOFILE, settings->command_files, 0);
		rlimit_make(policy, RLIMIT_NPROC, settings->command_processes,
			settings->command_processes);
		error = cgroup_make(&making);
	}
	if (error == 0) {
		error = lists_make(&making);
	}
	if (error != 0) {
		wyn_policy_release(policy);
		return error;
	}
	*ret_policy = policy;
	return 0;
}

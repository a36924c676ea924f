// SPDX-License-Identifier: MIT
/*
 * module.c - wynctl module check: has wynd look at a module.
 *
 * Modules are the daemon's business, so its own program is run in our place:
 * the one that was installed beside us, else the one in PATH.
 */
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "client/wynctl/ctl.h"

#define DAEMON "wynd"

/* Returns: false where there is none that can be run. */
static bool module_beside(char path[PATH_MAX])
{
	ssize_t size = readlink("/proc/self/exe", path, PATH_MAX - 1);
	char *end;

	if (size < 0) {
		return false;
	}
	path[size] = '\0';
	end = strrchr(path, '/');
	if (end == NULL ||
		(size_t)(end - path) + sizeof("/" DAEMON) > PATH_MAX) {
		return false;
	}
	memcpy(end, "/" DAEMON, sizeof("/" DAEMON));
	return access(path, X_OK) == 0;
}

int wyn_command_module_check(struct wyn_ctl *ctl)
{
	const struct wyn_arguments *arguments = ctl->arguments;
	char check[] = "--check-module";
	char name[] = DAEMON;
	char *words[] = {name, check, arguments->operands[1], NULL};
	char path[PATH_MAX];

	if (module_beside(path)) {
		(void)execv(path, words);
	} else {
		memcpy(path, DAEMON, sizeof(DAEMON));
		(void)execvp(path, words);
	}
	wyn_ctl_say("cannot run %s, which looks at modules: %s", path,
		strerror(errno));
	return WYN_EXIT_UNAVAILABLE;
}

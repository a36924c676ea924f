// SPDX-License-Identifier: MIT
/*
 * here.c - see here.h.
 */
#include "client/wynctl/here.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/compiler.h"
#include "client/wynctl/ctl.h"

static size_t name_bytes(const char *variable)
{
	return strcspn(variable, "=");
}

static bool is_sent(const char *variable)
{
	static const char *const names[] = {
		"HOME", "LANG", "PATH", "TERM", "USER", "TZ"};
	size_t bytes = name_bytes(variable);

	if (variable[bytes] == '\0') {
		return false; /* no variable at all */
	}
	for (size_t i = 0; i < WYN_COUNT_OF(names); i++) {
		if (strlen(names[i]) == bytes &&
			memcmp(names[i], variable, bytes) == 0) {
			return true;
		}
	}
	return strncmp(variable, "LC_", 3) == 0;
}

/* One that is called like `variable`, of a list that ends with NULL. */
static char *const *find(char *const *list, const char *variable)
{
	size_t bytes = name_bytes(variable);

	for (; *list != NULL; list++) {
		if (strncmp(*list, variable, bytes) == 0 &&
			(*list)[bytes] == '=') {
			return list;
		}
	}
	return NULL;
}

/* In place of one of the same name, or at the end. The list has room. */
static void put(char **list, const char *variable)
{
	char *const *place = find(list, variable);
	size_t at = place != NULL ? (size_t)(place - list) : 0;

	while (place == NULL && list[at] != NULL) {
		at++;
	}
	if (place == NULL) {
		list[at + 1] = NULL;
	}
	list[at] = (char *)(uintptr_t)variable;
}

static size_t count(char *const *list)
{
	size_t n = 0;

	while (list[n] != NULL) {
		n++;
	}
	return n;
}

int wyn_here_environment(char *const *environment,
	const struct wyn_arguments_list *more, char ***ret_environment,
	const char **ret_wrong)
{
	char **list =
		calloc(count(environment) + more->count + 1, sizeof(*list));

	if (list == NULL) {
		return -ENOMEM;
	}
	for (size_t i = 0; environment[i] != NULL; i++) {
		if (is_sent(environment[i])) {
			put(list, environment[i]);
		}
	}
	for (size_t i = 0; i < more->count; i++) {
		const char *text = more->texts[i];
		char *const *here = find(environment, text);

		if (text[0] == '=' || text[0] == '\0') {
			free(list);
			*ret_wrong = text;
			return -EINVAL;
		}
		if (strchr(text, '=') != NULL) {
			put(list, text);
		} else if (here != NULL) {
			put(list, *here);
		}
	}
	*ret_environment = list;
	return 0;
}

int wyn_here_directory(const char *directory, char **ret_path)
{
	char *here;
	char *path;

	if (directory != NULL && directory[0] == '/') {
		path = strdup(directory);
		*ret_path = path;
		return path != NULL ? 0 : -ENOMEM;
	}
	here = getcwd(NULL, 0);
	if (here == NULL) {
		return -errno;
	}
	if (directory == NULL) {
		*ret_path = here;
		return 0;
	}
	if (asprintf(&path, "%s/%s", strcmp(here, "/") == 0 ? "" : here,
		    directory) < 0) {
		path = NULL;
	}
	free(here);
	*ret_path = path;
	return path != NULL ? 0 : -ENOMEM;
}

bool wyn_here_command(struct wyn_here *here,
	const struct wyn_arguments *arguments,
	struct wyn_client_command *ret_command)
{
	const char *wrong = NULL;
	int err = wyn_here_environment(
		environ, &arguments->env, &here->environment, &wrong);

	if (err == -EINVAL) {
		wyn_ctl_say("--env %s: it begins with no name", wrong);
		return false;
	}
	if (err != 0) {
		wyn_ctl_say("%s", strerror(-err));
		return false;
	}
	err = wyn_here_directory(arguments->cwd, &here->directory);
	if (err != 0) {
		wyn_ctl_say("cannot tell the current directory: %s; give one "
			    "with --cwd",
			strerror(-err));
		return false;
	}
	*ret_command = (struct wyn_client_command){
		.argv = arguments->operands,
		.env = here->environment,
		.cwd = here->directory,
		.run_as = arguments->user,
		.memory_bytes = arguments->memory_bytes,
		.processes = arguments->processes,
		.cpu_percent = arguments->cpu_percent,
		.merge_stderr = arguments->merge,
	};
	return true;
}

void wyn_here_fini(struct wyn_here *here)
{
	free(here->environment);
	free(here->directory);
	*here = (struct wyn_here){0};
}

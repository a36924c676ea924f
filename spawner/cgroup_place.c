// SPDX-License-Identifier: MIT
/*
 * cgroup_place.c - two files of /proc/self put together.
 */
#include "spawner/cgroup_place.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

/* \040 and the like, in place. */
static void decode(char *text)
{
	char *to = text;

	for (const char *from = text; *from != '\0'; to++) {
		if (from[0] == '\\' && from[1] >= '0' && from[1] <= '3' &&
			from[2] >= '0' && from[2] <= '7' && from[3] >= '0' &&
			from[3] <= '7') {
			*to = (char)((from[1] - '0') << 6 |
				     (from[2] - '0') << 3 | (from[3] - '0'));
			from += 4;
		} else {
			*to = *from++;
		}
	}
	*to = '\0';
}

/* What of `path` is below `root`; NULL: it is not. */
static const char *below(const char *path, const char *root)
{
	size_t bytes = strlen(root);

	if (strcmp(root, "/") == 0) {
		return path;
	}
	if (strncmp(path, root, bytes) != 0 ||
		(path[bytes] != '/' && path[bytes] != '\0')) {
		return NULL;
	}
	return path + bytes;
}

/* ID PARENT DEVICE ROOT POINT OPTIONS [MORE...] - TYPE SOURCE OPTIONS */
static bool take_mount(
	char *line, const char *path, char ret_path[PATH_MAX], int *ret_bytes)
{
	char *type = strstr(line, " - ");
	char *rest;
	char *field = strtok_r(line, " ", &rest);
	char *root = NULL;
	char *point = NULL;

	if (type == NULL || strncmp(type + 3, "cgroup2 ", 8) != 0) {
		return false;
	}
	for (unsigned i = 0; i < 5 && field != NULL; i++) {
		root = i == 3 ? field : root;
		point = i == 4 ? field : point;
		field = strtok_r(NULL, " ", &rest);
	}
	if (point == NULL) {
		return false;
	}
	decode(root);
	decode(point);
	const char *relative = below(path, root);
	if (relative == NULL) {
		return false;
	}
	*ret_bytes = snprintf(ret_path, PATH_MAX, "%s%s", point,
		strcmp(relative, "/") == 0 ? "" : relative);
	return true;
}

static int find_mount(
	FILE *mountinfo, const char *path, char ret_path[PATH_MAX])
{
	char *line = NULL;
	size_t room = 0;
	int bytes = 0;
	bool found = false;

	while (!found && getline(&line, &room, mountinfo) > 0) {
		found = take_mount(line, path, ret_path, &bytes);
	}
	free(line);
	if (!found) {
		return -ENOENT;
	}
	return bytes < PATH_MAX ? 0 : -ENAMETOOLONG;
}

int wyn_cgroup_place_find(
	FILE *mountinfo, FILE *cgroup, char ret_path[PATH_MAX])
{
	char *line = NULL;
	size_t room = 0;
	int result = -ENOENT;

	while (getline(&line, &room, cgroup) > 0) {
		if (strncmp(line, "0::/", 4) == 0) {
			line[strcspn(line, "\n")] = '\0';
			result = find_mount(mountinfo, line + 3, ret_path);
			break;
		}
	}
	free(line);
	return result;
}

int wyn_cgroup_place_own(char ret_path[PATH_MAX])
{
	FILE *mountinfo = fopen("/proc/self/mountinfo", "re");
	FILE *cgroup = fopen("/proc/self/cgroup", "re");
	int result =
		mountinfo != NULL && cgroup != NULL
			? wyn_cgroup_place_find(mountinfo, cgroup, ret_path)
			: -errno;

	if (mountinfo != NULL) {
		fclose(mountinfo);
	}
	if (cgroup != NULL) {
		fclose(cgroup);
	}
	return result;
}

// SPDX-License-Identifier: MIT
/*
 * loader.c - task modules from a directory: open, check, dlopen, register.
 *
 * What was checked has to be what is loaded, so a file is opened once and
 * dlopen is given /proc/self/fd/N. Whatever dlopen took keeps its descriptor
 * until the end, also when it was refused afterwards: dlopen knows by name what
 * it has, dlclose does not always unload, and the next file with the same
 * number would be taken for the one before.
 */
#include "daemon/loader.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/assert.h"
#include "daemon/limits.h"
#include "daemon/registry.h"

#define SUFFIX	   ".so"
#define PATH_BYTES 32u /* of /proc/self/fd/N */

struct object {
	int fd;
	void *handle;
	const struct wyn_module *module; /* NULL: refused */
};

struct wyn_loader {
	struct wyn_registry *registry;
	wyn_loader_refused *refused;
	void *context;
	size_t modules_count;
	size_t objects_count; /* modules and what was refused late */
	struct object objects[WYN_LOADER_MODULES_MAX];
};

/* The modules of a directory, by name. */
struct names {
	size_t count;
	size_t max;
	char *at[WYN_LOADER_MODULES_MAX];
};

int wyn_loader_create(struct wyn_registry *registry,
	wyn_loader_refused *refused, void *context,
	struct wyn_loader **ret_loader)
{
	struct wyn_loader *loader = calloc(1, sizeof(*loader));

	if (loader == NULL) {
		return -ENOMEM;
	}
	loader->registry = registry;
	loader->refused = refused;
	loader->context = context;
	*ret_loader = loader;
	return 0;
}

void wyn_loader_destroy(struct wyn_loader *loader)
{
	if (loader == NULL) {
		return;
	}
	while (loader->objects_count > 0) {
		struct object *last;

		loader->objects_count--;
		last = &loader->objects[loader->objects_count];
		(void)dlclose(last->handle);
		(void)close(last->fd);
	}
	free(loader);
}

size_t wyn_loader_count(const struct wyn_loader *loader)
{
	return loader->modules_count;
}

/* Returns: error, so that a check can say why and return in one statement. */
static int WYN_PRINTF(3, 4)
	because(char *ret_why, int error, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(ret_why, WYN_LOADER_WHY_BYTES_MAX, format, arguments);
	va_end(arguments);
	return error;
}

int wyn_loader_check(
	const struct wyn_module *module, char ret_why[WYN_LOADER_WHY_BYTES_MAX])
{
	/* First: another ABI may mean another meaning of all the rest. */
	if (module->abi != WYN_MODULE_ABI) {
		return because(ret_why, -EINVAL,
			"built for module ABI %u, this wynd has %u",
			module->abi, WYN_MODULE_ABI);
	}
	if (module->size_bytes < sizeof(*module)) {
		return because(ret_why, -EINVAL,
			"size_bytes of its wyn_module is %u, not %zu",
			module->size_bytes, sizeof(*module));
	}
	if (!wyn_registry_name_valid(module->name)) {
		return because(ret_why, -EINVAL,
			"its wyn_module has no name of 1 to %u of [a-z0-9_.-]",
			WYN_MODULE_NAME_BYTES_MAX);
	}
	if (module->version == NULL) {
		return because(
			ret_why, -EINVAL, "its wyn_module has no version");
	}
	return 0;
}

/* Whether only root and we ourselves could have written it. */
static int check_trust(int fd, char *ret_why)
{
	struct stat status;

	if (fstat(fd, &status) < 0) {
		return because(ret_why, -errno, "%s", strerror(errno));
	}
	if (!S_ISREG(status.st_mode)) {
		return because(ret_why, -EINVAL, "not a regular file");
	}
	if (status.st_uid != 0 && status.st_uid != geteuid()) {
		return because(ret_why, -EPERM,
			"owned by uid %u, neither root nor wynd's own",
			status.st_uid);
	}
	if (status.st_mode & (S_IWGRP | S_IWOTH)) {
		return because(ret_why, -EPERM,
			"writable by its group or by others (mode %04o)",
			status.st_mode & 07777u);
	}
	return 0;
}

/* dlerror() begins with the path, which says nothing to anybody. */
static const char *error_text(const char *path)
{
	const char *text = dlerror();
	size_t len = strlen(path);

	if (text == NULL) {
		return "unknown error";
	}
	if (!strncmp(text, path, len) && !strncmp(text + len, ": ", 2)) {
		return text + len + 2;
	}
	return text;
}

/* Returns: 0, and the object is the loader's; -EINVAL. */
static int open_object(struct wyn_loader *loader, int fd, char *ret_why)
{
	char path[PATH_BYTES];
	void *handle;

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (handle == NULL) {
		return because(ret_why, -EINVAL, "%s", error_text(path));
	}
	wyn_assert(loader->objects_count < WYN_LOADER_MODULES_MAX);
	loader->objects[loader->objects_count] =
		(struct object){.fd = fd, .handle = handle};
	loader->objects_count++;
	return 0;
}

static int check_unique(const struct wyn_loader *loader,
	const struct wyn_module *module, char *ret_why)
{
	for (size_t i = 0; i < loader->objects_count; i++) {
		const struct wyn_module *other = loader->objects[i].module;

		if (other != NULL && !strcmp(other->name, module->name)) {
			return because(ret_why, -EEXIST,
				"a module %s is loaded already", module->name);
		}
	}
	return 0;
}

static int add_functions(struct wyn_loader *loader,
	const struct wyn_module *module, char *ret_why)
{
	const char *culprit = "";
	int rc = wyn_registry_add(loader->registry, module, &culprit);

	switch (rc) {
	case 0:
		return 0;
	case -EEXIST:
		return because(
			ret_why, rc, "there is a function %s already", culprit);
	case -EINVAL:
		return because(ret_why, rc,
			"its function \"%.*s\" has no valid name or no body",
			(int)WYN_MODULE_NAME_BYTES_MAX, culprit);
	case -ENOSPC:
		return because(ret_why, rc, "more than %u functions in all",
			WYN_FUNCTIONS_MAX);
	default:
		return because(ret_why, rc, "%s", strerror(-rc));
	}
}

/* The last object opened: makes a module of it. */
static int load_object(struct wyn_loader *loader, char *ret_why)
{
	struct object *object = &loader->objects[loader->objects_count - 1];
	const struct wyn_module *module = dlsym(object->handle, "wyn_module");
	int rc;

	if (module == NULL) {
		return because(ret_why, -EINVAL,
			"not a task module: it has no symbol wyn_module");
	}
	rc = wyn_loader_check(module, ret_why);
	if (rc == 0) {
		rc = check_unique(loader, module, ret_why);
	}
	if (rc == 0) {
		rc = add_functions(loader, module, ret_why);
	}
	if (rc == 0) {
		object->module = module;
		loader->modules_count++;
	}
	return rc;
}

/* Loads it or tells why not. */
static void load_file(
	struct wyn_loader *loader, int directory_fd, const char *name)
{
	char why[WYN_LOADER_WHY_BYTES_MAX];
	/* Without O_NONBLOCK a FIFO of that name would hold us up. */
	int fd = openat(directory_fd, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	int rc;

	if (fd < 0) {
		loader->refused(loader->context, name, strerror(errno));
		return;
	}
	rc = check_trust(fd, why);
	if (rc == 0) {
		rc = open_object(loader, fd, why);
	}
	if (rc < 0) {
		(void)close(fd);
	} else {
		rc = load_object(loader, why);
	}
	if (rc < 0) {
		loader->refused(loader->context, name, why);
	}
}

static bool is_module_name(const char *name)
{
	size_t len = strlen(name);

	return name[0] != '.' && len > strlen(SUFFIX) &&
	       !strcmp(name + len - strlen(SUFFIX), SUFFIX);
}

static void names_free(struct names *names)
{
	while (names->count > 0) {
		names->count--;
		free(names->at[names->count]);
	}
}

static int names_add(struct names *names, const char *name)
{
	if (names->count == names->max) {
		return -E2BIG;
	}
	names->at[names->count] = strdup(name);
	if (names->at[names->count] == NULL) {
		return -ENOMEM;
	}
	names->count++;
	return 0;
}

static int names_compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int names_read(DIR *directory, struct names *names)
{
	int rc = 0;

	while (rc == 0) {
		const struct dirent *entry;

		errno = 0;
		entry = readdir(directory);
		if (entry == NULL) {
			rc = -errno;
			break;
		}
		if (is_module_name(entry->d_name)) {
			rc = names_add(names, entry->d_name);
		}
	}
	qsort(names->at, names->count, sizeof(names->at[0]), names_compare);
	return rc;
}

int wyn_loader_load(struct wyn_loader *loader, const char *directory)
{
	struct names names = {
		.max = WYN_LOADER_MODULES_MAX - loader->objects_count};
	DIR *opened = opendir(directory);
	int rc;

	if (opened == NULL) {
		return -errno;
	}
	rc = names_read(opened, &names);
	for (size_t i = 0; rc == 0 && i < names.count; i++) {
		load_file(loader, dirfd(opened), names.at[i]);
	}
	names_free(&names);
	(void)closedir(opened);
	return rc;
}

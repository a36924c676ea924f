// SPDX-License-Identifier: MIT
/*
 * registry.c - the functions that tasks can name: a sorted array.
 *
 * Of a fixed size, since the number of functions is bounded and small: a
 * module's functions can be checked as a whole and then put in without
 * anything that could fail half-way.
 */
#include "daemon/registry.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/nearest.h"
#include "daemon/limits.h"

struct wyn_registry {
	size_t count;
	struct wyn_function_entry entries[WYN_FUNCTIONS_MAX]; /* by name */
	const char *names[WYN_FUNCTIONS_MAX]; /* the same order */
};

int wyn_registry_create(struct wyn_registry **ret_registry)
{
	struct wyn_registry *registry = calloc(1, sizeof(*registry));

	if (registry == NULL) {
		return -ENOMEM;
	}
	*ret_registry = registry;
	return 0;
}

void wyn_registry_destroy(struct wyn_registry *registry)
{
	free(registry);
}

bool wyn_registry_name_valid(const char *name)
{
	size_t len;

	if (name == NULL) {
		return false;
	}
	len = strnlen(name, WYN_MODULE_NAME_BYTES_MAX + 1);
	return len > 0 && len <= WYN_MODULE_NAME_BYTES_MAX &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_.-") == len;
}

/* Byte order, a prefix before what it begins. */
static int compare(struct wyn_slice name, const char *entry)
{
	size_t entry_len = strlen(entry);
	size_t shorter = name.len < entry_len ? name.len : entry_len;
	int order = shorter > 0 ? memcmp(name.data, entry, shorter) : 0;

	if (order != 0) {
		return order;
	}
	return (name.len > entry_len) - (name.len < entry_len);
}

/* The first place whose name is not before `name`. */
static size_t lower_bound(
	const struct wyn_registry *registry, struct wyn_slice name)
{
	size_t low = 0;
	size_t high = registry->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare(name, registry->names[middle]) > 0) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return low;
}

/* Whether the module says this name twice, before its index-th function. */
static bool said_before(const struct wyn_module *module, size_t index)
{
	for (size_t i = 0; i < index; i++) {
		if (!strcmp(module->functions[i].name,
			    module->functions[index].name)) {
			return true;
		}
	}
	return false;
}

static int check(const struct wyn_registry *registry,
	const struct wyn_module *module, const char **ret_culprit)
{
	for (size_t i = 0; i < module->functions_count; i++) {
		const struct wyn_function *function = &module->functions[i];

		if (!wyn_registry_name_valid(function->name) ||
			function->run == NULL) {
			*ret_culprit = function->name ? function->name : "";
			return -EINVAL;
		}
		if (said_before(module, i) ||
			wyn_registry_find(
				registry, wyn_slice_of(function->name))) {
			*ret_culprit = function->name;
			return -EEXIST;
		}
	}
	return 0;
}

static void insert(struct wyn_registry *registry,
	const struct wyn_module *module, const struct wyn_function *function)
{
	size_t at = lower_bound(registry, wyn_slice_of(function->name));
	size_t behind = registry->count - at;

	memmove(&registry->entries[at + 1], &registry->entries[at],
		behind * sizeof(registry->entries[0]));
	memmove(&registry->names[at + 1], &registry->names[at],
		behind * sizeof(registry->names[0]));
	registry->entries[at] = (struct wyn_function_entry){
		.name = function->name,
		.summary = function->summary ? function->summary : "",
		.module = module->name,
		.run = function->run,
	};
	registry->names[at] = function->name;
	registry->count++;
}

int wyn_registry_add(struct wyn_registry *registry,
	const struct wyn_module *module, const char **ret_culprit)
{
	int rc;

	if (module->functions == NULL && module->functions_count > 0) {
		*ret_culprit = "";
		return -EINVAL;
	}
	if (module->functions_count > WYN_FUNCTIONS_MAX - registry->count) {
		return -ENOSPC;
	}
	rc = check(registry, module, ret_culprit);
	if (rc < 0) {
		return rc;
	}
	for (size_t i = 0; i < module->functions_count; i++) {
		insert(registry, module, &module->functions[i]);
	}
	return 0;
}

const struct wyn_function_entry *wyn_registry_find(
	const struct wyn_registry *registry, struct wyn_slice name)
{
	size_t at = lower_bound(registry, name);

	if (at == registry->count || compare(name, registry->names[at]) != 0) {
		return NULL;
	}
	return &registry->entries[at];
}

const char *wyn_registry_nearest(
	const struct wyn_registry *registry, struct wyn_slice name)
{
	char text[WYN_NEAREST_NAME_MAX + 1];

	if (name.len == 0 || name.len > WYN_NEAREST_NAME_MAX) {
		return NULL;
	}
	/* A NUL in it only cuts what is compared. */
	memcpy(text, name.data, name.len);
	text[name.len] = '\0';
	return wyn_nearest(text, registry->names, registry->count);
}

const struct wyn_function_entry *wyn_registry_at(
	const struct wyn_registry *registry, size_t index)
{
	return index < registry->count ? &registry->entries[index] : NULL;
}

size_t wyn_registry_count(const struct wyn_registry *registry)
{
	return registry->count;
}

size_t wyn_registry_after(
	const struct wyn_registry *registry, struct wyn_slice name)
{
	size_t at = lower_bound(registry, name);

	if (at < registry->count && compare(name, registry->names[at]) == 0) {
		at++;
	}
	return at;
}

size_t wyn_registry_index(const struct wyn_registry *registry,
	const struct wyn_function_entry *entry)
{
	return (size_t)(entry - registry->entries);
}

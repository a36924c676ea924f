// SPDX-License-Identifier: MIT
/*
 * registry.c - see registry.h: a sorted array.
 *
 * Of a fixed size, since the number of functions is bounded and small: a
 * module's functions can be checked as a whole and then put in without
 * anything that could fail half-way.
 */
#include "daemon/modules/registry.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/nearest.h"
#include "daemon/limits.h"

struct wyn_registry {
	struct wyn_publication publication;
	size_t count;
	const struct wyn_function_entry *entries[WYN_FUNCTIONS_MAX];
	const char *names[WYN_FUNCTIONS_MAX]; /* both by name */
	size_t versions_count;
	struct wyn_module_version *versions[WYN_MODULES_MAX]; /* held */
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

void wyn_registry_clear(struct wyn_registry *registry)
{
	registry->count = 0;
	while (registry->versions_count > 0) {
		registry->versions_count--;
		wyn_module_release(
			registry->versions[registry->versions_count]);
	}
}

void wyn_registry_destroy(struct wyn_registry *registry)
{
	if (registry == NULL) {
		return;
	}
	wyn_registry_clear(registry);
	free(registry);
}

struct wyn_publication *wyn_registry_publication(struct wyn_registry *registry)
{
	return &registry->publication;
}

uint64_t wyn_registry_number(const struct wyn_registry *registry)
{
	return registry->publication.number;
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

static bool has_module(const struct wyn_registry *registry, const char *name)
{
	for (size_t i = 0; i < registry->versions_count; i++) {
		if (!strcmp(registry->versions[i]->module->name, name)) {
			return true;
		}
	}
	return false;
}

int wyn_registry_check(const struct wyn_registry *registry,
	const struct wyn_module_version *version, const char **ret_culprit)
{
	if (has_module(registry, version->module->name)) {
		*ret_culprit = "";
		return -EEXIST;
	}
	if (version->functions_count > WYN_FUNCTIONS_MAX - registry->count ||
		registry->versions_count == WYN_MODULES_MAX) {
		return -ENOSPC;
	}
	for (size_t i = 0; i < version->functions_count; i++) {
		const char *name = version->functions[i].name;

		if (wyn_registry_find(registry, wyn_slice_of(name))) {
			*ret_culprit = name;
			return -EEXIST;
		}
	}
	return 0;
}

static void insert(
	struct wyn_registry *registry, const struct wyn_function_entry *entry)
{
	size_t at = lower_bound(registry, wyn_slice_of(entry->name));

	for (size_t i = registry->count; i > at; i--) {
		registry->entries[i] = registry->entries[i - 1];
		registry->names[i] = registry->names[i - 1];
	}
	registry->entries[at] = entry;
	registry->names[at] = entry->name;
	registry->count++;
}

int wyn_registry_add(struct wyn_registry *registry,
	struct wyn_module_version *version, const char **ret_culprit)
{
	int rc = wyn_registry_check(registry, version, ret_culprit);

	if (rc < 0) {
		return rc;
	}
	for (size_t i = 0; i < version->functions_count; i++) {
		insert(registry, &version->functions[i]);
	}
	wyn_module_hold(version);
	registry->versions[registry->versions_count++] = version;
	return 0;
}

const struct wyn_function_entry *wyn_registry_find(
	const struct wyn_registry *registry, struct wyn_slice name)
{
	size_t at = lower_bound(registry, name);

	if (at == registry->count || compare(name, registry->names[at]) != 0) {
		return NULL;
	}
	return registry->entries[at];
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
	return index < registry->count ? registry->entries[index] : NULL;
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

const struct wyn_module_version *wyn_registry_module(
	const struct wyn_registry *registry, size_t index)
{
	return index < registry->versions_count ? registry->versions[index]
						: NULL;
}

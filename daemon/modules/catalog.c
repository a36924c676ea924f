// SPDX-License-Identifier: MIT
/*
 * catalog.c - see catalog.h.
 *
 * A loop says which publication it has seen after it has taken the snapshot, so
 * it may say too little and never too much: what is older than all have seen is
 * nobody's. The mutex is for the list of readers and for those who are none of
 * them; no loop takes it after it has joined.
 */
#include "daemon/modules/catalog.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/text.h"
#include "daemon/limits.h"
#include "daemon/modules/module_state.h"

#define FLAGS_KNOWN ((uint64_t)(WYN_FUNCTION_SHORT | WYN_FUNCTION_BLOCKING))

/* A name and how many versions have it. */
struct name {
	char text[WYN_MODULE_NAME_BYTES_MAX + 1]; /* "" = never used */
	uint32_t users;
};

struct catalog {
	struct wyn_catalog catalog;
	pthread_mutex_t lock;
	struct wyn_list readers; /* [M lock] */
	/* Of all that are left, the current one is the newest. [M lock] where
	 * they change; else the loader's. */
	struct wyn_registry *oldest;
	struct wyn_registry *newest;
	void (*notify)(void *context); /* [I] NULL = nobody wants to know */
	void *notify_context;	       /* [I] */
	struct name names[WYN_FUNCTIONS_MAX]; /* the loader's */
};

static struct catalog *of(struct wyn_catalog *catalog)
{
	return WYN_CONTAINER_OF(catalog, struct catalog, catalog);
}

int wyn_catalog_create(struct wyn_catalog **ret_catalog)
{
	struct catalog *self = calloc(1, sizeof(*self));
	int rc;

	if (self == NULL) {
		return -ENOMEM;
	}
	rc = wyn_registry_create(&self->newest);
	if (rc < 0) {
		goto free_self;
	}
	rc = -pthread_mutex_init(&self->lock, NULL);
	if (rc < 0) {
		goto destroy_registry;
	}
	wyn_list_init(&self->readers);
	self->oldest = self->newest;
	atomic_init(&self->catalog.current, self->newest);
	*ret_catalog = &self->catalog;
	return 0;
destroy_registry:
	wyn_registry_destroy(self->newest);
free_self:
	free(self);
	return rc;
}

void wyn_catalog_destroy(struct wyn_catalog *catalog)
{
	struct catalog *self;

	if (catalog == NULL) {
		return;
	}
	self = of(catalog);
	wyn_assert(wyn_list_empty(&self->readers));
	(void)wyn_catalog_sweep(catalog);
	wyn_registry_destroy(self->newest);
	pthread_mutex_destroy(&self->lock);
	free(self);
}

void wyn_catalog_watch(struct wyn_catalog *catalog,
	void (*published)(void *context), void *context)
{
	of(catalog)->notify = published;
	of(catalog)->notify_context = context;
}

/* The place of a name: its own, else one that was never used, else one that
 * nobody has. Returns: WYN_FUNCTIONS_MAX when there is none. */
static uint32_t name_place(const struct catalog *self, const char *name)
{
	uint32_t fresh = WYN_FUNCTIONS_MAX;
	uint32_t left = WYN_FUNCTIONS_MAX;

	for (uint32_t i = 0; i < WYN_FUNCTIONS_MAX; i++) {
		const struct name *at = &self->names[i];

		if (!strcmp(at->text, name)) {
			return i;
		}
		if (at->text[0] == '\0' && fresh == WYN_FUNCTIONS_MAX) {
			fresh = i;
		}
		if (at->users == 0 && left == WYN_FUNCTIONS_MAX) {
			left = i;
		}
	}
	return fresh < WYN_FUNCTIONS_MAX ? fresh : left;
}

static int name_acquire(
	struct catalog *self, const char *name, uint32_t *ret_index)
{
	uint32_t place = name_place(self, name);

	if (place == WYN_FUNCTIONS_MAX) {
		return -ENOSPC;
	}
	(void)snprintf(self->names[place].text, sizeof(self->names[place].text),
		"%s", name);
	self->names[place].users++;
	*ret_index = place;
	return 0;
}

/* Whether the module has this name before its index-th function. */
static bool said_before(const struct wyn_module_version *version, size_t index,
	const char *name)
{
	for (size_t i = 0; i < index; i++) {
		if (!strcmp(version->functions[i].name, name)) {
			return true;
		}
	}
	return false;
}

/* It travels as text, and a module may have any bytes. */
static const char *summary_of(const struct wyn_function *function)
{
	return function->summary != NULL &&
			       wyn_text_valid(wyn_slice_of(function->summary))
		       ? function->summary
		       : "";
}

static int entry_fill(struct wyn_module_version *version, size_t index,
	const char **ret_culprit)
{
	const struct wyn_function function =
		wyn_module_function_at(version->module, index);
	const char *name = function.name ? function.name : "";
	struct wyn_function_entry *entry = &version->functions[index];

	*ret_culprit = name;
	if (!wyn_registry_name_valid(name) || function.run == NULL) {
		return -EINVAL;
	}
	if ((function.flags & ~FLAGS_KNOWN) != 0 ||
		function.flags == FLAGS_KNOWN) {
		return -ENOTSUP;
	}
	if (said_before(version, index, name)) {
		return -EEXIST;
	}
	*entry = (struct wyn_function_entry){
		.name = name,
		.summary = summary_of(&function),
		.module = version->module->name,
		.run = function.run,
		.flags = function.flags,
		.version = version,
	};
	return name_acquire(of(version->catalog), name, &entry->index);
}

int wyn_catalog_version_create(struct wyn_catalog *catalog,
	const struct wyn_module *module,
	struct wyn_module_version **ret_version, const char **ret_culprit)
{
	size_t n = module->functions_count;
	struct wyn_module_version *version;
	int rc = -ENOMEM;

	*ret_culprit = "";
	if (module->functions == NULL && n > 0) {
		return -EINVAL;
	}
	if (n > WYN_FUNCTIONS_MAX) {
		return -ENOSPC;
	}
	version = aligned_alloc(_Alignof(struct wyn_module_version),
		sizeof(struct wyn_module_version));
	if (version == NULL) {
		return -ENOMEM;
	}
	memset(version, 0, sizeof(*version));
	version->module = module;
	version->catalog = catalog;
	version->functions = calloc(n + 1, sizeof(*version->functions));
	if (version->functions != NULL) {
		rc = wyn_module_states_create(module, &version->states);
	}
	while (rc == 0 && version->functions_count < n) {
		rc = entry_fill(version, version->functions_count, ret_culprit);
		version->functions_count += rc == 0;
	}
	if (rc < 0) {
		wyn_catalog_version_destroy(version);
		return rc;
	}
	*ret_version = version;
	return 0;
}

void wyn_catalog_version_destroy(struct wyn_module_version *version)
{
	struct catalog *self;

	if (version == NULL) {
		return;
	}
	wyn_assert(!wyn_module_is_held(version));
	self = of(version->catalog);
	for (size_t i = 0; i < version->functions_count; i++) {
		struct name *name = &self->names[version->functions[i].index];

		wyn_assert(name->users > 0);
		name->users--;
	}
	wyn_module_states_destroy(version->states);
	free(version->functions);
	free(version);
}

void wyn_catalog_publish(
	struct wyn_catalog *catalog, struct wyn_registry *registry)
{
	struct catalog *self = of(catalog);
	const struct wyn_publication *last =
		wyn_registry_publication(self->newest);

	pthread_mutex_lock(&self->lock);
	wyn_registry_publication(registry)->number = last->number + 1;
	wyn_registry_publication(self->newest)->next = registry;
	self->newest = registry;
	/* [functions] pairs with wyn_catalog_move(). */
	atomic_store_explicit(
		&catalog->current, registry, memory_order_release);
	pthread_mutex_unlock(&self->lock);
	if (self->notify != NULL) {
		self->notify(self->notify_context);
	}
}

/* The last publication that every loop knows of. Under the lock. */
static uint64_t seen_by_all(const struct catalog *self)
{
	uint64_t least = wyn_registry_publication(self->newest)->number;
	const struct wyn_list *link;

	for (link = self->readers.next; link != &self->readers;
		link = link->next) {
		const struct wyn_catalog_reader *reader = wyn_list_entry(
			link, const struct wyn_catalog_reader, link);
		/* [seen] pairs with wyn_catalog_move(): what the loop did with
		 * those before happens before they are freed. */
		uint64_t seen = atomic_load_explicit(
			&reader->seen, memory_order_acquire);

		least = seen < least ? seen : least;
	}
	return least;
}

size_t wyn_catalog_sweep(struct wyn_catalog *catalog)
{
	struct catalog *self = of(catalog);
	uint64_t newest = wyn_registry_publication(self->newest)->number;
	uint64_t seen;

	pthread_mutex_lock(&self->lock);
	seen = seen_by_all(self);
	while (wyn_registry_publication(self->oldest)->number < seen) {
		struct wyn_registry *old = self->oldest;

		self->oldest = wyn_registry_publication(old)->next;
		wyn_registry_destroy(old);
	}
	pthread_mutex_unlock(&self->lock);
	return (size_t)(newest -
			wyn_registry_publication(self->oldest)->number);
}

void wyn_catalog_clear(struct wyn_catalog *catalog)
{
	struct catalog *self = of(catalog);

	wyn_assert(wyn_list_empty(&self->readers));
	(void)wyn_catalog_sweep(catalog);
	wyn_registry_clear(self->newest);
}

const struct wyn_registry *wyn_catalog_now(const struct wyn_catalog *catalog)
{
	return WYN_CONTAINER_OF(catalog, const struct catalog, catalog)->newest;
}

const struct wyn_function_entry *wyn_catalog_hold(
	struct wyn_catalog *catalog, struct wyn_slice name)
{
	struct catalog *self = of(catalog);
	const struct wyn_function_entry *entry;

	pthread_mutex_lock(&self->lock);
	entry = wyn_registry_find(self->newest, name);
	if (entry != NULL) {
		wyn_module_hold(entry->version);
	}
	pthread_mutex_unlock(&self->lock);
	return entry;
}

void wyn_catalog_join(
	struct wyn_catalog *catalog, struct wyn_catalog_reader *reader)
{
	struct catalog *self = of(catalog);

	pthread_mutex_lock(&self->lock);
	reader->catalog = catalog;
	reader->registry = self->newest;
	atomic_init(
		&reader->seen, wyn_registry_publication(self->newest)->number);
	wyn_list_init(&reader->link);
	wyn_list_push_back(&self->readers, &reader->link);
	pthread_mutex_unlock(&self->lock);
}

void wyn_catalog_leave(struct wyn_catalog_reader *reader)
{
	struct catalog *self = of(reader->catalog);

	pthread_mutex_lock(&self->lock);
	wyn_list_remove(&reader->link);
	pthread_mutex_unlock(&self->lock);
	reader->catalog = NULL;
}

void wyn_catalog_move(struct wyn_catalog_reader *reader)
{
	/* [functions] pairs with wyn_catalog_publish(). */
	const struct wyn_registry *registry = atomic_load_explicit(
		&reader->catalog->current, memory_order_acquire);

	reader->registry = registry;
	/* [seen] pairs with seen_by_all(); of those before nothing is used any
	 * more. */
	atomic_store_explicit(&reader->seen, wyn_registry_number(registry),
		memory_order_release);
}

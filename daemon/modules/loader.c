// SPDX-License-Identifier: MIT
/*
 * loader.c - see loader.h.
 *
 * A reload first opens all files that changed, then decides: what did not
 * change stands, what changed is let in file by file, and where that fails the
 * version before it stands. Nothing is seen by anybody until the snapshot of
 * all of it is published.
 */
#include "daemon/modules/loader.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/list.h"
#include "daemon/modules/catalog.h"
#include "daemon/modules/module_file.h"

#define SUFFIX ".so"

/* A version of a module that is loaded. */
struct loaded {
	struct wyn_list link;		  /* the loader's current or old ones */
	char name[WYN_LOADER_FILE_BYTES]; /* of its file */
	struct wyn_module_file file;
	struct wyn_module_version *version; /* NULL: not yet */
	bool begun; /* its init was called, and went well */
};

struct wyn_loader {
	struct wyn_catalog *catalog;
	struct wyn_list current; /* by their names */
	struct wyn_list old;	 /* replaced or removed, oldest first */
	struct wyn_list stuck;	 /* refused, and loaded all the same */
	size_t current_count;
	size_t old_count;
};

/* What a reload found of one file. */
struct candidate {
	const char *name;
	struct loaded *before; /* NULL = none */
	struct loaded *fresh;  /* NULL = none that could be loaded */
	struct loaded *chosen; /* one of these; NULL = none */
	bool changed;	       /* refused, if there is no fresh one */
	char why[WYN_WHY_BYTES_MAX];
};

struct reload {
	struct wyn_loader *loader;
	struct wyn_registry *registry; /* to be published */
	size_t count;
	struct candidate candidates[WYN_MODULES_MAX];
};

/* The modules of a directory, by name. */
struct names {
	size_t count;
	char *at[WYN_MODULES_MAX];
};

int wyn_loader_create(
	struct wyn_catalog *catalog, struct wyn_loader **ret_loader)
{
	struct wyn_loader *loader = calloc(1, sizeof(*loader));

	if (loader == NULL) {
		return -ENOMEM;
	}
	loader->catalog = catalog;
	wyn_list_init(&loader->current);
	wyn_list_init(&loader->old);
	wyn_list_init(&loader->stuck);
	*ret_loader = loader;
	return 0;
}

static struct loaded *loaded_of(struct wyn_list *link)
{
	return wyn_list_entry(link, struct loaded, link);
}

/* Nobody refers to it. Returns: false when dlclose leaves it where it is. */
static bool unload_code(struct loaded *loaded)
{
	void (*fini)(void) = NULL;

	wyn_list_remove(&loaded->link);
	if (loaded->begun) {
		fini = wyn_module_calls(loaded->version->module).fini;
	}
	wyn_catalog_version_destroy(loaded->version);
	if (fini != NULL) {
		fini();
	}
	return wyn_module_file_close(&loaded->file);
}

static void unload(struct loaded *loaded)
{
	(void)unload_code(loaded);
	free(loaded);
}

/* What cannot be unloaded is remembered: each reload would load it once more,
 * and so go on until there are no descriptors. */
static void unload_refused(struct wyn_loader *loader, struct loaded *fresh)
{
	if (unload_code(fresh)) {
		free(fresh);
	} else {
		wyn_list_push_back(&loader->stuck, &fresh->link);
	}
}

static bool is_stuck(
	struct wyn_loader *loader, const struct wyn_module_file *file)
{
	struct wyn_list *link;

	wyn_list_for_each (link, &loader->stuck) {
		if (wyn_module_file_equal(&loaded_of(link)->file, file)) {
			return true;
		}
	}
	return false;
}

size_t wyn_loader_sweep(struct wyn_loader *loader)
{
	struct wyn_list *link = loader->old.next;

	(void)wyn_catalog_sweep(loader->catalog);
	while (link != &loader->old) {
		struct loaded *loaded = loaded_of(link);

		link = link->next;
		if (!wyn_module_is_held(loaded->version)) {
			unload(loaded);
			loader->old_count--;
		}
	}
	return loader->old_count;
}

void wyn_loader_destroy(struct wyn_loader *loader)
{
	struct wyn_list *link;

	if (loader == NULL) {
		return;
	}
	wyn_catalog_clear(loader->catalog);
	(void)wyn_loader_sweep(loader);
	wyn_assert(loader->old_count == 0);
	while (!wyn_list_empty(&loader->current)) {
		unload(loaded_of(loader->current.prev));
	}
	while ((link = wyn_list_pop_front(&loader->stuck)) != NULL) {
		(void)close(loaded_of(link)->file.fd);
		free(loaded_of(link));
	}
	free(loader);
}

size_t wyn_loader_count(const struct wyn_loader *loader)
{
	return loader->current_count;
}

static int functions_refused(int rc, const char *culprit, char *ret_why)
{
	switch (rc) {
	case -EEXIST:
		return culprit[0] == '\0'
			       ? wyn_module_because(ret_why, rc,
					 "a module of its name is loaded "
					 "already")
			       : wyn_module_because(ret_why, rc,
					 "there is a function %s already",
					 culprit);
	case -EINVAL:
		return wyn_module_because(ret_why, rc,
			"its function \"%.*s\" has no valid name or no body",
			(int)WYN_MODULE_NAME_BYTES_MAX, culprit);
	case -ENOTSUP:
		return wyn_module_because(ret_why, rc,
			"its function %s has flags that this wynd does not "
			"know, or both SHORT and BLOCKING",
			culprit);
	case -ENOSPC:
		return wyn_module_because(ret_why, rc,
			"more than %u functions in all", WYN_FUNCTIONS_MAX);
	default:
		return wyn_module_because(ret_why, rc, "%s", strerror(-rc));
	}
}

static int fresh_open(
	struct wyn_loader *loader, struct loaded *fresh, char *ret_why)
{
	const struct wyn_module *module;
	const char *culprit;
	int rc;

	if (loader->current_count + loader->old_count >= WYN_VERSIONS_MAX) {
		return wyn_module_because(ret_why, -EBUSY,
			"%zu old versions of modules have calls that last; "
			"reload when they have ended",
			loader->old_count);
	}
	if (is_stuck(loader, &fresh->file)) {
		return wyn_module_because(ret_why, -EBUSY,
			"it was refused before, and cannot be unloaded: change "
			"it, or restart wynd");
	}
	rc = wyn_module_file_open(&fresh->file, &module, ret_why);
	if (rc == 0) {
		rc = wyn_module_check(module, ret_why);
	}
	if (rc < 0) {
		return rc;
	}
	rc = wyn_catalog_version_create(
		loader->catalog, module, &fresh->version, &culprit);
	if (rc < 0) {
		return functions_refused(rc, culprit, ret_why);
	}
	fresh->version->file = fresh->name;
	return 0;
}

/* Reads the file and opens it if it changed. */
static void candidate_look(struct wyn_loader *loader, int directory_fd,
	struct candidate *candidate)
{
	struct loaded *before = candidate->before;
	struct loaded *fresh = calloc(1, sizeof(*fresh));
	int rc;

	candidate->changed = true;
	if (fresh == NULL) {
		(void)wyn_module_because(candidate->why, -ENOMEM, "no memory");
		return;
	}
	wyn_list_init(&fresh->link);
	(void)snprintf(fresh->name, sizeof(fresh->name), "%s", candidate->name);
	rc = wyn_module_file_read(directory_fd, candidate->name,
		before ? &before->file : NULL, &fresh->file, candidate->why);
	if (rc != 0) {
		candidate->changed = rc < 0;
		free(fresh);
		return;
	}
	if (fresh_open(loader, fresh, candidate->why) < 0) {
		unload_refused(loader, fresh);
		return;
	}
	candidate->fresh = fresh;
}

/* What a module says goes into one line. */
static int init_refused(char *ret_why, const char *said)
{
	(void)wyn_module_because(ret_why, -ECANCELED, "its init failed%s%s",
		said[0] == '\0' ? "" : ": ", said);
	for (char *at = ret_why; *at != '\0'; at++) {
		if (iscntrl((unsigned char)*at)) {
			*at = ' ';
		}
	}
	return -ECANCELED;
}

/* Whatever else could be wrong with it was looked at before. */
static int fresh_begin(struct loaded *fresh, char *ret_why)
{
	struct wyn_module_calls calls =
		wyn_module_calls(fresh->version->module);
	char said[WYN_WHY_BYTES_MAX] = "";

	if (calls.init != NULL && calls.init(said, sizeof(said)) != 0) {
		said[sizeof(said) - 1] = '\0';
		return init_refused(ret_why, said);
	}
	fresh->begun = true;
	return 0;
}

static int candidate_add(struct reload *reload, struct loaded *loaded,
	struct candidate *candidate)
{
	const char *culprit = "";
	int rc =
		wyn_registry_check(reload->registry, loaded->version, &culprit);

	if (rc < 0) {
		return functions_refused(rc, culprit, candidate->why);
	}
	if (!loaded->begun && fresh_begin(loaded, candidate->why) < 0) {
		return -ECANCELED;
	}
	rc = wyn_registry_add(reload->registry, loaded->version, &culprit);
	wyn_assert(rc == 0);
	candidate->chosen = loaded;
	return 0;
}

static void fresh_choose(struct reload *reload, struct candidate *candidate)
{
	char kept[WYN_WHY_BYTES_MAX];

	if (candidate_add(reload, candidate->fresh, candidate) == 0) {
		return;
	}
	unload_refused(reload->loader, candidate->fresh);
	candidate->fresh = NULL;
	memcpy(kept, candidate->why, sizeof(kept));
	/* It fails where another took over a function of it. */
	if (candidate->before != NULL &&
		candidate_add(reload, candidate->before, candidate) == 0) {
		memcpy(candidate->why, kept, sizeof(kept));
	}
}

/* What stands first, so that nothing that is new takes its names. */
static void choose(struct reload *reload)
{
	for (size_t i = 0; i < reload->count; i++) {
		struct candidate *candidate = &reload->candidates[i];

		if (candidate->fresh == NULL && candidate->before != NULL) {
			(void)candidate_add(
				reload, candidate->before, candidate);
		}
	}
	for (size_t i = 0; i < reload->count; i++) {
		if (reload->candidates[i].fresh != NULL) {
			fresh_choose(reload, &reload->candidates[i]);
		}
	}
}

static struct wyn_loader_change *report_add(struct wyn_loader_report *report,
	enum wyn_loader_verb verb, const char *file,
	const struct loaded *loaded)
{
	struct wyn_loader_change *change = &report->changes[report->count++];
	const struct wyn_module *module =
		loaded == NULL ? NULL : loaded->version->module;

	*change = (struct wyn_loader_change){.verb = verb};
	(void)snprintf(change->file, sizeof(change->file), "%s", file);
	if (module != NULL) {
		(void)snprintf(change->module, sizeof(change->module), "%s",
			module->name);
		(void)snprintf(change->version, sizeof(change->version), "%s",
			module->version);
		change->functions = loaded->version->functions_count;
	}
	return change;
}

static void report_candidate(
	struct wyn_loader_report *report, const struct candidate *candidate)
{
	struct wyn_loader_change *change;
	enum wyn_loader_verb verb = WYN_LOADER_KEPT;

	if (candidate->changed && candidate->fresh == NULL) {
		verb = WYN_LOADER_REFUSED;
	} else if (candidate->fresh != NULL) {
		verb = candidate->before == NULL ? WYN_LOADER_LOADED
						 : WYN_LOADER_REPLACED;
	}
	change = report_add(report, verb, candidate->name, candidate->chosen);
	if (verb == WYN_LOADER_REPLACED) {
		(void)snprintf(change->before, sizeof(change->before), "%s",
			candidate->before->version->module->version);
	}
	if (verb == WYN_LOADER_REFUSED) {
		change->old_kept = candidate->chosen != NULL;
		memcpy(change->why, candidate->why, sizeof(change->why));
	}
}

/* What is not chosen is old from now on. */
static void take_over(struct reload *reload, struct wyn_loader_report *report)
{
	struct wyn_loader *loader = reload->loader;
	struct wyn_list *link;

	for (size_t i = 0; i < reload->count; i++) {
		struct candidate *candidate = &reload->candidates[i];

		if (candidate->before != NULL) {
			wyn_list_remove(&candidate->before->link);
		}
		report_candidate(report, candidate);
	}
	while ((link = wyn_list_pop_front(&loader->current)) != NULL) {
		(void)report_add(report, WYN_LOADER_REMOVED,
			loaded_of(link)->name, loaded_of(link));
		wyn_list_push_back(&loader->old, link);
		loader->old_count++;
	}
	loader->current_count = 0;
	for (size_t i = 0; i < reload->count; i++) {
		struct candidate *candidate = &reload->candidates[i];

		if (candidate->chosen != NULL) {
			wyn_list_push_back(
				&loader->current, &candidate->chosen->link);
			loader->current_count++;
		}
		if (candidate->before != NULL &&
			candidate->before != candidate->chosen) {
			wyn_list_push_back(
				&loader->old, &candidate->before->link);
			loader->old_count++;
		}
	}
}

static struct loaded *find(struct wyn_loader *loader, const char *name)
{
	struct wyn_list *link;

	wyn_list_for_each (link, &loader->current) {
		if (!strcmp(loaded_of(link)->name, name)) {
			return loaded_of(link);
		}
	}
	return NULL;
}

static void reload_run(struct reload *reload, const struct names *names,
	int directory_fd, struct wyn_loader_report *report)
{
	struct wyn_loader *loader = reload->loader;

	for (size_t i = 0; i < names->count; i++) {
		struct candidate *candidate =
			&reload->candidates[reload->count++];

		candidate->name = names->at[i];
		candidate->before = find(loader, names->at[i]);
		candidate_look(loader, directory_fd, candidate);
	}
	choose(reload);
	report->count = 0;
	take_over(reload, report);
	wyn_catalog_publish(loader->catalog, reload->registry);
	(void)wyn_loader_sweep(loader);
}

static bool is_module_name(const char *name)
{
	size_t len = strlen(name);

	return name[0] != '.' && len > strlen(SUFFIX) &&
	       len < WYN_LOADER_FILE_BYTES &&
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
	if (names->count == WYN_MODULES_MAX) {
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

int wyn_loader_reload(struct wyn_loader *loader, const char *directory,
	struct wyn_loader_report *ret_report)
{
	struct reload *reload;
	struct names names = {.count = 0};
	DIR *opened;
	int rc = -ENOMEM;

	(void)wyn_loader_sweep(loader);
	opened = opendir(directory);
	if (opened == NULL) {
		return -errno;
	}
	reload = calloc(1, sizeof(*reload));
	if (reload != NULL) {
		rc = names_read(opened, &names);
	}
	if (rc == 0) {
		rc = wyn_registry_create(&reload->registry);
	}
	if (rc == 0) {
		reload->loader = loader;
		reload_run(reload, &names, dirfd(opened), ret_report);
	}
	names_free(&names);
	free(reload);
	(void)closedir(opened);
	return rc;
}

int wyn_loader_load_file(struct wyn_loader *loader, const char *path,
	char ret_why[WYN_WHY_BYTES_MAX])
{
	struct reload *reload = calloc(1, sizeof(*reload));
	struct candidate *candidate;
	int rc = reload == NULL ? -ENOMEM : 0;

	if (rc == 0) {
		rc = wyn_registry_create(&reload->registry);
	}
	if (rc < 0) {
		free(reload);
		return wyn_module_because(ret_why, rc, "%s", strerror(-rc));
	}
	candidate = &reload->candidates[0];
	reload->loader = loader;
	reload->count = 1;
	candidate->name = path;
	candidate_look(loader, AT_FDCWD, candidate);
	choose(reload);
	if (candidate->chosen == NULL) {
		memcpy(ret_why, candidate->why, WYN_WHY_BYTES_MAX);
		wyn_registry_destroy(reload->registry);
		rc = -EINVAL;
	} else {
		wyn_list_push_back(&loader->current, &candidate->chosen->link);
		loader->current_count++;
		wyn_catalog_publish(loader->catalog, reload->registry);
	}
	free(reload);
	return rc;
}

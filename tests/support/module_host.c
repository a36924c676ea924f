// SPDX-License-Identifier: MIT
/*
 * module_host.c - the smallest caller that a task module can have.
 */
#include "tests/support/module_host.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/compiler.h"

static struct wyn_host_call *call_of(const struct wyn_context *context)
{
	return WYN_CONTAINER_OF(context, struct wyn_host_call, context);
}

static void *host_value_reserve(struct wyn_context *context, size_t bytes)
{
	struct wyn_host_call *call = call_of(context);

	free(call->value);
	call->value = NULL;
	call->value_bytes = 0;
	if (bytes > call->value_bytes_max) {
		return NULL;
	}
	call->value = calloc(1, bytes + 1);
	wyn_assert(call->value != NULL);
	call->value_bytes = bytes;
	return call->value;
}

static int host_fail(
	struct wyn_context *context, int status, const char *message)
{
	(void)snprintf(call_of(context)->message,
		sizeof(call_of(context)->message), "%s", message);
	return status;
}

static bool host_cancelled(const struct wyn_context *context)
{
	struct wyn_host_call *call = call_of(context);

	call->looks++;
	return call->looks + call->emits > call->cancelled_after;
}

static int host_emit(
	struct wyn_context *context, const void *data, size_t bytes)
{
	struct wyn_host_call *call = call_of(context);

	if (call->emits >= call->refused_after) {
		return -EAGAIN;
	}
	if (call->looks + call->emits >= call->cancelled_after) {
		return -ECANCELED;
	}
	call->emits++;
	if (bytes + 2 <= sizeof(call->partials) - call->partials_bytes) {
		memcpy(call->partials + call->partials_bytes, data, bytes);
		call->partials_bytes += bytes;
		call->partials[call->partials_bytes++] = ' ';
		call->partials[call->partials_bytes] = '\0';
	}
	return 0;
}

static int host_value_append(
	struct wyn_context *context, const void *data, size_t bytes)
{
	struct wyn_host_call *call = call_of(context);
	size_t before = call->value_bytes;
	char *value;

	if (bytes > call->value_bytes_max - before) {
		return WYN_STATUS_RESOURCE_EXHAUSTED;
	}
	value = realloc(call->value, before + bytes + 1);
	wyn_assert(value != NULL);
	memcpy(value + before, data, bytes);
	value[before + bytes] = '\0';
	call->value = value;
	call->value_bytes = before + bytes;
	return WYN_STATUS_OK;
}

static int host_progress(
	struct wyn_context *context, uint64_t done, uint64_t total)
{
	(void)context;
	(void)done;
	(void)total;
	return 0;
}

static uint64_t host_deadline_ns(const struct wyn_context *context)
{
	(void)context;
	return 0;
}

static void host_log(
	const struct wyn_context *context, int level, const char *text)
{
	(void)context;
	(void)level;
	(void)text;
}

static void *host_state(struct wyn_context *context)
{
	return call_of(context)->host->state;
}

static void nested_free(struct wyn_host_call *nested)
{
	if (nested != NULL) {
		wyn_host_call_fini(nested);
		free(nested);
	}
}

/* A handle is the call itself, which is over. */
static int host_spawn(struct wyn_context *context, const char *name,
	const void *argument, size_t argument_bytes,
	struct wyn_spawned **ret_spawned)
{
	struct wyn_host_call *nested = malloc(sizeof(*nested));

	wyn_assert(nested != NULL);
	wyn_host_call_init(nested);
	(void)wyn_module_host_call(
		call_of(context)->host, nested, name, argument, argument_bytes);
	*ret_spawned = (struct wyn_spawned *)(void *)nested;
	return WYN_STATUS_OK;
}

static int host_await(struct wyn_context *context, struct wyn_spawned *spawned,
	const void **ret_value, size_t *ret_bytes)
{
	struct wyn_host_call *nested = (struct wyn_host_call *)(void *)spawned;

	nested_free(call_of(context)->nested);
	call_of(context)->nested = nested;
	*ret_value = nested->value;
	*ret_bytes = nested->value_bytes;
	return nested->status;
}

static const struct wyn_context_ops host_ops = {
	.size_bytes = sizeof(struct wyn_context_ops),
	.value_reserve = host_value_reserve,
	.fail = host_fail,
	.emit = host_emit,
	.cancelled = host_cancelled,
	.value_append = host_value_append,
	.progress = host_progress,
	.deadline_ns = host_deadline_ns,
	.log = host_log,
	.state = host_state,
	.spawn = host_spawn,
	.await = host_await,
};

/* The program is TREE/tests/ROOM/PROGRAM, the module in TREE/modules. */
void wyn_module_host_path(const char *name, char ret_path[WYN_HOST_PATH_BYTES])
{
	char tree[WYN_HOST_PATH_BYTES];
	ssize_t len = readlink("/proc/self/exe", tree, sizeof(tree) - 1);
	int written;

	wyn_assert(len > 0);
	tree[len] = '\0';
	for (int i = 0; i < 3; i++) {
		char *slash = strrchr(tree, '/');

		wyn_assert(slash != NULL);
		*slash = '\0';
	}
	written = snprintf(ret_path, WYN_HOST_PATH_BYTES,
		"%.4000s/modules/%s.so", tree, name);
	wyn_assert(written > 0);
	wyn_assert((size_t)written < WYN_HOST_PATH_BYTES);
}

static bool begin(const struct wyn_module *module)
{
	char why[WYN_MODULE_MESSAGE_BYTES_MAX] = "";

	if (module->init == NULL || module->init(why, sizeof(why)) == 0) {
		return true;
	}
	(void)fprintf(stderr, "%s: %s\n", module->name, why);
	return false;
}

bool wyn_module_host_open(struct wyn_module_host *host, const char *name)
{
	char path[WYN_HOST_PATH_BYTES];

	wyn_module_host_path(name, path);
	host->handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (host->handle == NULL) {
		(void)fprintf(stderr, "%s\n", dlerror());
		return false;
	}
	host->module = dlsym(host->handle, "wyn_module");
	if (host->module == NULL) {
		(void)fprintf(stderr, "%s has no wyn_module\n", path);
		(void)dlclose(host->handle);
		return false;
	}
	host->state = NULL;
	if (!begin(host->module)) {
		(void)dlclose(host->handle);
		return false;
	}
	if (host->module->state_create != NULL) {
		host->state = host->module->state_create();
	}
	return true;
}

void wyn_module_host_close(struct wyn_module_host *host)
{
	if (host->state != NULL) {
		host->module->state_destroy(host->state);
	}
	if (host->module->fini != NULL) {
		host->module->fini();
	}
	(void)dlclose(host->handle);
}

void wyn_host_call_init(struct wyn_host_call *call)
{
	memset(call, 0, sizeof(*call));
	call->context.ops = &host_ops;
	call->value_bytes_max = SIZE_MAX - 1;
	call->cancelled_after = WYN_HOST_NEVER;
	call->refused_after = WYN_HOST_NEVER;
}

void wyn_host_call_fini(struct wyn_host_call *call)
{
	free(call->value);
	nested_free(call->nested);
}

int wyn_module_host_call(const struct wyn_module_host *host,
	struct wyn_host_call *call, const char *function, const void *argument,
	size_t argument_bytes)
{
	const struct wyn_module *module = host->module;
	const struct wyn_function *found = NULL;

	for (size_t i = 0; i < module->functions_count; i++) {
		if (!strcmp(module->functions[i].name, function)) {
			found = &module->functions[i];
		}
	}
	wyn_assert(found != NULL);
	call->host = host;
	call->status = found->run(&call->context, argument, argument_bytes);
	return call->status;
}

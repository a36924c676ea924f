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

static const struct wyn_context_ops host_ops = {
	.size_bytes = sizeof(struct wyn_context_ops),
	.value_reserve = host_value_reserve,
	.fail = host_fail,
	.emit = host_emit,
	.cancelled = host_cancelled,
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
	return true;
}

void wyn_module_host_close(struct wyn_module_host *host)
{
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
	call->status = found->run(&call->context, argument, argument_bytes);
	return call->status;
}

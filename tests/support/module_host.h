// SPDX-License-Identifier: MIT
/*
 * module_host.h - the smallest caller that a task module can have.
 *
 * Loads a built module and runs one of its functions in the test's own thread,
 * with a script for what the function is told: when it is cancelled, how large
 * a value may be, which partial value is refused. A nested call runs at once.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <wyn/module.h>

#define WYN_HOST_PATH_BYTES	4096u
#define WYN_HOST_PARTIALS_BYTES 4096u
#define WYN_HOST_NEVER		UINT64_MAX

struct wyn_module_host {
	void *handle;
	const struct wyn_module *module;
	void *state; /* for all calls; NULL = none */
};

/* One call: the script, then what came of it. */
struct wyn_host_call {
	struct wyn_context context;
	const struct wyn_module_host *host; /* of the call that runs */
	struct wyn_host_call *nested;	    /* the last that was awaited */
	size_t value_bytes_max;
	uint64_t cancelled_after; /* so many looks and emits say no */
	uint64_t refused_after;	  /* so many emits go well, then -EAGAIN */

	int status; /* that the function returned */
	uint64_t looks;
	uint64_t emits;
	char message[WYN_MODULE_MESSAGE_BYTES_MAX + 1]; /* "" = none */
	char *value; /* NUL behind it; NULL = none */
	size_t value_bytes;
	char partials[WYN_HOST_PARTIALS_BYTES]; /* each with a blank behind */
	size_t partials_bytes;
};

/*
 * wyn_module_host_path - where the build has put module `name`, by the place
 * of the running test program.
 */
void wyn_module_host_path(const char *name, char ret_path[WYN_HOST_PATH_BYTES]);

/* Calls init too. Returns: false after it has said why on stderr. */
bool wyn_module_host_open(struct wyn_module_host *host, const char *name);
void wyn_module_host_close(struct wyn_module_host *host);

/* Before the first call: no limits, never cancelled. */
void wyn_host_call_init(struct wyn_host_call *call);
void wyn_host_call_fini(struct wyn_host_call *call);

/* Aborts when the module has no such function. Returns: call->status. */
int wyn_module_host_call(const struct wyn_module_host *host,
	struct wyn_host_call *call, const char *function, const void *argument,
	size_t argument_bytes);

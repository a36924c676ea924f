// SPDX-License-Identifier: MIT
/*
 * module.c - see module.h: whether and how a module's table is read, whichever
 * header it was built with.
 */
#include "daemon/modules/module.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include "base/text.h"
#include "daemon/modules/module_info.h"
#include "daemon/modules/registry.h"

int wyn_module_because(
	char ret_why[WYN_WHY_BYTES_MAX], int error, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(ret_why, WYN_WHY_BYTES_MAX, format, arguments);
	va_end(arguments);
	return error;
}

/* What a module that was built for ABI 1 has of struct wyn_module, and of each
 * function. */
#define FIRST_BYTES offsetof(struct wyn_module, init)

struct first_function {
	const char *name;
	const char *summary;
	wyn_function_run *run;
};

/* Whether it is longer than what we know, and uses that. */
static bool says_more(const struct wyn_module *module)
{
	const char *bytes = (const char *)module;

	for (size_t i = sizeof(*module); i < module->size_bytes; i++) {
		if (bytes[i] != 0) {
			return true;
		}
	}
	return false;
}

/* First of all: another ABI may mean another meaning of all the rest. */
static int check_abi(const struct wyn_module *module, char *ret_why)
{
	size_t least = module->abi == 1 ? FIRST_BYTES : sizeof(*module);

	if (module->abi > WYN_MODULE_ABI) {
		return wyn_module_because(ret_why, -EINVAL,
			"built for module ABI %u, this wynd knows 1 to %u: "
			"update wynd, or build it with this wynd's "
			"<wyn/module.h>",
			module->abi, WYN_MODULE_ABI);
	}
	if (module->abi == 0) {
		return wyn_module_because(ret_why, -EINVAL,
			"its wyn_module has no abi: set .abi = "
			"WYN_MODULE_ABI");
	}
	if (module->size_bytes < least || module->size_bytes > UINT16_MAX) {
		return wyn_module_because(ret_why, -EINVAL,
			"size_bytes of its wyn_module is %u: set .size_bytes = "
			"sizeof(struct wyn_module)",
			module->size_bytes);
	}
	if (module->abi == WYN_MODULE_ABI && says_more(module)) {
		return wyn_module_because(ret_why, -EINVAL,
			"its wyn_module says more than this wynd knows: update "
			"wynd");
	}
	return 0;
}

int wyn_module_check(
	const struct wyn_module *module, char ret_why[WYN_WHY_BYTES_MAX])
{
	struct wyn_module_calls calls;
	int rc = check_abi(module, ret_why);

	if (rc < 0) {
		return rc;
	}
	if (!wyn_registry_name_valid(module->name)) {
		return wyn_module_because(ret_why, -EINVAL,
			"its wyn_module has no name of 1 to %u of [a-z0-9_.-]",
			WYN_MODULE_NAME_BYTES_MAX);
	}
	if (module->version == NULL) {
		return wyn_module_because(
			ret_why, -EINVAL, "its wyn_module has no version");
	}
	calls = wyn_module_calls(module);
	if ((calls.state_create == NULL) != (calls.state_destroy == NULL)) {
		return wyn_module_because(ret_why, -EINVAL,
			"its wyn_module has only one of state_create and "
			"state_destroy");
	}
	return 0;
}

struct wyn_function wyn_module_function_at(
	const struct wyn_module *module, size_t index)
{
	const struct first_function *first =
		(const struct first_function *)(const void *)module->functions;

	if (module->abi > 1) {
		return module->functions[index];
	}
	return (struct wyn_function){
		.name = first[index].name,
		.summary = first[index].summary,
		.run = first[index].run,
	};
}

struct wyn_module_calls wyn_module_calls(const struct wyn_module *module)
{
	if (module->abi < 2) {
		return (struct wyn_module_calls){.init = NULL};
	}
	return (struct wyn_module_calls){
		.init = module->init,
		.fini = module->fini,
		.state_create = module->state_create,
		.state_destroy = module->state_destroy,
	};
}

void wyn_module_describe(const struct wyn_module_version *version,
	struct wyn_module_info *ret_info)
{
	*ret_info =
		(struct wyn_module_info){.functions = version->functions_count};
	(void)snprintf(ret_info->name, sizeof(ret_info->name), "%s",
		version->module->name);
	/* They may be anything; what is told on is text. */
	wyn_text_copy(ret_info->version, sizeof(ret_info->version),
		version->module->version);
	if (version->file != NULL) {
		wyn_text_copy(
			ret_info->file, sizeof(ret_info->file), version->file);
	}
}

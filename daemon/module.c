// SPDX-License-Identifier: MIT
/*
 * module.c - see module.h: whether and how a module's table is read, whichever
 * header it was built with.
 */
#include "daemon/module.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/text.h"
#include "daemon/module_info.h"
#include "daemon/registry.h"

int wyn_module_because(
	char ret_why[WYN_WHY_BYTES_MAX], int error, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(ret_why, WYN_WHY_BYTES_MAX, format, arguments);
	va_end(arguments);
	return error;
}

int wyn_module_check(
	const struct wyn_module *module, char ret_why[WYN_WHY_BYTES_MAX])
{
	/* First: another ABI may mean another meaning of all the rest. */
	if (module->abi != WYN_MODULE_ABI) {
		return wyn_module_because(ret_why, -EINVAL,
			"built for module ABI %u, this wynd has %u",
			module->abi, WYN_MODULE_ABI);
	}
	if (module->size_bytes < sizeof(*module)) {
		return wyn_module_because(ret_why, -EINVAL,
			"size_bytes of its wyn_module is %u, not %zu",
			module->size_bytes, sizeof(*module));
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
	return 0;
}

const struct wyn_function *wyn_module_function_at(
	const struct wyn_module *module, size_t index)
{
	return &module->functions[index];
}

/* A module may say what it likes; what is told on has to be text. */
static void version_copy(char to[WYN_MODULE_TEXT_BYTES], const char *version)
{
	if (wyn_text_valid(wyn_slice_of(version))) {
		(void)snprintf(to, WYN_MODULE_TEXT_BYTES, "%.*s",
			(int)wyn_text_cut(wyn_slice_of(version),
				WYN_MODULE_TEXT_BYTES - 1),
			version);
	}
}

void wyn_module_describe(const struct wyn_module_version *version,
	struct wyn_module_info *ret_info)
{
	*ret_info =
		(struct wyn_module_info){.functions = version->functions_count};
	(void)snprintf(ret_info->name, sizeof(ret_info->name), "%s",
		version->module->name);
	version_copy(ret_info->version, version->module->version);
}

// SPDX-License-Identifier: MIT
/*
 * conn_call_modules.c - which modules are loaded.
 *
 * In the order of their names, a page from any name on, for by the next page
 * others may be loaded. They are few, so each is looked for from the beginning.
 */
#include <string.h>

#include "daemon/engine/conn_call.h"
#include "daemon/engine/conn_later.h"
#include "daemon/engine/conn_state.h"
#include "daemon/engine/engine_state.h"
#include "daemon/modules/module_info.h"

#define MODULES_MAX 64u /* of one Reply */

/* What one costs in looks: see wyn_conn_work(). */
#define MODULE_LOOKS 64u

/* A module in a Reply, at most: texts, numbers, keys and lengths. */
#define MODULE_BYTES_MAX (sizeof(struct wyn_module_info) + 8 * 11)

/* The first that sorts after `after`. */
static bool module_next(const struct wyn_registry *registry, const char *after,
	struct wyn_module_info *ret_module)
{
	const struct wyn_module_version *first = NULL;
	const struct wyn_module_version *version;

	for (size_t i = 0; (version = wyn_registry_module(registry, i)) != NULL;
		i++) {
		const char *name = version->module->name;

		if (strcmp(name, after) > 0 &&
			(first == NULL ||
				strcmp(name, first->module->name) < 0)) {
			first = version;
		}
	}
	if (first != NULL) {
		wyn_module_describe(first, ret_module);
	}
	return first != NULL;
}

static void module_fill(
	const struct wyn_module_info *info, Wyn__V1__Module *ret_module)
{
	wyn__v1__module__init(ret_module);
	ret_module->name = wyn_message_text(info->name);
	ret_module->version = wyn_message_text(info->version);
	ret_module->file = wyn_message_text(info->file);
	ret_module->functions = info->functions;
}

void wyn_conn_call_modules(struct wyn_conn *conn, const Wyn__V1__Call *call)
{
	struct wyn_engine *engine = conn->engine;
	const struct wyn_registry *registry =
		wyn_catalog_read(&engine->functions);
	size_t most = engine->limits.frame_bytes_max / MODULE_BYTES_MAX;
	struct wyn_module_info infos[MODULES_MAX];
	Wyn__V1__Module modules[MODULES_MAX];
	Wyn__V1__Module *pointers[MODULES_MAX];
	Wyn__V1__ModulesReply list = WYN__V1__MODULES_REPLY__INIT;
	Wyn__V1__Reply answer = WYN__V1__REPLY__INIT;
	const char *after = call->modules->after;
	struct wyn_module_info beyond;

	most = most < MODULES_MAX ? most : MODULES_MAX;
	if (call->modules->limit > 0 && call->modules->limit < most) {
		most = call->modules->limit;
	}
	while (list.n_modules < most &&
		module_next(registry, after, &infos[list.n_modules])) {
		after = infos[list.n_modules].name;
		module_fill(&infos[list.n_modules], &modules[list.n_modules]);
		pointers[list.n_modules] = &modules[list.n_modules];
		list.n_modules++;
	}
	wyn_conn_work(conn, MODULE_LOOKS * (list.n_modules + 1));
	list.modules = pointers;
	list.more = module_next(registry, after, &beyond);
	answer.what_case = WYN__V1__REPLY__WHAT_MODULES;
	answer.modules = &list;
	wyn_conn_reply(conn, &answer, call->call_id);
}

// SPDX-License-Identifier: MIT
/*
 * loader_tell.c - what became of the modules, in the log.
 */
#include "daemon/modules/loader.h"
#include "daemon/log.h"

/* Also after a reload, where what was kept is no news. */
static void tell_module(const struct wyn_loader_change *change)
{
	switch (change->verb) {
	case WYN_LOADER_REFUSED:
		wyn_log(WYN_LOG_WARNING, "module-refused",
			WYN_LOG_TEXT("file", change->file),
			WYN_LOG_TEXT("reason", change->why));
		break;
	case WYN_LOADER_LOADED:
	case WYN_LOADER_REPLACED:
		wyn_log(WYN_LOG_INFO, "module-loaded",
			WYN_LOG_TEXT("module", change->module),
			WYN_LOG_TEXT("version", change->version),
			WYN_LOG_TEXT("file", change->file),
			WYN_LOG_NUMBER("functions", change->functions));
		break;
	case WYN_LOADER_REMOVED:
		wyn_log(WYN_LOG_INFO, "module-removed",
			WYN_LOG_TEXT("file", change->file));
		break;
	case WYN_LOADER_KEPT:
		break;
	}
}

void wyn_loader_tell(const struct wyn_loader_report *report)
{
	for (size_t i = 0; i < report->count; i++) {
		tell_module(&report->changes[i]);
	}
}

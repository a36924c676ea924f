// SPDX-License-Identifier: MIT
/*
 * module_info.h - what is told of a loaded module.
 *
 * A copy, so that whoever reads it need not know how long the module lives.
 */
#pragma once

#include <stdint.h>

#include <wyn/module.h>

#define WYN_MODULE_TEXT_BYTES 128u /* what is longer is cut */

struct wyn_module_info {
	char name[WYN_MODULE_NAME_BYTES_MAX + 1];
	char version[WYN_MODULE_TEXT_BYTES]; /* "" = it has none */
	char file[WYN_MODULE_TEXT_BYTES]; /* in its directory; "" = unknown */
	uint64_t functions;
};

// SPDX-License-Identifier: MIT
/*
 * status.c - the names of the status codes, from the table in wyn/status.h.
 *
 * A number that a newer peer sends and we do not know reads as UNKNOWN, which
 * is what the code of that name means.
 */
#include "client/wynctl/status.h"

#include "base/compiler.h"

static const char *const names[] = {
#define NAME(name, number, text) [number] = #name,
	WYN_STATUS_TABLE(NAME)
#undef NAME
};

_Static_assert(WYN_COUNT_OF(names) == WYN_STATUS_COUNT,
	"the table has as many codes as wyn/status.h says");

const char *wyn_status_name(uint32_t code)
{
	return code < WYN_COUNT_OF(names) ? names[code] : "UNKNOWN";
}

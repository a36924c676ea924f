// SPDX-License-Identifier: MIT
/*
 * signal_name.c - by the names that the C library has.
 */
#include "client/wynctl/signal_name.h"

#include <string.h>
#include <strings.h>

#include "base/quantity.h"

#define SIGNAL_MAX 64u

const char *wyn_signal_name(uint32_t number)
{
	return number <= SIGNAL_MAX ? sigabbrev_np((int)number) : NULL;
}

unsigned wyn_signal_number(const char *text)
{
	uint64_t number;
	const char *name;

	if (wyn_quantity_parse_count(text, 1, SIGNAL_MAX, &number) == 0) {
		return (unsigned)number;
	}
	if (strncasecmp(text, "SIG", 3) == 0) {
		text += 3;
	}
	for (unsigned i = 1; i <= SIGNAL_MAX; i++) {
		name = wyn_signal_name(i);
		if (name != NULL && strcasecmp(name, text) == 0) {
			return i;
		}
	}
	return 0;
}

// SPDX-License-Identifier: MIT
/*
 * status.h - the status codes by name, as --json prints them. The table is in
 * wyn/status.h.
 */
#pragma once

#include <stdint.h>

#include <wyn/status.h>

/*
 * wyn_status_name - "OK", "CANCELLED", ...
 *
 * Thread: any. Returns: a constant string, "UNKNOWN" for a number that is not
 * in the table.
 */
const char *wyn_status_name(uint32_t code);

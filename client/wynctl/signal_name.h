// SPDX-License-Identifier: MIT
/*
 * signal_name.h - signals as people write them. Pure; any thread.
 */
#pragma once

#include <stdint.h>

/* wyn_signal_number - of TERM, SIGTERM, term or 15. Returns: 0 for what is no
 * signal's. */
unsigned wyn_signal_number(const char *text);

/* wyn_signal_name - TERM of 15. Returns: NULL for a number without a name. */
const char *wyn_signal_name(uint32_t number);

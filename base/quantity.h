// SPDX-License-Identifier: MIT
/*
 * quantity.h - numbers as users write them: counts, sizes, durations.
 *
 * Decimal digits, then a unit where the kind has one; no sign, no blanks, no
 * fractions. Every caller gives a range, because every number of ours has
 * one. For command lines and configuration files. Any room, any thread.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

/* Room for any message of wyn_quantity_explain(), its NUL included. */
#define WYN_QUANTITY_WHY_BYTES 128u

enum wyn_quantity_kind {
	WYN_QUANTITY_COUNT, /* "12" */
	WYN_QUANTITY_BYTES, /* "4096", "64K", "1M", "2G": powers of 1024 */
	WYN_QUANTITY_MS,    /* "1500ms", "30s", "5m", "2h"; "30" is seconds */
};

/*
 * wyn_quantity_parse_count, _bytes, _ms - read a number of that kind.
 *
 * A duration without a unit is in seconds, as with timeout(1) and sleep(1);
 * "0" is nought in every kind. *ret_value is in units, bytes or milliseconds.
 *
 * Thread: any. Returns: 0; -EINVAL when the text is not such a number; -ERANGE
 * when it is one but not within [min, max], or does not fit 64 bits. On error
 * *ret_value is not written.
 */
WYN_NODISCARD
int wyn_quantity_parse_count(
	const char *text, uint64_t min, uint64_t max, uint64_t *ret_value);
WYN_NODISCARD
int wyn_quantity_parse_bytes(
	const char *text, uint64_t min, uint64_t max, uint64_t *ret_value);
WYN_NODISCARD
int wyn_quantity_parse_ms(
	const char *text, uint64_t min, uint64_t max, uint64_t *ret_value);

/*
 * wyn_quantity_explain - says what was wrong with a number, and what is right.
 *
 * `error` is what the parser of that kind returned for this range. For example
 * "must be 1 to 64" or "must be a duration such as 500ms, 30s, 5m or 2h".
 *
 * Thread: any. `out` is always ended by NUL; what does not fit is cut.
 */
void wyn_quantity_explain(enum wyn_quantity_kind kind, int error, uint64_t min,
	uint64_t max, char *out, size_t out_bytes);

/*
 * wyn_quantity_format - writes a number the way its parser reads it, with the
 * largest unit that leaves no remainder.
 *
 * Thread: any. `out` is always ended by NUL; 24 bytes are enough.
 */
void wyn_quantity_format(enum wyn_quantity_kind kind, uint64_t value, char *out,
	size_t out_bytes);

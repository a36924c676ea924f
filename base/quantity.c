// SPDX-License-Identifier: MIT
/*
 * quantity.c - numbers as users write them: one parser, one table of units.
 *
 * A kind is a list of suffixes, each with what it multiplies by. The empty
 * suffix is the unit of a bare number. Largest first, which is the order in
 * which formatting looks for one without a remainder.
 */
#include "base/quantity.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

struct unit {
	const char *suffix;
	uint64_t factor;
};

#define UNITS_MAX 5

struct kind {
	const char *right; /* completes "must be ..." */
	struct unit units[UNITS_MAX];
};

static const struct kind kinds[] = {
	[WYN_QUANTITY_COUNT] = {"a whole number", {{"", 1}}},
	[WYN_QUANTITY_BYTES] = {"a size such as 4096, 64K, 1M or 2G",
		{{"G", 1u << 30}, {"M", 1u << 20}, {"K", 1u << 10}, {"", 1}}},
	[WYN_QUANTITY_MS] = {"a duration such as 500ms, 30s, 5m or 2h",
		{{"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1},
			{"", 1000}}},
};

static const struct unit *find_unit(const struct kind *kind, const char *suffix)
{
	for (size_t i = 0; i < UNITS_MAX && kind->units[i].factor; i++) {
		if (!strcmp(kind->units[i].suffix, suffix)) {
			return &kind->units[i];
		}
	}
	return NULL;
}

static int parse(const struct kind *kind, const char *text, uint64_t min,
	uint64_t max, uint64_t *ret_value)
{
	const struct unit *unit;
	const char *at = text;
	uint64_t value = 0;
	bool overflow = false;

	for (; *at >= '0' && *at <= '9'; at++) {
		overflow |= __builtin_mul_overflow(value, 10, &value);
		overflow |= __builtin_add_overflow(
			value, (uint64_t)(*at - '0'), &value);
	}
	unit = find_unit(kind, at);
	if (at == text || !unit) {
		return -EINVAL;
	}
	overflow |= __builtin_mul_overflow(value, unit->factor, &value);
	if (overflow || value < min || value > max) {
		return -ERANGE;
	}
	*ret_value = value;
	return 0;
}

int wyn_quantity_parse_count(
	const char *text, uint64_t min, uint64_t max, uint64_t *ret_value)
{
	return parse(&kinds[WYN_QUANTITY_COUNT], text, min, max, ret_value);
}

int wyn_quantity_parse_bytes(
	const char *text, uint64_t min, uint64_t max, uint64_t *ret_value)
{
	return parse(&kinds[WYN_QUANTITY_BYTES], text, min, max, ret_value);
}

int wyn_quantity_parse_ms(
	const char *text, uint64_t min, uint64_t max, uint64_t *ret_value)
{
	return parse(&kinds[WYN_QUANTITY_MS], text, min, max, ret_value);
}

void wyn_quantity_format(enum wyn_quantity_kind kind, uint64_t value, char *out,
	size_t out_bytes)
{
	const struct unit *unit = kinds[kind].units;

	/* The last one divides everything; nought is "0" in every kind. */
	while (value > 0 && value % unit->factor != 0) {
		unit++;
	}
	snprintf(out, out_bytes, "%" PRIu64 "%s", value / unit->factor,
		value > 0 ? unit->suffix : "");
}

void wyn_quantity_explain(enum wyn_quantity_kind kind, int error, uint64_t min,
	uint64_t max, char *out, size_t out_bytes)
{
	char least[24];
	char most[24];

	if (error != -ERANGE) {
		snprintf(out, out_bytes, "must be %s", kinds[kind].right);
		return;
	}
	wyn_quantity_format(kind, min, least, sizeof(least));
	wyn_quantity_format(kind, max, most, sizeof(most));
	if (max == UINT64_MAX) {
		snprintf(out, out_bytes, "must be at least %s", least);
	} else {
		snprintf(out, out_bytes, "must be %s to %s", least, most);
	}
}

// SPDX-License-Identifier: MIT
/*
 * halt.c - when enough is enough.
 */
#include "client/wynctl/halt.h"

#include <errno.h>
#include <string.h>

#include "base/quantity.h"

/* What follows `prefix`, or NULL. */
static const char *halt_after(const char *text, const char *prefix)
{
	size_t size = strlen(prefix);

	return strncmp(text, prefix, size) == 0 ? text + size : NULL;
}

static int halt_parse_value(const char *text, struct wyn_halt *halt)
{
	char number[24];
	size_t size = strlen(text);

	if (size == 0 || size >= sizeof(number)) {
		return -EINVAL;
	}
	memcpy(number, text, size + 1);
	halt->percent = number[size - 1] == '%';
	if (halt->percent) {
		number[size - 1] = '\0';
	}
	return wyn_quantity_parse_count(number, 1,
		       halt->percent ? 100 : UINT64_MAX, &halt->value) == 0
		       ? 0
		       : -EINVAL;
}

int wyn_halt_parse(const char *text, struct wyn_halt *ret_halt)
{
	static const char *const whys[] = {
		[WYN_HALT_FAIL] = "fail=",
		[WYN_HALT_SUCCESS] = "success=",
		[WYN_HALT_DONE] = "done=",
	};
	struct wyn_halt halt = {.when = WYN_HALT_SOON};
	const char *rest = halt_after(text, "soon,");
	const char *value = NULL;
	int err;

	if (strcmp(text, "never") == 0) {
		*ret_halt = (struct wyn_halt){.when = WYN_HALT_NEVER};
		return 0;
	}
	if (rest == NULL) {
		halt.when = WYN_HALT_NOW;
		rest = halt_after(text, "now,");
	}
	if (rest == NULL) {
		return -EINVAL;
	}
	for (unsigned i = 0; value == NULL && i < WYN_COUNT_OF(whys); i++) {
		halt.why = (enum wyn_halt_why)i;
		value = halt_after(rest, whys[i]);
	}
	if (value == NULL) {
		return -EINVAL;
	}
	err = halt_parse_value(value, &halt);
	if (err == 0) {
		*ret_halt = halt;
	}
	return err;
}

bool wyn_halt_reached(
	const struct wyn_halt *halt, const struct wyn_halt_counts *counts)
{
	uint64_t have = counts->failed;
	uint64_t of = counts->total;

	if (halt->when == WYN_HALT_NEVER) {
		return false;
	}
	if (halt->why == WYN_HALT_SUCCESS) {
		have = counts->done - counts->failed;
	} else if (halt->why == WYN_HALT_DONE) {
		have = counts->done;
	}
	if (!halt->percent) {
		return have >= halt->value;
	}
	if (of == 0) {
		if (halt->why == WYN_HALT_DONE ||
			counts->done < WYN_HALT_SHARE_MIN) {
			return false;
		}
		of = counts->done;
	}
	return have > 0 &&
	       (double)have * 100 >= (double)of * (double)halt->value;
}

int wyn_halt_exit_code(const struct wyn_halt *halt,
	const struct wyn_halt_counts *counts, bool halted)
{
	uint64_t of = counts->total > 0 ? counts->total : counts->done;

	if (halted && halt->why == WYN_HALT_SUCCESS) {
		return 0;
	}
	if (halted && halt->why == WYN_HALT_FAIL && halt->percent && of > 0) {
		return (int)(counts->failed * 100 / of);
	}
	if (halted && halt->why == WYN_HALT_FAIL && halt->value == 1) {
		return counts->last;
	}
	return counts->failed <= WYN_HALT_FAILED_MAX ? (int)counts->failed
						     : WYN_HALT_EXIT_MANY;
}

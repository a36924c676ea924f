// SPDX-License-Identifier: MIT
/*
 * bench_tally.c - latencies in runs, and errors by code and reason.
 *
 * The list of errors is searched from its front: a run sees a few kinds, and
 * the first one it met is mostly the one it meets again.
 */
#include "client/wynctl/bench_tally.h"

#include <string.h>

#include "base/text.h"

#define OTHERS "(others)"

void wyn_tally_flush(struct wyn_tally *tally)
{
	wyn_histogram_record_n(
		&tally->latency_ns, tally->last_ns, tally->last_count);
	tally->latency_sum_ns +=
		(double)tally->last_ns * (double)tally->last_count;
	tally->last_count = 0;
}

/* As much of a text as is kept in `room` bytes with its NUL. */
static struct wyn_slice tally_part(const char *text, size_t room)
{
	struct wyn_slice part = {(const uint8_t *)text, strnlen(text, room)};

	if (part.len == room) {
		part.len--;
		part.len = wyn_text_whole(part);
	}
	return part;
}

static void tally_keep(char *out, struct wyn_slice text)
{
	memcpy(out, text.data, text.len);
	out[text.len] = '\0';
}

void wyn_tally_error(struct wyn_tally *tally, uint32_t code, const char *reason,
	const char *message)
{
	struct wyn_slice part = tally_part(reason, WYN_TALLY_REASON_BYTES);
	struct wyn_tally_error *error = tally->errors;
	unsigned i = 0;

	tally->failed++;
	while (i < tally->errors_count &&
		(error[i].code != code ||
			!wyn_slice_equal(
				wyn_slice_of(error[i].reason), part))) {
		i++;
	}
	if (i == WYN_TALLY_ERRORS_MAX) {
		i--;
		tally_keep(error[i].reason, wyn_slice_of(OTHERS));
		tally_keep(error[i].message, wyn_slice_of(""));
	} else if (i == tally->errors_count) {
		tally->errors_count++;
		error[i].code = code;
		tally_keep(error[i].reason, part);
		tally_keep(error[i].message,
			tally_part(message, WYN_TALLY_MESSAGE_BYTES));
	}
	error[i].count++;
}

double wyn_tally_mean_ns(const struct wyn_tally *tally)
{
	uint64_t count = wyn_histogram_count(&tally->latency_ns);

	return count > 0 ? tally->latency_sum_ns / (double)count : 0;
}

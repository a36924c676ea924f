// SPDX-License-Identifier: MIT
/*
 * walk_results.c - the walker over canonical Results.
 *
 * The columns stay where they are: they are checked here once, so that the
 * cursor of message.c can trust them. Only details, which are rare, take
 * memory.
 */
#include "proto/walk.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "proto/field.h"
#include "proto/rules.h"
#include "proto/tags.h"

/* Returns: true and the number of varints, all minimal and of 32 bits. */
static bool codes_check(struct wyn_slice packed, size_t *ret_count)
{
	struct wyn_reader in = wyn_reader_of(packed);
	size_t n = 0;

	while (in.at < in.end) {
		uint64_t value = 0;

		if (!wyn_varint_read_minimal(&in, &value) ||
			value > UINT32_MAX) {
			return false;
		}
		n++;
	}
	*ret_count = n;
	return true;
}

/*
 * Skips varints of `bytes` bytes as long as each is one more than the one
 * before it, the first of which has just been read.
 *
 * Compared eight bytes at a time with what the next one must look like, so
 * none is decoded, and what is skipped is in its shortest form. A carry out of
 * the lowest byte, each 128th, ends the run, and so do the last few.
 */
static size_t run_skip(struct wyn_reader *in, size_t bytes)
{
	const uint8_t *at = in->at;
	uint64_t expected;
	uint64_t mask;
	uint64_t word;
	size_t n = 0;

	if (bytes >= sizeof(word) || wyn_reader_left(in) < sizeof(word)) {
		return 0;
	}
	mask = (UINT64_C(1) << (8 * bytes)) - 1;
	memcpy(&word, at - bytes, sizeof(word));
	expected = le64toh(word) & mask;
	while ((size_t)(in->end - at) >= sizeof(word)) {
		memcpy(&word, at, sizeof(word));
		expected++;
		if ((expected & 0x7f) == 0 ||
			(le64toh(word) & mask) != expected) {
			break;
		}
		at += bytes;
		n++;
	}
	in->at = at;
	return n;
}

/* codes_check() for the seqs, which mostly come in a row. */
static bool seqs_check(struct wyn_results *results)
{
	struct wyn_reader in = wyn_reader_of(results->seqs);
	bool in_row = true;
	size_t n = 0;

	while (in.at < in.end) {
		const uint8_t *start = in.at;
		uint64_t value = 0;

		if (!wyn_varint_read_minimal(&in, &value)) {
			return false;
		}
		if (n == 0) {
			results->first_seq = value;
		}
		in_row &= value - results->first_seq == n;
		n += 1 + run_skip(&in, (size_t)(in.at - start));
	}
	results->in_row = in_row;
	results->count = n;
	return true;
}

/* Takes the run of fields `tag` as one view, which is empty if there is none.
 */
static bool take_run(struct wyn_reader *in, uint8_t tag,
	struct wyn_slice *ret_region, size_t *ret_count)
{
	const uint8_t *start = in->at;
	size_t n = 0;

	while (wyn_field_is_next(in, tag)) {
		struct wyn_slice element;

		if (!wyn_field_take_bytes(in, tag, &element)) {
			return false;
		}
		n++;
	}
	*ret_region = (struct wyn_slice){start, (size_t)(in->at - start)};
	*ret_count = n;
	return true;
}

static bool walk_detail(struct wyn_slice bytes, struct wyn_detail *ret_detail,
	uint32_t *ret_row)
{
	struct wyn_reader in = wyn_reader_of(bytes);
	struct wyn_detail detail = {0};
	uint64_t index = 0;
	uint64_t ran = 0;

	if (!wyn_field_take_u64(&in, WYN_TAG_DETAIL_INDEX, &index) ||
		!wyn_field_take_bytes(
			&in, WYN_TAG_DETAIL_MESSAGE, &detail.message) ||
		!wyn_field_take_bytes(
			&in, WYN_TAG_DETAIL_REASON, &detail.reason) ||
		!wyn_field_take_u64(&in, WYN_TAG_DETAIL_RAN, &ran) ||
		!wyn_field_take_u64(&in, WYN_TAG_DETAIL_RETRY_AFTER_MS,
			&detail.retry_after_ms) ||
		in.at != in.end) {
		return false;
	}
	if (index > UINT32_MAX || ran > INT32_MAX ||
		!wyn_text_valid(detail.message) ||
		!wyn_text_valid(detail.reason)) {
		return false;
	}
	detail.ran = wyn_rules_enum_narrow((int64_t)ran);
	*ret_detail = detail;
	*ret_row = (uint32_t)index;
	return true;
}

/* region is a run of `count` details. Returns: 0; -EINVAL; -ENOBUFS. */
static int walk_details(struct wyn_slice region, size_t count,
	struct wyn_arena *arena, struct wyn_results *results)
{
	struct wyn_reader in = wyn_reader_of(region);
	struct wyn_detail *details;
	uint32_t *rows;

	if (count == 0) {
		return 0;
	}
	details = wyn_arena_alloc(arena, count * sizeof(*details));
	rows = wyn_arena_alloc(arena, count * sizeof(*rows));
	if (details == NULL || rows == NULL) {
		return -ENOBUFS;
	}
	for (size_t i = 0; i < count; i++) {
		struct wyn_slice bytes = {NULL, 0};

		if (!wyn_field_take_bytes(
			    &in, WYN_TAG_RESULTS_DETAILS, &bytes) ||
			!walk_detail(bytes, &details[i], &rows[i])) {
			return -EINVAL;
		}
	}
	results->details = details;
	results->detail_rows = rows;
	results->detail_count = count;
	return 0;
}

/* Field by field: a literal of this size is cleared by an instruction that
 * takes longer than all the rest of a single row. */
static void results_clear(struct wyn_results *results)
{
	const struct wyn_slice none = {NULL, 0};

	results->row = 0;
	results->first_seq = 0;
	results->seqs = none;
	results->codes = none;
	results->values = none;
	results->details = NULL;
	results->detail_rows = NULL;
	results->detail_count = 0;
	results->quiet_done = 0;
}

int wyn_walk_results(struct wyn_slice bytes, struct wyn_arena *arena,
	struct wyn_results *ret_results)
{
	struct wyn_reader in = wyn_reader_of(bytes);
	struct wyn_results results;
	struct wyn_slice details = {NULL, 0};
	size_t codes;
	size_t values;
	size_t detail_count;
	int err;

	results_clear(&results);
	if (!wyn_field_take_bytes(&in, WYN_TAG_RESULTS_SEQ, &results.seqs) ||
		!wyn_field_take_bytes(
			&in, WYN_TAG_RESULTS_CODE, &results.codes) ||
		!take_run(
			&in, WYN_TAG_RESULTS_VALUE, &results.values, &values) ||
		!take_run(&in, WYN_TAG_RESULTS_DETAILS, &details,
			&detail_count) ||
		!wyn_field_take_u64(
			&in, WYN_TAG_RESULTS_QUIET_DONE, &results.quiet_done) ||
		in.at != in.end) {
		return -EINVAL;
	}
	if (!seqs_check(&results) || !codes_check(results.codes, &codes)) {
		return -EINVAL;
	}
	results.has_codes = codes > 0;
	results.has_values = values > 0;
	err = walk_details(details, detail_count, arena, &results);
	if (err) {
		return err;
	}
	err = wyn_rules_results_check(&results, codes, values);
	if (err) {
		return err;
	}
	*ret_results = results;
	return 0;
}

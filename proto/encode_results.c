// SPDX-License-Identifier: MIT
/*
 * encode_results.c - rows of results into columns.
 *
 * A column that would be zero or empty all the way down is left out, which for
 * tasks that succeed takes away the codes and, for those without a value, the
 * values too.
 */
#include "proto/codec.h"

#include "base/assert.h"
#include "proto/field.h"
#include "proto/tags.h"

static size_t usage_bytes(const struct wyn_usage *usage)
{
	return wyn_field_u64_bytes(usage->wall_ns) +
	       wyn_field_u64_bytes(usage->user_ns) +
	       wyn_field_u64_bytes(usage->system_ns) +
	       wyn_field_u64_bytes(usage->peak_rss_bytes) +
	       wyn_field_u64_bytes(usage->output_bytes) +
	       wyn_field_u64_bytes(usage->error_bytes);
}

static uint8_t *usage_put(uint8_t *out, const struct wyn_usage *usage)
{
	out = wyn_field_put_len(out, WYN_TAG_DETAIL_USAGE, usage_bytes(usage));
	out = wyn_field_put_u64(out, WYN_TAG_USAGE_WALL_NS, usage->wall_ns);
	out = wyn_field_put_u64(out, WYN_TAG_USAGE_USER_NS, usage->user_ns);
	out = wyn_field_put_u64(out, WYN_TAG_USAGE_SYSTEM_NS, usage->system_ns);
	out = wyn_field_put_u64(
		out, WYN_TAG_USAGE_PEAK_RSS_BYTES, usage->peak_rss_bytes);
	out = wyn_field_put_u64(
		out, WYN_TAG_USAGE_OUTPUT_BYTES, usage->output_bytes);
	return wyn_field_put_u64(
		out, WYN_TAG_USAGE_ERROR_BYTES, usage->error_bytes);
}

static size_t detail_bytes(const struct wyn_detail *detail, size_t row)
{
	size_t usage =
		detail->usage == NULL
			? 0
			: wyn_field_len_bytes(usage_bytes(detail->usage));

	return wyn_field_u64_bytes(row) +
	       wyn_field_bytes_bytes(detail->message.len) +
	       wyn_field_bytes_bytes(detail->reason.len) +
	       wyn_field_u64_bytes(detail->ran) +
	       wyn_field_u64_bytes(detail->retry_after_ms) +
	       wyn_field_u64_bytes(detail->exit_status) +
	       wyn_field_u64_bytes(detail->signal) + usage;
}

static uint8_t *detail_put(
	uint8_t *out, const struct wyn_detail *detail, size_t row)
{
	out = wyn_field_put_len(
		out, WYN_TAG_RESULTS_DETAILS, detail_bytes(detail, row));
	out = wyn_field_put_u64(out, WYN_TAG_DETAIL_INDEX, row);
	out = wyn_field_put_bytes(out, WYN_TAG_DETAIL_MESSAGE, detail->message);
	out = wyn_field_put_bytes(out, WYN_TAG_DETAIL_REASON, detail->reason);
	out = wyn_field_put_u64(out, WYN_TAG_DETAIL_RAN, detail->ran);
	out = wyn_field_put_u64(
		out, WYN_TAG_DETAIL_RETRY_AFTER_MS, detail->retry_after_ms);
	out = wyn_field_put_u64(
		out, WYN_TAG_DETAIL_EXIT_STATUS, detail->exit_status);
	out = wyn_field_put_u64(out, WYN_TAG_DETAIL_SIGNAL, detail->signal);
	return detail->usage == NULL ? out : usage_put(out, detail->usage);
}

void wyn_results_measure(const struct wyn_result *rows, size_t n,
	uint64_t quiet_done, struct wyn_results_sizes *ret_sizes)
{
	size_t seqs = 0;
	size_t codes = 0;
	size_t values = 0;
	size_t details = 0;
	uint32_t code_any = 0;
	bool has_values = false;

	for (size_t i = 0; i < n; i++) {
		const struct wyn_result *row = &rows[i];

		seqs += wyn_varint_bytes(row->seq);
		codes += wyn_varint_bytes(row->code);
		code_any |= row->code;
		values += wyn_field_len_bytes(row->value.len);
		has_values |= row->value.len > 0;
		if (row->detail != NULL) {
			details += wyn_field_len_bytes(
				detail_bytes(row->detail, i));
		}
	}
	codes = code_any != 0 ? codes : 0;
	ret_sizes->seqs = seqs;
	ret_sizes->codes = codes;
	ret_sizes->has_values = has_values;
	ret_sizes->results = wyn_field_bytes_bytes(seqs) +
			     wyn_field_bytes_bytes(codes) +
			     (has_values ? values : 0) + details +
			     wyn_field_u64_bytes(quiet_done);
	ret_sizes->frame = WYN_FRAME_HEADER_BYTES +
			   wyn_field_len_bytes(ret_sizes->results);
}

static uint8_t *columns_put(uint8_t *out, const struct wyn_result *rows,
	size_t n, const struct wyn_results_sizes *sizes)
{
	if (n > 0) {
		out = wyn_field_put_len(out, WYN_TAG_RESULTS_SEQ, sizes->seqs);
		for (size_t i = 0; i < n; i++) {
			out = wyn_varint_put(out, rows[i].seq);
		}
	}
	if (sizes->codes > 0) {
		out = wyn_field_put_len(
			out, WYN_TAG_RESULTS_CODE, sizes->codes);
		for (size_t i = 0; i < n; i++) {
			out = wyn_varint_put(out, rows[i].code);
		}
	}
	if (sizes->has_values) {
		for (size_t i = 0; i < n; i++) {
			out = wyn_field_put_element(
				out, WYN_TAG_RESULTS_VALUE, rows[i].value);
		}
	}
	return out;
}

void wyn_results_encode(const struct wyn_result *rows, size_t n,
	uint64_t quiet_done, const struct wyn_results_sizes *sizes,
	uint8_t *out)
{
	uint8_t *at = out + WYN_FRAME_HEADER_BYTES;

	wyn_frame_header_put(out, 0, wyn_field_len_bytes(sizes->results));
	at = wyn_field_put_len(
		at, WYN_TAG_BYTES(WYN_MESSAGE_RESULTS), sizes->results);
	at = columns_put(at, rows, n, sizes);
	for (size_t i = 0; i < n; i++) {
		if (rows[i].detail != NULL) {
			at = detail_put(at, rows[i].detail, i);
		}
	}
	at = wyn_field_put_u64(at, WYN_TAG_RESULTS_QUIET_DONE, quiet_done);
	wyn_assert(at == out + sizes->frame);
}

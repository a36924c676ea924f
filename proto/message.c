// SPDX-License-Identifier: MIT
/*
 * message.c - cursors over arguments and over the rows of Results.
 *
 * They run over bytes that decoding has checked, or that our own encoder made,
 * so a byte out of place is a bug of ours and asserted.
 */
#include "proto/message.h"

#include "base/assert.h"
#include "proto/field.h"
#include "proto/tags.h"

_Static_assert(WYN_ARGS_HEAD_BYTES_MAX == 1 + WYN_VARINT_BYTES_MAX,
	"a tag of one byte, and any length");

/* What element_take() does not do itself. */
static struct wyn_slice element_take_any(struct wyn_slice *region, uint8_t tag)
{
	struct wyn_reader in = wyn_reader_of(*region);
	struct wyn_slice element = {NULL, 0};
	bool taken;

	wyn_assert(wyn_field_is_next(&in, tag));
	taken = wyn_field_take_bytes(&in, tag, &element);
	wyn_assert(taken);
	*region = (struct wyn_slice){in.at, wyn_reader_left(&in)};
	return element;
}

/* The bytes of one field off the front of `region`. */
static inline struct wyn_slice element_take(
	struct wyn_slice *region, uint8_t tag)
{
	const uint8_t *at = region->data;
	size_t len = region->len;
	struct wyn_slice element;

	if (WYN_UNLIKELY(len < 2 || at[0] != tag || at[1] > 0x7f ||
			 at[1] > len - 2)) {
		return element_take_any(region, tag);
	}
	element = (struct wyn_slice){at + 2, at[1]};
	*region =
		(struct wyn_slice){at + 2 + element.len, len - 2 - element.len};
	return element;
}

static inline uint64_t varint_take(struct wyn_slice *packed)
{
	struct wyn_reader in = wyn_reader_of(*packed);
	uint64_t value = 0;
	size_t n = wyn_varint_read(&in, &value);

	wyn_assert(n > 0);
	*packed = (struct wyn_slice){in.at, wyn_reader_left(&in)};
	return value;
}

bool wyn_args_next(struct wyn_args *args, struct wyn_slice *ret_arg)
{
	if (args->count == 0) {
		return false;
	}
	*ret_arg = element_take(&args->region, WYN_TAG_SUBMIT_ARGS);
	args->count--;
	return true;
}

size_t wyn_args_head_put(uint8_t out[WYN_ARGS_HEAD_BYTES_MAX], uint64_t len)
{
	return (size_t)(wyn_field_put_len(out, WYN_TAG_SUBMIT_ARGS, len) - out);
}

bool wyn_results_next(struct wyn_results *results, struct wyn_result *ret_row)
{
	if (results->count == 0) {
		return false;
	}
	ret_row->seq = results->in_row ? results->first_seq + results->row
				       : varint_take(&results->seqs);
	ret_row->code =
		results->has_codes ? (uint32_t)varint_take(&results->codes) : 0;
	ret_row->value = results->has_values ? element_take(&results->values,
						       WYN_TAG_RESULTS_VALUE)
					     : (struct wyn_slice){NULL, 0};
	ret_row->detail = NULL;
	if (results->detail_count > 0 &&
		results->detail_rows[0] == results->row) {
		ret_row->detail = results->details;
		results->details++;
		results->detail_rows++;
		results->detail_count--;
	}
	results->count--;
	results->row++;
	return true;
}

// SPDX-License-Identifier: MIT
/*
 * varint.c - varints of more than one byte.
 *
 * Stricter than most readers: a tenth byte may carry one bit only, where others
 * drop what does not fit. Two peers must never see two numbers in the same
 * bytes.
 */
#include "proto/varint.h"

#include <endian.h>
#include <string.h>

#define HIGHS UINT64_C(0x8080808080808080)

/* Takes the high bit out of each of eight bytes and closes the gaps, in pairs,
 * then fours, then all. */
static uint64_t sevens_join(uint64_t word)
{
	word = (word & UINT64_C(0x007f007f007f007f)) |
	       (word & UINT64_C(0x7f007f007f007f00)) >> 1;
	word = (word & UINT64_C(0x00003fff00003fff)) |
	       (word & UINT64_C(0x3fff00003fff0000)) >> 2;
	return (word & UINT64_C(0x000000000fffffff)) |
	       (word & UINT64_C(0x0fffffff00000000)) >> 4;
}

static size_t read_by_byte(struct wyn_reader *in, uint64_t *ret_value)

{
	size_t max = wyn_reader_left(in);
	uint64_t value = 0;
	size_t i;

	if (max > WYN_VARINT_BYTES_MAX) {
		max = WYN_VARINT_BYTES_MAX;
	}
	for (i = 0; i < max; i++) {
		uint8_t byte = in->at[i];

		value |= (uint64_t)(byte & 0x7f) << (7 * i);
		if (byte < 0x80) {
			break;
		}
	}
	if (i == max || (i == WYN_VARINT_BYTES_MAX - 1 && in->at[i] > 1)) {
		return 0;
	}
	in->at += i + 1;
	*ret_value = value;
	return i + 1;
}

size_t wyn_varint_read_long(struct wyn_reader *in, uint64_t *ret_value)
{
	uint64_t word;
	uint64_t last;
	size_t n;

	if (wyn_reader_left(in) < sizeof(word)) {
		return read_by_byte(in, ret_value);
	}
	memcpy(&word, in->at, sizeof(word));
	word = le64toh(word);
	last = ~word & HIGHS;
	if (last == 0) {
		return read_by_byte(in, ret_value);
	}
	n = ((size_t)__builtin_ctzll(last) + 1) / 8;
	/* Up to the lowest byte without its high bit, that one included. */
	*ret_value = sevens_join(word & (last ^ (last - 1)));
	in->at += n;
	return n;
}

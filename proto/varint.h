// SPDX-License-Identifier: MIT
/*
 * varint.h - protobuf's variable-length integers, and a reader over bytes.
 *
 * Private to proto/. A reader is two pointers into the caller's bytes; a read
 * that fails leaves it where it was or anywhere before its end, so the caller
 * gives up. Up to three bytes, most lengths and many seqs, are inline. Any
 * thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/slice.h"

#define WYN_VARINT_BYTES_MAX 10u

struct wyn_reader {
	const uint8_t *at;
	const uint8_t *end;
};

static inline struct wyn_reader wyn_reader_of(struct wyn_slice bytes)
{
	/* No pointer arithmetic on the NULL of an empty slice. */
	return (struct wyn_reader){bytes.data,
		bytes.len > 0 ? bytes.data + bytes.len : bytes.data};
}

static inline size_t wyn_reader_left(const struct wyn_reader *in)
{
	return (size_t)(in->end - in->at);
}

/* What wyn_varint_read() does for all that it does not do itself. */
size_t wyn_varint_read_long(struct wyn_reader *in, uint64_t *ret_value);

/*
 * wyn_varint_read - reads one varint of at most ten bytes and 64 bits.
 *
 * Thread: any. Returns: the bytes it took; 0 when it is cut off, too long or
 * over 64 bits.
 */
static inline size_t wyn_varint_read(struct wyn_reader *in, uint64_t *ret_value)
{
	const uint8_t *at = in->at;
	size_t left = wyn_reader_left(in);

	if (WYN_LIKELY(left > 0 && at[0] < 0x80)) {
		*ret_value = at[0];
		in->at = at + 1;
		return 1;
	}
	if (left > 1 && at[1] < 0x80) {
		*ret_value = (at[0] & 0x7fu) | (unsigned)at[1] << 7;
		in->at = at + 2;
		return 2;
	}
	if (left > 2 && at[2] < 0x80) {
		*ret_value = (at[0] & 0x7fu) | (at[1] & 0x7fu) << 7 |
			     (unsigned)at[2] << 14;
		in->at = at + 3;
		return 3;
	}
	return wyn_varint_read_long(in, ret_value);
}

/*
 * wyn_varint_read_minimal - the same, but only the shortest form will do.
 *
 * Thread: any. Returns: false when broken or longer than it need be.
 */
static inline bool wyn_varint_read_minimal(
	struct wyn_reader *in, uint64_t *ret_value)
{
	size_t n = wyn_varint_read(in, ret_value);

	return n == 1 || (n > 1 && in->at[-1] != 0);
}

/* wyn_reader_take - the next `bytes` as a view. Returns: false if too few. */
static inline bool wyn_reader_take(
	struct wyn_reader *in, uint64_t bytes, struct wyn_slice *ret_slice)
{
	if (bytes > wyn_reader_left(in)) {
		return false;
	}
	*ret_slice = (struct wyn_slice){in->at, (size_t)bytes};
	in->at += bytes;
	return true;
}

/* wyn_varint_bytes - the length of the shortest form, 1 to 10. */
static inline size_t wyn_varint_bytes(uint64_t value)
{
	size_t bits = 64 - (size_t)__builtin_clzll(value | 1);

	/* Seven bits to a byte, rounded up: 9/64 stands for 1/7 and is exact
	 * for 1 to 64 bits. */
	return (bits * 9 + 64) / 64;
}

/* wyn_varint_put - writes the shortest form. Returns: where it ends. */
static inline uint8_t *wyn_varint_put(uint8_t *out, uint64_t value)
{
	while (value >= 0x80) {
		*out++ = (uint8_t)(value | 0x80);
		value >>= 7;
	}
	*out++ = (uint8_t)value;
	return out;
}

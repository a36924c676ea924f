// SPDX-License-Identifier: MIT
/*
 * field.h - single protobuf fields with numbers up to 15, read and written.
 *
 * Private to proto/: what the hand-written walker and the hot encoders share.
 * Readers take a field only if it stands next and is in its shortest form, so a
 * message in any other order is left with bytes over. Writers leave out what is
 * zero or empty, as proto3 does. Any thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/slice.h"
#include "proto/varint.h"

#define WYN_TAG_VARINT(number) ((uint8_t)((number) << 3))
#define WYN_TAG_BYTES(number)  ((uint8_t)((number) << 3 | 2))

static inline bool wyn_field_is_next(const struct wyn_reader *in, uint8_t tag)
{
	return in->at < in->end && *in->at == tag;
}

/*
 * wyn_field_take_u64 - a varint field; *value stays as it is if another stands
 * there.
 *
 * Thread: any. Returns: false when it is not canonical.
 */
static inline bool wyn_field_take_u64(
	struct wyn_reader *in, uint8_t tag, uint64_t *value)
{
	if (!wyn_field_is_next(in, tag)) {
		return true;
	}
	in->at++;
	return wyn_varint_read_minimal(in, value);
}

/* wyn_field_take_bytes - the same for a length-delimited field. */
static inline bool wyn_field_take_bytes(
	struct wyn_reader *in, uint8_t tag, struct wyn_slice *value)
{
	uint64_t len;

	if (!wyn_field_is_next(in, tag)) {
		return true;
	}
	in->at++;
	return wyn_varint_read_minimal(in, &len) &&
	       wyn_reader_take(in, len, value);
}

/* wyn_field_u64_bytes - what wyn_field_put_u64() will write. */
static inline size_t wyn_field_u64_bytes(uint64_t value)
{
	return value == 0 ? 0 : 1 + wyn_varint_bytes(value);
}

/* wyn_field_len_bytes - a length-delimited field of `len` bytes, even if 0. */
static inline size_t wyn_field_len_bytes(size_t len)
{
	return 1 + wyn_varint_bytes(len) + len;
}

/* wyn_field_bytes_bytes - what wyn_field_put_bytes() will write. */
static inline size_t wyn_field_bytes_bytes(size_t len)
{
	return len == 0 ? 0 : wyn_field_len_bytes(len);
}

static inline uint8_t *wyn_field_put_u64(
	uint8_t *out, uint8_t tag, uint64_t value)
{
	if (value == 0) {
		return out;
	}
	*out++ = tag;
	return wyn_varint_put(out, value);
}

/* wyn_field_put_len - tag and length; `len` bytes are to follow. */
static inline uint8_t *wyn_field_put_len(uint8_t *out, uint8_t tag, size_t len)
{
	*out++ = tag;
	return wyn_varint_put(out, len);
}

/*
 * wyn_field_copy - memcpy() for what is mostly short.
 *
 * A call of memcpy() is most of the cost of an argument of 16 bytes or of a
 * name: two words that may overlap cover 8 to 16, and 4 to 7.
 */
static inline void wyn_field_copy(
	uint8_t *out, const uint8_t *data, size_t bytes)
{
	if (bytes - 8 <= 8) {
		uint64_t head;
		uint64_t tail;

		memcpy(&head, data, 8);
		memcpy(&tail, data + bytes - 8, 8);
		memcpy(out, &head, 8);
		memcpy(out + bytes - 8, &tail, 8);
	} else if (bytes - 4 <= 4) {
		uint32_t head;
		uint32_t tail;

		memcpy(&head, data, 4);
		memcpy(&tail, data + bytes - 4, 4);
		memcpy(out, &head, 4);
		memcpy(out + bytes - 4, &tail, 4);
	} else if (bytes > 0) {
		memcpy(out, data, bytes);
	}
}

/* wyn_field_put_element - one bytes element of a repeated field, even if empty.
 */
static inline uint8_t *wyn_field_put_element(
	uint8_t *out, uint8_t tag, struct wyn_slice value)
{
	out = wyn_field_put_len(out, tag, value.len);
	wyn_field_copy(out, value.data, value.len);
	return out + value.len;
}

static inline uint8_t *wyn_field_put_bytes(
	uint8_t *out, uint8_t tag, struct wyn_slice value)
{
	return value.len == 0 ? out : wyn_field_put_element(out, tag, value);
}

// SPDX-License-Identifier: MIT
/*
 * slice.h - bytes that somebody else owns.
 *
 * A view: valid as long as the buffer it points into, which the function that
 * hands it out names. Any room, any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct wyn_slice {
	const uint8_t *data;
	size_t len;
};

/* The bytes of a string, without its NUL. */
static inline struct wyn_slice wyn_slice_of(const char *text)
{
	return (struct wyn_slice){(const uint8_t *)text, strlen(text)};
}

static inline bool wyn_slice_equal(struct wyn_slice a, struct wyn_slice b)
{
	return a.len == b.len && (a.len == 0 || !memcmp(a.data, b.data, a.len));
}

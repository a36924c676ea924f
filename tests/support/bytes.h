// SPDX-License-Identifier: MIT
/*
 * bytes.h - byte strings in tests.
 */
#pragma once

#include "base/slice.h"

/* The bytes of a string literal, NULs inside it included. */
#define BYTES(literal)                                          \
	{                                                       \
		(const uint8_t *)(literal), sizeof(literal) - 1 \
	}

/* The same where an expression is wanted. */
#define BYTES_OF(literal) ((struct wyn_slice)BYTES(literal))

// SPDX-License-Identifier: MIT
/*
 * assert.h - assertions that stay on in every build.
 *
 * For what only our own bug can break, and cheap enough for the hot path.
 * What a peer sends is never asserted: it is handled. One condition each.
 * libc prints the condition with file and line, and aborts.
 */
#pragma once

#include <assert.h>

#define wyn_assert(condition)               \
	(__builtin_expect(!!(condition), 1) \
			? (void)0           \
			: __assert_fail(    \
				  #condition, __FILE__, __LINE__, __func__))

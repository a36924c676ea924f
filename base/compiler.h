// SPDX-License-Identifier: MIT
/*
 * compiler.h - what the compiler can be told, in one place.
 *
 * Attributes and the two macros that C lacks. Any room, any thread.
 */
#pragma once

#include <stddef.h>

#define WYN_NODISCARD	   __attribute__((warn_unused_result))
#define WYN_PRINTF(at, va) __attribute__((format(printf, at, va)))
#define WYN_LIKELY(x)	   __builtin_expect(!!(x), 1)
#define WYN_UNLIKELY(x)	   __builtin_expect(!!(x), 0)
#define WYN_CACHE_LINE	   64

#define WYN_COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* The object that holds `member` at `ptr`. */
#define WYN_CONTAINER_OF(ptr, type, member) \
	((type *)(void *)((char *)(ptr)-offsetof(type, member)))

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

/* Whether the sanitizer of addresses, or of threads, is in this build: 1 or 0.
 * gcc says it by the first two, clang by the third. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define WYN_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define WYN_SANITIZED 1
#endif
#endif
#ifndef WYN_SANITIZED
#define WYN_SANITIZED 0
#endif

#define WYN_COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* The object that holds `member` at `ptr`. */
#define WYN_CONTAINER_OF(ptr, type, member) \
	((type *)(void *)((char *)(ptr)-offsetof(type, member)))

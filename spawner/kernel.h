// SPDX-License-Identifier: MIT
/*
 * kernel.h - system calls that leave errno alone.
 *
 * The child shares our memory, errno with it, and we go on meanwhile: so its
 * calls go by none of the libc's functions. (What is more, the first call of
 * one binds it, and that writes to our memory as well.)
 */
#pragma once

#include <errno.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)

static inline long wyn_kernel_5(long number, uintptr_t a, uintptr_t b,
	uintptr_t c, uintptr_t d, uintptr_t e)
{
	register uintptr_t r10 __asm__("r10") = d;
	register uintptr_t r8 __asm__("r8") = e;
	long result;

	__asm__ volatile(
		"syscall"
		: "=a"(result)
		: "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8)
		: "rcx", "r11", "memory", "cc");
	return result;
}

#elif defined(__aarch64__)

static inline long wyn_kernel_5(long number, uintptr_t a, uintptr_t b,
	uintptr_t c, uintptr_t d, uintptr_t e)
{
	register long x8 __asm__("x8") = number;
	register uintptr_t x0 __asm__("x0") = a;
	register uintptr_t x1 __asm__("x1") = b;
	register uintptr_t x2 __asm__("x2") = c;
	register uintptr_t x3 __asm__("x3") = d;
	register uintptr_t x4 __asm__("x4") = e;

	__asm__ volatile("svc 0"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4)
			 : "memory", "cc");
	return (long)x0;
}

#else

/* The child has a copy of our memory here (clone.h). */
static inline long wyn_kernel_5(long number, uintptr_t a, uintptr_t b,
	uintptr_t c, uintptr_t d, uintptr_t e)
{
	long result = syscall(number, a, b, c, d, e);

	return result < 0 ? -errno : result;
}

#endif

/* wyn_kernel, wyn_kernel_5 - a system call of three arguments, or of five.
 * Returns: what the kernel does; -errno. */
static inline long wyn_kernel(
	long number, uintptr_t a, uintptr_t b, uintptr_t c)
{
	return wyn_kernel_5(number, a, b, c, 0, 0);
}

/* wyn_kernel_address - as an argument of the two. */
static inline uintptr_t wyn_kernel_address(const void *memory)
{
	return (uintptr_t)memory;
}

// SPDX-License-Identifier: MIT
/*
 * faults.c - what stands between the code under test and the libc in a fault
 * test.
 *
 * The linker leads a call of NAME to __wrap_NAME, and __real_NAME to NAME.
 */
#include "tests/support/faults.h"

#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "base/compiler.h"

#define PAGE_BYTES 4096u

/* Set while no other thread runs, but for `calls` and `fired`. */
static struct {
	_Atomic enum fault kind;
	unsigned at;   /* the first call that fails */
	bool for_good; /* and all that follow */
	_Atomic unsigned calls;
	_Atomic unsigned fired;
} fault;

/* And not freed: pieces of the libc, pages of the kernel. */
static _Atomic size_t allocated;

static bool fault_strikes(enum fault kind)
{
	unsigned call;

	if (fault.kind != kind) {
		return false;
	}
	call = ++fault.calls;
	if (call != fault.at && !(fault.for_good && call > fault.at)) {
		return false;
	}
	fault.fired++;
	return true;
}

void fault_arm(enum fault kind, unsigned at, bool for_good)
{
	fault.at = at;
	fault.for_good = for_good;
	fault.calls = 0;
	fault.fired = 0;
	fault.kind = kind;
}

bool fault_disarm(void)
{
	fault.kind = FAULT_NONE;
	return fault.fired > 0;
}

void fault_pause(void)
{
	fault.kind = FAULT_NONE;
}

void fault_resume(enum fault kind)
{
	fault.kind = kind;
}

enum fault fault_armed(void)
{
	return fault.kind;
}

size_t fault_allocated(void)
{
	return allocated;
}

/* The linker's names. */
void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__wrap_realloc(void *memory, size_t size);
int __real_posix_memalign(void **ret_memory, size_t alignment, size_t size);
int __wrap_posix_memalign(void **ret_memory, size_t alignment, size_t size);
cpu_set_t *__real___sched_cpualloc(size_t count);
cpu_set_t *__wrap___sched_cpualloc(size_t count);
void *__real_mmap(void *at, size_t bytes, int protection, int flags, int file,
	off_t offset);
void *__wrap_mmap(void *at, size_t bytes, int protection, int flags, int file,
	off_t offset);
int __real_munmap(void *at, size_t bytes);
int __wrap_munmap(void *at, size_t bytes);
void __real_free(void *memory);
void __wrap_free(void *memory);
void __real___sched_cpufree(cpu_set_t *set);
void __wrap___sched_cpufree(cpu_set_t *set);
int __real_pthread_create(pthread_t *ret_thread, const pthread_attr_t *how,
	void *(*start)(void *arg), void *arg);
int __wrap_pthread_create(pthread_t *ret_thread, const pthread_attr_t *how,
	void *(*start)(void *arg), void *arg);
long __real_syscall(long number, ...);
long __wrap_syscall(long number, ...);

void *__wrap_malloc(size_t size)
{
	void *memory = fault_strikes(FAULT_MEMORY) ? NULL : __real_malloc(size);

	allocated += memory != NULL;
	return memory;
}

void *__wrap_calloc(size_t count, size_t size)
{
	void *memory =
		fault_strikes(FAULT_MEMORY) ? NULL : __real_calloc(count, size);

	allocated += memory != NULL;
	return memory;
}

void *__wrap_realloc(void *memory, size_t size)
{
	void *moved = fault_strikes(FAULT_MEMORY)
			      ? NULL
			      : __real_realloc(memory, size);

	allocated += memory == NULL && moved != NULL;
	return moved;
}

int __wrap_posix_memalign(void **ret_memory, size_t alignment, size_t size)
{
	int r = fault_strikes(FAULT_MEMORY)
			? ENOMEM
			: __real_posix_memalign(ret_memory, alignment, size);

	allocated += r == 0;
	return r;
}

cpu_set_t *__wrap___sched_cpualloc(size_t count)
{
	cpu_set_t *set = fault_strikes(FAULT_MEMORY)
				 ? NULL
				 : __real___sched_cpualloc(count);

	allocated += set != NULL;
	return set;
}

void *__wrap_mmap(void *at, size_t bytes, int protection, int flags, int file,
	off_t offset)
{
	void *memory = MAP_FAILED;

	if (fault_strikes(FAULT_MEMORY)) {
		errno = ENOMEM;
		return memory;
	}
	memory = __real_mmap(at, bytes, protection, flags, file, offset);
	allocated += memory != MAP_FAILED ? bytes / PAGE_BYTES : 0;
	return memory;
}

int __wrap_munmap(void *at, size_t bytes)
{
	allocated -= bytes / PAGE_BYTES;
	return __real_munmap(at, bytes);
}

void __wrap_free(void *memory)
{
	allocated -= memory != NULL;
	__real_free(memory);
}

void __wrap___sched_cpufree(cpu_set_t *set)
{
	allocated--;
	__real___sched_cpufree(set);
}

int __wrap_pthread_create(pthread_t *ret_thread, const pthread_attr_t *how,
	void *(*start)(void *arg), void *arg)
{
	return fault_strikes(FAULT_THREAD)
		       ? EAGAIN
		       : __real_pthread_create(ret_thread, how, start, arg);
}

/* A wake always wakes, whatever it says: its word's memory may be gone. */
static long futex(const long *args)
{
	static const int errors[] = {EINTR, EAGAIN, 0};
	long r = 0;

	if (!fault_strikes(FAULT_SLEEP)) {
		return __real_syscall(SYS_futex, args[0], args[1], args[2],
			args[3], args[4], args[5]);
	}
	errno = errors[fault.fired % WYN_COUNT_OF(errors)];
	if ((args[1] & FUTEX_CMD_MASK) == FUTEX_WAKE) {
		(void)__real_syscall(
			SYS_futex, args[0], args[1], args[2], 0L, 0L, 0L);
		errno = EFAULT;
	}
	r = errno == 0 ? 0 : -1;
	return r;
}

long __wrap_syscall(long number, ...)
{
	long args[6] = {0};
	va_list list;

	va_start(list, number);
	for (int i = 0; i < (number == SYS_futex ? 6 : 2); i++) {
		args[i] = va_arg(list, long);
	}
	va_end(list);
	if (number == SYS_futex) {
		return futex(args);
	}
	if (number == SYS_membarrier && fault_strikes(FAULT_MEMBARRIER)) {
		errno = ENOSYS;
		return -1;
	}
	return __real_syscall(number, args[0], args[1]);
}

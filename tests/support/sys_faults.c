// SPDX-License-Identifier: MIT
/*
 * sys_faults.c - one count over all kinds of calls.
 */
#include "tests/support/sys_faults.h"

#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <sys/mman.h>

#include "spawner/sys.h"

static unsigned calls_left = UINT_MAX;
static bool has_failed;
static struct wyn_sys libc;

static bool fails(int error)
{
	if (calls_left-- > 0) {
		return false;
	}
	calls_left = UINT_MAX;
	has_failed = true;
	errno = error;
	return true;
}

static int open_or_fail(int at, const char *name, int flags)
{
	return fails(EMFILE) ? -1 : libc.openat(at, name, flags);
}

static void *calloc_or_fail(size_t n, size_t bytes)
{
	return fails(ENOMEM) ? NULL : libc.calloc(n, bytes);
}

static void *realloc_or_fail(void *memory, size_t bytes)
{
	return fails(ENOMEM) ? NULL : libc.realloc(memory, bytes);
}

static void *map_or_fail(
	void *at, size_t bytes, int protection, int flags, int fd, off_t offset)
{
	return fails(ENOMEM)
		       ? MAP_FAILED
		       : libc.mmap(at, bytes, protection, flags, fd, offset);
}

void sys_faults_begin(void)
{
	libc = wyn_sys;
	wyn_sys.openat = open_or_fail;
	wyn_sys.calloc = calloc_or_fail;
	wyn_sys.realloc = realloc_or_fail;
	wyn_sys.mmap = map_or_fail;
	(void)sys_faults_disarm();
}

void sys_faults_end(void)
{
	wyn_sys = libc;
}

void sys_faults_arm(unsigned calls)
{
	calls_left = calls;
	has_failed = false;
}

bool sys_faults_disarm(void)
{
	calls_left = UINT_MAX;
	return has_failed;
}

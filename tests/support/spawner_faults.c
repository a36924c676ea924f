// SPDX-License-Identifier: MIT
/*
 * spawner_faults.c - see spawner_faults.h.
 */
#include "tests/support/spawner_faults.h"

#include <errno.h>
#include <linux/futex.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "spawner/kernel.h"
#include "spawner/sys.h"

static struct spawner_shared *shared;
static struct wyn_sys real;

/* Returns: errno, or 0. It is not set: the child of a command asks as well, and
 * may share it with the spawner. */
static int fault_of(enum spawner_fault fault)
{
	if (shared->fault != fault || shared->left == 0) {
		return 0;
	}
	if (shared->skip > 0) {
		shared->skip--;
		return 0;
	}
	shared->left--;
	return shared->error;
}

static bool fails(enum spawner_fault fault)
{
	int error = fault_of(fault);

	if (error) {
		errno = error;
	}
	return error != 0;
}

static void *faulty_calloc(size_t n, size_t bytes)
{
	return fails(SPAWNER_FAULT_CALLOC) ? NULL : real.calloc(n, bytes);
}

static void *faulty_realloc(void *memory, size_t bytes)
{
	return fails(SPAWNER_FAULT_REALLOC) ? NULL
					    : real.realloc(memory, bytes);
}

static void *faulty_mmap(
	void *at, size_t bytes, int protection, int flags, int fd, off_t offset)
{
	return fails(SPAWNER_FAULT_MMAP)
		       ? MAP_FAILED
		       : real.mmap(at, bytes, protection, flags, fd, offset);
}

static int faulty_getpwuid(uid_t uid, struct passwd *entry, char *buffer,
	size_t bytes, struct passwd **ret_entry)
{
	return fails(SPAWNER_FAULT_GETPWUID)
		       ? errno
		       : real.getpwuid(uid, entry, buffer, bytes, ret_entry);
}

/* A call that says -1 when it fails. */
#define FAULTY(type, name, NAME, parameters, ...)                            \
	static type faulty_##name parameters                                 \
	{                                                                    \
		return fails(SPAWNER_FAULT_##NAME) ? -1                      \
						   : real.name(__VA_ARGS__); \
	}

/* One of the child's, which says -errno. */
#define FAULTY_CHILD(name, NAME, parameters, ...)               \
	static int faulty_##name parameters                     \
	{                                                       \
		int error = fault_of(SPAWNER_FAULT_##NAME);     \
                                                                \
		return error ? -error : real.name(__VA_ARGS__); \
	}

FAULTY(int, openat, OPENAT, (int at, const char *path, int flags), at, path,
	flags)
FAULTY(ssize_t, recvmsg, RECVMSG, (int fd, struct msghdr *message, int flags),
	fd, message, flags)
FAULTY(ssize_t, send, SEND, (int fd, const void *bytes, size_t n, int flags),
	fd, bytes, n, flags)
FAULTY(int, accept, ACCEPT, (int fd), fd)
FAULTY(int, epoll_ctl, EPOLL_CTL,
	(int epoll, int what, int fd, struct epoll_event *event), epoll, what,
	fd, event)
FAULTY(int, getgrouplist, GETGROUPLIST,
	(const char *name, gid_t gid, gid_t *groups, int *count), name, gid,
	groups, count)
FAULTY(pid_t, clone, CLONE,
	(const struct wyn_clone *how, int (*child)(void *), void *of), how,
	child, of)

/* As when a signal stops it, from which it goes on from here. */
static void hold_here(void)
{
	if (shared->hold) {
		shared->hold = false;
		__atomic_store_n(&shared->held,
			(pid_t)wyn_kernel(SYS_getpid, 0, 0, 0),
			__ATOMIC_RELEASE);
		(void)wyn_kernel(
			SYS_futex, (uintptr_t)&shared->held, FUTEX_WAKE, 1);
		(void)wyn_kernel(SYS_kill, (uintptr_t)shared->held, SIGSTOP, 0);
	}
}

static int faulty_setsid(void)
{
	int error = fault_of(SPAWNER_FAULT_SETSID);

	hold_here();
	return error ? -error : real.setsid();
}

FAULTY_CHILD(dup, DUP, (int from, int to), from, to)
FAULTY_CHILD(close_range, CLOSE_RANGE, (unsigned first), first)
FAULTY_CHILD(setrlimit, SETRLIMIT, (int resource, const struct rlimit *limit),
	resource, limit)
FAULTY_CHILD(setgroups, SETGROUPS, (size_t count, const gid_t *groups), count,
	groups)
FAULTY_CHILD(setgid, SETGID, (gid_t gid), gid)
FAULTY_CHILD(setuid, SETUID, (uid_t uid), uid)
FAULTY_CHILD(chdir, CHDIR, (const char *path), path)
FAULTY_CHILD(private_tmp, PRIVATE_TMP, (void))
FAULTY_CHILD(execve, EXECVE,
	(const char *path, char *const *argv, char *const *environment), path,
	argv, environment)
FAULTY_CHILD(fexecve, FEXECVE,
	(int fd, char *const *argv, char *const *environment), fd, argv,
	environment)

void spawner_faults_install(void)
{
	if (real.clone) {
		return; /* it is, in the process that we are a fork of */
	}
	real = wyn_sys;
	wyn_sys = (struct wyn_sys){
		.calloc = faulty_calloc,
		.realloc = faulty_realloc,
		.mmap = faulty_mmap,
		.openat = faulty_openat,
		.recvmsg = faulty_recvmsg,
		.send = faulty_send,
		.accept = faulty_accept,
		.epoll_ctl = faulty_epoll_ctl,
		.getpwuid = faulty_getpwuid,
		.getgrouplist = faulty_getgrouplist,
		.clone = faulty_clone,
		.setsid = faulty_setsid,
		.dup = faulty_dup,
		.close_range = faulty_close_range,
		.setrlimit = faulty_setrlimit,
		.setgroups = faulty_setgroups,
		.setgid = faulty_setgid,
		.setuid = faulty_setuid,
		.chdir = faulty_chdir,
		.private_tmp = faulty_private_tmp,
		.execve = faulty_execve,
		.fexecve = faulty_fexecve,
	};
}

struct spawner_shared *spawner_faults_share(void)
{
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(shared != MAP_FAILED);
	*shared = (struct spawner_shared){0};
	return shared;
}

// SPDX-License-Identifier: MIT
/*
 * sys.h - the calls that may fail for want of something, in one table.
 *
 * Memory, descriptors, processes: whoever needs them asks by `wyn_sys`, so that
 * a test can put a call in its place that fails. They are those of the libc,
 * with its names, its arguments and its errno; but the child's return -errno,
 * as the kernel does, for errno is not theirs (kernel.h). Calls that can fail
 * by our own bug alone, and those that give back, are made directly.
 */
#pragma once

#include <pwd.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/types.h>

struct wyn_clone;

struct wyn_sys {
	void *(*calloc)(size_t n, size_t bytes);
	void *(*realloc)(void *memory, size_t bytes);
	void *(*mmap)(void *at, size_t bytes, int protection, int flags, int fd,
		off_t offset);
	int (*openat)(int at, const char *path, int flags);
	ssize_t (*recvmsg)(int fd, struct msghdr *message, int flags);
	ssize_t (*send)(int fd, const void *bytes, size_t n, int flags);
	int (*accept)(int fd);
	int (*epoll_ctl)(
		int epoll, int what, int fd, struct epoll_event *event);
	int (*getpwuid)(uid_t uid, struct passwd *entry, char *buffer,
		size_t bytes, struct passwd **ret_entry);
	int (*getgrouplist)(
		const char *name, gid_t gid, gid_t *groups, int *count);
	pid_t (*clone)(const struct wyn_clone *clone, int (*child)(void *of),
		void *of);
	/* The child's: -errno, and no lock. */
	int (*setsid)(void);
	int (*dup)(int from, int to);
	int (*close_range)(unsigned first);
	int (*setrlimit)(int resource, const struct rlimit *limit);
	int (*setgroups)(size_t count, const gid_t *groups);
	int (*setgid)(gid_t gid);
	int (*setuid)(uid_t uid);
	int (*chdir)(const char *path);
	int (*private_tmp)(void);
	int (*execve)(
		const char *path, char *const *argv, char *const *environment);
	int (*fexecve)(int fd, char *const *argv, char *const *environment);
};

/* [I] but for tests */
extern struct wyn_sys wyn_sys;

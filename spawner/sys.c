// SPDX-License-Identifier: MIT
/*
 * sys.c - the table as it is when nobody is testing.
 *
 * The calls of the child go to the kernel directly where the libc's may do more
 * than that: its setuid(3) tells other threads, and asks first who they are.
 */
#include "spawner/sys.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <grp.h>

#include "spawner/clone.h"

static int sys_openat(int at, const char *path, int flags)
{
	return openat(at, path, flags);
}

static int sys_accept(int fd)
{
	return accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
}

static int sys_dup(int from, int to)
{
	return (int)syscall(SYS_dup3, from, to, 0);
}

static int sys_close_range(unsigned first)
{
	return (int)syscall(SYS_close_range, first, ~0u, 0);
}

static int sys_setrlimit(int resource, const struct rlimit *limit)
{
	return prlimit(0, (__rlimit_resource_t)resource, limit, NULL);
}

static int sys_setgroups(size_t count, const gid_t *groups)
{
	return (int)syscall(SYS_setgroups, count, groups);
}

static int sys_setgid(gid_t gid)
{
	return (int)syscall(SYS_setresgid, gid, gid, gid);
}

static int sys_setuid(uid_t uid)
{
	return (int)syscall(SYS_setresuid, uid, uid, uid);
}

/* Mounts of ours that come later are still seen; theirs never get out. */
static int sys_private_tmp(void)
{
	if (unshare(CLONE_NEWNS) ||
		mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL)) {
		return -1;
	}
	return mount(
		"tmpfs", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777");
}

static int sys_execve(
	const char *path, char *const *argv, char *const *environment)
{
	return (int)syscall(SYS_execve, path, argv, environment);
}

static int sys_fexecve(int fd, char *const *argv, char *const *environment)
{
	return (int)syscall(
		SYS_execveat, fd, "", argv, environment, AT_EMPTY_PATH);
}

struct wyn_sys wyn_sys = {
	.calloc = calloc,
	.realloc = realloc,
	.mmap = mmap,
	.openat = sys_openat,
	.recvmsg = recvmsg,
	.send = send,
	.accept = sys_accept,
	.epoll_ctl = epoll_ctl,
	.getpwuid = getpwuid_r,
	.getgrouplist = getgrouplist,
	.clone = wyn_clone,
	.setsid = setsid,
	.dup = sys_dup,
	.close_range = sys_close_range,
	.setrlimit = sys_setrlimit,
	.setgroups = sys_setgroups,
	.setgid = sys_setgid,
	.setuid = sys_setuid,
	.chdir = chdir,
	.private_tmp = sys_private_tmp,
	.execve = sys_execve,
	.fexecve = sys_fexecve,
};

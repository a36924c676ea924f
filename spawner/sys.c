// SPDX-License-Identifier: MIT
/*
 * sys.c - the table as it is when nobody is testing.
 *
 * The calls of the child go to the kernel directly (kernel.h). The libc's may
 * do more, too: its setuid(3) tells other threads, and asks who they are.
 */
#include "spawner/sys.h"

#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <unistd.h>

#include "spawner/clone.h"
#include "spawner/kernel.h"

static int sys_openat(int at, const char *path, int flags)
{
	return openat(at, path, flags);
}

static int sys_accept(int fd)
{
	return accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
}

static int sys_setsid(void)
{
	return (int)wyn_kernel(SYS_setsid, 0, 0, 0);
}

static int sys_dup(int from, int to)
{
	return (int)wyn_kernel(SYS_dup3, (unsigned)from, (unsigned)to, 0);
}

static int sys_close_range(unsigned first)
{
	return (int)wyn_kernel(SYS_close_range, first, ~0u, 0);
}

static int sys_setrlimit(int resource, const struct rlimit *limit)
{
	return (int)wyn_kernel_5(SYS_prlimit64, 0, (unsigned)resource,
		wyn_kernel_address(limit), 0, 0);
}

static int sys_setgroups(size_t count, const gid_t *groups)
{
	return (int)wyn_kernel(
		SYS_setgroups, count, wyn_kernel_address(groups), 0);
}

static int sys_setgid(gid_t gid)
{
	return (int)wyn_kernel(SYS_setresgid, gid, gid, gid);
}

static int sys_setuid(uid_t uid)
{
	return (int)wyn_kernel(SYS_setresuid, uid, uid, uid);
}

static int sys_chdir(const char *path)
{
	return (int)wyn_kernel(SYS_chdir, wyn_kernel_address(path), 0, 0);
}

static long mount_at(const char *what, const char *at, const char *type,
	unsigned long flags, const char *options)
{
	return wyn_kernel_5(SYS_mount, wyn_kernel_address(what),
		wyn_kernel_address(at), wyn_kernel_address(type), flags,
		wyn_kernel_address(options));
}

/* Mounts of ours that come later are still seen; theirs never get out. */
static int sys_private_tmp(void)
{
	long result = wyn_kernel(SYS_unshare, CLONE_NEWNS, 0, 0);

	if (result >= 0) {
		result = mount_at(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL);
	}
	if (result >= 0) {
		result = mount_at("tmpfs", "/tmp", "tmpfs",
			MS_NOSUID | MS_NODEV, "mode=1777");
	}
	return (int)result;
}

static int sys_execve(
	const char *path, char *const *argv, char *const *environment)
{
	return (int)wyn_kernel(SYS_execve, wyn_kernel_address(path),
		wyn_kernel_address(argv), wyn_kernel_address(environment));
}

static int sys_fexecve(int fd, char *const *argv, char *const *environment)
{
	return (int)wyn_kernel_5(SYS_execveat, (unsigned)fd,
		wyn_kernel_address(""), wyn_kernel_address(argv),
		wyn_kernel_address(environment), AT_EMPTY_PATH);
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
	.setsid = sys_setsid,
	.dup = sys_dup,
	.close_range = sys_close_range,
	.setrlimit = sys_setrlimit,
	.setgroups = sys_setgroups,
	.setgid = sys_setgid,
	.setuid = sys_setuid,
	.chdir = sys_chdir,
	.private_tmp = sys_private_tmp,
	.execve = sys_execve,
	.fexecve = sys_fexecve,
};

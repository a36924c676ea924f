// SPDX-License-Identifier: MIT
/*
 * child.c - see child.h.
 *
 * The order: first of all, to die with the spawner, for until they are closed
 * the child has all of our descriptors, and who is stopped meanwhile would keep
 * the link open and the locks taken. What needs rights comes before they are
 * given away, the directory after that, for it must be one that the user may
 * enter; what the kernel clears with a change of user (PR_SET_PDEATHSIG) comes
 * once more behind it, and signals last. no_new_privs is inherited: main has
 * set it.
 */
#include "spawner/child.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <linux/stat.h>
#include <signal.h>
#include <sys/prctl.h>

#include "spawner/kernel.h"
#include "spawner/program.h"
#include "spawner/sys.h"
#include "spawner/user.h"

#define FAILED 127 /* nobody reads it */

/* Where the program is opened, if it is. */
#define PROGRAM_FD 3

static int fail(
	const struct wyn_child *child, Wyn__Spawn__V1__Stage stage, int error)
{
	child->report->error = -error;
	child->report->stage = stage;
	return FAILED;
}

static void set_flags(int fd, unsigned flags)
{
	(void)wyn_kernel(SYS_fcntl, (unsigned)fd, F_SETFD, flags);
}

/* Each of the following returns: 0; -errno. */
static int take_descriptors(const struct wyn_child *child)
{
	int fd = child->program->fd;
	int error = wyn_sys.dup(child->input, STDIN_FILENO);

	if (error >= 0) {
		error = wyn_sys.dup(child->output, STDOUT_FILENO);
	}
	if (error >= 0) {
		error = wyn_sys.dup(child->error, STDERR_FILENO);
	}
	if (error >= 0 && fd >= 0 && fd != PROGRAM_FD) {
		error = wyn_sys.dup(fd, PROGRAM_FD);
	}
	if (error < 0) {
		return error;
	}
	if (fd < 0) {
		return wyn_sys.close_range(PROGRAM_FD);
	}
	set_flags(PROGRAM_FD, FD_CLOEXEC);
	return wyn_sys.close_range(PROGRAM_FD + 1);
}

static int set_limits(const struct wyn_child *child)
{
	for (size_t i = 0; i < child->limits_count; i++) {
		const struct wyn_child_limit *limit = &child->limits[i];
		int error = wyn_sys.setrlimit(limit->resource, &limit->limit);

		if (error < 0) {
			child->report->resource = limit->resource;
			return error;
		}
	}
	return 0;
}

/*
 * Whoever has a session's keyring may use the keys in it, whoever he is: not
 * ours, then, and not one that all users share. Made while we are root, it does
 * not count for the user's quota. Where a filter keeps us from it (EPERM), it
 * keeps him from keys as well.
 */
static int leave_keys(void)
{
	long result = wyn_kernel(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, 0, 0);

	return result >= 0 || result == -ENOSYS || result == -EPERM
		       ? 0
		       : (int)result;
}

static int become_user(const struct wyn_user *user)
{
	int error = 0;

	if (!user) {
		return 0;
	}
	if (user->uid != 0) {
		error = leave_keys();
	}
	if (error >= 0) {
		error = wyn_sys.setgroups(user->groups_count, user->groups);
	}
	if (error >= 0) {
		error = wyn_sys.setgid(user->gid);
	}
	if (error >= 0) {
		error = wyn_sys.setuid(user->uid);
	}
	return error;
}

static int read_line(const char *path, char *line)
{
	long fd = wyn_kernel_5(SYS_openat, (uintptr_t)AT_FDCWD,
		wyn_kernel_address(path),
		O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0, 0);
	long got = -1;

	if (fd >= 0) {
		got = wyn_kernel(SYS_read, (uintptr_t)fd,
			wyn_kernel_address(line), WYN_CHILD_LINE_BYTES - 1);
	}
	line[got < 0 ? 0 : got] = '\0';
	return line[0] == '#' && line[1] == '!' ? 0 : -ENOEXEC;
}

/* A script's interpreter, out of its first line; empty = it has none. */
static void read_interpreter(const char *path, char *line)
{
	const char *from = line + 2;
	char *to = line;

	if (read_line(path, line)) {
		line[0] = '\0';
		return;
	}
	while (*from == ' ' || *from == '\t') {
		from++;
	}
	while (*from != '\0' && *from != '\n' && *from != ' ' &&
		*from != '\t') {
		*to++ = *from++;
	}
	*to = '\0';
}

static bool is_executable(const char *path)
{
	struct statx file;

	/* clang-tidy does not see that the kernel fills it in. */
	file.stx_mode = 0;
	return wyn_kernel_5(SYS_statx, (uintptr_t)AT_FDCWD,
		       wyn_kernel_address(path), 0, STATX_TYPE,
		       wyn_kernel_address(&file)) == 0 &&
	       (file.stx_mode & S_IFMT) == S_IFREG &&
	       wyn_kernel(SYS_faccessat, (uintptr_t)AT_FDCWD,
		       wyn_kernel_address(path), X_OK) == 0;
}

/* The kernel says ENOENT of a file that is there when it is the interpreter
 * that is not. So it is for EACCES. */
static bool blame_interpreter(const char *path, int error, char *line)
{
	if ((error != -ENOENT && error != -EACCES) || !is_executable(path)) {
		return false;
	}
	read_interpreter(path, line);
	return error == -ENOENT || line[0] != '\0';
}

/* Root has found it. Who could not have, for a directory on the way, is not
 * to learn what is there. */
static bool could_find(const struct wyn_child *child)
{
	const struct wyn_program *program = child->program;

	return program->fd < 0 || !child->user ||
	       wyn_kernel(SYS_faccessat, (uintptr_t)AT_FDCWD,
		       wyn_kernel_address(program->paths[0]), F_OK) != -EACCES;
}

/* Only what was opened: the list has been asked for it. A script is given to
 * its interpreter as /dev/fd/3, which must then be open still: the kernel says
 * ENOENT if it would not be. */
static int execute_opened(const struct wyn_child *child)
{
	int error =
		wyn_sys.fexecve(PROGRAM_FD, child->argv, child->environment);

	if (error == -ENOENT) {
		set_flags(PROGRAM_FD, 0);
		error = wyn_sys.fexecve(
			PROGRAM_FD, child->argv, child->environment);
	}
	return error;
}

static int execute(const struct wyn_child *child)
{
	const struct wyn_program *program = child->program;
	struct wyn_child_report *report = child->report;
	int error = -ENOENT;
	bool denied = false;

	for (size_t i = 0; i < program->count; i++) {
		error = program->fd >= 0
				? execute_opened(child)
				: wyn_sys.execve(program->paths[i], child->argv,
					  child->environment);
		if (!denied) {
			report->path = i;
		}
		if (!wyn_program_goes_on(-error)) {
			report->path = i;
			denied = false;
			break;
		}
		denied = denied || error == -EACCES;
	}
	return denied ? -EACCES : error;
}

/* What is to blame for how execute() ended. */
static int fail_program(const struct wyn_child *child, int error)
{
	const struct wyn_program *program = child->program;
	struct wyn_child_report *report = child->report;

	for (size_t i = 0; i < program->count; i++) {
		if (blame_interpreter(
			    program->paths[i], error, report->interpreter)) {
			report->path = i;
			return fail(child,
				WYN__SPAWN__V1__STAGE__STAGE_INTERPRETER,
				error);
		}
	}
	return fail(child, WYN__SPAWN__V1__STAGE__STAGE_PROGRAM, error);
}

static void set_process(int option, uintptr_t value)
{
	(void)wyn_kernel_5(SYS_prctl, (unsigned)option, value, 0, 0, 0);
}

static void unblock_signals(void)
{
	/* The kernel's, of which more than enough is there. */
	static const unsigned long none[8];

	(void)wyn_kernel_5(SYS_rt_sigprocmask, SIG_SETMASK,
		wyn_kernel_address(none), 0, (NSIG - 1) / 8, 0);
}

int wyn_child_run(void *of)
{
	const struct wyn_child *child = of;
	int error;

	set_process(PR_SET_PDEATHSIG, SIGKILL);
	error = wyn_sys.setsid();
	if (error >= 0) {
		error = take_descriptors(child);
	}
	if (error < 0) {
		return fail(child, WYN__SPAWN__V1__STAGE__STAGE_PROCESS, error);
	}
	error = set_limits(child);
	if (error < 0) {
		return fail(child, WYN__SPAWN__V1__STAGE__STAGE_LIMITS, error);
	}
	(void)wyn_kernel(SYS_umask, child->umask, 0, 0);
	error = child->private_tmp ? wyn_sys.private_tmp() : 0;
	if (error < 0) {
		return fail(child, WYN__SPAWN__V1__STAGE__STAGE_TMP, error);
	}
	error = become_user(child->user);
	if (error < 0) {
		return fail(child, WYN__SPAWN__V1__STAGE__STAGE_USER, error);
	}
	error = wyn_sys.chdir(child->directory);
	if (error < 0) {
		return fail(
			child, WYN__SPAWN__V1__STAGE__STAGE_DIRECTORY, error);
	}
	if (!could_find(child)) {
		return fail(
			child, WYN__SPAWN__V1__STAGE__STAGE_PROGRAMS, -EACCES);
	}
	if (child->subreaper) {
		set_process(PR_SET_CHILD_SUBREAPER, 1);
	}
	set_process(PR_SET_PDEATHSIG, SIGKILL);
	if (wyn_kernel(SYS_getppid, 0, 0, 0) != child->parent) {
		return FAILED; /* it came too late: nobody is there to tell */
	}
	unblock_signals();
	return fail_program(child, execute(child));
}

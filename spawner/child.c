// SPDX-License-Identifier: MIT
/*
 * child.c - see child.h.
 *
 * The order: what needs rights comes before they are given away, the directory
 * after that, for it must be one that the user may enter; what the kernel
 * clears with a change of user (PR_SET_PDEATHSIG) comes behind it, and signals
 * last. no_new_privs is inherited: main has set it.
 */
#include "spawner/child.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "spawner/program.h"
#include "spawner/sys.h"
#include "spawner/user.h"

#define FAILED 127 /* nobody reads it */

/* Where the program is opened, if it is. */
#define PROGRAM_FD 3

static int fail(const struct wyn_child *child, Wyn__Spawn__V1__Stage stage)
{
	child->report->error = errno;
	child->report->stage = stage;
	return FAILED;
}

static int take_descriptors(const struct wyn_child *child)
{
	int fd = child->program->fd;

	if (wyn_sys.dup(child->input, STDIN_FILENO) < 0 ||
		wyn_sys.dup(child->output, STDOUT_FILENO) < 0 ||
		wyn_sys.dup(child->error, STDERR_FILENO) < 0) {
		return -1;
	}
	if (fd < 0) {
		return wyn_sys.close_range(PROGRAM_FD);
	}
	if (fd != PROGRAM_FD && wyn_sys.dup(fd, PROGRAM_FD) < 0) {
		return -1;
	}
	(void)fcntl(PROGRAM_FD, F_SETFD, FD_CLOEXEC);
	return wyn_sys.close_range(PROGRAM_FD + 1);
}

static int set_limits(const struct wyn_child *child)
{
	for (size_t i = 0; i < child->limits_count; i++) {
		const struct wyn_child_limit *limit = &child->limits[i];

		if (wyn_sys.setrlimit(limit->resource, &limit->limit)) {
			child->report->resource = limit->resource;
			return -1;
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
	return syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) >= 0 ||
			       errno == ENOSYS || errno == EPERM
		       ? 0
		       : -1;
}

static int become_user(const struct wyn_user *user)
{
	if (!user) {
		return 0;
	}
	if (user->uid != 0 && leave_keys()) {
		return -1;
	}
	if (wyn_sys.setgroups(user->groups_count, user->groups) ||
		wyn_sys.setgid(user->gid) || wyn_sys.setuid(user->uid)) {
		return -1;
	}
	return 0;
}

/* A script's interpreter, out of its first line; empty = it has none. */
static void read_interpreter(const char *path, char *line)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	ssize_t got;
	size_t begin = 2;
	size_t end;

	line[0] = '\0';
	if (fd < 0) {
		return;
	}
	got = read(fd, line, WYN_CHILD_LINE_BYTES - 1);
	line[got < 0 ? 0 : got] = '\0';
	if (line[0] != '#' || line[1] != '!') {
		line[0] = '\0';
		return;
	}
	while (line[begin] == ' ' || line[begin] == '\t') {
		begin++;
	}
	end = begin;
	while (line[end] != '\0' && line[end] != '\n' && line[end] != ' ' &&
		line[end] != '\t') {
		end++;
	}
	memmove(line, line + begin, end - begin);
	line[end - begin] = '\0';
}

/* The kernel says ENOENT of a file that is there when it is the interpreter
 * that is not. So it is for EACCES. */
static bool blame_interpreter(const char *path, int error, char *line)
{
	struct stat file;

	if ((error != ENOENT && error != EACCES) || stat(path, &file) ||
		!S_ISREG(file.st_mode) || access(path, X_OK)) {
		return false;
	}
	read_interpreter(path, line);
	return error == ENOENT || line[0] != '\0';
}

/* Root has found it. Who could not have, for a directory on the way, is not
 * to learn what is there. */
static bool could_find(const struct wyn_child *child)
{
	const struct wyn_program *program = child->program;

	return program->fd < 0 || !child->user ||
	       access(program->paths[0], F_OK) == 0 || errno != EACCES;
}

/* Only what was opened: the list has been asked for it. A script is given to
 * its interpreter as /dev/fd/3, which must then be open still: the kernel says
 * ENOENT if it would not be. */
static int execute_opened(const struct wyn_child *child)
{
	wyn_sys.fexecve(PROGRAM_FD, child->argv, child->environment);
	if (errno == ENOENT) {
		(void)fcntl(PROGRAM_FD, F_SETFD, 0);
		wyn_sys.fexecve(PROGRAM_FD, child->argv, child->environment);
	}
	return errno;
}

static int execute(const struct wyn_child *child)
{
	const struct wyn_program *program = child->program;
	struct wyn_child_report *report = child->report;
	int error = ENOENT;
	bool denied = false;

	for (size_t i = 0; i < program->count; i++) {
		if (program->fd >= 0) {
			error = execute_opened(child);
		} else {
			wyn_sys.execve(program->paths[i], child->argv,
				child->environment);
			error = errno;
		}
		if (!denied) {
			report->path = i;
		}
		if (!wyn_program_goes_on(error)) {
			report->path = i;
			denied = false;
			break;
		}
		denied = denied || error == EACCES;
	}
	errno = denied ? EACCES : error;
	return -1;
}

/* Whom the end of execute() is to blame on. */
static int fail_program(const struct wyn_child *child)
{
	const struct wyn_program *program = child->program;
	struct wyn_child_report *report = child->report;
	int error = errno;

	for (size_t i = 0; i < program->count; i++) {
		if (blame_interpreter(
			    program->paths[i], error, report->interpreter)) {
			report->path = i;
			errno = error;
			return fail(child,
				WYN__SPAWN__V1__STAGE__STAGE_INTERPRETER);
		}
	}
	errno = error;
	return fail(child, WYN__SPAWN__V1__STAGE__STAGE_PROGRAM);
}

int wyn_child_run(void *of)
{
	const struct wyn_child *child = of;
	sigset_t none;

	if (wyn_sys.setsid() < 0 || take_descriptors(child)) {
		return fail(child, WYN__SPAWN__V1__STAGE__STAGE_PROCESS);
	}
	if (set_limits(child)) {
		return fail(child, WYN__SPAWN__V1__STAGE__STAGE_LIMITS);
	}
	umask(child->umask);
	if (child->private_tmp && wyn_sys.private_tmp()) {
		return fail(child, WYN__SPAWN__V1__STAGE__STAGE_TMP);
	}
	if (become_user(child->user)) {
		return fail(child, WYN__SPAWN__V1__STAGE__STAGE_USER);
	}
	if (wyn_sys.chdir(child->directory)) {
		return fail(child, WYN__SPAWN__V1__STAGE__STAGE_DIRECTORY);
	}
	if (!could_find(child)) {
		return fail(child, WYN__SPAWN__V1__STAGE__STAGE_PROGRAMS);
	}
	if (child->subreaper) {
		(void)prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	}
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (getppid() != child->parent) {
		return FAILED; /* it came too late: nobody is there to tell */
	}
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)execute(child);
	return fail_program(child);
}

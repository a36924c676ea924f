// SPDX-License-Identifier: MIT
/*
 * family.c - scripts of processes, and who runs them.
 */
#include "tests/support/family.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/assert.h"

#define ROLE	    "--family"
#define READY_FD    3
#define STACK_BYTES (1u << 20)
#define PATIENCE_S  120 /* a process that nobody ends, ends so */

static pid_t parent; /* that it was forked by */

static const char *end_of(const char *open)
{
	unsigned depth = 0;

	for (; *open != '\0'; open++) {
		depth += *open == '(';
		depth -= *open == ')';
		if (depth == 0) {
			return open;
		}
	}
	abort();
}

static void run(const char *at);

static void ready(void)
{
	if (write(READY_FD, "r", 1) != 1) {
		_exit(1);
	}
}

static void bomb(unsigned long count)
{
	unsigned long *born = mmap(NULL, sizeof(*born), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	while (__atomic_fetch_add(born, 1, __ATOMIC_RELAXED) < count) {
		if (fork() == 0) {
			alarm(PATIENCE_S);
			ready();
		}
	}
}

static void chain(unsigned long count)
{
	for (unsigned long i = 0; i < count; i++) {
		if (fork() != 0) {
			_exit(0);
		}
	}
}

static void again(const char *rest)
{
	char *arguments[] = {
		(char *)"family", (char *)ROLE, (char *)rest, NULL};
	char *environment[] = {NULL};

	execve("/proc/self/exe", arguments, environment);
	_exit(1);
}

static void pause_for_ever(void)
{
	for (;;) {
		pause();
	}
}

static void simple(char what, const char *rest)
{
	switch (what) {
	case 'r':
		ready();
		break;
	case 'x':
		_exit(0);
	case 'p':
		pause_for_ever();
		break;
	case 's':
		setsid();
		break;
	case 'i':
		signal(SIGTERM, SIG_IGN);
		break;
	case 't':
		raise(SIGSTOP);
		break;
	case 'o':
		while (getppid() == parent) {
			sched_yield();
		}
		break;
	case 'u':
		prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0);
		break;
	case 'e':
		again(rest);
		break;
	default:
		abort();
	}
}

/* No thread of the libc's: all that it does is done by the kernel. */
static int in_thread(void *rest)
{
	run(rest);
	return 0;
}

static int in_last_thread(void *rest)
{
	char state = ' ';

	while (state != 'Z') {
		char line[64] = {0};
		int fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
		if (read(fd, line, sizeof(line) - 1) > 0) {
			state = strrchr(line, ')')[2];
		}
		close(fd);
	}
	run(rest);
	return 0;
}

static void go_on_in_thread(char what, const char *rest)
{
	char *stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	wyn_assert(clone(what == 'n' ? in_last_thread : in_thread,
			   stack + STACK_BYTES,
			   CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND |
				   CLONE_THREAD | CLONE_SYSVSEM,
			   (void *)rest) > 0);
	if (what == 'n') {
		syscall(SYS_exit, 0);
	}
	pause_for_ever();
}

static void run(const char *at)
{
	while (*at != '\0' && *at != ')') {
		char *after;
		unsigned long count = strtoul(at, &after, 10);
		count = after == at ? 1 : count;
		at = after;
		if (*at == '(') {
			pid_t self = getpid();
			while (count > 0 && fork() != 0) {
				count--;
			}
			parent = count > 0 ? self : parent;
			at = count > 0 ? at : end_of(at);
			alarm(PATIENCE_S);
		} else if (*at == 'b') {
			bomb(count);
		} else if (*at == 'c') {
			chain(count);
		} else if (*at == 'm' || *at == 'n') {
			go_on_in_thread(*at, at + 1);
		} else {
			simple(*at, at + 1);
		}
		at++;
	}
	pause_for_ever();
}

void wyn_family_main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], ROLE) == 0) {
		alarm(PATIENCE_S);
		run(argv[2]);
	}
}

static void begin(const char *script, const char *variable, int fd)
{
	char *arguments[] = {
		(char *)"family", (char *)ROLE, (char *)script, NULL};
	char *environment[] = {(char *)variable, NULL};
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setsid();
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	if (dup2(fd, READY_FD) == READY_FD &&
		close_range(READY_FD + 1, ~0u, 0) == 0) {
		execve("/proc/self/exe", arguments, environment);
	}
	_exit(127);
}

void wyn_family_start(struct wyn_family *family, const char *script,
	const char *variable, int cgroup, pid_t *parent_tid)
{
	struct clone_args arguments = {
		.flags = (parent_tid != NULL ? CLONE_PARENT_SETTID : 0) |
			 (cgroup >= 0 ? CLONE_INTO_CGROUP : 0),
		.parent_tid = (uintptr_t)parent_tid,
		.exit_signal = SIGCHLD,
		.cgroup = (uint32_t)cgroup,
	};
	int ends[2];

	wyn_assert(pipe2(ends, O_CLOEXEC) == 0);
	long pid = syscall(SYS_clone3, &arguments, sizeof(arguments));
	wyn_assert(pid >= 0);
	if (pid == 0) {
		begin(script, variable, ends[1]);
	}
	close(ends[1]);
	family->pid = (pid_t)pid;
	family->pipe = ends[0];
}

void wyn_family_await(const struct wyn_family *family, unsigned ready_count)
{
	char bytes[256];

	while (ready_count > 0) {
		size_t wanted = ready_count < sizeof(bytes) ? ready_count
							    : sizeof(bytes);
		ssize_t got = read(family->pipe, bytes, wanted);
		wyn_assert(got > 0);
		ready_count -= (unsigned)got;
	}
}

bool wyn_family_is_gone(const struct wyn_family *family)
{
	char byte;

	for (;;) {
		struct pollfd ready_to = {
			.fd = family->pipe,
			.events = POLLIN,
		};
		if (poll(&ready_to, 1, 0) == 0) {
			return false;
		}
		ssize_t bytes = read(family->pipe, &byte, 1);
		wyn_assert(bytes >= 0);
		if (bytes == 0) {
			return true;
		}
	}
}

void wyn_family_end(struct wyn_family *family)
{
	char byte;
	ssize_t bytes;

	do {
		bytes = read(family->pipe, &byte, 1);
		wyn_assert(bytes >= 0 || errno == EINTR);
	} while (bytes != 0);
	close(family->pipe);
}

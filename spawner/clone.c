// SPDX-License-Identifier: MIT
/*
 * clone.c - the system call by hand.
 *
 * A child with a stack of its own must not return from the function that made
 * it: the frames above are its parent's. So between the call and the child's
 * function there is assembly alone. The kernel clears `busy` when the child
 * lets go of our memory (CLONE_CHILD_CLEARTID), as for a thread that is joined.
 */
#include "spawner/clone.h"

#include <errno.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)

static long clone_sharing(
	struct clone_args *arguments, int (*child)(void *of), void *of)
{
	long result;

	__asm__ volatile("syscall\n\t"
			 "testq %%rax, %%rax\n\t"
			 "jnz 1f\n\t"
			 "movq %[of], %%rdi\n\t"
			 "callq *%[child]\n\t"
			 "movl %%eax, %%edi\n\t"
			 "movl %[exit], %%eax\n\t"
			 "syscall\n\t"
			 "hlt\n"
			 "1:"
			 : "=a"(result)
			 : "a"(SYS_clone3), "D"(arguments),
			 "S"(sizeof(*arguments)), [child] "r"(child),
			 [of] "r"(of), [exit] "i"(SYS_exit)
			 : "rcx", "r11", "memory", "cc");
	return result;
}

#elif defined(__aarch64__)

static long clone_sharing(
	struct clone_args *arguments, int (*child)(void *of), void *of)
{
	register long x0 __asm__("x0") = (long)arguments;
	register long x1 __asm__("x1") = sizeof(*arguments);
	register long x8 __asm__("x8") = SYS_clone3;

	__asm__ volatile(
		"svc 0\n\t"
		"cbnz x0, 1f\n\t"
		"mov x0, %[of]\n\t"
		"blr %[child]\n\t"
		"mov x8, %[exit]\n\t"
		"svc 0\n\t"
		"brk 1\n"
		"1:"
		: "+r"(x0)
		: "r"(x1),
		"r"(x8), [child] "r"(child), [of] "r"(of), [exit] "i"(SYS_exit)
		: "memory", "cc");
	return x0;
}

#else

static long clone_sharing(
	struct clone_args *arguments, int (*child)(void *of), void *of)
{
	(void)arguments;
	(void)child;
	(void)of;
	return -ENOSYS;
}
#endif

/* The child has a copy of our stack, so it may go on here. */
static long clone_copying(
	struct clone_args *arguments, int (*child)(void *of), void *of)
{
	long pid;

	arguments->flags &= ~(uint64_t)(CLONE_VM | CLONE_CHILD_CLEARTID);
	arguments->child_tid = 0;
	arguments->stack = 0;
	arguments->stack_size = 0;
	pid = syscall(SYS_clone3, arguments, sizeof(*arguments));
	if (pid < 0 && errno == ENOSYS &&
		!(arguments->flags & CLONE_INTO_CGROUP)) {
		pid = syscall(SYS_clone, arguments->flags | SIGCHLD, NULL,
			arguments->parent_tid, NULL, NULL);
	}
	if (pid == 0) {
		_exit(child(of));
	}
	return pid;
}

pid_t wyn_clone(const struct wyn_clone *clone, int (*child)(void *of), void *of)
{
	struct clone_args arguments = {
		.flags = CLONE_VM | CLONE_CHILD_CLEARTID,
		.child_tid = (uintptr_t)clone->busy,
		.exit_signal = SIGCHLD,
		.stack = (uintptr_t)clone->stack,
		.stack_size = WYN_CLONE_STACK_BYTES,
	};
	long pid;

	*clone->busy = 1;
	if (WYN_SANITIZED) {
		arguments.flags |= CLONE_VFORK;
	}
	if (clone->parent_tid) {
		arguments.flags |= CLONE_PARENT_SETTID;
		arguments.parent_tid = (uintptr_t)clone->parent_tid;
	}
	if (clone->cgroup >= 0) {
		arguments.flags |= CLONE_INTO_CGROUP;
		arguments.cgroup = (unsigned)clone->cgroup;
	}
	if (clone->copy && !WYN_SANITIZED) {
		pid = clone_copying(&arguments, child, of);
		*clone->busy = pid > 0;
		return (pid_t)pid;
	}
	pid = clone_sharing(&arguments, child, of);
	if (pid == -ENOSYS) {
		arguments.flags |= CLONE_VFORK;
		pid = clone_copying(&arguments, child, of);
		*clone->busy = 0;
		return (pid_t)pid;
	}
	if (pid < 0) {
		*clone->busy = 0;
		errno = (int)-pid;
		return -1;
	}
	return (pid_t)pid;
}

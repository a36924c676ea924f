// SPDX-License-Identifier: MIT
/*
 * test_clone.c - a child on a stack of its own, and one with a copy of our
 * memory, where that is asked for or the kernel has no clone3.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "spawner/clone.h"

static pid_t busy;
static struct wyn_clone how = {.busy = &busy, .cgroup = -1};
static volatile int private_word;
static volatile int *shared_word;

static void *map(size_t bytes, int flags)
{
	void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		flags | MAP_ANONYMOUS, -1, 0);

	assert_true(memory != MAP_FAILED);
	return memory;
}

static int set_up(void **state)
{
	(void)state;
	how.stack = map(WYN_CLONE_STACK_BYTES, MAP_PRIVATE);
	shared_word = map(sizeof(*shared_word), MAP_SHARED);
	return 0;
}

static int child(void *of)
{
	private_word = *(int *)of;
	*shared_word = *(int *)of;
	return *(int *)of;
}

static int status_of(pid_t pid)
{
	int status = -1;

	return waitpid(pid, &status, 0) == pid && WIFEXITED(status)
		       ? WEXITSTATUS(status)
		       : -1;
}

static void clone_shares_memory_when_the_kernel_can(void **state)
{
	int number = 41;
	pid_t told = 0;
	pid_t pid;

	(void)state;
	how.parent_tid = &told;
	pid = wyn_clone(&how, child, &number);
	how.parent_tid = NULL;
	assert_true(pid > 0);
	assert_int_equal(told, pid);
	assert_int_equal(status_of(pid), 41);
	assert_int_equal(private_word, 41);
	assert_int_equal(*shared_word, 41);
	assert_int_equal(busy, 0);
}

static void clone_tells_errno_when_there_is_no_child(void **state)
{
	int number = 0;

	(void)state;
	how.cgroup = 1; /* no cgroup, whatever it is */
	errno = 0;
	assert_int_equal(wyn_clone(&how, child, &number), -1);
	assert_true(errno == EBADF || errno == EINVAL);
	assert_int_equal(busy, 0);
	how.cgroup = -1;
}

static void clone_copies_memory_when_that_is_asked_for(void **state)
{
	int number = 42;
	pid_t told = 0;
	pid_t pid;

	(void)state;
	private_word = 1;
	how.parent_tid = &told;
	how.copy = true;
	pid = wyn_clone(&how, child, &number);
	how.parent_tid = NULL;
	how.copy = false;
	assert_true(pid > 0);
	assert_int_equal(told, pid);
	assert_int_equal(status_of(pid), 42);
	assert_int_equal(*shared_word, 42);
	assert_int_equal(private_word, WYN_SANITIZED ? 42 : 1);
	assert_int_equal(busy, !WYN_SANITIZED);
}

/* From here on there is no clone3, as under some container's filter. */
static bool forbid_clone3(void)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone3, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {WYN_COUNT_OF(filter), filter};

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

static void clone_copies_memory_when_the_kernel_has_no_clone3(void **state)
{
	int number = 43;
	pid_t told = 0;
	pid_t pid;

	(void)state;
	if (!forbid_clone3()) {
		skip();
	}
	private_word = 1;
	how.parent_tid = &told;
	pid = wyn_clone(&how, child, &number);
	assert_true(pid > 0);
	assert_int_equal(told, pid);
	assert_int_equal(private_word, 1);
	assert_int_equal(*shared_word, 43);
	assert_int_equal(busy, 0);
	assert_int_equal(status_of(pid), 43);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(clone_shares_memory_when_the_kernel_can),
		cmocka_unit_test(clone_tells_errno_when_there_is_no_child),
		cmocka_unit_test(clone_copies_memory_when_that_is_asked_for),
		cmocka_unit_test(
			clone_copies_memory_when_the_kernel_has_no_clone3),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}

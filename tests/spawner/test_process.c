// SPDX-License-Identifier: MIT
/*
 * test_process.c - lines of /proc, looks at it, and signals for who was seen.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "spawner/process.h"
#include "tests/support/family.h"

#define REST                                                                  \
	" -1 4194304 10 0 0 0 1 2 3 4 20 0 1 0 12345 18446744073709551615 9 " \
	"18446744073709551615\n"

static int proc;

static int parse(const char *line, struct wyn_process *ret_process)
{
	return wyn_process_parse(line, strlen(line), ret_process);
}

static void process_is_parsed_when_its_name_is_odd(void **state)
{
	static const char *const lines[] = {
		"41 (true) S 7 8 9 0" REST,
		"41 (a b) S 7 8 9 0" REST,
		"41 () S 7 8 9 0" REST,
		"41 (1) S 2 3 4 5) S 7 8 9 0" REST,
		"41 (((\n)) ) S 7 8 9 34816" REST,
	};

	(void)state;
	for (size_t i = 0; i < WYN_COUNT_OF(lines); i++) {
		struct wyn_process process = {.tag = 9};
		assert_int_equal(parse(lines[i], &process), 0);
		assert_int_equal(process.pid, 41);
		assert_int_equal(process.state, 'S');
		assert_int_equal(process.parent, 7);
		assert_int_equal(process.group, 8);
		assert_int_equal(process.session, 9);
		assert_int_equal(process.start_ticks, 12345);
		assert_int_equal(process.threads, 1);
		assert_false(process.exiting);
		assert_int_equal(process.tag, 0);
	}
}

static void process_has_no_session_when_it_was_let_go(void **state)
{
	struct wyn_process process;

	(void)state;
	assert_int_equal(parse("41 (true) X 0 -1 -1 0" REST, &process), 0);
	assert_int_equal(process.session, -1);
}

static void process_is_refused_when_its_line_is_malformed(void **state)
{
	static const char *const lines[] = {
		"",
		"41",
		"x (true) S 7 8 9 0" REST,
		"-1 (true) S 7 8 9 0" REST,
		"0 (true) S 7 8 9 0" REST,
		"41 true S 7 8 9 0" REST,
		"41 (true)",
		"41 (true) S",
		"41 (true) S 7 8",
		"41 (true) S 7 8 x 0" REST,
		"41 (true) S 7 8 99999999999 0" REST,
		"41 (true) S 7 8 9 99999999999999999999999" REST,
		"41 (true) S 7 8 -2 0" REST,
		"41 (true) S 7  8 9 0" REST,
		"41 (true) S 7 8 9 0 -1 0 1 0 0 0 1 2 3 4 20 0 1 0",
	};

	(void)state;
	for (size_t i = 0; i < WYN_COUNT_OF(lines); i++) {
		struct wyn_process process;
		assert_int_equal(parse(lines[i], &process), -EBADMSG);
	}
}

static void process_is_read_when_it_is_ourselves(void **state)
{
	struct wyn_process process;

	(void)state;
	assert_int_equal(wyn_process_read(proc, getpid(), &process), 0);
	assert_int_equal(process.pid, getpid());
	assert_int_equal(process.parent, getppid());
	assert_int_equal(process.group, getpgrp());
	assert_int_equal(process.session, getsid(0));
	assert_true(process.start_ticks > 0);
}

static pid_t start(struct wyn_family *family)
{
	wyn_family_start(family, "rp", NULL, -1, NULL);
	wyn_family_await(family, 1);
	return family->pid;
}

static void process_gets_no_signal_when_it_is_not_the_one_seen(void **state)
{
	struct wyn_family family;
	struct wyn_process process;

	(void)state;
	pid_t pid = start(&family);
	assert_int_equal(wyn_process_read(proc, pid, &process), 0);
	process.start_ticks--;
	assert_int_equal(wyn_process_signal(proc, &process, SIGKILL), -ESRCH);
	assert_int_equal(waitpid(pid, NULL, WNOHANG), 0);
	process.start_ticks++;
	assert_false(process.exiting);
	assert_int_equal(wyn_process_signal(proc, &process, SIGKILL), 0);
	assert_int_equal(waitid(P_PID, (id_t)pid, NULL, WEXITED | WNOWAIT), 0);
	assert_int_equal(wyn_process_read(proc, pid, &process), 0);
	assert_true(process.exiting);
	assert_true(wyn_process_is_dead(&process));
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(wyn_process_signal(proc, &process, SIGKILL), -ESRCH);
	assert_int_equal(wyn_process_read(proc, pid, &process), -ESRCH);
	wyn_family_end(&family);
}

static void processes_are_all_seen_by_a_look(void **state)
{
	struct wyn_processes all = {0};
	struct wyn_family family;

	(void)state;
	wyn_family_start(&family, "3((rp)rp)rp", NULL, -1, NULL);
	wyn_family_await(&family, 7);
	assert_int_equal(wyn_processes_look(proc, &all), 0);
	for (size_t i = 1; i < all.count; i++) {
		assert_true(all.each[i - 1].pid < all.each[i].pid);
	}
	assert_non_null(wyn_processes_find(&all, getpid()));
	assert_null(wyn_processes_find(&all, 0));
	wyn_processes_find(&all, family.pid)->tag = 5;
	assert_int_equal(wyn_processes_spread(&all, 5), 7);
	assert_int_equal(wyn_processes_find(&all, getpid())->tag, 0);
	for (size_t i = 0; i < all.count; i++) {
		if (all.each[i].tag == 5) {
			assert_int_equal(
				wyn_process_signal(proc, &all.each[i], SIGKILL),
				0);
		}
	}
	while (waitpid(-1, NULL, 0) > 0) {
	}
	wyn_family_end(&family);
	wyn_processes_fini(&all);
}

static void processes_spread_when_a_look_has_a_circle(void **state)
{
	struct wyn_process each[] = {
		{.pid = 2, .parent = 3},
		{.pid = 3, .parent = 2},
		{.pid = 5, .parent = 9},
		{.pid = 8, .parent = 8},
		{.pid = 9, .parent = 4, .tag = 1},
	};
	struct wyn_processes all = {.each = each, .count = 5};

	(void)state;
	assert_int_equal(wyn_processes_spread(&all, 1), 2);
	assert_int_equal(each[2].tag, 1);
	assert_int_equal(each[0].tag, 0);
}

int main(int argc, char **argv)
{
	wyn_family_main(argc, argv);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(process_is_parsed_when_its_name_is_odd),
		cmocka_unit_test(process_has_no_session_when_it_was_let_go),
		cmocka_unit_test(process_is_refused_when_its_line_is_malformed),
		cmocka_unit_test(process_is_read_when_it_is_ourselves),
		cmocka_unit_test(
			process_gets_no_signal_when_it_is_not_the_one_seen),
		cmocka_unit_test(processes_are_all_seen_by_a_look),
		cmocka_unit_test(processes_spread_when_a_look_has_a_circle),
	};

	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

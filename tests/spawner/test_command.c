// SPDX-License-Identifier: MIT
/*
 * test_command.c - how commands end: by themselves, when they are told to, and
 * when they would not.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/support/spawner_rig.h"

#define COUNTER "count-signals" /* argument of this program as a command */

/* Longer than any test. */
#define NEVER_MS UINT64_C(100000000)

/* Who holds the pipe when it is read to its end is gone. */
static void gone(int pipe)
{
	(void)spawner_rig_read(pipe);
}

static void signalled(struct spawner_rig *rig, uint64_t id, int number)
{
	const Wyn__Spawn__V1__Ended *ended = spawner_rig_ended(rig, id);

	assert_int_equal(ended->how, WYN__SPAWN__V1__HOW__HOW_SIGNALLED);
	assert_int_equal(ended->status, number);
}

static void command_tells_its_status_when_it_exits(void **state)
{
	struct spawner_rig *rig = *state;

	for (unsigned status = 0; status < 256; status += 51) {
		char script[32];

		(void)snprintf(script, sizeof(script), "exit %u", status);
		gone(spawner_rig_shell(rig, status, script));
		spawner_rig_exited(rig, status, status);
	}
}

static void command_tells_the_signal_when_one_ended_it(void **state)
{
	struct spawner_rig *rig = *state;
	static const int numbers[] = {SIGTERM, SIGKILL, SIGSEGV, SIGHUP};

	for (unsigned i = 0; i < WYN_COUNT_OF(numbers); i++) {
		char script[32];

		(void)snprintf(
			script, sizeof(script), "kill -%d $$", numbers[i]);
		gone(spawner_rig_shell(rig, i, script));
		signalled(rig, i, numbers[i]);
	}
}

static void command_tells_what_it_took_when_it_ended(void **state)
{
	struct spawner_rig *rig = *state;
	const Wyn__Spawn__V1__Ended *ended;

	gone(spawner_rig_shell(
		rig, 1, "i=0; while [ $i -lt 20000 ]; do i=$((i + 1)); done"));
	ended = spawner_rig_ended(rig, 1);
	assert_non_null(ended->usage);
	assert_true(ended->usage->wall_ns > 0);
	assert_true(ended->usage->user_ns + ended->usage->system_ns > 0);
	assert_true(ended->usage->peak_rss_bytes > 256 << 10);
}

/* Nine times the argument. */
static void start_with(struct spawner_rig *rig, uint64_t id,
	const char *program, const char *argument, int output)
{
	const char *argv[] = {program, argument, argument, argument, argument,
		argument, argument, argument, argument, argument, NULL};

	spawner_rig_start(rig, id,
		&(struct spawner_command){.argv = argv, .output = output});
}

static uint64_t peak_of_true(struct spawner_rig *rig, const char *argument)
{
	const Wyn__Spawn__V1__Ended *ended;

	start_with(rig, 1, "/bin/true", argument, 0);
	ended = spawner_rig_ended(rig, 1);
	assert_int_equal(ended->how, WYN__SPAWN__V1__HOW__HOW_EXITED);
	return ended->usage->peak_rss_bytes;
}

static void peak_is_not_ours_when_a_large_message_has_come(void **state)
{
	static char argument[120 << 10];
	uint64_t before;

#if WYN_SANITIZED
	skip(); /* they keep what is freed */
#endif
	memset(argument, 'x', sizeof(argument) - 1);
	before = peak_of_true(*state, NULL);
	/* That one itself has its arguments, and what we had for them. */
	(void)peak_of_true(*state, argument);
	assert_true(peak_of_true(*state, NULL) < before + (512 << 10));
}

static void peak_is_not_ours_when_the_large_one_runs_on(void **state)
{
	static char argument[120 << 10];
	struct spawner_rig *rig = *state;
	uint64_t before;
	int sides[2];

#if WYN_SANITIZED
	skip(); /* they keep what is freed */
#endif
	memset(argument, 'x', sizeof(argument) - 1);
	before = peak_of_true(rig, NULL);
	assert_int_equal(pipe2(sides, O_CLOEXEC), 0);
	start_with(rig, 2, "/usr/bin/yes", argument, sides[1]);
	close(sides[1]);
	spawner_rig_await(sides[0]);
	assert_true(peak_of_true(rig, NULL) < before + (512 << 10));
	spawner_rig_stop(rig, 2, 0);
	(void)spawner_rig_ended(rig, 2);
	close(sides[0]);
}

static void commands_end_in_any_order_when_several_run(void **state)
{
	struct spawner_rig *rig = *state;
	int wait[2];
	int first;
	const char *const argv[] = {"cat", NULL};

	assert_int_equal(pipe(wait), 0);
	spawner_rig_start(rig, 1,
		&(struct spawner_command){.argv = argv, .input = wait[0]});
	close(wait[0]);
	for (uint64_t id = 2; id < 100; id++) {
		first = spawner_rig_shell(rig, id, "echo out");
		assert_string_equal(spawner_rig_read(first), "out\n");
		spawner_rig_exited(rig, id, 0);
	}
	close(wait[1]);
	spawner_rig_exited(rig, 1, 0);
}

static void command_is_refused_when_there_are_as_many_as_may_be(void **state)
{
	struct spawner_rig *rig = *state;
	int pipes[8];

	for (int i = 0; i < 8; i++) {
		pipes[i] =
			spawner_rig_shell(rig, (uint64_t)i, "exec sleep 1000");
	}
	close(spawner_rig_shell(rig, 8, "exit 0"));
	spawner_rig_refused(rig, 8, WYN__SPAWN__V1__STAGE__STAGE_PROCESS,
		EAGAIN, "commands_max");
	for (int i = 0; i < 8; i++) {
		spawner_rig_stop(rig, (uint64_t)i, 0);
		signalled(rig, (uint64_t)i, SIGKILL);
		gone(pipes[i]);
	}
}

static void command_gets_a_signal_when_it_is_sent_one(void **state)
{
	struct spawner_rig *rig = *state;
	int pipe = spawner_rig_shell(rig, 1,
		"trap 'echo got; exit 3' USR1; echo; while :; do sleep 0.01; "
		"done");

	spawner_rig_await(pipe);
	spawner_rig_signal(rig, 1, SIGUSR1);
	assert_non_null(strstr(spawner_rig_read(pipe), "got\n"));
	(void)spawner_rig_ended(rig, 1);
}

static void command_ends_by_sigterm_when_it_is_stopped(void **state)
{
	struct spawner_rig *rig = *state;
	int pipe = spawner_rig_shell(rig, 1, "echo; exec sleep 1000");

	spawner_rig_await(pipe);
	spawner_rig_stop(rig, 1, NEVER_MS);
	signalled(rig, 1, SIGTERM);
	gone(pipe);
}

static void command_is_killed_when_it_ignores_sigterm(void **state)
{
	struct spawner_rig *rig = *state;
	int pipe = spawner_rig_shell(
		rig, 1, "trap '' TERM; echo; while :; do sleep 1000; done");

	spawner_rig_await(pipe);
	spawner_rig_stop(rig, 1, 1);
	signalled(rig, 1, SIGKILL);
	gone(pipe);
}

static void command_is_killed_sooner_when_a_later_stop_has_less_grace(
	void **state)
{
	struct spawner_rig *rig = *state;
	int pipe = spawner_rig_shell(
		rig, 1, "trap '' TERM; echo; while :; do sleep 1000; done");

	spawner_rig_await(pipe);
	spawner_rig_stop(rig, 1, NEVER_MS);
	spawner_rig_stop(rig, 1, 2);
	spawner_rig_stop(rig, 1, UINT64_MAX);
	signalled(rig, 1, SIGKILL);
	gone(pipe);
}

/* What is asked for again and again is done now and then, for everybody else
 * waits meanwhile. */
static void command_gets_fewer_signals_when_very_many_are_sent(void **state)
{
	enum {
		SIGNALS = 100
	};
	struct spawner_rig *rig = *state;
	char self[256] = "";
	const char *const counter[] = {self, COUNTER, NULL};
	unsigned count = 0;
	int sides[2];

	assert_true(readlink("/proc/self/exe", self, sizeof(self) - 1) > 0);
	assert_int_equal(pipe2(sides, O_CLOEXEC), 0);
	spawner_rig_start(rig, 1,
		&(struct spawner_command){.argv = counter, .output = sides[1]});
	close(sides[1]);
	spawner_rig_await(sides[0]);
	/* So that all are there when it looks. */
	assert_int_equal(kill(rig->pid, SIGSTOP), 0);
	for (unsigned i = 0; i < SIGNALS; i++) {
		spawner_rig_signal(rig, 1, SIGRTMIN);
	}
	assert_int_equal(kill(rig->pid, SIGCONT), 0);
	spawner_rig_signal(rig, 1, SIGUSR1);
	assert_int_equal(sscanf(spawner_rig_read(sides[0]), "%u", &count), 1);
	assert_in_range(count, 1, SIGNALS - 1);
	spawner_rig_exited(rig, 1, 0);
}

static void command_ends_by_sigterm_when_it_was_stopped_by_a_signal(
	void **state)
{
	struct spawner_rig *rig = *state;
	int pipe = spawner_rig_shell(rig, 1, "echo; kill -STOP $$; exit 9");

	spawner_rig_await(pipe);
	spawner_rig_stop(rig, 1, NEVER_MS);
	signalled(rig, 1, SIGTERM);
	gone(pipe);
}

static void command_is_killed_when_it_is_stopped_and_ignores_sigterm(
	void **state)
{
	struct spawner_rig *rig = *state;
	int pipe = spawner_rig_shell(
		rig, 1, "trap '' TERM; echo; while :; do kill -STOP $$; done");

	spawner_rig_await(pipe);
	spawner_rig_stop(rig, 1, 1);
	signalled(rig, 1, SIGKILL);
	gone(pipe);
}

static void tree_is_killed_when_its_members_have_hidden(void **state)
{
	struct spawner_rig *rig = *state;
	int pipe = spawner_rig_shell(rig, 1,
		"(setsid sh -c 'trap \"\" TERM; (sleep 1000 &) ; "
		"while :; do sleep 1000; done' &) ;"
		"(sleep 1000 &) ; echo; exec sleep 1000");

	spawner_rig_await(pipe);
	spawner_rig_stop(rig, 1, 0);
	signalled(rig, 1, SIGKILL);
	gone(pipe);
}

static void left_overs_live_until_their_command_is_reaped(void **state)
{
	struct spawner_rig *rig = *state;
	int pipe = spawner_rig_shell(
		rig, 1, "(setsid sh -c 'echo; exec sleep 1000' &) ; exit 4");
	const Wyn__Spawn__V1__Ended *ended = spawner_rig_ended(rig, 1);

	assert_int_equal(ended->how, WYN__SPAWN__V1__HOW__HOW_EXITED);
	assert_int_equal(ended->status, 4);
	assert_true(ended->left);
	spawner_rig_await(pipe);
	spawner_rig_reap(rig, 1);
	gone(pipe);
}

static void id_can_be_used_again_when_its_command_was_reaped(void **state)
{
	struct spawner_rig *rig = *state;
	int pipe = spawner_rig_shell(rig, 1, "(sleep 1000 &) ; exit 4");

	assert_true(spawner_rig_ended(rig, 1)->left);
	spawner_rig_reap(rig, 1);
	gone(spawner_rig_shell(rig, 1, "exit 5"));
	spawner_rig_exited(rig, 1, 5);
	gone(pipe);
}

static void requests_are_ignored_when_their_command_is_over(void **state)
{
	struct spawner_rig *rig = *state;

	gone(spawner_rig_shell(rig, 1, "exit 1"));
	spawner_rig_exited(rig, 1, 1);
	spawner_rig_signal(rig, 1, SIGTERM);
	spawner_rig_stop(rig, 1, 0);
	spawner_rig_reap(rig, 1);
	gone(spawner_rig_shell(rig, 2, "exit 2"));
	spawner_rig_exited(rig, 2, 2);
}

static void everything_dies_when_the_link_closes(void **state)
{
	struct spawner_rig *rig = *state;
	int first = spawner_rig_shell(rig, 1,
		"trap '' TERM HUP; (setsid sleep 1000 &) ; echo; sleep 1000");
	int second = spawner_rig_shell(rig, 2, "(sleep 1000 &) ; exit 0");

	spawner_rig_await(first);
	assert_true(spawner_rig_ended(rig, 2)->left);
	assert_int_equal(spawner_rig_end(rig), 0);
	gone(first);
	gone(second);
}

static void everything_dies_when_the_spawner_is_killed(void **state)
{
	struct spawner_rig *rig = *state;
	int pipe = spawner_rig_shell(rig, 1, "echo; exec sleep 1000");

	spawner_rig_await(pipe);
	assert_int_equal(kill(rig->pid, SIGKILL), 0);
	gone(pipe);
	assert_int_equal(spawner_rig_end(rig), SIGKILL);
}

static void next_spawner_kills_what_is_left_when_there_is_a_ledger(void **state)
{
	struct spawner_rig *rig = *state;
	void *next;
	char path[64];
	int pipe;

	(void)snprintf(
		path, sizeof(path), "/tmp/test_command.%d", (int)getpid());
	unlink(path);
	rig->configure.ledger = path;
	assert_string_equal(spawner_rig_configure(rig)->problem, "");
	pipe = spawner_rig_shell(rig, 1,
		"(setsid sleep 1000 &) ; (sleep 1000 &) ; echo; sleep 1000");
	spawner_rig_await(pipe);
	assert_int_equal(kill(rig->pid, SIGKILL), 0);
	assert_int_equal(spawner_rig_end(rig), SIGKILL);
	spawner_rig_set_up(&next);
	rig = next;
	rig->configure.ledger = path;
	assert_true(spawner_rig_configure(rig)->killed >= 2);
	gone(pipe);
	gone(spawner_rig_shell(rig, 1, "exit 8"));
	spawner_rig_exited(rig, 1, 8);
	spawner_rig_tear_down(&next);
	unlink(path);
}

static void spawner_lives_on_when_it_gets_sigterm_by_its_terminal(void **state)
{
	struct spawner_rig *rig = *state;

	kill(rig->pid, SIGTERM);
	kill(rig->pid, SIGINT);
	kill(rig->pid, SIGHUP);
	kill(rig->pid, SIGPIPE);
	gone(spawner_rig_shell(rig, 1, "exit 7"));
	spawner_rig_exited(rig, 1, 7);
}

static void nothing_is_left_when_many_trees_were_killed(void **state)
{
	struct spawner_rig *rig = *state;
	unsigned fds = spawner_rig_fds(rig);

	for (uint64_t id = 0; id < 50; id++) {
		int pipe = spawner_rig_shell(rig, id,
			"(setsid sleep 1000 &) ; (sleep 1000 &) ; echo; sleep "
			"1000");

		spawner_rig_await(pipe);
		spawner_rig_stop(rig, id, id % 2);
		(void)spawner_rig_ended(rig, id);
		spawner_rig_reap(rig, id);
		gone(pipe);
	}
	spawner_rig_has_fds(rig, fds);
}

#define CASE(name)                       \
	cmocka_unit_test_setup_teardown( \
		name, spawner_rig_set_up_ready, spawner_rig_tear_down)

/* A command: how many of a signal there are until another one comes, each of
 * which the kernel keeps. */
static int count_signals(void)
{
	const struct timespec none = {0};
	sigset_t counted;
	sigset_t last;
	sigset_t both;
	unsigned count = 0;
	int number;

	sigemptyset(&counted);
	sigaddset(&counted, SIGRTMIN);
	sigemptyset(&last);
	sigaddset(&last, SIGUSR1);
	both = counted;
	sigaddset(&both, SIGUSR1);
	sigprocmask(SIG_BLOCK, &both, NULL);
	if (write(STDOUT_FILENO, "r", 1) != 1 || sigwait(&last, &number) != 0) {
		return 1;
	}
	while (sigtimedwait(&counted, NULL, &none) >= 0) {
		count++;
	}
	return printf("%u\n", count) < 0;
}

int main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], COUNTER) == 0) {
		return count_signals();
	}
	const struct CMUnitTest tests[] = {
		CASE(command_tells_its_status_when_it_exits),
		CASE(command_tells_the_signal_when_one_ended_it),
		CASE(command_tells_what_it_took_when_it_ended),
		CASE(peak_is_not_ours_when_a_large_message_has_come),
		CASE(peak_is_not_ours_when_the_large_one_runs_on),
		CASE(commands_end_in_any_order_when_several_run),
		CASE(command_is_refused_when_there_are_as_many_as_may_be),
		CASE(command_gets_a_signal_when_it_is_sent_one),
		CASE(command_ends_by_sigterm_when_it_is_stopped),
		CASE(command_is_killed_when_it_ignores_sigterm),
		CASE(command_is_killed_sooner_when_a_later_stop_has_less_grace),
		CASE(command_gets_fewer_signals_when_very_many_are_sent),
		CASE(command_ends_by_sigterm_when_it_was_stopped_by_a_signal),
		CASE(command_is_killed_when_it_is_stopped_and_ignores_sigterm),
		CASE(tree_is_killed_when_its_members_have_hidden),
		CASE(left_overs_live_until_their_command_is_reaped),
		CASE(id_can_be_used_again_when_its_command_was_reaped),
		CASE(requests_are_ignored_when_their_command_is_over),
		CASE(everything_dies_when_the_link_closes),
		CASE(everything_dies_when_the_spawner_is_killed),
		CASE(next_spawner_kills_what_is_left_when_there_is_a_ledger),
		CASE(spawner_lives_on_when_it_gets_sigterm_by_its_terminal),
		CASE(nothing_is_left_when_many_trees_were_killed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

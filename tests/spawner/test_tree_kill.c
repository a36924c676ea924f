// SPDX-License-Identifier: MIT
/*
 * test_tree_kill.c - real trees of processes, signalled and killed, none left.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "spawner/sys.h"
#include "tests/support/tree_rig.h"

static void tree_kills_all_when_they_ignore_stop_and_hide(void **state)
{
	struct tree_rig_command one;

	(void)state;
	tree_rig_start(&one, "i2(r(rp)irp)(rt)(s(r(erp)p)x)rp");
	wyn_family_await(&one.family, 10 - 1);
	tree_rig_kill_all(&one);
}

static void tree_kills_all_when_another_thread_has_forked(void **state)
{
	struct tree_rig_command one;

	(void)state;
	if (!WYN_FAMILY_THREADS) {
		skip();
	}
	tree_rig_start(&one, "m2(rm(rp)rp)(srp)rp");
	wyn_family_await(&one.family, 8);
	tree_rig_kill_all(&one);
}

static void tree_signals_it_when_its_first_thread_is_dead(void **state)
{
	struct tree_rig_command one;

	(void)state;
	if (!WYN_FAMILY_THREADS) {
		skip();
	}
	tree_rig_start(&one, "(nrp)nrp");
	wyn_family_await(&one.family, 2);
	assert_int_equal(wyn_tree_signal(&tree, &one.command, SIGTERM, 0), 0);
	tree_rig_await_gone(&one);
}

static void tree_kills_it_when_its_first_thread_is_dead(void **state)
{
	struct tree_rig_command one;

	(void)state;
	if (!WYN_FAMILY_THREADS) {
		skip();
	}
	tree_rig_start(&one, "(nrp)x");
	wyn_family_await(&one.family, 1);
	tree_rig_await_end(&one);
	assert_int_equal(one.command.left, 1);
	tree_rig_kill_all(&one);
}

static void tree_kills_all_when_it_is_still_forking(void **state)
{
	struct tree_rig_command one;

	(void)state;
	tree_rig_start(&one, "600b");
	wyn_family_await(&one.family, 50);
	tree_rig_kill_all(&one);
}

static void tree_kills_all_when_left_overs_are_still_forking(void **state)
{
	struct tree_rig_command one;

	(void)state;
	tree_rig_start(&one, "(s600b)rx");
	wyn_family_await(&one.family, 20);
	tree_rig_await_end(&one);
	tree_rig_kill_all(&one);
}

static void tree_kills_all_when_a_chain_of_forks_runs_away(void **state)
{
	struct tree_rig_command one;

	(void)state;
	tree_rig_start(&one, "(rs20000c)p");
	wyn_family_await(&one.family, 1);
	tree_rig_kill_all(&one);
}

static void tree_kills_all_when_a_chain_is_left_over(void **state)
{
	struct tree_rig_command one;

	(void)state;
	tree_rig_start(&one, "(rs1000000c)x");
	assert_ptr_equal(tree_rig_await_exit().command, &one.command);
	tree_rig_kill_all(&one);
}

/* The only child of ours, besides those that were waited for. */
static pid_t only_child(void)
{
	pid_t pid = 0;

	assert_int_equal(wyn_processes_look(tree.proc, &tree.hunt.now), 0);
	for (size_t i = 0; i < tree.hunt.now.count; i++) {
		if (tree.hunt.now.each[i].parent == tree.self) {
			assert_int_equal(pid, 0);
			pid = tree.hunt.now.each[i].pid;
		}
	}
	return pid;
}

/* Its first orphan dies before it was seen; the other one is in its group. */
static void spare_group(struct tree_rig_command *spared)
{
	struct tree_rig_command killed;
	siginfo_t info;

	wyn_family_await(&spared->family, 2);
	(void)tree_rig_await_exit();
	tree_rig_start(&killed, "x");
	(void)tree_rig_await_exit();
	assert_int_equal(wyn_tree_kill(&tree, &killed.command), 0);
	pid_t first = only_child();
	kill(first, SIGTERM);
	assert_int_equal(
		waitid(P_PID, (id_t)first, &info, WEXITED | WNOWAIT), 0);
	assert_int_equal(wyn_tree_look(&tree), 0);
	assert_int_equal(spared->command.left, 1);
	assert_int_equal(kill(only_child(), 0), 0);
	tree_rig_await_gone(&killed);
	assert_false(wyn_family_is_gone(&spared->family));
	tree_rig_kill_all(spared);
}

static void tree_spares_a_group_when_its_dead_one_may_be_anothers(void **state)
{
	struct tree_rig_command spared;

	(void)state;
	tree_rig_start(&spared, "(s(rp)rp)x");
	spare_group(&spared);
}

static void tree_spares_a_group_when_the_other_has_a_cgroup(void **state)
{
	struct tree_rig_command spared;

	(void)state;
	tree_rig_start_contained(&spared, "(s(rp)rp)x");
	spare_group(&spared);
}

static void tree_kills_all_later_when_there_are_no_descriptors(void **state)
{
	struct tree_rig_command one;

	(void)state;
	tree_rig_start(&one, "2(s(rp)rp)rp");
	wyn_family_await(&one.family, 5);
	struct wyn_sys before = wyn_sys;
	wyn_sys.openat = tree_rig_open_none;
	assert_int_equal(wyn_tree_kill(&tree, &one.command), -EMFILE);
	assert_ptr_equal(tree_rig_await_exit().command, &one.command);
	assert_int_equal(wyn_tree_look(&tree), -EMFILE);
	wyn_sys = before;
	tree_rig_await_gone(&one);
}

static void tree_signals_everybody_when_asked(void **state)
{
	struct tree_rig_command one;

	(void)state;
	tree_rig_start(&one, "(s(rp)(rt)rp)rp");
	wyn_family_await(&one.family, 4);
	assert_int_equal(
		wyn_tree_signal(&tree, &one.command, SIGTERM, SIGCONT), 0);
	tree_rig_await_gone(&one);
}

static void tree_signals_the_rest_when_the_leader_has_ended(void **state)
{
	struct tree_rig_command one;

	(void)state;
	tree_rig_start(&one, "2(s(rp)rp)x");
	wyn_family_await(&one.family, 4);
	tree_rig_await_end(&one);
	assert_int_equal(wyn_tree_signal(&tree, &one.command, SIGTERM, 0), 0);
	tree_rig_await_gone(&one);
}

static void tree_signals_nobody_when_all_are_gone(void **state)
{
	struct tree_rig_command one;

	(void)state;
	tree_rig_start(&one, "x");
	tree_rig_await_end(&one);
	assert_int_equal(
		wyn_tree_signal(&tree, &one.command, SIGTERM, 0), -ESRCH);
	assert_int_equal(wyn_tree_kill(&tree, &one.command), 0);
	tree_rig_await_gone(&one);
}

int main(int argc, char **argv)
{
	wyn_family_main(argc, argv);
	const struct CMUnitTest tests[] = {
		TREE_RIG_BOTH(tree_kills_all_when_they_ignore_stop_and_hide),
		TREE_RIG_BOTH(tree_kills_all_when_another_thread_has_forked),
		TREE_RIG_BOTH(tree_signals_it_when_its_first_thread_is_dead),
		TREE_RIG_BOTH(tree_kills_it_when_its_first_thread_is_dead),
		TREE_RIG_BOTH(tree_kills_all_when_it_is_still_forking),
		TREE_RIG_BOTH(tree_kills_all_when_left_overs_are_still_forking),
		TREE_RIG_BOTH(tree_kills_all_when_a_chain_of_forks_runs_away),
		TREE_RIG_BOTH(tree_kills_all_when_a_chain_is_left_over),
		TREE_RIG_BOTH(
			tree_spares_a_group_when_its_dead_one_may_be_anothers),
		TREE_RIG_BOTH(tree_spares_a_group_when_the_other_has_a_cgroup),
		TREE_RIG_BOTH(
			tree_kills_all_later_when_there_are_no_descriptors),
		TREE_RIG_BOTH(tree_signals_everybody_when_asked),
		TREE_RIG_BOTH(tree_signals_the_rest_when_the_leader_has_ended),
		TREE_RIG_BOTH(tree_signals_nobody_when_all_are_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: MIT
/*
 * test_log_refused.c - many refusals are one line, and when it comes.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/log.h"
#include "daemon/log_refused.h"

static int fds[2];
static uint64_t clock_now;
static struct wyn_stats stats;
static struct wyn_log_refused refused;

static int setup(void **state)
{
	(void)state;
	assert_int_equal(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
	wyn_log_start(WYN_LOG_INFO, WYN_LOG_TEXT_LINES, fds[1], NULL);
	wyn_stats_init(&stats);
	refused = (struct wyn_log_refused){0};
	clock_now = 1;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	wyn_log_start(WYN_LOG_INFO, WYN_LOG_TEXT_LINES, STDERR_FILENO, NULL);
	close(fds[0]);
	close(fds[1]);
	return 0;
}

static uint64_t fake_clock(void)
{
	return clock_now;
}

/* What a turn now has logged. */
static const char *turn(void)
{
	static char text[WYN_LOG_LINE_BYTES];
	ssize_t got;

	wyn_log_refused_turn(&refused, &stats, fake_clock);
	got = read(fds[0], text, sizeof(text) - 1);
	text[got > 0 ? got : 0] = '\0';
	return text;
}

static void refuse(enum wyn_refusal refusal, uint64_t tasks)
{
	wyn_stats_refused(&stats, refusal, tasks);
	WYN_STATS_ADD(&stats, tasks_refused, tasks);
}

static void refused_says_nothing_when_nothing_was(void **state)
{
	(void)state;
	wyn_stats_refused(&stats, WYN_REFUSAL_RUN_TIMEOUT, 9);
	assert_string_equal(turn(), "");
}

static void refused_tells_how_many_of_each_reason(void **state)
{
	(void)state;
	refuse(WYN_REFUSAL_FUNCTION_UNKNOWN, 3);
	refuse(WYN_REFUSAL_DAEMON_TASKS_MAX, 2);
	wyn_stats_refused(&stats, WYN_REFUSAL_RUN_TIMEOUT, 9);
	assert_non_null(strstr(turn(),
		" warning tasks-refused tasks=5 functions_unknown=3 "
		"daemon_tasks_over_max=2\n"));
	assert_string_equal(turn(), "");
}

static void refused_waits_with_more_until_the_window_is_over(void **state)
{
	(void)state;
	refuse(WYN_REFUSAL_FUNCTION_UNKNOWN, 3);
	(void)turn();
	refuse(WYN_REFUSAL_FUNCTION_UNKNOWN, 4);
	clock_now += WYN_LOG_WINDOW_NS - 1;
	assert_string_equal(turn(), "");
	clock_now++;
	assert_non_null(
		strstr(turn(), " tasks-refused tasks=4 functions_unknown=4\n"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(refused_says_nothing_when_nothing_was),
		TEST(refused_tells_how_many_of_each_reason),
		TEST(refused_waits_with_more_until_the_window_is_over),
	};

	return cmocka_run_group_tests_name("log_refused", tests, NULL, NULL);
}

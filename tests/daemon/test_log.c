// SPDX-License-Identifier: MIT
/*
 * test_log.c - which lines are written, and what becomes of those that cannot.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/log.h"

#define THREADS 4u
#define LINES	500u

static int fds[2];
static char text[1 << 20];

static int setup(void **state)
{
	(void)state;
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	wyn_log_start(WYN_LOG_INFO, WYN_LOG_TEXT_LINES, fds[1], NULL);
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

/* What the pipe holds now. */
static const char *logged(void)
{
	size_t used = 0;
	ssize_t got;

	assert_int_equal(fcntl(fds[0], F_SETFL, O_NONBLOCK), 0);
	while ((got = read(fds[0], text + used, sizeof(text) - 1 - used)) > 0) {
		used += (size_t)got;
	}
	text[used] = '\0';
	return text;
}

/* More than it takes. Returns: how many lines that were. */
static unsigned fill(void)
{
	for (unsigned i = 0; i < 100000; i++) {
		wyn_log(WYN_LOG_INFO, "filler", WYN_LOG_NUMBER("n", i));
	}
	return 100000;
}

static uint64_t number_after(const char *where, const char *key)
{
	const char *at = strstr(where, key);

	return at ? strtoull(at + strlen(key), NULL, 10) : 0;
}

static size_t count_of(const char *where, const char *what)
{
	size_t count = 0;

	for (; (where = strstr(where, what)); where++) {
		count++;
	}
	return count;
}

static void log_leaves_out_what_is_over_its_level(void **state)
{
	(void)state;
	wyn_log(WYN_LOG_DEBUG, "hidden");
	wyn_log(WYN_LOG_WARNING, "shown", WYN_LOG_NUMBER("n", 1));
	(void)logged();
	assert_null(strstr(text, "hidden"));
	assert_non_null(strstr(text, " warning shown n=1\n"));
}

static void log_shows_more_when_the_level_is_set(void **state)
{
	(void)state;
	wyn_log_level_set(WYN_LOG_DEBUG);
	wyn_log(WYN_LOG_DEBUG, "detail");
	wyn_log_level_set(WYN_LOG_ERROR);
	wyn_log(WYN_LOG_WARNING, "hidden");
	assert_non_null(strstr(logged(), " debug detail\n"));
	assert_null(strstr(text, "hidden"));
}

static void log_is_the_journals_when_device_and_inode_are(void **state)
{
	struct stat status;
	char stream[64];

	(void)state;
	assert_int_equal(fstat(fds[1], &status), 0);
	snprintf(stream, sizeof(stream), "%ju:%ju", (uintmax_t)status.st_dev,
		(uintmax_t)status.st_ino);
	assert_true(wyn_log_is_journal(stream, fds[1]));
	assert_false(wyn_log_is_journal("1:1", fds[1]));
	assert_false(wyn_log_is_journal("", fds[1]));
	assert_false(wyn_log_is_journal(NULL, fds[1]));
	wyn_log_start(WYN_LOG_INFO, WYN_LOG_AUTO, fds[1], stream);
	assert_int_equal(wyn_log_form(), WYN_LOG_JOURNAL);
	wyn_log(WYN_LOG_ERROR, "told");
	assert_string_equal(logged(), "<3>told\n");
	wyn_log_start(WYN_LOG_INFO, WYN_LOG_AUTO, fds[1], "1:1");
	assert_int_equal(wyn_log_form(), WYN_LOG_TEXT_LINES);
}

static void log_never_waits_when_nobody_reads_the_pipe(void **state)
{
	unsigned all = fill();
	size_t there;

	(void)state;
	there = count_of(logged(), " filler ");
	assert_in_range(there, 1, all - 1);
	assert_int_equal(text[strlen(text) - 1], '\n');
	wyn_log(WYN_LOG_INFO, "again");
	assert_int_equal(number_after(logged(), "again lost="), all - there);
	wyn_log(WYN_LOG_INFO, "then");
	assert_null(strstr(logged(), "lost"));
}

/* As the journal's is. */
static void log_never_waits_when_nobody_reads_the_socket(void **state)
{
	unsigned all;
	size_t there;

	(void)state;
	close(fds[0]);
	close(fds[1]);
	assert_int_equal(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	wyn_log_start(WYN_LOG_INFO, WYN_LOG_JSON, fds[1], NULL);
	all = fill();
	there = count_of(logged(), "\"event\":\"filler\"");
	assert_in_range(there, 1, all - 1);
	assert_int_equal(fcntl(fds[1], F_GETFL) & O_NONBLOCK, 0);
	wyn_log(WYN_LOG_INFO, "again");
	assert_int_equal(number_after(logged(), "\"lost\":"), all - there);
}

/* Where it cannot be opened again it is asked whether it has room. */
static void log_never_waits_when_the_pipe_stays_a_blocking_one(void **state)
{
	struct rlimit before;
	struct rlimit none;
	unsigned all;
	size_t there;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = 0;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	wyn_log_start(WYN_LOG_INFO, WYN_LOG_TEXT_LINES, fds[1], NULL);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	all = fill();
	there = count_of(logged(), " filler ");
	assert_in_range(there, 1, all - 1);
	wyn_log(WYN_LOG_INFO, "again");
	assert_int_equal(number_after(logged(), "again lost="), all - there);
}

/* All numbers that follow the key. */
static uint64_t sum_after(const char *where, const char *key)
{
	uint64_t sum = 0;

	for (; (where = strstr(where, key)); where++) {
		sum += number_after(where, key);
	}
	return sum;
}

/* A whole line of that event, or NULL. */
static char *line_of(char *where, const char *event)
{
	char *found = strstr(where, event);

	return found != NULL && strstr(found, "}\r\n") != NULL ? found : NULL;
}

/* It takes part of a line; the rest follows when it is read. What went in comes
 * out when the kernel gets to it, so the reader looks again and again, and a
 * line is logged each time, with its number, until one of these is there. */
static void log_never_waits_when_the_terminal_stands_still(void **state)
{
	static char all[4u << 20];
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	uint64_t told;
	size_t bytes = 0;
	char *again;

	(void)state;
	assert_true(master >= 0);
	assert_int_equal(unlockpt(master), 0);
	close(fds[0]);
	close(fds[1]);
	fds[0] = master;
	fds[1] = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_true(fds[1] >= 0);
	wyn_log_start(WYN_LOG_INFO, WYN_LOG_JSON, fds[1], NULL);
	told = fill();
	while ((again = line_of(all, "\"event\":\"again\"")) == NULL) {
		size_t more = strlen(logged());

		assert_true(bytes + more < sizeof(all));
		memcpy(all + bytes, text, more + 1);
		bytes += more;
		wyn_log(WYN_LOG_INFO, "again", WYN_LOG_NUMBER("n", ++told));
	}
	*strstr(again, "}\r\n") = '\0';
	assert_true(sum_after(all, "\"lost\":") > 0);
	assert_int_equal(
		count_of(all, "{\"time\"") + sum_after(all, "\"lost\":"),
		number_after(again, "\"n\":"));
}

static void log_leaves_the_flags_of_an_inherited_pipe_alone(void **state)
{
	(void)state;
	(void)fill();
	assert_int_equal(fcntl(fds[1], F_GETFL) & O_NONBLOCK, 0);
}

static void *write_lines(void *arg)
{
	(void)arg;
	for (unsigned i = 0; i < LINES; i++) {
		wyn_log(WYN_LOG_INFO, "one", WYN_LOG_NUMBER("n", i));
		wyn_log_limited(WYN_LOG_INFO, WYN_LOG_CROWDED, "other");
	}
	return NULL;
}

static void log_never_waits_when_many_threads_fill_a_pipe(void **state)
{
	pthread_t threads[THREADS];
	const char *line;

	(void)state;
	for (size_t i = 0; i < THREADS; i++) {
		assert_int_equal(
			pthread_create(&threads[i], NULL, write_lines, NULL),
			0);
	}
	for (size_t i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
	}
	for (line = logged(); *line; line = strchr(line, '\n') + 1) {
		assert_non_null(strchr(line, '\n'));
		assert_memory_equal(line, "20", 2);
	}
	assert_true(count_of(text, " other") <= WYN_LOG_ALL_BURST);
}

static void log_survives_when_the_reader_is_gone(void **state)
{
	(void)state;
	close(fds[0]);
	wyn_log(WYN_LOG_INFO, "one");
	wyn_log(WYN_LOG_INFO, "two");
	fds[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void log_outlives_a_full_disk(void **state)
{
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC);

	(void)state;
	assert_true(full >= 0);
	wyn_log_start(WYN_LOG_INFO, WYN_LOG_JSON, full, NULL);
	wyn_log(WYN_LOG_INFO, "one");
	wyn_log(WYN_LOG_INFO, "two");
	/* The disk has room again: the same descriptor, another file. */
	assert_int_equal(dup3(fds[1], full, O_CLOEXEC), full);
	wyn_log(WYN_LOG_INFO, "three");
	assert_non_null(strstr(logged(), "\"event\":\"three\",\"lost\":2}\n"));
	close(full);
}

/* The next line is told what was held back before, by whom, and how often. */
static void log_tells_what_was_suppressed_when_it_settles(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 12; i++) {
		wyn_log_limited(WYN_LOG_INFO, WYN_LOG_CROWDED, "crowd");
	}
	wyn_log(WYN_LOG_INFO, "other");
	assert_null(strstr(logged(), "suppressed"));
	wyn_log_settle();
	assert_non_null(strstr(logged(),
		" warning suppressed of=connection-refused suppressed=7\n"));
	wyn_log_settle();
	assert_string_equal(logged(), "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(log_leaves_out_what_is_over_its_level),
		TEST(log_shows_more_when_the_level_is_set),
		TEST(log_is_the_journals_when_device_and_inode_are),
		TEST(log_never_waits_when_nobody_reads_the_pipe),
		TEST(log_never_waits_when_nobody_reads_the_socket),
		TEST(log_never_waits_when_the_pipe_stays_a_blocking_one),
		TEST(log_never_waits_when_the_terminal_stands_still),
		TEST(log_leaves_the_flags_of_an_inherited_pipe_alone),
		TEST(log_never_waits_when_many_threads_fill_a_pipe),
		TEST(log_survives_when_the_reader_is_gone),
		TEST(log_outlives_a_full_disk),
		TEST(log_tells_what_was_suppressed_when_it_settles),
	};

	return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}

// SPDX-License-Identifier: MIT
/*
 * test_ledger.c - a spawner that is killed, and the next one, which finds what
 * it has left and nobody else.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "spawner/ledger.h"
#include "spawner/ledger_file.h"
#include "tests/support/family.h"
#include "tests/support/sys_faults.h"

#define RECORDS 8u

static char directory[32];
static char path[64];
static char bad[64];
static int proc;
static struct wyn_mark mark;

static int set_up(void **state)
{
	(void)state;
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	strcpy(directory, "/tmp/wyn-ledger-XXXXXX");
	assert_non_null(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/ledger", directory);
	snprintf(bad, sizeof(bad), "%s/ledger.bad", directory);
	return wyn_mark_draw(&mark);
}

static int tear_down(void **state)
{
	(void)state;
	unlink(path);
	unlink(bad);
	assert_int_equal(rmdir(directory), 0);
	/* after a failure too the next case has no child */
	bool none = waitpid(-1, NULL, WNOHANG) < 0;
	while (waitpid(-1, NULL, WNOHANG) >= 0) {
		struct wyn_processes all = {0};
		assert_int_equal(wyn_processes_look(proc, &all), 0);
		for (size_t i = 0; i < all.count; i++) {
			if (all.each[i].parent == getpid()) {
				kill(all.each[i].pid, SIGKILL);
			}
		}
		wyn_processes_fini(&all);
	}
	close(proc);
	assert_true(none);
	return 0;
}

static int begin(struct wyn_ledger *ledger, unsigned *ret_killed)
{
	struct wyn_mark next;

	assert_int_equal(wyn_mark_draw(&next), 0);
	return wyn_ledger_init(ledger, path, RECORDS, &next, proc, ret_killed);
}

/* The next spawner of this ledger kills so many. */
static void assert_sweep(unsigned expected)
{
	struct wyn_ledger ledger;
	unsigned killed = 99;

	assert_int_equal(begin(&ledger, &killed), 0);
	assert_int_equal(killed, expected);
	wyn_ledger_fini(&ledger);
}

/* What a spawner does for a command. Returns its record. */
static uint32_t start(struct wyn_ledger *ledger, struct wyn_family *family,
	const char *script)
{
	char text[WYN_MARK_TEXT_BYTES];
	uint32_t record;
	pid_t *pid;

	wyn_mark_text(&mark, 1, text);
	assert_int_equal(wyn_ledger_begin(ledger, &record, &pid), 0);
	wyn_family_start(family, script, text, -1, pid);
	wyn_ledger_started(ledger, record);
	assert_int_equal(*pid, family->pid);
	return record;
}

static void begin_first(struct wyn_ledger *ledger)
{
	unsigned killed = 99;

	assert_int_equal(
		wyn_ledger_init(ledger, path, RECORDS, &mark, proc, &killed),
		0);
	assert_int_equal(killed, 0);
}

/* All children: nobody of them is awaited by a sweep. */
static void reap(struct wyn_family *family)
{
	while (waitpid(-1, NULL, 0) > 0) {
	}
	assert_true(wyn_family_is_gone(family));
	wyn_family_end(family);
}

static void reap_only(struct wyn_family *family)
{
	assert_int_equal(waitpid(family->pid, NULL, 0), family->pid);
	assert_true(wyn_family_is_gone(family));
	wyn_family_end(family);
}

static void assert_spared(struct wyn_family *family)
{
	struct wyn_process process;

	assert_int_equal(wyn_process_read(proc, family->pid, &process), 0);
	assert_true(process.state == 'S' || process.state == 'R');
	kill(family->pid, SIGKILL);
	waitpid(family->pid, NULL, 0);
	wyn_family_end(family);
}

static void ledger_is_private_when_it_is_new(void **state)
{
	struct wyn_ledger ledger;
	struct stat about;
	unsigned killed = 99;
	mode_t before = umask(0);

	(void)state;
	assert_int_equal(begin(&ledger, &killed), 0);
	umask(before);
	assert_int_equal(killed, 0);
	assert_int_equal(lstat(path, &about), 0);
	assert_int_equal(about.st_mode & 07777, 0600);
	wyn_ledger_fini(&ledger);
}

static void ledger_gives_records_when_there_are_some(void **state)
{
	struct wyn_ledger ledger;
	uint32_t record = 99;
	pid_t *pid;

	(void)state;
	begin_first(&ledger);
	for (uint32_t i = 0; i < RECORDS; i++) {
		assert_int_equal(wyn_ledger_begin(&ledger, &record, &pid), 0);
		assert_int_equal(record, i);
		assert_int_equal(*pid, 0);
		*pid = 1;
	}
	assert_int_equal(wyn_ledger_begin(&ledger, &record, &pid), -ENOBUFS);
	wyn_ledger_clear(&ledger, 3);
	assert_int_equal(wyn_ledger_begin(&ledger, &record, &pid), 0);
	assert_int_equal(record, 3);
	assert_int_equal(*pid, 0);
	/* It names process 1, which is above us and began before. */
	wyn_ledger_fini(&ledger);
	assert_sweep(0);
}

static void ledger_does_nothing_when_there_is_none(void **state)
{
	struct wyn_ledger ledger;
	uint32_t record;
	pid_t *pid = (pid_t *)&record;

	(void)state;
	wyn_ledger_none(&ledger);
	assert_int_equal(wyn_ledger_begin(&ledger, &record, &pid), 0);
	assert_null(pid);
	wyn_ledger_started(&ledger, record);
	wyn_ledger_clear(&ledger, record);
	wyn_ledger_fini(&ledger);
	rmdir(path);
}

static void ledger_sweeps_a_command_when_its_leader_lives(void **state)
{
	struct wyn_ledger ledger;
	struct wyn_family family;

	(void)state;
	begin_first(&ledger);
	start(&ledger, &family, "i2(r(srp)(erp)irp)(rt)rp");
	wyn_family_await(&family, 10);
	wyn_ledger_fini(&ledger);
	assert_sweep(8);
	reap(&family);
	assert_sweep(0);
}

static void ledger_sweeps_the_session_when_its_leader_is_dead(void **state)
{
	struct wyn_ledger ledger;
	struct wyn_family family;

	(void)state;
	begin_first(&ledger);
	start(&ledger, &family,
		WYN_FAMILY_THREADS ? "(rp)(nrp)rx" : "(rp)(rp)rx");
	wyn_family_await(&family, 3);
	assert_int_equal(waitpid(family.pid, NULL, 0), family.pid);
	wyn_ledger_fini(&ledger);
	assert_sweep(2);
	reap(&family);
}

static void ledger_sweeps_an_orphan_when_it_has_left_the_session(void **state)
{
	struct wyn_ledger ledger;
	struct wyn_family family;

	(void)state;
	begin_first(&ledger);
	start(&ledger, &family, "(s(s(rp)(esrp)orp)x)rx");
	wyn_family_await(&family, 4);
	assert_int_equal(waitpid(family.pid, NULL, 0), family.pid);
	wyn_ledger_fini(&ledger);
	assert_sweep(3);
	reap(&family);
}

static void ledger_sweeps_all_when_it_is_still_forking(void **state)
{
	struct wyn_ledger ledger;
	struct wyn_family family;
	unsigned killed = 0;

	(void)state;
	begin_first(&ledger);
	start(&ledger, &family, "600b");
	wyn_family_await(&family, 50);
	wyn_ledger_fini(&ledger);
	assert_int_equal(begin(&ledger, &killed), 0);
	assert_true(killed >= 50);
	wyn_ledger_fini(&ledger);
	reap(&family);
}

static void ledger_spares_a_process_when_its_time_is_another(void **state)
{
	struct wyn_ledger ledger;
	struct wyn_family early;
	struct wyn_family late;
	uint64_t tick_ns = 1000000000u / (uint64_t)sysconf(_SC_CLK_TCK);

	(void)state;
	begin_first(&ledger);
	uint32_t one = start(&ledger, &early, "rp");
	uint32_t two = start(&ledger, &late, "rp");
	wyn_family_await(&early, 1);
	wyn_family_await(&late, 1);
	/* Of who had their pids before, or would have them later; and without
	 * the mark, which they have from us. */
	ledger.file->record[one].before_ns += 2 * tick_ns;
	ledger.file->record[one].after_ns += 2 * tick_ns;
	ledger.file->record[two].before_ns -= 2 * tick_ns;
	ledger.file->record[two].after_ns = ledger.file->record[two].before_ns;
	memset(ledger.file->mark.digits, '0', 32);
	wyn_ledger_fini(&ledger);
	assert_sweep(0);
	assert_spared(&early);
	assert_spared(&late);
}

static void ledger_spares_a_process_when_it_has_only_the_pid(void **state)
{
	struct wyn_ledger ledger;
	struct wyn_family family;

	(void)state;
	begin_first(&ledger);
	uint32_t record = start(&ledger, &family, "rp");
	wyn_family_await(&family, 1);
	/* The spawner was killed in clone3: no time, so the mark alone
	 * counts. */
	ledger.file->record[record].after_ns = 0;
	memset(ledger.file->mark.digits, '0', 32);
	wyn_ledger_fini(&ledger);
	assert_sweep(0);
	assert_spared(&family);
}

static void ledger_sweeps_by_the_mark_when_there_is_no_time(void **state)
{
	struct wyn_ledger ledger;
	struct wyn_family family;

	(void)state;
	begin_first(&ledger);
	uint32_t record = start(&ledger, &family, "(rp)rp");
	wyn_family_await(&family, 2);
	ledger.file->record[record].after_ns = 0;
	wyn_ledger_fini(&ledger);
	assert_sweep(2);
	reap(&family);
}

/* No orphan: an atd, say, has started it with a copy of the environment. */
static void ledger_spares_a_copy_of_the_mark_when_it_has_a_parent(void **state)
{
	struct wyn_ledger ledger;
	struct wyn_family command;
	char text[WYN_MARK_TEXT_BYTES];
	int ready[2];
	pid_t copied;

	(void)state;
	wyn_mark_text(&mark, 1, text);
	begin_first(&ledger);
	start(&ledger, &command, "rp");
	wyn_family_await(&command, 1);
	wyn_ledger_fini(&ledger);
	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	pid_t other = fork();
	if (other == 0) {
		struct wyn_family copy;
		wyn_family_start(&copy, "rp", text, -1, NULL);
		wyn_family_await(&copy, 1);
		assert_int_equal(write(ready[1], &copy.pid, sizeof(pid_t)), 4);
		waitpid(copy.pid, NULL, 0);
		_exit(0);
	}
	assert_int_equal(read(ready[0], &copied, sizeof(pid_t)), 4);
	assert_sweep(1);
	reap_only(&command);
	assert_int_equal(waitpid(other, NULL, WNOHANG), 0);
	kill(copied, SIGKILL);
	assert_int_equal(waitpid(other, NULL, 0), other);
	close(ready[0]);
	close(ready[1]);
}

static void write_ledger(const void *bytes, size_t count)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, count), count);
	close(fd);
}

static void ledger_is_set_aside_when_it_is_garbage(void **state)
{
	char garbage[4096];

	(void)state;
	memset(garbage, 'g', sizeof(garbage));
	write_ledger(garbage, sizeof(garbage));
	assert_sweep(0);
	assert_int_equal(access(bad, F_OK), 0);
	assert_int_equal(access(path, F_OK), 0);
}

static void ledger_is_set_aside_when_it_is_cut(void **state)
{
	struct wyn_ledger ledger;
	struct wyn_family family;
	struct stat about;

	(void)state;
	begin_first(&ledger);
	start(&ledger, &family, "rp");
	wyn_family_await(&family, 1);
	wyn_ledger_fini(&ledger);
	assert_int_equal(stat(path, &about), 0);
	assert_int_equal(truncate(path, about.st_size - 1), 0);
	assert_sweep(0);
	assert_int_equal(access(bad, F_OK), 0);
	assert_spared(&family);
}

static void ledger_names_nobody_when_it_is_of_another_boot(void **state)
{
	struct wyn_ledger ledger;
	struct wyn_family family;

	(void)state;
	begin_first(&ledger);
	start(&ledger, &family, "rp");
	wyn_family_await(&family, 1);
	ledger.file->boot[0] ^= 1;
	wyn_ledger_fini(&ledger);
	assert_sweep(0);
	assert_int_not_equal(access(bad, F_OK), 0);
	assert_spared(&family);
}

static void ledger_is_refused_when_others_could_write_it(void **state)
{
	struct wyn_ledger ledger;
	unsigned killed = 99;
	char second[64];

	(void)state;
	write_ledger("", 0);
	assert_int_equal(chmod(path, 0620), 0);
	assert_int_equal(begin(&ledger, &killed), -EPERM);
	assert_int_equal(chmod(path, 0600), 0);
	snprintf(second, sizeof(second), "%s/second", directory);
	assert_int_equal(link(path, second), 0);
	assert_int_equal(begin(&ledger, &killed), -EPERM);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink(second, path), 0);
	assert_int_equal(begin(&ledger, &killed), -ELOOP);
	unlink(second);
	unlink(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(begin(&ledger, &killed), -EPERM);
	assert_int_equal(killed, 99);
	if (geteuid() == 0) {
		unlink(path);
		write_ledger("", 0);
		assert_int_equal(chown(path, 1, 0), 0);
		assert_int_equal(begin(&ledger, &killed), -EPERM);
	}
}

static void ledger_is_locked_when_another_spawner_has_it(void **state)
{
	struct wyn_ledger first;
	struct wyn_ledger second;
	unsigned killed = 99;

	(void)state;
	begin_first(&first);
	assert_int_equal(begin(&second, &killed), -EWOULDBLOCK);
	wyn_ledger_fini(&first);
	assert_int_equal(begin(&second, &killed), 0);
	wyn_ledger_fini(&second);
}

/* A spawner that is killed while it has a command, which it is above. */
static void ledger_sweeps_what_a_killed_spawner_has_left(void **state)
{
	struct wyn_ledger ledger;
	struct wyn_family family;
	int ready[2];

	(void)state;
	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	pid_t spawner = fork();
	if (spawner == 0) {
		begin_first(&ledger);
		start(&ledger, &family, "i(s(orp)x)(rp)rp");
		wyn_family_await(&family, 3);
		assert_int_equal(write(ready[1], &family.pipe, sizeof(int)), 4);
		pause();
	}
	assert_int_equal(read(ready[0], &family.pipe, sizeof(int)), 4);
	kill(spawner, SIGKILL);
	assert_int_equal(waitpid(spawner, NULL, 0), spawner);
	assert_sweep(3);
	while (waitpid(-1, NULL, 0) > 0) {
	}
	close(ready[0]);
	close(ready[1]);
}

/* Hundreds of opens: each of the first ones fails, and some of the rest. */
static void ledger_sweeps_later_when_a_call_fails(void **state)
{
	struct wyn_ledger ledger;
	struct wyn_family family;
	bool has_failed = true;

	(void)state;
	sys_faults_begin();
	for (unsigned call = 0; has_failed; call += call < 10 ? 1 : call / 3) {
		unsigned killed = 0;

		begin_first(&ledger);
		start(&ledger, &family, "(srp)rp");
		wyn_family_await(&family, 2);
		wyn_ledger_fini(&ledger);
		sys_faults_arm(call);
		int error = begin(&ledger, &killed);

		has_failed = sys_faults_disarm();
		if (error != 0) {
			assert_true(error == -EMFILE || error == -ENOMEM);
			assert_true(has_failed);
			assert_int_equal(begin(&ledger, &killed), 0);
		}
		wyn_ledger_fini(&ledger);
		reap(&family);
	}
	sys_faults_end();
}

#define CASE(function) \
	cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(int argc, char **argv)
{
	wyn_family_main(argc, argv);
	const struct CMUnitTest tests[] = {
		CASE(ledger_is_private_when_it_is_new),
		CASE(ledger_gives_records_when_there_are_some),
		CASE(ledger_does_nothing_when_there_is_none),
		CASE(ledger_sweeps_a_command_when_its_leader_lives),
		CASE(ledger_sweeps_the_session_when_its_leader_is_dead),
		CASE(ledger_sweeps_an_orphan_when_it_has_left_the_session),
		CASE(ledger_sweeps_all_when_it_is_still_forking),
		CASE(ledger_spares_a_process_when_its_time_is_another),
		CASE(ledger_spares_a_process_when_it_has_only_the_pid),
		CASE(ledger_sweeps_by_the_mark_when_there_is_no_time),
		CASE(ledger_spares_a_copy_of_the_mark_when_it_has_a_parent),
		CASE(ledger_is_set_aside_when_it_is_garbage),
		CASE(ledger_is_set_aside_when_it_is_cut),
		CASE(ledger_names_nobody_when_it_is_of_another_boot),
		CASE(ledger_is_refused_when_others_could_write_it),
		CASE(ledger_is_locked_when_another_spawner_has_it),
		CASE(ledger_sweeps_later_when_a_call_fails),
		CASE(ledger_sweeps_what_a_killed_spawner_has_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

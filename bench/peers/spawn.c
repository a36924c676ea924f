// SPDX-License-Identifier: MIT
/*
 * spawn.c - the floor of running commands: posix_spawn, pipes, wait4.
 *
 *	spawn loop|threads n=NUMBER in_flight=NUMBER -- PROGRAM ARG...
 *	spawn drain bytes=NUMBER -- PROGRAM ARG...
 *	spawn fill bytes=NUMBER -- FILE
 *
 * Fair because it does what has to be done at least: both outputs are pipes of
 * the command, read to their ends, and its status is waited for. posix_spawn(3)
 * is glibc's, which shares the memory until the command is executed. `loop` is
 * one thread and one poll(2); `threads` has a thread for each command in
 * flight, which needs no poll. `drain` runs one, and takes its output in
 * blocks of 64 KiB, every word of which must be what `fill` wrote.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/meter.h"
#include "bench/meter_latency.h"
#include "bench/meter_words.h"

#define IN_FLIGHT_MAX 64u
#define BLOCK_BYTES   (64u << 10)
#define OUTPUTS	      2u

struct running {
	pid_t pid;	  /* 0 = none */
	int fds[OUTPUTS]; /* -1: at its end */
	uint64_t from_ns;
};

static char **command;
static struct meter_latency latency;
static _Atomic uint64_t begun;

static void start(struct running *one)
{
	posix_spawn_file_actions_t actions;
	int ends[OUTPUTS];

	one->from_ns = meter_now_ns();
	meter_require(posix_spawn_file_actions_init(&actions) == 0);
	for (unsigned i = 0; i < OUTPUTS; i++) {
		int both[2];

		meter_require(pipe2(both, O_CLOEXEC) == 0);
		one->fds[i] = both[0];
		ends[i] = both[1];
		meter_require(posix_spawn_file_actions_adddup2(&actions,
				      both[1], STDOUT_FILENO + (int)i) == 0);
	}
	meter_require(posix_spawn(&one->pid, command[0], &actions, NULL,
			      command, environ) == 0);
	posix_spawn_file_actions_destroy(&actions);
	for (unsigned i = 0; i < OUTPUTS; i++) {
		close(ends[i]);
	}
}

/* Takes what is there. Returns whether that was the end. */
static bool take(int fd)
{
	char bytes[4096];
	ssize_t n = read(fd, bytes, sizeof(bytes));

	meter_require(n >= 0);
	return n == 0;
}

static void end(struct running *one)
{
	int status;
	struct rusage usage;

	meter_require(wait4(one->pid, &status, 0, &usage) == one->pid);
	meter_require(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	one->pid = 0;
}

/* What poll(2) says of the outputs of one. Returns whether it is over. */
static bool look(struct running *one, const struct pollfd *polled)
{
	unsigned open = 0;

	for (unsigned i = 0; i < OUTPUTS; i++) {
		if (one->fds[i] >= 0 && polled[i].revents != 0 &&
			take(one->fds[i])) {
			close(one->fds[i]);
			one->fds[i] = -1;
		}
		open += one->fds[i] >= 0;
	}
	return open == 0;
}

static void loop(const struct meter *meter)
{
	struct running all[IN_FLIGHT_MAX] = {{.pid = 0}};
	struct pollfd polled[IN_FLIGHT_MAX * OUTPUTS];
	uint64_t started = 0;

	for (uint64_t i = 0; i < meter->in_flight && started < meter->n; i++) {
		start(&all[i]);
		started++;
	}
	while (latency.count < meter->n) {
		for (uint64_t i = 0; i < meter->in_flight * OUTPUTS; i++) {
			polled[i].fd =
				all[i / OUTPUTS].pid > 0
					? all[i / OUTPUTS].fds[i % OUTPUTS]
					: -1;
			polled[i].events = POLLIN;
			polled[i].revents = 0;
		}
		meter_require(poll(polled, meter->in_flight * OUTPUTS, -1) > 0);
		for (uint64_t i = 0; i < meter->in_flight; i++) {
			if (all[i].pid == 0 ||
				!look(&all[i], &polled[i * OUTPUTS])) {
				continue;
			}
			end(&all[i]);
			meter_latency_add(
				&latency, meter_now_ns() - all[i].from_ns, 1);
			if (started < meter->n) {
				start(&all[i]);
				started++;
			}
		}
	}
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void *one_after_the_other(void *n)
{
	struct running one;

	while (atomic_fetch_add_explicit(&begun, 1, memory_order_relaxed) <
		*(const uint64_t *)n) {
		start(&one);
		for (unsigned i = 0; i < OUTPUTS; i++) {
			while (!take(one.fds[i])) {
			}
			close(one.fds[i]);
		}
		end(&one);
		pthread_mutex_lock(&lock);
		meter_latency_add(&latency, meter_now_ns() - one.from_ns, 1);
		pthread_mutex_unlock(&lock);
	}
	return NULL;
}

static void threads(struct meter *meter)
{
	pthread_t all[IN_FLIGHT_MAX];

	for (uint64_t i = 0; i < meter->in_flight; i++) {
		meter_require(pthread_create(&all[i], NULL, one_after_the_other,
				      &meter->n) == 0);
	}
	for (uint64_t i = 0; i < meter->in_flight; i++) {
		pthread_join(all[i], NULL);
	}
}

/* What stands at that place of the file. */
static uint64_t word_at(uint64_t at)
{
	return (at + 1) * UINT64_C(0x9e3779b97f4a7c15);
}

/* Whole words, however little comes at once. */
static size_t read_block(int fd, uint64_t *block)
{
	size_t have = 0;
	ssize_t n;

	do {
		n = read(fd, (char *)block + have, BLOCK_BYTES - have);
		meter_require(n >= 0);
		have += (size_t)n;
	} while (n > 0 && have < BLOCK_BYTES);
	return have;
}

/* The command's errors are ours. */
static void drain(const struct meter *meter)
{
	static uint64_t block[BLOCK_BYTES / sizeof(uint64_t)];
	posix_spawn_file_actions_t actions;
	struct running one = {.from_ns = meter_now_ns()};
	uint64_t bytes = 0, wrong = 0;
	int both[2];
	size_t have;

	meter_require(pipe2(both, O_CLOEXEC) == 0);
	meter_require(posix_spawn_file_actions_init(&actions) == 0);
	meter_require(posix_spawn_file_actions_adddup2(
			      &actions, both[1], STDOUT_FILENO) == 0);
	meter_require(posix_spawn(&one.pid, command[0], &actions, NULL, command,
			      environ) == 0);
	posix_spawn_file_actions_destroy(&actions);
	close(both[1]);
	while ((have = read_block(both[0], block)) > 0) {
		for (size_t i = 0; i < have / sizeof(block[0]); i++) {
			wrong |= block[i] ^
				 word_at(bytes / sizeof(block[0]) + i);
		}
		bytes += have;
	}
	end(&one);
	meter_latency_add(&latency, meter_now_ns() - one.from_ns, 1);
	meter_require(wrong == 0);
	meter_require(bytes == meter->bytes);
}

static void fill(const struct meter *meter)
{
	FILE *file = fopen(command[0], "wxe");

	meter_require(file != NULL);
	for (uint64_t at = 0; at < meter->bytes / sizeof(at); at++) {
		uint64_t word = word_at(at);

		meter_require(fwrite(&word, sizeof(word), 1, file) == 1);
	}
	meter_require(fclose(file) == 0);
	latency.count = 1;
}

int main(int argc, char **argv)
{
	struct meter meter;
	int words = 1;

	while (words < argc && strcmp(argv[words], "--") != 0) {
		words++;
	}
	meter_require(words + 1 < argc);
	command = argv + words + 1;
	meter_parse(&meter, words, argv);
	meter_require(meter.in_flight > 0 && meter.in_flight <= IN_FLIGHT_MAX);
	meter_latency_start(&latency);
	if (strcmp(meter.work, "loop") == 0) {
		loop(&meter);
	} else if (strcmp(meter.work, "threads") == 0) {
		threads(&meter);
	} else if (strcmp(meter.work, "fill") == 0) {
		fill(&meter);
	} else {
		meter_require(strcmp(meter.work, "drain") == 0);
		drain(&meter);
	}
	meter_latency_print(&latency, meter.bytes);
	return 0;
}

// SPDX-License-Identifier: MIT
/*
 * test_counted.c - what a task costs in allocations and system calls, and that
 * a wait in either of them ends by a signal.
 *
 * The calls that are counted are defined here, before the linker looks into
 * libc. The server is one function: it answers what has been sent when the
 * client is about to wait, no earlier, so nothing depends on time. Sanitizers
 * need their own malloc(); there allocations are not counted.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <wyn/client.h>

#include "base/compiler.h"
#include "tests/support/bytes.h"
#include "tests/support/script.h"

#define TASKS	  100000u
#define IN_FLIGHT 2048u
#define BATCH	  256u
#define WARM_UP	  (2 * IN_FLIGHT)
#define VALUE	  "sixteen bytes..."
#define CALLS	  100u

static struct {
	size_t allocations;
	size_t sends;
	size_t receives;
	size_t polls;
} counted;

static struct {
	int fd; /* -1 = it answers nothing */
	bool preface;
	uint64_t tasks;
	size_t in_len;
	uint8_t in[1u << 20];
	struct wyn_script out;
	struct wyn_script_reader reader;
	struct wyn_result rows[BATCH];
} server = {.fd = -1};

static struct wyn_client *client;

#if WYN_SANITIZED
static const bool allocations_count = false;
#else
static const bool allocations_count = true;

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *ptr, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

void *malloc(size_t size)
{
	counted.allocations++;
	return __libc_malloc(size);
}

void *calloc(size_t nmemb, size_t size)
{
	counted.allocations++;
	return __libc_calloc(nmemb, size);
}

void *realloc(void *ptr, size_t size)
{
	counted.allocations++;
	return __libc_realloc(ptr, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
	counted.allocations++;
	return __libc_memalign(alignment, size);
}
#endif

static void server_answer(struct wyn_submit *submit)
{
	uint64_t seq = submit->first_seq;
	struct wyn_slice argument;
	size_t n = 0;

	while (wyn_args_next(&submit->args, &argument)) {
		server.rows[n++] =
			(struct wyn_result){.seq = seq, .value = argument};
		seq++;
	}
	server.tasks += n;
	script_rows(&server.out, server.rows, n, 0);
	script_credit(&server.out, server.tasks + IN_FLIGHT, UINT64_MAX);
}

/* Reads all that was sent and answers it. */
static void server_turn(void)
{
	struct wyn_script_limits limits = WYN_SCRIPT_LIMITS;
	struct wyn_message message;
	ssize_t got = recvfrom(server.fd, server.in + server.in_len,
		sizeof(server.in) - server.in_len, MSG_DONTWAIT, NULL, NULL);

	if (got <= 0) {
		return;
	}
	server.in_len += (size_t)got;
	script_read(&server.reader,
		(struct wyn_slice){server.in, server.in_len}, server.preface);
	server.preface = false;
	while (script_next(&server.reader, &message)) {
		if (message.kind == WYN_MESSAGE_HELLO) {
			limits.tasks = IN_FLIGHT;
			script_welcome(&server.out, &limits);
		} else {
			server_answer(&message.submit);
		}
	}
	server.in_len = server.reader.left.len;
	memmove(server.in, server.reader.left.data, server.in_len);
	got = sendto(server.fd, server.out.data, server.out.len, MSG_DONTWAIT,
		NULL, 0);
	if ((size_t)got != server.out.len) {
		abort();
	}
	server.out.len = 0;
}

ssize_t send(int fd, const void *buf, size_t n, int flags)
{
	counted.sends++;
	return sendto(fd, buf, n, flags, NULL, 0);
}

ssize_t recv(int fd, void *buf, size_t n, int flags)
{
	counted.receives++;
	if (server.fd >= 0 && (flags & MSG_DONTWAIT) == 0) {
		server_turn();
	}
	return recvfrom(fd, buf, n, flags, NULL, NULL);
}

int ppoll(struct pollfd *fds, nfds_t nfds, const struct timespec *timeout,
	const sigset_t *ss)
{
	counted.polls++;
	if (server.fd >= 0) {
		server_turn();
	}
	return (int)syscall(
		SYS_ppoll, fds, nfds, timeout, ss, sizeof(uint64_t));
}

static int setup(void **state)
{
	const struct wyn_client_config config = {.in_flight_max = IN_FLIGHT};
	const int bytes = 4 << 20;
	int fds[2];

	(void)state;
	assert_int_equal(0, socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
	/* As much as it answers in one turn. */
	(void)setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
	server.fd = fds[0];
	server.preface = true;
	server.tasks = 0;
	assert_int_equal(0, wyn_client_create(&config, &client));
	assert_int_equal(
		0, wyn_client_connect_fd(client, fds[1], WYN_CLIENT_FOREVER));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	wyn_client_destroy(client);
	client = NULL;
	close(server.fd);
	server.fd = -1;
	return 0;
}

static void take(size_t n)
{
	struct wyn_client_event event;

	for (size_t i = 0; i < n; i++) {
		assert_int_equal(
			0, wyn_client_next(client, WYN_CLIENT_FOREVER, &event));
		assert_int_equal(WYN_CLIENT_RESULT, event.kind);
		assert_int_equal(strlen(VALUE), event.value.size);
	}
}

/* Submits `n` tasks, `batch` to a Submit, and takes their results. */
static void run(size_t n, size_t batch)
{
	struct wyn_bytes arguments[BATCH];
	uint64_t first;
	size_t flight = 0;
	size_t count;

	for (size_t i = 0; i < batch; i++) {
		arguments[i] = (struct wyn_bytes){VALUE, strlen(VALUE)};
	}
	for (size_t done = 0; done < n; done += count) {
		if (flight + batch > IN_FLIGHT / 2) {
			take(flight);
			flight = 0;
		}
		assert_int_equal(
			0, wyn_client_submit_batch(client, "echo", arguments,
				   batch, NULL, &first, &count));
		flight += count;
	}
	take(flight);
}

static uint64_t call(uint64_t deadline_ns)
{
	struct wyn_client_event event;
	uint64_t seq;

	assert_int_equal(0,
		wyn_client_submit(client, "echo",
			(struct wyn_bytes){VALUE, strlen(VALUE)}, NULL, &seq));
	assert_int_equal(0, wyn_client_await(client, seq, deadline_ns, &event));
	assert_int_equal(strlen(VALUE), event.value.size);
	return seq;
}

static void client_allocates_nothing_when_tasks_come_in_batches(void **state)
{
	(void)state;
	/* Else it would prove nothing. */
	assert_int_equal(allocations_count, counted.allocations > 0);
	run(WARM_UP, BATCH);
	counted.allocations = 0;
	run(TASKS, BATCH);
	assert_int_equal(0, counted.allocations);
}

static void client_allocates_nothing_when_each_task_has_its_submit(void **state)
{
	(void)state;
	run(WARM_UP, 1);
	counted.allocations = 0;
	run(TASKS, 1);
	assert_int_equal(0, counted.allocations);
}

static void client_allocates_nothing_when_results_are_kept(void **state)
{
	struct wyn_client_event event;
	uint64_t first;

	(void)state;
	run(WARM_UP, 1);
	counted.allocations = 0;
	for (size_t i = 0; i < TASKS; i += 2) {
		assert_int_equal(
			0, wyn_client_submit(client, "echo",
				   (struct wyn_bytes){VALUE, strlen(VALUE)},
				   NULL, &first));
		/* The first one's result comes before, and is kept. */
		(void)call(WYN_CLIENT_FOREVER);
		assert_int_equal(0, wyn_client_await(client, first,
					    WYN_CLIENT_FOREVER, &event));
	}
	assert_int_equal(0, counted.allocations);
}

static void client_gives_kept_ones_first_when_rows_are_left(void **state)
{
	static const uint64_t order[] = {0, 1, 3, 4, 5, 6, 7};
	struct wyn_bytes arguments[8];
	struct wyn_client_event event;
	uint64_t first;
	size_t count;

	(void)state;
	for (size_t i = 0; i < WYN_COUNT_OF(arguments); i++) {
		arguments[i] = (struct wyn_bytes){VALUE, i};
	}
	assert_int_equal(
		0, wyn_client_submit_batch(client, "echo", arguments,
			   WYN_COUNT_OF(arguments), NULL, &first, &count));
	assert_int_equal(0, wyn_client_await(client, first + 2,
				    WYN_CLIENT_FOREVER, &event));
	/* Two are kept, and five are rows that nobody has looked at. */
	for (size_t i = 0; i < WYN_COUNT_OF(order); i++) {
		assert_int_equal(
			0, wyn_client_next(client, WYN_CLIENT_AT_ONCE, &event));
		assert_int_equal(first + order[i], event.seq);
		assert_int_equal(order[i], event.value.size);
		assert_memory_equal(VALUE, event.value.data, order[i]);
	}
	assert_int_equal(
		-ENODATA, wyn_client_next(client, WYN_CLIENT_AT_ONCE, &event));
}

static void client_sends_and_receives_once_when_it_awaits_a_call(void **state)
{
	(void)state;
	(void)call(WYN_CLIENT_FOREVER);
	counted.sends = counted.receives = counted.polls = 0;
	for (size_t i = 0; i < CALLS; i++) {
		(void)call(WYN_CLIENT_FOREVER);
	}
	assert_int_equal(CALLS, counted.sends);
	assert_int_equal(CALLS, counted.receives);
	assert_int_equal(0, counted.polls);
}

static void client_polls_once_more_when_a_call_has_a_deadline(void **state)
{
	uint64_t deadline_ns = wyn_client_deadline_in_ms(1000000);

	(void)state;
	(void)call(WYN_CLIENT_FOREVER);
	counted.sends = counted.receives = counted.polls = 0;
	for (size_t i = 0; i < CALLS; i++) {
		(void)call(deadline_ns);
	}
	assert_int_equal(CALLS, counted.sends);
	assert_int_equal(CALLS, counted.receives);
	assert_int_equal(CALLS, counted.polls);
}

static void client_only_sends_when_it_flushes(void **state)
{
	struct wyn_client_event event;
	uint64_t seq;

	(void)state;
	(void)call(WYN_CLIENT_FOREVER);
	counted.sends = counted.receives = counted.polls = 0;
	assert_int_equal(0,
		wyn_client_submit(client, "echo",
			(struct wyn_bytes){VALUE, strlen(VALUE)}, NULL, &seq));
	assert_int_equal(0, wyn_client_flush(client, WYN_CLIENT_AT_ONCE));
	assert_false(wyn_client_wants_write(client));
	assert_int_equal(1, counted.sends);
	assert_int_equal(0, counted.receives);
	server_turn();
	assert_int_equal(
		0, wyn_client_next(client, WYN_CLIENT_AT_ONCE, &event));
	assert_int_equal(seq, event.seq);
	assert_int_equal(1, counted.receives);
}

static void client_gets_what_is_there_when_its_deadline_is_over(void **state)
{
	const struct wyn_bytes argument = {VALUE, strlen(VALUE)};
	struct wyn_client_event event;
	uint64_t first;
	uint64_t second;

	(void)state;
	assert_int_equal(
		0, wyn_client_submit(client, "echo", argument, NULL, &first));
	assert_int_equal(0, wyn_client_flush(client, WYN_CLIENT_AT_ONCE));
	server_turn();
	/* There is something to send, too. */
	assert_int_equal(
		0, wyn_client_submit(client, "echo", argument, NULL, &second));
	assert_int_equal(0, wyn_client_next(client, 1, &event));
	assert_int_equal(first, event.seq);
	assert_int_equal(-ETIMEDOUT, wyn_client_next(client, 1, &event));
}

static _Atomic bool interrupted;

static void ignore(int number)
{
	(void)number;
}

/* Again and again, since one that comes before the wait does not end it. */
static void *interrupt(void *whom)
{
	const pthread_t *thread = whom;

	while (!atomic_load_explicit(&interrupted, memory_order_relaxed)) {
		pthread_kill(*thread, SIGUSR1);
		sched_yield();
	}
	return NULL;
}

static void client_is_interrupted_when_the_handler_restarts(void **state)
{
	const struct sigaction action = {
		.sa_handler = ignore, .sa_flags = SA_RESTART};
	uint64_t deadlines[] = {
		WYN_CLIENT_FOREVER, wyn_client_deadline_in_ms(1000000)};
	struct wyn_client_event event;
	pthread_t self = pthread_self();
	pthread_t thread;
	uint64_t seq;
	int fd = server.fd;

	(void)state;
	assert_int_equal(0, sigaction(SIGUSR1, &action, NULL));
	assert_int_equal(0,
		wyn_client_submit(client, "echo",
			(struct wyn_bytes){VALUE, strlen(VALUE)}, NULL, &seq));
	server.fd = -1;
	for (size_t i = 0; i < WYN_COUNT_OF(deadlines); i++) {
		atomic_store_explicit(
			&interrupted, false, memory_order_relaxed);
		assert_int_equal(
			0, pthread_create(&thread, NULL, interrupt, &self));
		assert_int_equal(-EINTR,
			wyn_client_await(client, seq, deadlines[i], &event));
		atomic_store_explicit(&interrupted, true, memory_order_relaxed);
		assert_int_equal(0, pthread_join(thread, NULL));
	}
	server.fd = fd;
	/* The call is simply made again. */
	assert_int_equal(
		0, wyn_client_await(client, seq, WYN_CLIENT_FOREVER, &event));
	assert_int_equal(WYN_STATUS_OK, event.code);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(client_allocates_nothing_when_tasks_come_in_batches),
		TEST(client_allocates_nothing_when_each_task_has_its_submit),
		TEST(client_allocates_nothing_when_results_are_kept),
		TEST(client_gives_kept_ones_first_when_rows_are_left),
		TEST(client_sends_and_receives_once_when_it_awaits_a_call),
		TEST(client_polls_once_more_when_a_call_has_a_deadline),
		TEST(client_only_sends_when_it_flushes),
		TEST(client_gets_what_is_there_when_its_deadline_is_over),
		TEST(client_is_interrupted_when_the_handler_restarts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

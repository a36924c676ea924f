// SPDX-License-Identifier: MIT
/*
 * test_bounds.c - each bound of daemon/limits.h is reached, and counted.
 *
 * A row for each: what reaches it, and the counter that tells.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "daemon/engine/conn.h"
#include "daemon/engine/engine_state.h"
#include "tests/support/rig_commands.h"
#include "tests/support/rig_messages.h"

#define MANUAL "docs/wynd.8.scd" /* from the root of the tree */

static struct rig *rig;
static struct rig_client *client;

static uint64_t counter_of(const char *name)
{
	const struct wyn_stats *stats = &rig->engine->stats;

#define COUNTER(field)                        \
	if (strcmp(name, #field) == 0) {      \
		return stats->field##_approx; \
	}
	WYN_STATS_TABLE(COUNTER)
#undef COUNTER
	for (unsigned i = WYN_REFUSAL_NONE + 1; i < WYN_REFUSALS; i++) {
		if (strcmp(name, wyn_refusal_of(i)->counter) == 0) {
			return stats->refused_approx[i];
		}
	}
	fail_msg("no counter is called %s", name);
	return 0;
}

/* One task each, with these options. */
static void send_options(const char *function, const char *text,
	struct wyn_submit_options options)
{
	const struct rig_submit submit = {.first_seq = 1,
		.function = function,
		.count = 1,
		.text = text,
		.options = options};

	rig_submit(client, &submit);
}

static void sizes_send(uint64_t seq, uint64_t size)
{
	const struct rig_submit submit = {.first_seq = seq,
		.function = "noop",
		.count = 1,
		.sizes = &size};

	rig_submit(client, &submit);
}

static void frame_reach(void)
{
	rig_send(client, "\0\xff\xff\xff\xff", 5);
}

static void batch_reach(void)
{
	rig_batch_send(client, 1, 11, "noop", NULL);
}

static void argument_reach(void)
{
	sizes_send(1, 1001);
}

static void value_reach(void)
{
	rig_task_send(client, 1, "big", "1001");
}

static void tasks_reach(void)
{
	/* Sent on without waiting for a Credit. */
	rig_batch_send(client, 1, 10, "noop", NULL);
	rig_batch_send(client, 11, 10, "noop", NULL);
}

static void bytes_reach(void)
{
	for (uint64_t seq = 1; seq <= 10; seq++) {
		sizes_send(seq, 900);
	}
}

/* Half of a frame, and no bound of its own keeps it away. */
static void buffer_reach(void)
{
	static const uint8_t half[500 * WYN_KIB] = {0, 0, 0x0f, 0xff, 0xff};

	rig_send(client, half, 100 * WYN_KIB);
	rig_settle(rig);
	rig_send(client, half + 100 * WYN_KIB, 400 * WYN_KIB);
}

static void output_reach(void)
{
	client->read_max = 0;
	for (uint64_t seq = 1; seq < 5000; seq++) {
		rig_task_send(client, seq, "nonesuch", NULL);
	}
}

static void stream_reach(void)
{
	send_options("emit", "1", (struct wyn_submit_options){.stream = true});
	rig_settle(rig);
	/* What a worker notes that had to wait, which the rig has none of:
	 * test_stream.c. */
	rig_task_at(rig, 0)->waited = true;
}

static void uploads_reach(void)
{
	sizes_send(1, 1);
	sizes_send(2, 1);
	sizes_send(3, 1);
}

static void connections_reach(void)
{
	(void)rig_connect(rig);
	(void)rig_connect(rig);
}

static void executor_reach(void)
{
	rig_batch_send(client, 1, 5, "noop", NULL);
}

/* Two of which may run at once, and it waits. */
static void commands_reach(void)
{
	rig_run_send(client, 1, 3, NULL, (struct wyn_submit_options){0});
}

static void command_reach(void)
{
	static char word[1100];
	struct rig_command command;
	const struct rig_submit submit = {
		.first_seq = 1, .command = &command.message, .count = 1};

	memset(word, 'x', sizeof(word) - 1);
	rig_command_init(&command, word);
	rig_submit(client, &submit);
}

/* The executor counts this time, and is told of it. */
static void grace_reach(void)
{
	rig_run_send(client, 1, 1, NULL, (struct wyn_submit_options){0});
	rig_settle(rig);
	rig_cancel(client, 1, 1);
	rig_settle(rig);
	assert_int_equal(rig_process(rig, 1)->grace_ms, 1234);
}

static void command_drain_reach(void)
{
	assert_int_equal(rig->commands->config.drain_ms, 1234);
}

static const struct wyn_submit_options keep = {
	.on_disconnect = WYN__V1__ON_DISCONNECT__ON_DISCONNECT_KEEP};

static void keep_tasks_reach(void)
{
	rig_run_send(client, 1, 3, NULL, keep);
}

/* Two ends with a value each, for one of which there is room. */
static void keep_bytes_reach(void)
{
	const struct rig_submit submit = {.first_seq = 1,
		.function = "big",
		.count = 2,
		.text = "700",
		.options = keep};

	rig_submit(client, &submit);
}

static void keep_output_reach(void)
{
	const struct wyn_kept *kept;

	rig_run_send(client, 1, 1, NULL, keep);
	rig_settle(rig);
	rig_process_say(rig_process(rig, 1), "0123456789");
	rig_settle(rig);
	kept = wyn_keep_find(&rig->engine->keep, rig->shared.id_base);
	assert_int_equal(kept->output_end, 10);
	assert_int_equal(kept->head->bytes, 4);
}

static void keep_time_reach(void)
{
	rig_run_send(client, 1, 1, NULL, keep);
	rig_finish_all(rig);
	assert_int_equal(rig->engine->keep.users_count, 1);
	rig_advance(rig, 1000);
	assert_int_equal(rig->engine->keep.users_count, 0);
}

static void hello_reach(void)
{
	(void)rig_connect(rig);
	rig_advance(rig, 1000);
}

static void keepalive_reach(void)
{
	for (unsigned i = 0; i < 3; i++) {
		rig_advance(rig, 2000);
	}
}

static void drain_reach(void)
{
	rig_batch_send(client, 1, 5, "noop", NULL);
	rig_settle(rig);
	rig_drain(rig);
	rig_cancel_all(rig);
}

#define BOUND(field, flag, value, reach, counter)                       \
	{                                                               \
		flag, offsetof(struct wyn_limits, field), value, reach, \
			counter                                         \
	}

static const struct bound {
	const char *flag;
	size_t offset; /* in struct wyn_limits */
	uint64_t value;
	void (*reach)(void);
	const char *counter; /* NULL = reach looks for itself */
} bounds[] = {
	BOUND(frame_bytes_max, "max-frame", 4096, frame_reach,
		"connections_failed"),
	BOUND(batch_max, "max-batch", 10, batch_reach, "batches_over_max"),
	BOUND(argument_bytes_max, "max-argument", 1000, argument_reach,
		"arguments_over_max"),
	BOUND(value_bytes_max, "max-value", 1000, value_reach,
		"values_over_max"),
	BOUND(credit_tasks, "credit-tasks", 15, tasks_reach,
		"tasks_over_credit"),
	BOUND(credit_bytes, "credit-bytes", 2000, bytes_reach,
		"bytes_over_credit"),
	BOUND(daemon_tasks_max, "max-tasks", 15, tasks_reach,
		"daemon_tasks_over_max"),
	BOUND(daemon_bytes_max, "max-bytes", 2000, bytes_reach,
		"daemon_bytes_over_max"),
	BOUND(buffer_bytes_max, "max-buffer", 65536, buffer_reach,
		"buffers_over_max"),
	BOUND(output_bytes_max, "max-output", 65536, output_reach,
		"output_over_max"),
	BOUND(stream_bytes_max, "max-stream", 4096, stream_reach,
		"stream_over_max"),
	BOUND(uploads_max, "max-uploads", 2, uploads_reach, "uploads_over_max"),
	BOUND(connections_max, "max-connections", 2, connections_reach,
		"connections_over_max"),
	BOUND(executor_tasks_max, "max-executor", 3, executor_reach,
		"executor_full"),
	BOUND(commands_max, "max-commands", 2, commands_reach, "commands_full"),
	BOUND(command_bytes_max, "max-command", 1024, command_reach,
		"commands_over_max"),
	BOUND(command_grace_ms, "command-grace", 1234, grace_reach, NULL),
	BOUND(command_drain_ms, "command-drain", 1234, command_drain_reach,
		NULL),
	BOUND(keep_tasks, "keep-tasks", 2, keep_tasks_reach,
		"keep_tasks_over_max"),
	BOUND(keep_bytes, "keep-bytes", 1000, keep_bytes_reach, "kept_evicted"),
	BOUND(keep_output_bytes, "keep-output", 4, keep_output_reach, NULL),
	BOUND(keep_ms, "keep-time", 1000, keep_time_reach, NULL),
	BOUND(hello_ms, "hello-timeout", 1000, hello_reach,
		"connections_failed"),
	BOUND(keepalive_ms, "keepalive", 2000, keepalive_reach,
		"connections_failed"),
	/* The time itself is the loop's: tests/e2e. */
	BOUND(drain_ms, "drain-timeout", 1000, drain_reach, "drain_over_time"),
};

static const char *const flags[] = {
#define FLAG(field, flag, ...) flag,
	WYN_LIMIT_TABLE(FLAG)
#undef FLAG
};

static void reach(const struct bound *bound)
{
	struct wyn_limits limits = WYN_LIMITS_INIT;
	uint64_t *limit = (void *)((char *)&limits + bound->offset);

	*limit = bound->value;
	rig = rig_create(&limits, 2);
	(void)rig_commands_attach(rig);
	client = rig_open_local(rig, 0);
	if (bound->counter != NULL && counter_of(bound->counter) != 0) {
		fail_msg("%s is not 0 at first", bound->counter);
	}
	bound->reach();
	rig_finish_all(rig);
	if (bound->counter != NULL && counter_of(bound->counter) == 0) {
		fail_msg("--%s was reached, and %s is 0", bound->flag,
			bound->counter);
	}
	rig_destroy(rig);
}

static void bounds_are_counted_when_each_is_reached(void **state)
{
	(void)state;
	assert_int_equal(WYN_COUNT_OF(bounds), WYN_COUNT_OF(flags));
	for (size_t i = 0; i < WYN_COUNT_OF(bounds); i++) {
		assert_string_equal(bounds[i].flag, flags[i]);
		reach(&bounds[i]);
	}
}

static void bounds_count_nothing_when_none_is_reached(void **state)
{
	(void)state;
	rig = rig_create(NULL, 2);
	(void)rig_commands_attach(rig);
	client = rig_open_local(rig, 0);
	rig_batch_send(client, 1, 3, "echo", "x");
	rig_run_send(client, 4, 3, "x", (struct wyn_submit_options){0});
	rig_finish_all(rig);
	assert_int_equal(client->rows_ok, 6);
	for (size_t i = 0; i < WYN_COUNT_OF(bounds); i++) {
		if (bounds[i].counter != NULL) {
			assert_int_equal(counter_of(bounds[i].counter), 0);
		}
	}
	rig_destroy(rig);
}

static void counters_are_in_the_manual_when_each_is_looked_for(void **state)
{
	static const char *const names[] = {
#define NAME(field) "*" #field "*",
		WYN_STATS_TABLE(NAME)
#undef NAME
#define NAME(name, status, ran, retry, counter, text) "*" #counter "*",
			WYN_REFUSAL_TABLE(NAME)
#undef NAME
	};
	static char text[1 << 16];
	FILE *file = fopen(MANUAL, "r");

	(void)state;
	assert_non_null(file);
	assert_in_range(
		fread(text, 1, sizeof(text) - 1, file), 1, sizeof(text) - 2);
	(void)fclose(file);
	for (size_t i = 0; i < WYN_COUNT_OF(names); i++) {
		if (strstr(text, names[i]) == NULL) {
			fail_msg("%s is not in %s", names[i], MANUAL);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bounds_are_counted_when_each_is_reached),
		cmocka_unit_test(bounds_count_nothing_when_none_is_reached),
		cmocka_unit_test(
			counters_are_in_the_manual_when_each_is_looked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: MIT
/*
 * test_random_clients.c - several clients that do anything a client may, by
 * seed: every count must balance at the end, whatever came between.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "base/prng.h"
#include "daemon/engine/conn_upload.h"
#include "daemon/engine/engine_state.h"
#include "daemon/engine/survey.h"
#include "daemon/run/input.h"
#include "tests/support/rig_commands.h"
#include "tests/support/rig_messages.h"

#define CLIENTS	      6u
#define KEEP	      WYN__V1__ON_DISCONNECT__ON_DISCONNECT_KEEP
#define STEPS_DEFAULT 4000u
#define SEED_DEFAULT  1u

static struct rig *rig;
static struct wyn_prng prng;

struct person {
	struct rig_client *client;
	uint64_t next_seq;
	uint64_t granted; /* 0 = not bounded */
};

static struct person people[CLIENTS];

static uint64_t below(uint64_t bound)
{
	return wyn_prng_below(&prng, bound);
}

static uint64_t number_of(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);

	return text != NULL ? strtoull(text, NULL, 0) : otherwise;
}

static int setup(void **state)
{
	struct wyn_limits limits = WYN_LIMITS_INIT;
	uint64_t seed = number_of("WYN_TEST_SEED", SEED_DEFAULT);

	(void)state;
	print_message("seed %ju\n", (uintmax_t)seed);
	wyn_prng_init(&prng, seed);
	limits.batch_max = 3000;
	limits.credit_tasks = 2000;
	limits.credit_bytes = 100000;
	limits.argument_bytes_max = 20000;
	limits.daemon_tasks_max = 5000;
	limits.daemon_bytes_max = WYN_MIB;
	limits.frame_bytes_max = 64 * WYN_KIB;
	limits.output_bytes_max = 64 * WYN_KIB;
	limits.stream_bytes_max = 4 * WYN_KIB;
	limits.uploads_max = 10;
	limits.executor_tasks_max = 200;
	limits.connections_max = CLIENTS;
	limits.commands_max = 5;
	limits.command_bytes_max = WYN_KIB;
	limits.keep_tasks = 300;
	limits.keep_bytes = 100000;
	limits.keep_output_bytes = 20000;
	limits.keep_ms = 300;
	rig = rig_create(&limits, 4);
	(void)rig_commands_attach(rig);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	rig_destroy(rig);
	return 0;
}

static void person_open(struct person *person)
{
	person->granted = below(2) ? 0 : 1 + below(5000);
	/* Some may run no commands. */
	person->client = below(4) == 0 ? rig_open_stream(rig, person->granted)
				       : rig_open_local(rig, person->granted);
	person->client->feed_max = 1 + below(3000);
	person->next_seq = 1;
}

static void person_submit(struct person *person)
{
	static const char *const functions[] = {"echo", "noop", "slow", "fail",
		"emit", "big", "ask", "none", "tiny", "tiny", "tiny", "tiny"};
	static const char *const texts[] = {"", "1", "7", "300", "4000",
		"30000", "99000", "200000", "!no", "+100", "?"};
	static const uint64_t times_ms[] = {0, 0, 0, 20, 500};
	uint64_t sizes[20];
	struct rig_submit submit = {
		.first_seq = person->next_seq + below(2) * below(5),
		.function = functions[below(WYN_COUNT_OF(functions))],
		.text = texts[below(WYN_COUNT_OF(texts))],
		.count = 1 + below(below(5) ? 20 : 3500),
		.options = {.priority = (uint8_t)below(4),
			.timeout_ms = times_ms[below(5)],
			.deadline_ms = times_ms[below(5)],
			.stream = below(2),
			.accept = below(4) == 0,
			.quiet = below(4) == 0},
	};

	if (below(4) == 0) {
		submit.options.on_disconnect = KEEP;
		submit.options.label = wyn_slice_of("label");
	}
	if (below(5) == 0) {
		submit.count = 1 + below(WYN_COUNT_OF(sizes));
		for (size_t i = 0; i < submit.count; i++) {
			sizes[i] = below(4) * below(7000);
		}
		submit.sizes = sizes;
	}
	rig_submit(person->client, &submit);
	person->next_seq = submit.first_seq + submit.count;
}

/* Mostly a good one, one task as often as not, with an input that goes on. */
static void person_command(struct person *person)
{
	static const char *const lines[] = {
		"true", "sh -c x", "cat", "", "a b c d"};
	static const uint64_t times_ms[] = {0, 0, 0, 20, 500};
	char large[2000] = "";
	ProtobufCBinaryData env = rig_word("A=b");
	struct rig_command command;
	uint64_t size = below(5000);
	struct rig_submit submit = {
		.first_seq = person->next_seq + below(2) * below(5),
		.command = &command.message,
		.text = "argument",
		.count = below(2) ? 1 : 1 + below(20),
		.options = {.priority = (uint8_t)below(4),
			.timeout_ms = times_ms[below(5)],
			.deadline_ms = times_ms[below(5)],
			.stream = below(2),
			.on_disconnect = below(2) ? KEEP : 0,
			.accept = below(4) == 0,
			.quiet = below(4) == 0},
	};

	rig_command_init(&command, lines[below(WYN_COUNT_OF(lines))]);
	command.message.input_stream = below(2) == 0;
	command.message.merge_stderr = below(2) == 0;
	command.message.env = &env;
	command.message.n_env = below(2);
	if (below(30) == 0) {
		memset(large, 'x', sizeof(large) - 1);
		rig_command_init(&command, large);
	}
	if (submit.count == 1 && below(3) == 0) {
		submit.sizes = &size;
	}
	rig_submit(person->client, &submit);
	person->next_seq = submit.first_seq + submit.count;
}

/* The next piece of some input, as far as credit is left for it. */
static void person_input(struct person *person)
{
	static const uint8_t data[4096];
	struct rig_client *client = person->client;
	struct wyn_list *link = wyn_list_first(&client->conn->inputs);
	const struct wyn_input *input;
	uint64_t left;
	size_t n = below(sizeof(data));

	if (link == NULL || client->unfed_bytes > 0) {
		if (person->next_seq > 1 && below(2)) {
			/* Nobody's, as far as it knows. */
			rig_input(client, 1, 0, wyn_slice_of(""), true);
		}
		return;
	}
	input = wyn_list_entry(link, const struct wyn_input, link);
	left = client->conn->bytes.told > client->conn->bytes.received
		       ? client->conn->bytes.told - client->conn->bytes.received
		       : 0;
	if (input->eof || (n > left && below(50) > 0)) {
		return;
	}
	rig_input(client, input->seq, input->have + (below(200) == 0),
		(struct wyn_slice){data, n}, below(4) == 0);
}

/* The next piece of some argument that the engine waits for. */
static void person_upload(struct person *person)
{
	static const char data[4096];
	struct wyn_conn *conn = person->client->conn;
	uint8_t head[WYN_CHUNK_HEAD_BYTES_MAX];
	struct wyn_list *link;
	uint64_t skip;

	if (conn->uploads_count == 0 || person->client->unfed_bytes > 0) {
		return;
	}
	skip = below(conn->uploads_count);
	wyn_list_for_each (link, &conn->uploads) {
		const struct wyn_upload *upload =
			wyn_list_entry(link, struct wyn_upload, link);
		uint64_t left = upload->size - upload->have;
		uint64_t n = 1 + below(sizeof(data));
		struct wyn_chunk chunk = {.seq = upload->batch->first_seq,
			.stream = WYN__V1__STREAM__STREAM_ARGUMENT,
			.offset = upload->have,
			.eof = n >= left};

		if (skip-- > 0) {
			continue;
		}
		chunk.data = (struct wyn_slice){
			(const uint8_t *)data, n < left ? n : left};
		rig_send(person->client, head,
			wyn_chunk_head_encode(&chunk, head));
		rig_send(person->client, data, chunk.data.len);
		return;
	}
}

/* A Call that a survey answers, or refuses. */
static void person_look(struct rig_client *client)
{
	Wyn__V1__ListCall list = WYN__V1__LIST_CALL__INIT;
	Wyn__V1__ExplainCall explain = WYN__V1__EXPLAIN_CALL__INIT;
	Wyn__V1__Call call = WYN__V1__CALL__INIT;
	Wyn__V1__Frame frame = WYN__V1__FRAME__INIT;

	client->conn->peer.administrator = below(2) == 0;
	frame.body_case = WYN__V1__FRAME__BODY_CALL;
	frame.call = &call;
	if (below(2) == 0) {
		list.after = below(2) * (rig->shared.id_base + below(5000));
		list.limit = (uint32_t)below(300);
		list.state = (Wyn__V1__TaskState)below(7);
		call.what_case = WYN__V1__CALL__WHAT_LIST;
		call.list = &list;
	} else {
		explain.id = below(2) * (rig->shared.id_base + below(5000));
		explain.seq = below(2) * below(5000);
		call.what_case = WYN__V1__CALL__WHAT_EXPLAIN;
		call.explain = &explain;
	}
	rig_frame(client, &frame);
}

/* Of a task that is kept, or is not. */
static void person_ask(struct rig_client *client)
{
	uint64_t id = rig->shared.id_base + below(5000);

	switch (below(3)) {
	case 0:
		rig_ask_outcome(client, id, below(2) * below(200));
		return;
	case 1:
		rig_ask_logs(client, id, below(30000), below(2) * below(200));
		return;
	default:
		rig_ask_end(client, id, below(2) ? 9 : 0);
	}
}

static uint64_t verdicts_of(const struct wyn_conn *conn)
{
	const struct wyn_list *link = conn->verdicts.next;
	uint64_t rows = 0;

	for (; link != &conn->verdicts; link = link->next) {
		rows += WYN_CONTAINER_OF(link, const struct wyn_verdict, link)
				->count;
	}
	return rows;
}

/* What a survey sees of a connection is what that owes, each task once. */
static void person_survey(const struct person *person)
{
	struct wyn_conn *conn =
		person->client != NULL ? person->client->conn : NULL;
	struct wyn_survey *survey =
		calloc(1, sizeof(*survey) + WYN_SURVEY_ROWS_MAX *
						    sizeof(survey->rows[0]));
	uint64_t owed = 0;

	assert_non_null(survey);
	survey->query.rows_max = WYN_SURVEY_ROWS_MAX;
	if (conn != NULL && conn->phase < WYN_CONN_CLOSING) {
		wyn_survey_conn(survey, conn);
		for (size_t i = 0; i < survey->count; i++) {
			owed += !wyn_survey_row(survey, i)->answered;
			assert_true(i == 0 ||
				    wyn_survey_row(survey, i)->id >
					    wyn_survey_row(survey, i - 1)->id);
		}
		assert_true(survey->more ||
			    owed == conn->unanswered - verdicts_of(conn));
	}
	free(survey);
}

static void person_talk(struct person *person)
{
	struct rig_client *client = person->client;

	switch (below(11)) {
	case 8:
		rig_cancel_grace(client, below(person->next_seq + 1), below(5),
			below(100));
		return;
	case 9:
		rig_signal(client, below(person->next_seq + 1), below(50),
			1 + (uint32_t)below(64));
		return;
	case 10:
		if (client->conn != NULL) {
			person_input(person);
		}
		return;
	case 0:
		rig_cancel(client, below(person->next_seq + 1), below(50));
		return;
	case 1:
		rig_cancel_id(client,
			rig->shared.id_base +
				below(1 + atomic_load_explicit(
						  &rig->shared.ids_used,
						  memory_order_relaxed)));
		return;
	case 2:
		rig_ping(client, below(1000));
		return;
	case 3:
		if (below(2) == 0) {
			person_ask(client);
		} else if (below(2) == 0) {
			rig_kind(client, WYN_MESSAGE_CALL);
		} else if (client->conn != NULL) {
			person_look(client);
		}
		return;
	case 4:
		if (person->granted > 0) {
			person->granted += below(300000);
			rig_credit(client, person->granted);
		}
		return;
	default:
		person_upload(person);
	}
}

static void person_leave(struct person *person)
{
	struct rig_client *client = person->client;

	switch (below(3)) {
	case 0:
		rig_client_break(client);
		return;
	case 1:
		rig_end(client);
		return;
	default:
		rig_finish(client);
		if (below(2)) {
			rig_end(client);
		}
	}
}

static void person_step(struct person *person)
{
	struct rig_client *client = person->client;

	if (client == NULL || client->conn == NULL) {
		person_open(person);
	} else if (client->ended || client->conn->phase != WYN_CONN_OPEN ||
		   client->unfed_bytes > 100000) {
		/* It only reads any more, or is not read from. */
		client->read_max = SIZE_MAX;
		client->conn->stream_granted = UINT64_MAX;
		rig_client_flush(client);
		if (client->conn != NULL) {
			wyn_engine_activate(client->conn);
		}
	} else if (below(100) == 0) {
		person_leave(person);
	} else if (below(10) == 0) {
		client->read_max = below(3) ? SIZE_MAX : below(20000);
		rig_client_flush(client);
	} else if (below(4) == 0) {
		person_command(person);
	} else if (below(2)) {
		person_submit(person);
	} else {
		person_talk(person);
	}
}

static void workers_step(void)
{
	size_t at;

	if (rig->started_count == 0) {
		return;
	}
	at = below(rig->started_count);
	switch (below(6)) {
	case 0:
		rig_begin_at(rig, at);
		return;
	case 1:
		if (rig_is_strip_at(rig, at)) {
			rig_begin_at(rig, at);
		} else {
			(void)rig_emit_at(rig, at, "part");
		}
		return;
	case 2:
		rig_run_at(rig, at);
		return;
	default:
		rig_run(rig, below(100));
	}
}

/* Something that a command does, or that happens to it. */
static void process_step(struct wyn_process *process)
{
	static char data[100000];
	struct wyn_task *task = process->task;

	switch (below(7)) {
	case 0:
		rig_process_begin(process);
		return;
	case 1:
		(void)rig_process_write(
			process, RIG_OUTPUT, data, below(sizeof(data)));
		return;
	case 2:
		(void)rig_process_write(process, RIG_ERROR, data, below(100));
		return;
	case 3:
	case 4:
		if (task->batch->input != NULL) {
			(void)rig_process_read(
				process, data, below(sizeof(data)));
		}
		return;
	case 5:
		if (below(4) == 0) {
			rig_process_fail(process, WYN_REFUSAL_NOT_STARTED);
		} else if (task->batch->input != NULL) {
			wyn_input_shut(task->batch->input);
		}
		return;
	default:
		if (below(2)) {
			rig_process_exit(process, (uint32_t)below(2));
		} else {
			rig_process_die(process, 9);
		}
	}
}

static void commands_step(void)
{
	struct wyn_list *link;
	size_t skip;

	if (rig->commands->count == 0) {
		return;
	}
	skip = below(rig->commands->count);
	wyn_list_for_each (link, &rig->commands->running) {
		if (skip-- == 0) {
			process_step(
				wyn_list_entry(link, struct wyn_process, link));
			return;
		}
	}
}

static void everybody_ends(void)
{
	for (size_t i = 0; i < CLIENTS; i++) {
		struct rig_client *client = people[i].client;

		if (client == NULL || client->conn == NULL) {
			continue;
		}
		client->read_max = SIZE_MAX;
		client->conn->stream_granted = UINT64_MAX;
		wyn_engine_activate(client->conn);
		rig_client_flush(client);
		rig_finish_all(rig);
		if (client->conn != NULL) {
			if (!client->ended &&
				client->conn->phase == WYN_CONN_OPEN) {
				rig_finish(client);
			}
			rig_end(client);
		}
	}
	rig_finish_all(rig);
}

static void random_clients_leave_nothing_behind(void **state)
{
	uint64_t steps = number_of("WYN_TEST_STEPS", STEPS_DEFAULT);
	uint64_t answered;

	(void)state;
	for (uint64_t i = 0; i < steps; i++) {
		person_step(&people[below(CLIENTS)]);
		if (below(3) == 0) {
			workers_step();
		}
		if (below(3) == 0) {
			commands_step();
		}
		if (below(3) == 0) {
			rig->no_memory = below(20) == 0;
			rig->commands->no_memory = below(20) == 0;
			rig_turn(rig);
			rig->no_memory = false;
			rig->commands->no_memory = false;
		}
		if (below(10) == 0) {
			person_survey(&people[below(CLIENTS)]);
		}
		if (below(50) == 0) {
			rig_advance(rig, below(100));
		}
	}
	everybody_ends();
	for (size_t i = 0; i < CLIENTS; i++) {
		assert_true(people[i].client == NULL ||
			    people[i].client->conn == NULL);
	}
	answered = rig->engine->stats.tasks_ok_approx;
	print_message("%ju tasks ended well\n", (uintmax_t)answered);
	print_message("%ju commands ran\n", (uintmax_t)rig->commands->started);
	assert_true(answered > 0);
	assert_true(rig->commands->started > 0);
	assert_true(rig->engine->stats.tasks_kept_approx > 0);
	assert_int_equal(rig->engine->keepers_count, 0);
	assert_int_equal(rig->engine->unfinished, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(random_clients_leave_nothing_behind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

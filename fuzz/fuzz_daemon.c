// SPDX-License-Identifier: MIT
/*
 * fuzz_daemon.c - the whole engine, driven by a script of bytes.
 *
 * Each step is one byte and its operands: somebody connects, sends (raw bytes,
 * or a message with numbers from the script), reads much, little or nothing,
 * goes away, and leaves tasks that are kept; tasks run in any order, emit, or
 * are left alone; commands write, read and end; the clock goes on; the daemon
 * drains. What may never happen aborts in the rig: a task answered twice or not
 * at all, a Chunk after its row, credit that falls, a count that is not back to
 * 0 at the end.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/compiler.h"
#include "daemon/engine/conn_upload.h"
#include "daemon/engine/engine_state.h"
#include "daemon/run/input.h"
#include "tests/support/rig_commands.h"
#include "tests/support/rig_messages.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CLIENTS_MAX 4u
#define OPENED_MAX  32u /* in one script */
#define KEEP	    WYN__V1__ON_DISCONNECT__ON_DISCONNECT_KEEP

struct script {
	const uint8_t *at;
	const uint8_t *end;
	struct rig *rig;
	struct rig_client *clients[CLIENTS_MAX];
	uint64_t next_seq[CLIENTS_MAX];
	uint64_t granted[CLIENTS_MAX];
	unsigned opened;
};

static const char *const functions[] = {
	"echo", "noop", "slow", "fail", "emit", "big", "ask", "none", "tiny"};

/* Small, so that a short script reaches every one. */
static const struct wyn_limits limits = {
	.frame_bytes_max = 4096,
	.batch_max = 60,
	.argument_bytes_max = 2000,
	.value_bytes_max = 20000,
	.credit_tasks = 100,
	.credit_bytes = 4000,
	.daemon_tasks_max = 150,
	.daemon_bytes_max = 60000,
	.buffer_bytes_max = 60000,
	.output_bytes_max = 16000,
	.stream_bytes_max = 4096,
	.uploads_max = 4,
	.connections_max = CLIENTS_MAX - 1,
	.executor_tasks_max = 16,
	.commands_max = 3,
	.command_bytes_max = 200,
	.command_grace_ms = 50,
	.keep_tasks = 20,
	.keep_bytes = 3000,
	.keep_output_bytes = 1000,
	.keep_ms = 1000,
	.hello_ms = 5000,
	.keepalive_ms = 30000,
};

static uint8_t take(struct script *script)
{
	return script->at < script->end ? *script->at++ : 0;
}

static void send_raw(struct script *script, struct rig_client *client)
{
	size_t n = take(script);

	if ((size_t)(script->end - script->at) < n) {
		n = (size_t)(script->end - script->at);
	}
	rig_send(client, script->at, n);
	script->at += n;
}

/* The same argument for all; its digits say how much to emit or to fill. */
static void send_submit(
	struct script *script, struct rig_client *client, size_t who)
{
	static const uint64_t times_ms[] = {0, 0, 0, 1, 50, 5000};
	static const char *const texts[] = {
		"", "3", "40", "200", "2990", "4900", "19000", "90000"};
	static const char *const odd[] = {
		NULL, "!", "+65", "+5000", "?", "+19000", "+90000", NULL};
	uint8_t what = take(script);
	uint8_t how = take(script);
	uint8_t when = take(script);
	struct rig_submit submit = {
		.first_seq = script->next_seq[who] + take(script) % 3,
		.function = functions[what % WYN_COUNT_OF(functions)],
		.text = texts[what / 8 % WYN_COUNT_OF(texts)],
		.count = 1 + take(script) % 64,
		.options = {.timeout_ms = times_ms[when % 6],
			.deadline_ms = times_ms[when / 6 % 6],
			.priority = how % 4,
			.stream = how & 4,
			.accept = how & 8,
			.on_disconnect = how & 64 ? KEEP : 0,
			.label = wyn_slice_of(how & 128 ? "label" : ""),
			.quiet = how & 16},
	};
	uint64_t sizes[8];

	if (odd[when / 36] != NULL) {
		submit.text = odd[when / 36];
	}
	if (how & 32) {
		submit.count = 1 + submit.count % WYN_COUNT_OF(sizes);
		for (size_t i = 0; i < submit.count; i++) {
			sizes[i] = take(script) * UINT64_C(9);
		}
		submit.sizes = sizes;
	}
	rig_submit(client, &submit);
	script->next_seq[who] = submit.first_seq + submit.count;
}

/* By bits: what is wrong with it, and what is wanted. */
static void send_command(
	struct script *script, struct rig_client *client, size_t who)
{
	static const char *const lines[] = {
		"true", "sh -c x", "", "a  b", NULL};
	char large[250];
	static const uint64_t times_ms[] = {0, 0, 1, 300};
	uint8_t what = take(script);
	uint8_t how = take(script);
	uint64_t size = take(script);
	const char *line = lines[what % WYN_COUNT_OF(lines)];
	ProtobufCBinaryData env = rig_word(what & 64 ? "A" : "A=b");
	struct rig_command command;
	struct rig_submit submit = {
		.first_seq = script->next_seq[who] + (what >> 7),
		.command = &command.message,
		.text = "argument",
		.count = 1 + (how & 8 ? size % 8 : 0),
		.options = {.timeout_ms = times_ms[how & 3],
			.deadline_ms = times_ms[size & 3],
			.priority = how >> 6,
			.stream = how & 4,
			.on_disconnect = size & 64 ? KEEP : 0,
			.quiet = how & 16},
	};

	memset(large, 'x', sizeof(large) - 1);
	large[sizeof(large) - 1] = '\0';
	rig_command_init(&command, line != NULL ? line : large);
	command.message.input_stream = what & 8;
	command.message.merge_stderr = what & 16;
	command.message.env = &env;
	command.message.n_env = what >> 5 & 1;
	if ((how & 32) && submit.count == 1) {
		submit.sizes = &size;
	}
	rig_submit(client, &submit);
	script->next_seq[who] = submit.first_seq + submit.count;
}

/* Of the oldest input: the next piece, or a wrong one. */
static void send_input(struct script *script, struct rig_client *client)
{
	static const uint8_t zeros[8 * 256];
	const struct wyn_input *input;
	uint8_t how = take(script);
	size_t n = take(script) * (size_t)(1 + how % 8);

	if (client->conn == NULL || wyn_list_empty(&client->conn->inputs)) {
		rig_input(
			client, how, n, (struct wyn_slice){zeros, n}, how & 1);
		return;
	}
	input = wyn_list_entry(wyn_list_first(&client->conn->inputs),
		const struct wyn_input, link);
	rig_input(client, input->seq, input->have + (how > 240),
		(struct wyn_slice){zeros, n}, how & 8);
}

static void step_command(struct script *script, struct rig_client *client,
	size_t who, uint8_t what)
{
	switch (what % 8) {
	case 0:
		rig_signal(client, take(script), take(script), take(script));
		return;
	case 1:
		rig_cancel_grace(
			client, take(script), take(script), take(script));
		return;
	case 2:
	case 3:
		send_input(script, client);
		return;
	default:
		send_command(script, client, who);
	}
}

/* Of the argument that is on its way at that place, if any: the next piece. */
static void send_chunk(struct script *script, struct rig_client *client)
{
	static const char zeros[256] = {0};
	const struct wyn_upload *upload;
	struct wyn_chunk chunk = {.stream = WYN__V1__STREAM__STREAM_ARGUMENT};
	uint8_t head[WYN_CHUNK_HEAD_BYTES_MAX];
	uint64_t left;

	if (client->conn == NULL || wyn_list_empty(&client->conn->uploads)) {
		return;
	}
	upload = wyn_list_entry(wyn_list_first(&client->conn->uploads),
		struct wyn_upload, link);
	left = upload->size - upload->have;
	chunk.seq = upload->batch->first_seq;
	chunk.offset = upload->have;
	chunk.data = (struct wyn_slice){(const uint8_t *)zeros, take(script)};
	if (chunk.data.len >= left) {
		chunk.data.len = left;
		chunk.eof = true;
	}
	rig_send(client, head, wyn_chunk_head_encode(&chunk, head));
	rig_send(client, zeros, chunk.data.len);
}

/* How a task ended, what it wrote, or that it is to end. */
static void kept_ask(
	struct script *script, struct rig_client *client, unsigned which)
{
	uint64_t id = script->rig->shared.id_base + take(script);
	uint64_t wait_ms = which % 2 * 100;

	if (which < 28) {
		rig_ask_outcome(client, id, wait_ms);
	} else if (which < 30) {
		rig_ask_logs(client, id, take(script) * UINT64_C(8), wait_ms);
	} else {
		rig_ask_end(client, id, which % 2 * 9);
	}
}

/* Any kind; beyond those a survey of the tasks, or what is kept of one. */
static void other_send(
	struct script *script, struct rig_client *client, unsigned which)
{
	uint64_t first = script->rig->shared.id_base;

	if (which < 15) {
		rig_kind(client, (enum wyn_message_kind)(1 + which));
	} else if (which < 20) {
		rig_list(client, which % 2 == 0 ? 0 : first + which);
	} else if (which < 26) {
		rig_explain(client, first + which - 20);
	} else {
		kept_ask(script, client, which);
	}
}

static void send_message(
	struct script *script, struct rig_client *client, size_t who)
{
	uint8_t number = take(script);

	switch (number % 8) {
	case 0:
		rig_cancel(client, take(script), take(script));
		return;
	case 1:
		rig_cancel_id(client, script->rig->shared.id_base + number);
		return;
	case 2:
		script->granted[who] += number * UINT64_C(16);
		rig_credit(client, script->granted[who]);
		return;
	case 3:
		rig_ping(client, number);
		return;
	case 4:
		rig_finish(client);
		return;
	case 5:
		rig_end(client);
		return;
	case 6:
		send_chunk(script, client);
		return;
	default:
		other_send(script, client, number / 8);
	}
}

static void open_client(struct script *script, size_t who)
{
	uint8_t how = take(script);
	struct rig_client *client;

	if (++script->opened > OPENED_MAX) {
		return;
	}
	client = how & 1 ? rig_connect_admin(script->rig)
			 : rig_connect(script->rig);
	if (client->conn != NULL) {
		client->conn->peer.local = true; /* it may run commands */
	}
	script->clients[who] = client;
	script->next_seq[who] = 1;
	script->granted[who] = how >> 2;
	if (how & 2) {
		rig_preface(client);
		rig_hello(client, script->granted[who]);
	}
}

/* How it reads from now on. */
static void read_client(struct script *script, struct rig_client *client)
{
	uint8_t how = take(script);

	client->read_max = how == 255 ? SIZE_MAX : how * (size_t)50;
	rig_client_flush(client);
}

static void run_tasks(struct script *script)
{
	struct rig *rig = script->rig;
	uint8_t how = take(script);

	if (rig->started_count == 0) {
		return;
	}
	switch (how % 4) {
	case 0:
		rig_run(rig, how);
		return;
	case 1:
		rig_run_at(rig, how % rig->started_count);
		return;
	case 2:
		rig_begin_at(rig, how % rig->started_count);
		return;
	default:
		if (rig_is_strip_at(rig, how % rig->started_count)) {
			rig_begin_at(rig, how % rig->started_count);
		} else if (rig_task_at(rig, how % rig->started_count)
				   ->partial_bytes_max > 0) {
			(void)rig_emit_at(
				rig, how % rig->started_count, "partial");
		}
	}
}

/* What the oldest command that runs does. */
static void process_step(
	struct script *script, struct wyn_process *process, uint8_t how)
{
	static char data[256 * 256];
	struct wyn_input *input = process->task->batch->input;

	switch (how % 8) {
	case 0:
		rig_process_begin(process);
		return;
	case 1:
	case 2:
		(void)rig_process_write(process,
			how & 8 ? RIG_OUTPUT : RIG_ERROR, data,
			take(script) * (size_t)how);
		return;
	case 3:
	case 4:
		if (input != NULL) {
			(void)rig_process_read(
				process, data, take(script) * (size_t)16);
		}
		return;
	case 5:
		if (input != NULL) {
			wyn_input_shut(input);
		}
		return;
	case 6:
		rig_process_exit(process, how & 8);
		return;
	default:
		rig_process_die(process, how);
	}
}

static void run_commands(struct script *script)
{
	struct wyn_list *link = wyn_list_first(&script->rig->commands->running);
	uint8_t how = take(script);

	if (how == 255) {
		script->rig->commands->no_memory ^= true;
	} else if (link != NULL) {
		process_step(script,
			wyn_list_entry(link, struct wyn_process, link), how);
	}
}

static void step_client(struct script *script, uint8_t what, size_t who)
{
	struct rig_client *client = script->clients[who];

	if (client == NULL || client->conn == NULL) {
		open_client(script, who);
		return;
	}
	if (what >= 24) {
		step_command(script, client, who, what);
		return;
	}
	switch (what % 8) {
	case 0:
		send_raw(script, client);
		return;
	case 1:
	case 2:
		send_submit(script, client, who);
		return;
	case 3:
	case 4:
		send_message(script, client, who);
		return;
	case 5:
		read_client(script, client);
		return;
	case 6:
		client->feed_max = 1 + take(script) * (size_t)8;
		return;
	default:
		rig_client_break(client);
	}
}

static void step_rig(struct script *script)
{
	uint8_t what = take(script);

	switch (what % 8) {
	case 0:
	case 1:
		run_tasks(script);
		return;
	case 2:
	case 3:
		rig_settle(script->rig);
		return;
	case 4:
		rig_advance(script->rig, take(script));
		return;
	case 5:
		rig_advance(script->rig, take(script) * UINT64_C(200));
		return;
	case 6:
		if (what > 200) {
			rig_drain(script->rig);
		} else {
			run_commands(script);
		}
		return;
	default:
		if (what > 230) {
			rig_drain(script->rig);
			rig_cancel_all(script->rig);
		} else {
			run_commands(script);
		}
	}
}

static void read_all(struct rig_client *client)
{
	if (client->conn == NULL) {
		return;
	}
	client->read_max = SIZE_MAX;
	client->conn->stream_granted = UINT64_MAX;
	wyn_engine_activate(client->conn);
	rig_client_flush(client);
}

static void end_check(const struct rig_client *client)
{
	const struct wyn_conn *conn = client->conn;

	if (conn != NULL) {
		rig_check(conn->unanswered == conn->uploads_count);
		rig_check(!conn->paused && !conn->ready.held);
		rig_check(client->unfed_bytes == 0);
	}
}

/* Everybody reads, and grants all there is: then all that can end has ended. */
static void end(struct script *script)
{
	struct wyn_list *link;

	script->rig->commands->no_memory = false;
	wyn_list_for_each (link, &script->rig->clients) {
		read_all(wyn_list_entry(link, struct rig_client, link));
	}
	rig_finish_all(script->rig);
	wyn_list_for_each (link, &script->rig->clients) {
		end_check(wyn_list_entry(link, struct rig_client, link));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct script script = {.at = data, .end = data + size};

	script.rig = rig_create(&limits, 2);
	(void)rig_commands_attach(script.rig);
	while (script.at < script.end) {
		uint8_t step = take(&script);

		if (step & 1) {
			step_rig(&script);
		} else {
			step_client(&script, step / 8, step / 2 % CLIENTS_MAX);
		}
	}
	end(&script);
	rig_destroy(script.rig);
	return 0;
}

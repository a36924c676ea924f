// SPDX-License-Identifier: MIT
/*
 * messages.c - samples whose sizes and numbers lie about the edges of their
 * encodings, and comparison by cursor.
 */
#include "tests/support/messages.h"

#include <stdlib.h>
#include <string.h>

#include "proto/codec.h"

/* Mostly small, sometimes of any length. */
static uint64_t number(struct wyn_prng *prng)
{
	switch (wyn_prng_below(prng, 4)) {
	case 0:
		return 0;
	case 1:
		return wyn_prng_below(prng, 200);
	default:
		return wyn_prng_next(prng) >> wyn_prng_below(prng, 64);
	}
}

static bool coin(struct wyn_prng *prng)
{
	return wyn_prng_below(prng, 2) == 0;
}

static struct wyn_slice bytes_make(
	struct wyn_sample *sample, struct wyn_prng *prng, size_t max, bool text)
{
	size_t left = sizeof(sample->bytes) - sample->used;
	size_t len = coin(prng) ? wyn_prng_below(prng, 20)
				: wyn_prng_below(prng, max + 1);
	uint8_t *at = sample->bytes + sample->used;

	len = len > left ? left : len;
	for (size_t i = 0; i < len; i++) {
		at[i] = (uint8_t)(text ? 'a' + wyn_prng_below(prng, 26)
				       : wyn_prng_below(prng, 256));
	}
	sample->used += len;
	return (struct wyn_slice){at, len};
}

static void submit_make(struct wyn_sample *sample, struct wyn_prng *prng)
{
	struct wyn_submit *submit = &sample->message.submit;

	sample->count = 1 + wyn_prng_below(prng, WYN_SAMPLE_TASKS_MAX);
	*submit = (struct wyn_submit){
		.first_seq = number(prng) >> 1,
		.function = bytes_make(sample, prng, 200, true),
		.options = {.timeout_ms = number(prng),
			.deadline_ms = number(prng),
			.priority = (uint8_t)wyn_prng_below(prng, 256),
			.on_disconnect = (uint8_t)wyn_prng_below(prng, 4),
			.stream = coin(prng),
			.accept = coin(prng),
			.quiet = coin(prng),
			.label = bytes_make(sample, prng, 63, true)},
	};
	if (coin(prng)) {
		for (size_t i = 0; i < sample->count; i++) {
			sample->sizes[i] = number(prng);
		}
		submit->arg_sizes = sample->sizes;
		submit->arg_sizes_count = sample->count;
		sample->count = 0;
		return;
	}
	for (size_t i = 0; i < sample->count; i++) {
		sample->args[i] = bytes_make(sample, prng, 300, false);
	}
}

static void results_make(struct wyn_sample *sample, struct wyn_prng *prng)
{
	bool codes = coin(prng);
	bool values = coin(prng);
	bool details = coin(prng);

	sample->count = wyn_prng_below(prng, WYN_SAMPLE_TASKS_MAX + 1);
	sample->message.results =
		(struct wyn_results){.quiet_done = number(prng)};
	for (size_t i = 0; i < sample->count; i++) {
		struct wyn_result *row = &sample->rows[i];

		*row = (struct wyn_result){.seq = number(prng)};
		if (codes) {
			row->code = (uint32_t)number(prng);
		}
		if (values) {
			row->value = bytes_make(sample, prng, 300, false);
		}
		if (details && coin(prng)) {
			sample->details[i] = (struct wyn_detail){
				.message = bytes_make(sample, prng, 99, true),
				.reason = bytes_make(sample, prng, 20, true),
				.retry_after_ms = number(prng),
				.ran = (uint8_t)wyn_prng_below(prng, 256),
			};
			row->detail = &sample->details[i];
		}
	}
}

static void chunk_make(struct wyn_sample *sample, struct wyn_prng *prng)
{
	sample->message.chunk = (struct wyn_chunk){
		.seq = number(prng),
		.offset = number(prng),
		.stream = (uint8_t)wyn_prng_below(prng, 256),
		.eof = coin(prng),
		.data = bytes_make(sample, prng, 5000, false),
	};
}

void wyn_sample_make(struct wyn_sample *sample, enum wyn_message_kind kind,
	struct wyn_prng *prng)
{
	sample->used = 0;
	sample->count = 0;
	sample->message.kind = kind;
	switch (kind) {
	case WYN_MESSAGE_SUBMIT:
		submit_make(sample, prng);
		break;
	case WYN_MESSAGE_RESULTS:
		results_make(sample, prng);
		break;
	case WYN_MESSAGE_CHUNK:
		chunk_make(sample, prng);
		break;
	default:
		abort();
	}
}

static size_t words_make(struct wyn_sample *sample, struct wyn_prng *prng,
	ProtobufCBinaryData words[WYN_SAMPLE_WORDS_MAX])
{
	size_t n = wyn_prng_below(prng, WYN_SAMPLE_WORDS_MAX + 1);

	for (size_t i = 0; i < n; i++) {
		size_t at = sample->used;

		words[i].len = bytes_make(sample, prng, 300, false).len;
		words[i].data = sample->bytes + at;
	}
	return n;
}

static void command_make(struct wyn_sample *sample, struct wyn_prng *prng)
{
	static const Wyn__V1__Command none = WYN__V1__COMMAND__INIT;
	static const Wyn__V1__CommandLimits unlimited =
		WYN__V1__COMMAND_LIMITS__INIT;
	Wyn__V1__Command *command = &sample->command;
	size_t at;

	*command = none;
	command->argv = sample->argv;
	command->n_argv = words_make(sample, prng, sample->argv);
	command->env = sample->env;
	command->n_env = words_make(sample, prng, sample->env);
	at = sample->used;
	command->cwd.len = bytes_make(sample, prng, 100, false).len;
	command->cwd.data = sample->bytes + at;
	command->input_stream = coin(prng);
	command->merge_stderr = coin(prng);
	if (coin(prng)) {
		sample->limits = unlimited;
		sample->limits.memory_bytes = number(prng);
		sample->limits.processes = number(prng);
		sample->limits.cpu_percent = number(prng);
		command->limits = &sample->limits;
	}
	if (coin(prng)) {
		memcpy(sample->run_as, "somebody", sizeof("somebody"));
		command->run_as = sample->run_as;
	}
	sample->message.submit.function.len = 0;
	sample->message.submit.command = command;
}

void wyn_sample_commands(struct wyn_sample *sample, struct wyn_prng *prng)
{
	if (sample->message.kind == WYN_MESSAGE_SUBMIT) {
		command_make(sample, prng);
		return;
	}
	for (size_t i = 0; i < sample->count; i++) {
		struct wyn_detail *detail = &sample->details[i];

		if (sample->rows[i].detail == NULL) {
			continue;
		}
		detail->exit_status = (uint32_t)number(prng);
		detail->signal = (uint32_t)number(prng);
		if (coin(prng)) {
			sample->usages[i] = (struct wyn_usage){number(prng),
				number(prng), number(prng), number(prng),
				number(prng), number(prng)};
			detail->usage = &sample->usages[i];
		}
	}
}

size_t wyn_sample_results(const struct wyn_result *rows, size_t n,
	uint64_t quiet_done, uint8_t *out)
{
	struct wyn_results_sizes sizes;

	wyn_results_measure(rows, n, quiet_done, &sizes);
	wyn_results_encode(rows, n, quiet_done, &sizes, out);
	return sizes.frame;
}

size_t wyn_sample_encode(const struct wyn_sample *sample, uint8_t *out)
{
	const struct wyn_message *message = &sample->message;
	size_t head;

	switch (message->kind) {
	case WYN_MESSAGE_SUBMIT:
		return wyn_submit_encode(
			&message->submit, sample->args, sample->count, out);
	case WYN_MESSAGE_RESULTS:
		return wyn_sample_results(sample->rows, sample->count,
			message->results.quiet_done, out);
	case WYN_MESSAGE_CHUNK:
		head = wyn_chunk_head_encode(&message->chunk, out);
		memcpy(out + head, message->chunk.data.data,
			message->chunk.data.len);
		return head + message->chunk.data.len;
	default:
		abort();
	}
}

static bool options_equal(
	const struct wyn_submit_options *a, const struct wyn_submit_options *b)
{
	return a->timeout_ms == b->timeout_ms &&
	       a->deadline_ms == b->deadline_ms && a->priority == b->priority &&
	       a->on_disconnect == b->on_disconnect && a->stream == b->stream &&
	       a->accept == b->accept && a->quiet == b->quiet &&
	       wyn_slice_equal(a->label, b->label);
}

/* Cursors are taken by value: the caller's stay where they are. */
static bool args_equal(struct wyn_args a, struct wyn_args b)
{
	struct wyn_slice from_a;
	struct wyn_slice from_b;

	if (a.count != b.count || a.bytes_total != b.bytes_total) {
		return false;
	}
	while (wyn_args_next(&a, &from_a)) {
		if (!wyn_args_next(&b, &from_b) ||
			!wyn_slice_equal(from_a, from_b)) {
			return false;
		}
	}
	return a.region.len == 0 && b.region.len == 0;
}

static bool commands_equal(const Wyn__V1__Command *a, const Wyn__V1__Command *b)
{
	size_t bytes;
	uint8_t *packed;
	bool equal;

	if (a == NULL || b == NULL) {
		return a == b;
	}
	bytes = wyn__v1__command__get_packed_size(a);
	if (bytes != wyn__v1__command__get_packed_size(b)) {
		return false;
	}
	packed = calloc(2, bytes + 1);
	if (packed == NULL) {
		abort();
	}
	wyn__v1__command__pack(a, packed);
	wyn__v1__command__pack(b, packed + bytes);
	equal = memcmp(packed, packed + bytes, bytes) == 0;
	free(packed);
	return equal;
}

static bool submits_equal(
	const struct wyn_submit *a, const struct wyn_submit *b)
{
	if (a->first_seq != b->first_seq ||
		!wyn_slice_equal(a->function, b->function) ||
		!options_equal(&a->options, &b->options) ||
		a->arg_sizes_count != b->arg_sizes_count ||
		!commands_equal(a->command, b->command)) {
		return false;
	}
	for (size_t i = 0; i < a->arg_sizes_count; i++) {
		if (a->arg_sizes[i] != b->arg_sizes[i]) {
			return false;
		}
	}
	return args_equal(a->args, b->args);
}

static bool usages_equal(const struct wyn_usage *a, const struct wyn_usage *b)
{
	if (a == NULL || b == NULL) {
		return a == b;
	}
	return a->wall_ns == b->wall_ns && a->user_ns == b->user_ns &&
	       a->system_ns == b->system_ns &&
	       a->peak_rss_bytes == b->peak_rss_bytes &&
	       a->output_bytes == b->output_bytes &&
	       a->error_bytes == b->error_bytes;
}

static bool details_equal(
	const struct wyn_detail *a, const struct wyn_detail *b)
{
	if (a == NULL || b == NULL) {
		return a == b;
	}
	return wyn_slice_equal(a->message, b->message) &&
	       wyn_slice_equal(a->reason, b->reason) &&
	       a->retry_after_ms == b->retry_after_ms && a->ran == b->ran &&
	       a->exit_status == b->exit_status && a->signal == b->signal &&
	       usages_equal(a->usage, b->usage);
}

static bool rows_equal(const struct wyn_result *a, const struct wyn_result *b)
{
	return a->seq == b->seq && a->code == b->code &&
	       wyn_slice_equal(a->value, b->value) &&
	       details_equal(a->detail, b->detail);
}

static bool results_equal(struct wyn_results a, struct wyn_results b)
{
	struct wyn_result from_a;
	struct wyn_result from_b;

	if (a.count != b.count || a.quiet_done != b.quiet_done) {
		return false;
	}
	while (wyn_results_next(&a, &from_a)) {
		if (!wyn_results_next(&b, &from_b) ||
			!rows_equal(&from_a, &from_b)) {
			return false;
		}
	}
	return a.detail_count == 0 && b.detail_count == 0;
}

static bool frames_equal(const Wyn__V1__Frame *a, const Wyn__V1__Frame *b)
{
	size_t bytes = wyn_frame_encoded_bytes(a);
	uint8_t *packed = calloc(2, bytes);
	bool equal;

	if (packed == NULL) {
		abort();
	}
	equal = bytes == wyn_frame_encoded_bytes(b);
	if (equal) {
		(void)wyn_frame_encode(a, 0, packed);
		(void)wyn_frame_encode(b, 0, packed + bytes);
		equal = memcmp(packed, packed + bytes, bytes) == 0;
	}
	free(packed);
	return equal;
}

bool wyn_message_equal(const struct wyn_message *a, const struct wyn_message *b)
{
	if (a->kind != b->kind) {
		return false;
	}
	switch (a->kind) {
	case WYN_MESSAGE_SUBMIT:
		return submits_equal(&a->submit, &b->submit);
	case WYN_MESSAGE_RESULTS:
		return results_equal(a->results, b->results);
	case WYN_MESSAGE_CHUNK:
		return a->chunk.seq == b->chunk.seq &&
		       a->chunk.offset == b->chunk.offset &&
		       a->chunk.stream == b->chunk.stream &&
		       a->chunk.eof == b->chunk.eof &&
		       wyn_slice_equal(a->chunk.data, b->chunk.data);
	default:
		return frames_equal(a->frame, b->frame);
	}
}

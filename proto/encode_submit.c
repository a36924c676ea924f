// SPDX-License-Identifier: MIT
/*
 * encode_submit.c - writes Submit in the form that the walker reads.
 *
 * Lengths stand before what they measure, so each size is summed before a byte
 * is written. Options at their defaults are left out: they read back the same.
 */
#include "proto/codec.h"

#include "base/assert.h"
#include "proto/field.h"
#include "proto/tags.h"

/* What the encoder needs twice. */
struct sizes {
	size_t options;
	size_t arg_sizes;
	size_t command;
	size_t submit;
};

/* The number on the wire: a default is the absent 0. */
static uint8_t priority_wire(const struct wyn_submit_options *options)
{
	return options->priority == WYN__V1__PRIORITY__PRIORITY_NORMAL
		       ? 0
		       : options->priority;
}

static uint8_t on_disconnect_wire(const struct wyn_submit_options *options)
{
	return options->on_disconnect ==
			       WYN__V1__ON_DISCONNECT__ON_DISCONNECT_CANCEL
		       ? 0
		       : options->on_disconnect;
}

static size_t options_bytes(const struct wyn_submit_options *options)
{
	if (WYN_LIKELY((options->timeout_ms | options->deadline_ms) == 0 &&
		       (priority_wire(options) | on_disconnect_wire(options) |
			       options->stream | options->accept |
			       options->quiet) == 0) &&
		options->label.len == 0) {
		return 0;
	}
	return wyn_field_u64_bytes(priority_wire(options)) +
	       wyn_field_u64_bytes(options->timeout_ms) +
	       wyn_field_u64_bytes(options->deadline_ms) +
	       wyn_field_u64_bytes(options->stream) +
	       wyn_field_u64_bytes(on_disconnect_wire(options)) +
	       wyn_field_u64_bytes(options->accept) +
	       wyn_field_u64_bytes(options->quiet) +
	       wyn_field_bytes_bytes(options->label.len);
}

static uint8_t *options_put(
	uint8_t *out, const struct wyn_submit_options *options)
{
	out = wyn_field_put_u64(
		out, WYN_TAG_OPTIONS_PRIORITY, priority_wire(options));
	out = wyn_field_put_u64(
		out, WYN_TAG_OPTIONS_TIMEOUT_MS, options->timeout_ms);
	out = wyn_field_put_u64(
		out, WYN_TAG_OPTIONS_DEADLINE_MS, options->deadline_ms);
	out = wyn_field_put_u64(out, WYN_TAG_OPTIONS_STREAM, options->stream);
	out = wyn_field_put_u64(out, WYN_TAG_OPTIONS_ON_DISCONNECT,
		on_disconnect_wire(options));
	out = wyn_field_put_u64(out, WYN_TAG_OPTIONS_ACCEPT, options->accept);
	out = wyn_field_put_u64(out, WYN_TAG_OPTIONS_QUIET, options->quiet);
	return wyn_field_put_bytes(out, WYN_TAG_OPTIONS_LABEL, options->label);
}

static inline struct sizes sizes_of(
	const struct wyn_submit *submit, const struct wyn_slice *args, size_t n)
{
	struct sizes sizes = {.options = options_bytes(&submit->options)};

	wyn_assert(submit->arg_sizes_count == 0 || n == 0);
	if (submit->command != NULL) {
		sizes.command =
			wyn__v1__command__get_packed_size(submit->command);
	}
	for (size_t i = 0; i < submit->arg_sizes_count; i++) {
		sizes.arg_sizes += wyn_varint_bytes(submit->arg_sizes[i]);
	}
	sizes.submit =
		wyn_field_u64_bytes(submit->first_seq) +
		wyn_field_bytes_bytes(submit->function.len) +
		wyn_field_bytes_bytes(sizes.options) +
		wyn_field_bytes_bytes(sizes.arg_sizes) +
		(submit->command == NULL ? 0
					 : wyn_field_len_bytes(sizes.command));
	for (size_t i = 0; i < n; i++) {
		sizes.submit += wyn_field_len_bytes(args[i].len);
	}
	return sizes;
}

size_t wyn_submit_encoded_bytes(
	const struct wyn_submit *submit, const struct wyn_slice *args, size_t n)
{
	return WYN_FRAME_HEADER_BYTES +
	       wyn_field_len_bytes(sizes_of(submit, args, n).submit);
}

size_t wyn_submit_encode(const struct wyn_submit *submit,
	const struct wyn_slice *args, size_t n, uint8_t *out)
{
	struct sizes sizes = sizes_of(submit, args, n);
	uint8_t *at = out + WYN_FRAME_HEADER_BYTES;

	wyn_frame_header_put(out, 0, wyn_field_len_bytes(sizes.submit));
	at = wyn_field_put_len(
		at, WYN_TAG_BYTES(WYN_MESSAGE_SUBMIT), sizes.submit);
	at = wyn_field_put_u64(at, WYN_TAG_SUBMIT_FIRST_SEQ, submit->first_seq);
	at = wyn_field_put_bytes(at, WYN_TAG_SUBMIT_FUNCTION, submit->function);
	if (sizes.options > 0) {
		at = wyn_field_put_len(
			at, WYN_TAG_SUBMIT_OPTIONS, sizes.options);
		at = options_put(at, &submit->options);
	}
	for (size_t i = 0; i < n; i++) {
		at = wyn_field_put_element(at, WYN_TAG_SUBMIT_ARGS, args[i]);
	}
	if (sizes.arg_sizes > 0) {
		at = wyn_field_put_len(
			at, WYN_TAG_SUBMIT_ARG_SIZES, sizes.arg_sizes);
		for (size_t i = 0; i < submit->arg_sizes_count; i++) {
			at = wyn_varint_put(at, submit->arg_sizes[i]);
		}
	}
	if (submit->command != NULL) {
		at = wyn_field_put_len(
			at, WYN_TAG_SUBMIT_COMMAND, sizes.command);
		at += wyn__v1__command__pack(submit->command, at);
	}
	return (size_t)(at - out);
}

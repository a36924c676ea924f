// SPDX-License-Identifier: MIT
/*
 * rig_keep.h - clients of the rig whose tasks outlive them, and who asks for
 * these later.
 */
#pragma once

#include "tests/support/rig_survey.h"

#define KEEP WYN__V1__ON_DISCONNECT__ON_DISCONNECT_KEEP

/* rig_open_user - over a Unix socket, from that user; reads everything. */
static inline struct rig_client *rig_open_user(struct rig *to, uint32_t uid)
{
	struct rig_client *one = rig_connect_local(to, uid);

	rig_preface(one);
	rig_hello(one, 0);
	rig_settle(to);
	return one;
}

/* keep_send - `count` tasks that outlive the client. Returns: the first's id;
 * 0 = they were refused. */
static inline uint64_t keep_send(struct rig_client *from, uint64_t first_seq,
	size_t count, const char *function, const char *text)
{
	const struct rig_submit submit = {.first_seq = first_seq,
		.function = function,
		.count = count,
		.text = text,
		.options = {.on_disconnect = KEEP, .accept = true}};
	uint64_t before = from->accepted_id;

	rig_submit(from, &submit);
	rig_settle(from->rig);
	return from->accepted_id == before ? 0 : from->accepted_id;
}

/* keep_run_send - the same with commands, without their output. */
static inline uint64_t keep_run_send(
	struct rig_client *from, uint64_t first_seq, size_t count)
{
	uint64_t before = from->accepted_id;

	rig_run_send(from, first_seq, count, "input",
		(struct wyn_submit_options){
			.on_disconnect = KEEP, .accept = true});
	rig_settle(from->rig);
	return from->accepted_id == before ? 0 : from->accepted_id;
}

static inline void outcome_send(
	struct rig_client *asker, uint64_t id, uint64_t wait_ms)
{
	rig_ask_outcome(asker, id, wait_ms);
	rig_settle(asker->rig);
}

static inline void logs_send(
	struct rig_client *asker, uint64_t id, uint64_t from, uint64_t wait_ms)
{
	rig_ask_logs(asker, id, from, wait_ms);
	rig_settle(asker->rig);
}

static inline void end_send(
	struct rig_client *asker, uint64_t id, uint32_t signal)
{
	rig_ask_end(asker, id, signal);
	rig_settle(asker->rig);
}

/* What is known of it now. */
static inline const struct rig_outcome *outcome_of(
	struct rig_client *asker, uint64_t id)
{
	unsigned replies = asker->replies;

	outcome_send(asker, id, 0);
	assert_int_equal(asker->replies, replies + 1);
	assert_int_equal(asker->reply.code, 0);
	assert_int_equal(asker->listed[0].id, id);
	return &asker->outcome;
}

static inline void outcome_expected(
	struct rig_client *asker, uint64_t id, const char *reason)
{
	const struct rig_outcome *outcome = outcome_of(asker, id);

	assert_true(outcome->ended);
	assert_string_equal(outcome->reason, reason);
}

static inline void value_expected(
	struct rig_client *asker, uint64_t id, const char *value)
{
	const struct rig_outcome *outcome = outcome_of(asker, id);

	assert_true(outcome->ended);
	assert_int_equal(outcome->code, 0);
	assert_string_equal(outcome->value, value);
}

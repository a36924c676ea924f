// SPDX-License-Identifier: MIT
/*
 * rig_survey.h - clients of the rig that list tasks and have them explained.
 */
#pragma once

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/support/engine_rig.h"
#include "tests/support/rig_client.h"
#include "tests/support/rig_messages.h"

static inline void call_send(struct rig_client *asker, Wyn__V1__Call *call)
{
	Wyn__V1__Frame frame = WYN__V1__FRAME__INIT;

	call->call_id = 5;
	frame.body_case = WYN__V1__FRAME__BODY_CALL;
	frame.call = call;
	rig_frame(asker, &frame);
}

static inline void list_send(struct rig_client *asker, Wyn__V1__ListCall *list)
{
	Wyn__V1__Call call = WYN__V1__CALL__INIT;

	call.what_case = WYN__V1__CALL__WHAT_LIST;
	call.list = list;
	call_send(asker, &call);
}

static inline void list(struct rig_client *asker, Wyn__V1__ListCall *what)
{
	unsigned replies = asker->replies;

	list_send(asker, what);
	rig_settle(asker->rig);
	assert_int_equal(asker->replies, replies + 1);
	assert_int_equal(asker->reply.call_id, 5);
	assert_int_equal(asker->reply.code, 0);
}

static inline void list_all(struct rig_client *asker)
{
	Wyn__V1__ListCall all = WYN__V1__LIST_CALL__INIT;

	list(asker, &all);
	assert_false(asker->reply.more);
}

static inline void explain_of(
	struct rig_client *asker, uint64_t id, uint64_t seq, uint64_t conn)
{
	Wyn__V1__ExplainCall explain = WYN__V1__EXPLAIN_CALL__INIT;
	Wyn__V1__Call call = WYN__V1__CALL__INIT;

	explain.id = id;
	explain.seq = seq;
	explain.connection = conn;
	call.what_case = WYN__V1__CALL__WHAT_EXPLAIN;
	call.explain = &explain;
	call_send(asker, &call);
	rig_settle(asker->rig);
}

static inline void explain(struct rig_client *asker, uint64_t seq)
{
	explain_of(asker, 0, seq, 0);
	assert_int_equal(asker->reply.code, 0);
	assert_int_equal(asker->listed_count, 1);
	assert_int_equal(asker->listed[0].seq, seq);
}

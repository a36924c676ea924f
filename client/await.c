// SPDX-License-Identifier: MIT
/*
 * await.c - the half of the blocking layer that waits for answers.
 *
 * Events, and the answers to cancel, ping and calls. Whatever else comes while
 * one answer is waited for is kept in the session, within its bounds.
 */
#include "client/client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "client/clock.h"
#include "client/command.h"
#include "client/control.h"
#include "client/reason.h"
#include "client/receive_task.h"

/* Nothing is in flight or due: an event could only come out of the blue. */
static int await_idle(
	struct wyn_client *client, struct wyn_client_event *ret_event)
{
	int result = wyn_client_step(client, WYN_CLIENT_AT_ONCE, ret_event);

	if (result != -EAGAIN) {
		return result;
	}
	return wyn_session_fail(&client->session, -ENODATA, WYN_STATUS_OK,
		WYN_REASON_NOTHING_IN_FLIGHT, "nothing is in flight");
}

/* Inline, for whoever takes row after row comes by here for each. */
static inline int await_turn(struct wyn_client *client, uint64_t deadline_ns,
	bool idle_ends, struct wyn_client_event *ret_event)
{
	struct wyn_session *session = &client->session;
	int result;

	if (wyn_receive_row_now(session, ret_event) ||
		wyn_session_take(session, ret_event) ||
		wyn_session_take_room(session, ret_event)) {
		return 0;
	}
	if (idle_ends && session->state == WYN_SESSION_OPEN &&
		!session->starved && wyn_client_in_flight(client) == 0) {
		result = await_idle(client, ret_event);
	} else {
		result = wyn_client_step(client, deadline_ns, ret_event);
	}
	if (result == 0) {
		wyn_session_done(session, ret_event);
	}
	return result;
}

int wyn_client_turn(
	struct wyn_client *client, struct wyn_client_event *ret_event)
{
	return await_turn(client, WYN_CLIENT_AT_ONCE, false, ret_event);
}

int wyn_client_next(struct wyn_client *client, uint64_t deadline_ns,
	struct wyn_client_event *ret_event)
{
	int result;

	do {
		result = await_turn(client, deadline_ns, true, ret_event);
	} while (result == WYN_SESSION_NOTED);
	return result;
}

/* Until the first result of those that are marked. */
static int await_marked(struct wyn_client *client, uint64_t deadline_ns,
	struct wyn_client_event *ret_event)
{
	struct wyn_session *session = &client->session;
	const struct wyn_table_slot *slot;
	int result;

	for (;;) {
		result = wyn_client_may_keep(client);
		if (result != 0) {
			return result;
		}
		result = wyn_client_step(client, deadline_ns, ret_event);
		if (result != 0 && result != WYN_SESSION_NOTED) {
			return result;
		}
		if (result == WYN_SESSION_NOTED) {
			continue;
		}
		slot = ret_event->kind == WYN_CLIENT_RESULT
			       ? wyn_table_find(&session->table, ret_event->seq)
			       : NULL;
		if (slot != NULL && slot->awaited) {
			return 0;
		}
		result = wyn_session_keep(session, ret_event);
		if (result != 0) {
			return result;
		}
	}
}

/* Marks those that are to come. Returns: how many they are. */
static size_t await_mark(
	struct wyn_client *client, const uint64_t *seqs, size_t n, bool awaited)
{
	struct wyn_table_slot *slot;
	size_t found = 0;

	for (size_t i = 0; i < n; i++) {
		slot = wyn_table_find(&client->session.table, seqs[i]);
		if (slot != NULL) {
			slot->awaited = awaited;
			found++;
		}
	}
	return found;
}

int wyn_client_await_any(struct wyn_client *client, const uint64_t *seqs,
	size_t n, uint64_t deadline_ns, struct wyn_client_event *ret_event)
{
	struct wyn_session *session = &client->session;
	struct wyn_table_slot *slot;
	int result;

	for (size_t i = 0; i < n; i++) {
		slot = wyn_table_find(&session->table, seqs[i]);
		if (slot != NULL && slot->state == WYN_TABLE_DONE) {
			(void)wyn_table_take(&session->table, slot, ret_event);
			return 0;
		}
	}
	if (await_mark(client, seqs, n, true) == 0) {
		return wyn_session_fail(session, -ENOENT, WYN_STATUS_NOT_FOUND,
			WYN_REASON_NO_SUCH_TASK,
			"no result is to come for task %llu%s",
			(unsigned long long)(n > 0 ? seqs[0] : 0),
			n == 1 ? "" : " or for any of the others");
	}
	result = await_marked(client, deadline_ns, ret_event);
	(void)await_mark(client, seqs, n, false);
	if (result == 0) {
		wyn_session_done(session, ret_event);
	}
	return result;
}

int wyn_client_await(struct wyn_client *client, uint64_t seq,
	uint64_t deadline_ns, struct wyn_client_event *ret_event)
{
	return wyn_client_await_any(client, &seq, 1, deadline_ns, ret_event);
}

int wyn_client_cancel(struct wyn_client *client, uint64_t first, uint64_t count)
{
	return wyn_session_cancel(&client->session, first, count, 0);
}

int wyn_client_cancel_grace(struct wyn_client *client, uint64_t first,
	uint64_t count, uint64_t grace_ms)
{
	return wyn_session_cancel(&client->session, first, count, grace_ms);
}

int wyn_client_signal(struct wyn_client *client, uint64_t first, uint64_t count,
	unsigned number)
{
	return wyn_session_signal(&client->session, first, count, number);
}

int wyn_client_flush(struct wyn_client *client, uint64_t deadline_ns)
{
	int err = 0;

	/* Mostly the socket takes all of it, and nothing is to be read yet. */
	if (client->fd >= 0) {
		(void)wyn_client_send(client);
	}
	while (err == 0 && wyn_client_wants_write(client)) {
		err = wyn_client_step_keeping(client, deadline_ns);
	}
	return err == -EAGAIN && !wyn_client_wants_write(client) ? 0 : err;
}

int wyn_client_finish(struct wyn_client *client)
{
	return wyn_session_finish(&client->session);
}

int wyn_client_ping(
	struct wyn_client *client, uint64_t deadline_ns, uint64_t *ret_ns)
{
	uint64_t start;
	int err = wyn_session_ping(&client->session);

	if (err != 0) {
		return err;
	}
	start = wyn_client_now_ns();
	while (!client->session.ponged) {
		err = wyn_client_step_keeping(client, deadline_ns);
		if (err != 0) {
			return err;
		}
	}
	*ret_ns = wyn_client_now_ns() - start;
	return 0;
}

int wyn_client_reply(struct wyn_client *client, uint64_t deadline_ns,
	Wyn__V1__Reply__WhatCase what, const Wyn__V1__Reply **ret_reply)
{
	const Wyn__V1__Reply *reply;
	int err;

	while (client->session.reply == NULL) {
		err = wyn_client_step_keeping(client, deadline_ns);
		if (err != 0) {
			return err;
		}
	}
	reply = client->session.reply;
	if (reply->code != WYN_STATUS_OK) {
		(void)wyn_session_fail(&client->session, -EREMOTEIO,
			reply->code, reply->reason, "%s", reply->message);
		return -EREMOTEIO;
	}
	if (reply->what_case != what) {
		(void)wyn_session_fail(&client->session, -EREMOTEIO,
			WYN_STATUS_UNIMPLEMENTED, WYN_REASON_NO_ANSWER,
			"the server answered without saying what was asked");
		return -EREMOTEIO;
	}
	*ret_reply = reply;
	return 0;
}

/* In order of their bytes, as they are asked for: else there is no end. */
static bool await_page_ascends(
	const Wyn__V1__FunctionsReply *page, const char *after)
{
	for (size_t i = 0; i < page->n_functions; i++) {
		if (strcmp(page->functions[i]->name, after) <= 0) {
			return false;
		}
		after = page->functions[i]->name;
	}
	return true;
}

/* One page. The last name is copied into *last, which the caller frees. */
static int await_functions_page(struct wyn_client *client, uint64_t deadline_ns,
	int (*each)(void *context, const struct wyn_client_function *function),
	void *context, char **last, bool *ret_more)
{
	const Wyn__V1__Reply *reply;
	const Wyn__V1__FunctionsReply *page;
	int err = wyn_session_functions(
		&client->session, *last != NULL ? *last : "");

	if (err == 0) {
		err = wyn_client_reply(client, deadline_ns,
			WYN__V1__REPLY__WHAT_FUNCTIONS, &reply);
	}
	if (err != 0) {
		return err;
	}
	page = reply->functions;
	if (!await_page_ascends(page, *last != NULL ? *last : "")) {
		(void)wyn_receive_broken(&client->session,
			"names of functions that do not ascend");
		client->session.error = client->session.end;
		return client->session.end_error;
	}
	for (size_t i = 0; i < page->n_functions; i++) {
		const struct wyn_client_function function = {
			.name = page->functions[i]->name,
			.module = page->functions[i]->module,
			.summary = page->functions[i]->summary,
		};

		err = each(context, &function);
		if (err != 0) {
			return err;
		}
	}
	*ret_more = page->more && page->n_functions > 0;
	if (*ret_more) {
		free(*last);
		*last = strdup(page->functions[page->n_functions - 1]->name);
	}
	if (*ret_more && *last == NULL) {
		return wyn_session_fail(&client->session, -ENOMEM,
			WYN_STATUS_RESOURCE_EXHAUSTED,
			WYN_REASON_CLIENT_NO_MEMORY, "no memory for a name");
	}
	return 0;
}

int wyn_client_functions(struct wyn_client *client, uint64_t deadline_ns,
	int (*each)(void *context, const struct wyn_client_function *function),
	void *context)
{
	char *last = NULL;
	bool more = true;
	int err = 0;

	while (err == 0 && more) {
		err = await_functions_page(
			client, deadline_ns, each, context, &last, &more);
	}
	free(last);
	return err;
}

int wyn_client_stats(struct wyn_client *client, uint64_t deadline_ns,
	int (*each)(void *context, const struct wyn_client_counter *counter),
	void *context)
{
	const Wyn__V1__Reply *reply;
	int err = wyn_session_stats(&client->session);

	if (err == 0) {
		err = wyn_client_reply(client, deadline_ns,
			WYN__V1__REPLY__WHAT_STATS, &reply);
	}
	if (err != 0) {
		return err;
	}
	for (size_t i = 0; err == 0 && i < reply->stats->n_counters; i++) {
		const struct wyn_client_counter counter = {
			.name = reply->stats->counters[i]->name,
			.value = reply->stats->counters[i]->value,
		};

		err = each(context, &counter);
	}
	return err;
}

int wyn_client_drain(struct wyn_client *client, uint64_t deadline_ns,
	uint64_t *ret_unfinished)
{
	const Wyn__V1__Reply *reply;
	int err = wyn_session_drain(&client->session);

	if (err == 0) {
		err = wyn_client_reply(client, deadline_ns,
			WYN__V1__REPLY__WHAT_DRAIN, &reply);
	}
	if (err != 0) {
		return err;
	}
	*ret_unfinished = reply->drain->unfinished;
	return 0;
}

// SPDX-License-Identifier: MIT
/*
 * inquiry.c - see inquiry.h.
 */
#include "daemon/engine/inquiry.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "daemon/engine/conn_call.h"
#include "daemon/engine/engine_state.h"
#include "daemon/engine/inquiry_answer.h"

static void place_free(struct wyn_shared *shared, size_t place)
{
	/* [askers] carries no data. */
	atomic_store_explicit(
		&shared->inquiries[place], 0, memory_order_relaxed);
}

/* How many are on their way of this user, ours included. */
static unsigned asked_by(struct wyn_shared *shared, uint64_t who)
{
	unsigned count = 0;

	for (size_t i = 0; i < WYN_INQUIRIES_MAX; i++) {
		/* [askers] after our own claim: of two loops that claim for
		 * the same user at once, one at least sees the other's. */
		count += atomic_load_explicit(&shared->inquiries[i],
				 memory_order_seq_cst) == who;
	}
	return count;
}

/* Who is no administrator has half of both bounds: the lower places.
 * Administrators begin at the upper ones, which are theirs alone. Returns: 0;
 * -EBUSY: all are taken; -EDQUOT: the user has as many as he may. */
static int place_take(struct wyn_shared *shared, const struct wyn_peer *peer,
	size_t *ret_place)
{
	unsigned part = peer->administrator ? 1 : 2;
	uint64_t who = (uint64_t)peer->uid + 1;

	for (size_t i = WYN_INQUIRIES_MAX / part; i-- > 0;) {
		uint64_t free_place = 0;

		/* [askers] claimed first, then counted. */
		if (!atomic_compare_exchange_strong_explicit(
			    &shared->inquiries[i], &free_place, who,
			    memory_order_seq_cst, memory_order_relaxed)) {
			continue;
		}
		if (asked_by(shared, who) > WYN_INQUIRIES_USER_MAX / part) {
			place_free(shared, i);
			return -EDQUOT;
		}
		*ret_place = i;
		return 0;
	}
	return -EBUSY;
}

static void inquiry_free(struct wyn_inquiry *inquiry)
{
	place_free(inquiry->shared, inquiry->place);
	free(inquiry);
}

static void row_fill(struct wyn_inquiry *inquiry,
	const struct wyn_engine *engine, const struct wyn_kept *kept)
{
	struct wyn_survey_row *row = &inquiry->row;

	row->loop = (uint32_t)inquiry->loop;
	wyn_survey_row_kept(row, kept, engine->now_ns);
}

static void value_copy(struct wyn_inquiry *inquiry, const struct wyn_kept *kept)
{
	uint64_t from = inquiry->query.from;
	size_t left =
		from < kept->value_bytes ? kept->value_bytes - (size_t)from : 0;

	left = left < inquiry->room ? left : inquiry->room;
	if (left > 0) {
		memcpy(inquiry->bytes, kept->value + from, left);
	}
	inquiry->used = left;
	inquiry->value_bytes = kept->value_bytes;
	inquiry->value_lost = kept->value_lost;
}

static void outcome_copy(struct wyn_inquiry *inquiry,
	const struct wyn_engine *engine, const struct wyn_kept *kept)
{
	uint64_t keep_ns = engine->limits.keep_ms * WYN_NS_PER_MS;

	inquiry->code = kept->code;
	inquiry->refusal = kept->refusal;
	inquiry->ran = kept->ran;
	inquiry->ended_ns = engine->now_ns - kept->ended_ns;
	if (keep_ns > inquiry->ended_ns) {
		inquiry->left_ns = keep_ns - inquiry->ended_ns;
	}
	if (kept->message != NULL) {
		wyn_text_copy(inquiry->message, sizeof(inquiry->message),
			kept->message);
	}
	if (kept->end != NULL) {
		inquiry->has_end = true;
		inquiry->end = *kept->end;
	}
	value_copy(inquiry, kept);
}

/* One piece, from `at` on, as far as there is room. False: there is none. A
 * partial value is cut only where it would never fit: nobody could put it
 * together. */
static bool piece_copy(struct wyn_inquiry *inquiry,
	const struct wyn_kept_piece *piece, uint64_t at)
{
	size_t skip = at > piece->at ? (size_t)(at - piece->at) : 0;
	size_t len = piece->bytes - skip;
	size_t left = inquiry->room - inquiry->used;
	struct wyn_inquiry_piece *to;

	if (left == 0 || inquiry->pieces_count == WYN_INQUIRY_PIECES_MAX ||
		(piece->stream == WYN__V1__STREAM__STREAM_PARTIAL &&
			len > left && inquiry->used > 0)) {
		return false;
	}
	len = len < left ? len : left;
	to = &inquiry->pieces[inquiry->pieces_count++];
	to->at = piece->at + skip;
	to->offset = inquiry->used;
	to->len = len;
	to->stream = piece->stream;
	memcpy(inquiry->bytes + inquiry->used, piece->data + skip, len);
	inquiry->used += len;
	inquiry->next = to->at + len;
	return inquiry->next == piece->at + piece->bytes;
}

static void logs_copy(struct wyn_inquiry *inquiry, const struct wyn_kept *kept)
{
	uint64_t from = inquiry->query.from;
	const struct wyn_kept_piece *piece = wyn_kept_from(kept, from);

	inquiry->next = from;
	while (piece != NULL && piece_copy(inquiry, piece, from)) {
		piece = piece->next;
	}
	if (piece == NULL) {
		/* What was not kept is skipped. */
		inquiry->next = kept->output_end;
	}
	inquiry->ended = kept->ended && piece == NULL;
}

static void fill(struct wyn_inquiry *inquiry, const struct wyn_engine *engine,
	const struct wyn_kept *kept)
{
	inquiry->found = true;
	inquiry->ended = kept->ended;
	inquiry->output_bytes = kept->output_end;
	row_fill(inquiry, engine, kept);
	if (inquiry->query.kind == WYN_INQUIRY_LOGS) {
		logs_copy(inquiry, kept);
	} else if (kept->ended) {
		outcome_copy(inquiry, engine, kept);
	}
}

static void wait_leave(struct wyn_inquiry *inquiry)
{
	struct wyn_engine *engine = inquiry->waits_at;

	wyn_list_remove(&inquiry->link);
	wyn_list_remove(&inquiry->of_engine);
	wyn_timers_disarm(&engine->timers, &inquiry->timer);
	inquiry->waits_at = NULL;
}

static void go_home(struct wyn_inquiry *inquiry)
{
	inquiry->home = true;
	wyn_engine_post(inquiry->later.engine, &inquiry->post);
}

/* It has waited for long enough, or for what has come. */
static void wait_end(struct wyn_inquiry *inquiry)
{
	struct wyn_engine *engine = inquiry->waits_at;

	wait_leave(inquiry);
	fill(inquiry, engine, inquiry->kept);
	go_home(inquiry);
}

static void timer_fire(struct wyn_timer *timer, uint64_t now_ns)
{
	(void)now_ns;
	wait_end(WYN_CONTAINER_OF(timer, struct wyn_inquiry, timer));
}

static bool is_there(
	const struct wyn_inquiry *inquiry, const struct wyn_kept *kept)
{
	return kept->ended || (inquiry->query.kind == WYN_INQUIRY_LOGS &&
				      inquiry->query.from < kept->output_end);
}

/* Returns: false when it need not wait, or cannot. */
static bool wait_begin(struct wyn_inquiry *inquiry, struct wyn_engine *engine,
	struct wyn_kept *kept)
{
	uint64_t wait_ns = inquiry->query.wait_ms * WYN_NS_PER_MS;

	if (is_there(inquiry, kept) || wait_ns == 0 || engine->draining) {
		return false;
	}
	inquiry->timer.fire = timer_fire;
	if (wyn_timers_arm(&engine->timers, &inquiry->timer,
		    engine->now_ns + wait_ns) < 0) {
		return false;
	}
	inquiry->waits_at = engine;
	inquiry->kept = kept;
	wyn_list_push_back(&kept->waiters, &inquiry->link);
	wyn_list_push_back(&engine->inquiries, &inquiry->of_engine);
	return true;
}

static void look_here(struct wyn_inquiry *inquiry, struct wyn_engine *engine)
{
	struct wyn_kept *kept = wyn_keep_find(&engine->keep, inquiry->query.id);

	if (kept != NULL &&
		(inquiry->sees_all || kept->user->uid == inquiry->uid)) {
		if (!wait_begin(inquiry, engine, kept)) {
			fill(inquiry, engine, kept);
			go_home(inquiry);
		}
		return;
	}
	inquiry->loop++;
	if (inquiry->loop < inquiry->shared->engines_count) {
		wyn_engine_post(inquiry->shared->engines[inquiry->loop],
			&inquiry->post);
	} else {
		go_home(inquiry);
	}
}

static void inquiry_run(struct wyn_post *post, struct wyn_engine *engine)
{
	struct wyn_inquiry *inquiry =
		WYN_CONTAINER_OF(post, struct wyn_inquiry, post);

	if (engine == NULL) {
		inquiry_free(inquiry);
	} else if (inquiry->home) {
		wyn_inquiry_answer(inquiry);
		inquiry_free(inquiry);
	} else {
		look_here(inquiry, engine);
	}
}

static struct wyn_inquiry *inquiry_create(const struct wyn_conn *conn)
{
	size_t room =
		conn->engine->limits.frame_bytes_max - WYN_INQUIRY_HEAD_BYTES;
	struct wyn_inquiry *inquiry = calloc(1, sizeof(*inquiry) + room);

	if (inquiry != NULL) {
		inquiry->room = room;
		wyn_list_init(&inquiry->link);
		wyn_list_init(&inquiry->of_engine);
	}
	return inquiry;
}

int wyn_inquiry_start(struct wyn_conn *conn, const struct wyn_later *later,
	const struct wyn_inquiry_query *query)
{
	struct wyn_shared *shared = conn->engine->shared;
	struct wyn_inquiry *inquiry;
	size_t place;
	int error = place_take(shared, &conn->peer, &place);

	if (error < 0) {
		return error;
	}
	inquiry = inquiry_create(conn);
	if (inquiry == NULL) {
		place_free(shared, place);
		return -ENOMEM;
	}
	inquiry->post.run = inquiry_run;
	inquiry->shared = shared;
	inquiry->place = place;
	inquiry->later = *later;
	inquiry->query = *query;
	if (inquiry->query.wait_ms > WYN_INQUIRY_WAIT_MS_MAX) {
		inquiry->query.wait_ms = WYN_INQUIRY_WAIT_MS_MAX;
	}
	inquiry->sees_all = conn->peer.administrator;
	inquiry->uid = conn->peer.uid;
	wyn_engine_post(shared->engines[0], &inquiry->post);
	return 0;
}

void wyn_inquiries_tell(struct wyn_kept *kept)
{
	struct wyn_list *link;
	struct wyn_list *after;

	wyn_list_for_each_safe (link, after, &kept->waiters) {
		struct wyn_inquiry *inquiry =
			wyn_list_entry(link, struct wyn_inquiry, link);

		if (is_there(inquiry, kept)) {
			wait_end(inquiry);
		}
	}
}

void wyn_inquiries_release(struct wyn_engine *engine)
{
	struct wyn_list *link;

	while ((link = wyn_list_first(&engine->inquiries)) != NULL) {
		wait_end(wyn_list_entry(link, struct wyn_inquiry, of_engine));
	}
}

void wyn_inquiries_end(struct wyn_engine *engine)
{
	struct wyn_list *link;

	while ((link = wyn_list_first(&engine->inquiries)) != NULL) {
		struct wyn_inquiry *inquiry =
			wyn_list_entry(link, struct wyn_inquiry, of_engine);

		wait_leave(inquiry);
		inquiry_free(inquiry);
	}
}

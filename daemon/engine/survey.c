// SPDX-License-Identifier: MIT
/*
 * survey.c - the way of a survey, and its rows.
 */
#include "daemon/engine/survey.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "daemon/engine/conn_command.h"
#include "daemon/engine/engine_state.h"

/* So many places of the table of connections are one look. */
#define SLOTS_PER_LOOK 16u

static void survey_free(struct wyn_survey *survey)
{
	/* [held] given back. */
	atomic_fetch_sub_explicit(
		&survey->shared->surveys, 1, memory_order_relaxed);
	free(survey);
}

const struct wyn_survey_row *wyn_survey_row(
	const struct wyn_survey *survey, size_t index)
{
	wyn_assert(index < survey->count);
	return &survey->rows[survey->order[index]];
}

/* How many of the rows have lower ids. */
static size_t rank_of(const struct wyn_survey *survey, uint64_t id)
{
	size_t low = 0;
	size_t high = survey->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (wyn_survey_row(survey, middle)->id < id) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return low;
}

struct wyn_survey_row *wyn_survey_place(struct wyn_survey *survey, uint64_t id)
{
	bool full = survey->count == survey->query.rows_max;
	size_t rank = rank_of(survey, id);
	struct wyn_survey_row *row;
	uint16_t place;

	if (rank < survey->count && wyn_survey_row(survey, rank)->id == id) {
		/* It was seen where it was before. */
		row = &survey->rows[survey->order[rank]];
		memset(row, 0, sizeof(*row));
		row->id = id;
		return row;
	}
	if (full && rank == survey->count) {
		survey->more = true;
		return NULL;
	}
	survey->more = survey->more || full;
	survey->count -= full;
	/* The row of the highest id makes room, or there is one more. */
	place = full ? survey->order[survey->count] : (uint16_t)survey->count;
	memmove(&survey->order[rank + 1], &survey->order[rank],
		(survey->count - rank) * sizeof(survey->order[0]));
	survey->order[rank] = place;
	survey->count++;
	row = &survey->rows[place];
	memset(row, 0, sizeof(*row));
	row->id = id;
	return row;
}

static bool is_visible(
	const struct wyn_survey *survey, const struct wyn_conn *conn)
{
	if (conn->phase >= WYN_CONN_CLOSING || conn->phase < WYN_CONN_OPEN) {
		return false;
	}
	if (survey->query.conn != 0 && survey->query.conn != conn->number) {
		return false;
	}
	return survey->sees_all || conn->number == survey->asker ||
	       (survey->local && conn->peer.local &&
		       conn->peer.uid == survey->uid);
}

static bool is_found(const struct wyn_survey *survey)
{
	return survey->query.explain && survey->count > 0;
}

/* The task that was looked for is here, and is to end, or gets a signal. */
static void found_end(const struct wyn_survey *survey, struct wyn_conn *conn)
{
	static const struct wyn_answer answer = {
		.refusal = WYN_REFUSAL_CANCELLED_BY_CLIENT,
	};
	const struct wyn_survey_query *query = &survey->query;
	struct wyn_range one = {query->id, query->id};
	const struct wyn_ranges ranges = {.items = &one, .count = 1};

	if (!query->end || survey->count == 0) {
		return;
	}
	if (query->signal != 0) {
		wyn_conn_signal(conn, &ranges, WYN_WORK_ID, query->signal);
	} else {
		wyn_conn_cancel(conn, &ranges, WYN_WORK_ID, &answer,
			query->grace_ms == 0 ? WYN_GRACE_USUAL
					     : query->grace_ms);
	}
}

/* Returns: whether it is done with this loop. */
static bool loop_look(struct wyn_survey *survey, struct wyn_engine *engine)
{
	survey->looks = 0;
	while (survey->slot < engine->slots_count && !is_found(survey)) {
		struct wyn_conn *conn = engine->slots[survey->slot].conn;

		if (survey->looks >= WYN_SURVEY_LOOKS) {
			return false;
		}
		survey->looks += survey->slot % SLOTS_PER_LOOK == 0;
		survey->slot++;
		if (conn != NULL && is_visible(survey, conn)) {
			survey->looks++;
			wyn_survey_conn(survey, conn);
			found_end(survey, conn);
		}
	}
	/* Behind them, so that none is missed that ends meanwhile. */
	return wyn_survey_kept(survey, engine);
}

/* Where it goes from the loop that it is at. */
static struct wyn_engine *next_of(
	struct wyn_survey *survey, struct wyn_engine *engine)
{
	struct wyn_shared *shared = survey->shared;
	uint64_t turn = engine->stats.turns_approx;

	if (engine->surveyed_turn == turn) {
		return engine; /* another one has looked: in the next turn */
	}
	engine->surveyed_turn = turn;
	if (!loop_look(survey, engine)) {
		return engine;
	}
	survey->slot = 0;
	survey->bucket = 0;
	survey->loop++;
	if (survey->loop < shared->engines_count && !is_found(survey)) {
		return shared->engines[survey->loop];
	}
	survey->home = true;
	return survey->later.engine;
}

static void survey_run(struct wyn_post *post, struct wyn_engine *engine)
{
	struct wyn_survey *survey =
		WYN_CONTAINER_OF(post, struct wyn_survey, post);

	if (engine == NULL) {
		survey_free(survey);
	} else if (survey->home) {
		survey->answer(survey);
		survey_free(survey);
	} else {
		wyn_engine_post(next_of(survey, engine), post);
	}
}

int wyn_survey_start(struct wyn_conn *conn, const struct wyn_later *later,
	const struct wyn_survey_query *query,
	void (*answer)(const struct wyn_survey *survey))
{
	struct wyn_shared *shared = conn->engine->shared;
	uint64_t most = conn->peer.administrator ? WYN_SURVEYS_MAX
						 : WYN_SURVEYS_MAX / 2;
	struct wyn_survey *survey = NULL;
	int error = -EBUSY;

	wyn_assert(query->rows_max > 0);
	wyn_assert(query->rows_max <= WYN_SURVEY_ROWS_MAX);
	/* [held] added first, decided by what that returned. */
	if (atomic_fetch_add_explicit(
		    &shared->surveys, 1, memory_order_relaxed) < most) {
		survey = calloc(
			1, sizeof(*survey) +
				   query->rows_max * sizeof(survey->rows[0]));
		error = -ENOMEM;
	}
	if (survey == NULL) {
		atomic_fetch_sub_explicit(
			&shared->surveys, 1, memory_order_relaxed);
		return error;
	}
	survey->post.run = survey_run;
	survey->shared = shared;
	survey->later = *later;
	survey->query = *query;
	survey->sees_all = conn->peer.administrator;
	survey->local = conn->peer.local;
	survey->uid = conn->peer.uid;
	survey->asker = conn->number;
	survey->answer = answer;
	wyn_engine_post(shared->engines[0], &survey->post);
	return 0;
}

// SPDX-License-Identifier: MIT
/*
 * survey_kept.c - a survey's look at what is kept of tasks that have ended.
 *
 * kept.h. Those that have not are their connection's, or their keeper's.
 */
#include <string.h>

#include "daemon/engine/engine_state.h"
#include "daemon/engine/survey.h"

/* So many empty chains of the table are one look. */
#define BUCKETS_PER_LOOK 16u

void wyn_survey_row_kept(struct wyn_survey_row *row,
	const struct wyn_kept *kept, uint64_t now_ns)
{
	row->id = kept->id;
	row->seq = kept->seq;
	row->conn = kept->conn;
	row->age_ns = now_ns - kept->received_ns;
	row->priority = kept->priority;
	row->state = WYN__V1__TASK_STATE__TASK_STATE_QUEUED;
	if (kept->started_ns != 0) {
		uint64_t until_ns = kept->ended ? kept->ended_ns : now_ns;

		row->state = WYN__V1__TASK_STATE__TASK_STATE_RUNNING;
		row->run_ns = until_ns - kept->started_ns;
	}
	if (kept->ended) {
		row->state = WYN__V1__TASK_STATE__TASK_STATE_ENDED;
		row->code = kept->code;
	}
	if (kept->end != NULL) {
		row->exit_status = kept->end->exit_status;
		row->signal = kept->end->signal;
	}
	memcpy(row->function, kept->function, sizeof(row->function));
	memcpy(row->command, kept->command, sizeof(row->command));
	memcpy(row->label, kept->label, sizeof(row->label));
}

static bool fits(const char *wanted, const char *text)
{
	return wanted[0] == '\0' || strcmp(wanted, text) == 0;
}

static bool is_wanted(
	const struct wyn_survey *survey, const struct wyn_kept *kept)
{
	const struct wyn_survey_query *query = &survey->query;

	return kept->ended && kept->id > query->after &&
	       (survey->sees_all || kept->user->uid == survey->uid) &&
	       (query->conn == 0 || query->conn == kept->conn) &&
	       fits(query->function, kept->function) &&
	       fits(query->label, kept->label);
}

static void kept_look(struct wyn_survey *survey,
	const struct wyn_engine *engine, const struct wyn_kept *kept)
{
	struct wyn_survey_row *row;

	survey->looks++;
	if (!is_wanted(survey, kept)) {
		return;
	}
	row = wyn_survey_place(survey, kept->id);
	if (row != NULL) {
		row->loop = (uint32_t)survey->loop;
		wyn_survey_row_kept(row, kept, engine->now_ns);
	}
}

/* What has ended is nobody's to explain, or to end. */
static bool looks_for_kept(const struct wyn_survey *survey)
{
	const struct wyn_survey_query *query = &survey->query;

	return !query->explain && (survey->local || survey->sees_all) &&
	       (query->state == 0 ||
		       query->state == WYN__V1__TASK_STATE__TASK_STATE_ENDED);
}

bool wyn_survey_kept(struct wyn_survey *survey, const struct wyn_engine *engine)
{
	if (!looks_for_kept(survey)) {
		return true;
	}
	for (; survey->bucket < WYN_KEPT_BUCKETS; survey->bucket++) {
		const struct wyn_kept *kept =
			engine->keep.buckets[survey->bucket];

		if (survey->looks >= WYN_SURVEY_LOOKS) {
			return false;
		}
		survey->looks += survey->bucket % BUCKETS_PER_LOOK == 0;
		for (; kept != NULL; kept = kept->next_in_bucket) {
			kept_look(survey, engine, kept);
		}
	}
	return true;
}

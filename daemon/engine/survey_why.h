// SPDX-License-Identifier: MIT
/*
 * survey_why.h - what one task waits for, in a word and in a sentence.
 *
 * Private to the survey; called when its row was placed, on the loop of its
 * connection. Each fills in survey->why.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct wyn_conn;
struct wyn_span;
struct wyn_strip;
struct wyn_survey;
struct wyn_task;
struct wyn_upload;

/* wyn_survey_why_upload - for bytes of its argument. Thread: loop. */
void wyn_survey_why_upload(
	struct wyn_survey *survey, const struct wyn_upload *upload);

/* wyn_survey_why_queued - to be started. `before`: tasks of the span that are
 * before it. Thread: loop. */
void wyn_survey_why_queued(struct wyn_survey *survey,
	const struct wyn_conn *conn, const struct wyn_span *span,
	uint64_t before);

/* wyn_survey_why_task - in the executor, in a job of its own. Thread: loop. */
void wyn_survey_why_task(struct wyn_survey *survey, const struct wyn_conn *conn,
	const struct wyn_task *task);

/* wyn_survey_why_strip - in the executor; the index-th of a strip. Thread:
 * loop. */
void wyn_survey_why_strip(struct wyn_survey *survey,
	const struct wyn_conn *conn, const struct wyn_strip *strip,
	uint32_t index);

/* wyn_survey_why_output - it has ended. `streams`: its partial values go first.
 * Thread: loop. */
void wyn_survey_why_output(
	struct wyn_survey *survey, const struct wyn_conn *conn, bool streams);

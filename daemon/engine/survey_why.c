// SPDX-License-Identifier: MIT
/*
 * survey_why.c - see survey_why.h.
 *
 * The bounds are asked in the order in which dispatch meets them: the owner is
 * held, its queue is held, the executor is full, somebody else has the turn.
 */
#include "daemon/engine/survey_why.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/compiler.h"
#include "daemon/engine/conn_upload.h"
#include "daemon/engine/dispatch_command.h"
#include "daemon/engine/engine_state.h"
#include "daemon/run/strip.h"
#include "daemon/engine/survey.h"

/* Who counts further wants to know only that they are many. */
#define COUNTED_MAX 4096u

static void say(struct wyn_survey *survey, Wyn__V1__Why why, const char *format,
	...) WYN_PRINTF(3, 4);

static void say(
	struct wyn_survey *survey, Wyn__V1__Why why, const char *format, ...)
{
	va_list arguments;

	survey->why.why = (int)why;
	va_start(arguments, format);
	(void)vsnprintf(
		survey->why.text, sizeof(survey->why.text), format, arguments);
	va_end(arguments);
}

void wyn_survey_why_upload(
	struct wyn_survey *survey, const struct wyn_upload *upload)
{
	survey->why.have_bytes = upload->have;
	say(survey, WYN__V1__WHY__WHY_ARGUMENT,
		"its client has sent %" PRIu64 " of the %" PRIu64
		" bytes of its argument",
		upload->have, upload->size);
}

/* Commands wait apart. */
static const struct wyn_ready_owner *owner_of(
	const struct wyn_conn *conn, const struct wyn_span *span)
{
	return span->batch->command != NULL ? &conn->commands : &conn->ready;
}

/* Queued tasks of the connection that start before those of the span. */
static uint64_t ahead_of(struct wyn_survey *survey, const struct wyn_span *span,
	unsigned priority, const struct wyn_conn *conn)
{
	const struct wyn_list *spans =
		&owner_of(conn, span)->queues[priority].spans;
	const struct wyn_list *link = spans->next;
	uint64_t tasks = 0;

	for (; link != spans && link != &span->link; link = link->next) {
		survey->looks++;
		tasks += WYN_CONTAINER_OF(link, const struct wyn_span, link)
				 ->args.count;
	}
	return tasks;
}

/* Other connections with turns of that priority or a higher one. */
static uint64_t others_of(struct wyn_survey *survey,
	const struct wyn_conn *conn, const struct wyn_span *span,
	unsigned priority)
{
	const struct wyn_engine *engine = conn->engine;
	const struct wyn_ready *ready = span->batch->command != NULL
						? &engine->commands
						: &engine->ready;
	uint64_t others = 0;

	for (unsigned i = priority; i < WYN_PRIORITIES; i++) {
		const struct wyn_list *turns = &ready->turns[i];
		const struct wyn_list *own =
			&owner_of(conn, span)->queues[i].turn;
		const struct wyn_list *link = turns->next;

		for (; link != turns && others < COUNTED_MAX;
			link = link->next) {
			survey->looks++;
			others += link != own;
		}
	}
	return others;
}

static void say_turn(struct wyn_survey *survey)
{
	say(survey, WYN__V1__WHY__WHY_TURN,
		"its turn comes: %" PRIu64
		" of its connection are before it, and %" PRIu64
		" other connections have turns",
		survey->why.ahead, survey->why.conns);
}

static void why_command_queued(
	struct wyn_survey *survey, const struct wyn_engine *engine)
{
	struct wyn_survey_why *why = &survey->why;

	why->executor = engine->commands_running;
	if (wyn_dispatch_commands_full(engine)) {
		say(survey, WYN__V1__WHY__WHY_COMMANDS_MAX,
			"as many commands run as may, %" PRIu64 "; %" PRIu64
			" of its connection are before it, and %" PRIu64
			" other connections have turns",
			engine->limits.commands_max, why->ahead, why->conns);
	} else {
		say_turn(survey);
	}
}

void wyn_survey_why_queued(struct wyn_survey *survey,
	const struct wyn_conn *conn, const struct wyn_span *span,
	uint64_t before)
{
	const struct wyn_engine *engine = conn->engine;
	unsigned priority = span->batch->options.priority - 1u;
	struct wyn_survey_why *why = &survey->why;

	why->ahead = before + ahead_of(survey, span, priority, conn);
	why->conns = others_of(survey, conn, span, priority);
	why->executor = engine->dispatch.in_flight;
	if (conn->ready.held) {
		say(survey, WYN__V1__WHY__WHY_OUTPUT_MAX,
			"its client has not read %zu bytes of results; until "
			"it has, nothing of this connection starts",
			conn->output.bytes + conn->unsent_bytes);
	} else if (span->batch->command != NULL) {
		why_command_queued(survey, engine);
	} else if (conn->ready.queues[priority].held) {
		say(survey, WYN__V1__WHY__WHY_STREAMS_FULL,
			"as many tasks that emit are running as may: %" PRIu64
			" of this connection, %" PRIu64 " of its loop",
			conn->streaming, engine->streaming);
	} else if (wyn_dispatch_room(engine, span) == 0) {
		say(survey, WYN__V1__WHY__WHY_EXECUTOR_FULL,
			"the workers are busy: they have %" PRIu64
			" tasks of its loop; %" PRIu64
			" of its connection are before it, and %" PRIu64
			" other connections have turns",
			why->executor, why->ahead, why->conns);
	} else {
		say_turn(survey);
	}
}

static void say_runs(
	struct wyn_survey *survey, const char *where, bool asked, bool answered)
{
	say(survey, WYN__V1__WHY__WHY_FUNCTION, "a worker runs it%s%s%s", where,
		asked ? "; it was asked to end" : "",
		answered ? "; its result was sent already" : "");
}

static void why_command(struct wyn_survey *survey, const struct wyn_task *task,
	bool started, uint64_t unsent)
{
	const char *asked = task->stopped != WYN_REFUSAL_NONE
				    ? "; it was asked to end"
				    : "";

	if (!started) {
		say(survey, WYN__V1__WHY__WHY_COMMAND,
			"wynd-spawner is to start it%s", asked);
	} else if (unsent >= task->partial_unsent_max) {
		say(survey, WYN__V1__WHY__WHY_STREAM_ROOM,
			"it runs, and waits: its client has not read %" PRIu64
			" bytes of its output%s",
			unsent, asked);
	} else {
		say(survey, WYN__V1__WHY__WHY_COMMAND, "it runs%s", asked);
	}
}

void wyn_survey_why_task(struct wyn_survey *survey, const struct wyn_conn *conn,
	const struct wyn_task *task)
{
	uint64_t started_ns =
		atomic_load_explicit(&task->started_ns, memory_order_relaxed);
	uint64_t unsent = atomic_load_explicit(
		&task->partial_unsent_bytes, memory_order_relaxed);
	bool asked =
		atomic_load_explicit(&task->cancelled, memory_order_relaxed);

	survey->why.executor = conn->engine->dispatch.in_flight;
	if (task->batch->command != NULL) {
		survey->why.executor = conn->engine->commands_running;
		why_command(survey, task, started_ns != 0, unsent);
	} else if (started_ns == 0) {
		say(survey, WYN__V1__WHY__WHY_WORKERS,
			"it was handed to the workers, which have %" PRIu64
			" tasks of its loop, and none has begun it",
			survey->why.executor);
	} else if (unsent > 0 && unsent >= task->partial_unsent_max) {
		say(survey, WYN__V1__WHY__WHY_STREAM_ROOM,
			"it runs, and waits: its client has not read %" PRIu64
			" bytes of its partial values",
			unsent);
	} else {
		say_runs(survey, "", asked, task->answered);
	}
}

void wyn_survey_why_strip(struct wyn_survey *survey,
	const struct wyn_conn *conn, const struct wyn_strip *strip,
	uint32_t index)
{
	uint32_t unwanted =
		atomic_load_explicit(&strip->unwanted, memory_order_relaxed);

	survey->why.executor = conn->engine->dispatch.in_flight;
	if (index < wyn_strip_begun(strip)) {
		say_runs(survey, ", one of several in a row",
			(unwanted >> index & 1) != 0, strip->answered);
		return;
	}
	say(survey, WYN__V1__WHY__WHY_WORKERS,
		"it was handed to the workers as number %u of %u that one "
		"worker runs in a row, and it has not begun",
		index + 1, strip->kept);
}

void wyn_survey_why_output(
	struct wyn_survey *survey, const struct wyn_conn *conn, bool streams)
{
	if (streams) {
		say(survey, WYN__V1__WHY__WHY_STREAM_CREDIT,
			"it has ended; its client has not granted credit for "
			"the rest of its partial values");
		return;
	}
	say(survey, WYN__V1__WHY__WHY_OUTPUT,
		"it has ended; its result waits behind %zu bytes that its "
		"client has not read",
		conn->output.bytes + conn->unsent_bytes);
}

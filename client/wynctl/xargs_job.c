// SPDX-License-Identifier: MIT
/*
 * xargs_job.c - commands on their way: submitted, their outputs, their ends.
 *
 * A command is named by its tag, which is where it is in memory: each tag that
 * was submitted comes back with one result, whatever happens.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/list.h"
#include "client/wynctl/clock.h"
#include "client/wynctl/outcome.h"
#include "client/wynctl/progress.h"
#include "client/wynctl/quote.h"
#include "client/wynctl/xargs.h"

/* How a command ended, as a shell would say it. */
struct xargs_end {
	int code;
	int logged; /* the same in the log: -1 = it did not end by itself */
	unsigned signal;
};

static uint64_t xargs_real_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * WYN_NS_PER_S + (uint64_t)now.tv_nsec;
}

static struct xargs_end xargs_end_of(const struct wyn_client_event *event)
{
	struct xargs_end end = {0, 0, event->signal};

	end.code = wyn_outcome_exit_code(event, 0);
	end.logged = end.code;
	if (event->code == WYN_STATUS_DEADLINE_EXCEEDED ||
		event->code == WYN_STATUS_CANCELLED) {
		end.logged = -1;
	}
	return end;
}

static void xargs_free(struct wyn_xargs *xargs, struct wyn_xargs_job *job)
{
	xargs->unprinted--;
	free(job->line);
	free(job->json);
	free(job);
}

void wyn_xargs_print(struct wyn_xargs *xargs)
{
	struct wyn_xargs_job *job;
	struct wyn_gathered *one;
	int err;

	for (;;) {
		err = wyn_gather_print(&xargs->gather, &one);
		if (err != 0 && xargs->stop != WYN_XARGS_FAILED) {
			wyn_xargs_fail(
				xargs, "read what waits to be printed", err);
		}
		if (err != 0 || one == NULL) {
			return;
		}
		job = WYN_CONTAINER_OF(one, struct wyn_xargs_job, output);
		if (job->json != NULL) {
			wyn_stdout_print(
				&xargs->ctl->output, "%s\n", job->json);
		}
		xargs_free(xargs, job);
	}
}

static void xargs_log(struct wyn_xargs *xargs, const struct wyn_xargs_job *job,
	const struct xargs_end *end, const struct wyn_client_event *event)
{
	uint64_t now_ns = xargs_real_ns();
	struct wyn_joblog_row row = {
		.seq = job->number,
		.start_ns = job->start_ns,
		.run_ns = now_ns > job->start_ns ? now_ns - job->start_ns : 0,
		.exit_value = end->logged,
		.signal = end->signal,
		.command = job->line,
	};
	int err;

	if (xargs->joblog.fd < 0) {
		return;
	}
	if (event->usage != NULL) {
		/* It may have waited for its turn first. */
		row.run_ns = event->usage->wall_ns;
		row.start_ns = now_ns - row.run_ns;
		row.receive_bytes = event->usage->stdout_bytes;
	}
	err = wyn_joblog_write(&xargs->joblog, &row);
	if (err != 0 && xargs->stop != WYN_XARGS_FAILED) {
		wyn_xargs_fail(xargs, "write the job log", err);
	}
}

/* Counts it, and says what was wrong with it, if not just its exit status. */
static void xargs_count(struct wyn_xargs *xargs,
	const struct wyn_xargs_job *job, const struct xargs_end *end,
	const char *why)
{
	xargs->counts.done++;
	if (end->code != 0) {
		xargs->counts.failed++;
		xargs->counts.last = end->code;
	}
	if (why != NULL) {
		wyn_ctl_say("command %" PRIu64 ": %s", job->number, why);
	}
	if (xargs->stop == WYN_XARGS_GOES_ON &&
		wyn_halt_reached(&xargs->halt, &xargs->counts)) {
		xargs->stop = WYN_XARGS_HALTED;
	}
}

static void xargs_ended(struct wyn_xargs *xargs, struct wyn_xargs_job *job)
{
	int err = wyn_gather_end(&xargs->gather, &job->output);

	if (err != 0 && xargs->stop != WYN_XARGS_FAILED) {
		wyn_xargs_fail(xargs, "read what waits to be printed", err);
	}
	wyn_progress_update(xargs->counts.done);
	wyn_xargs_print(xargs);
}

static bool xargs_reason_is(
	const struct wyn_client_event *event, const char *reason)
{
	return strcmp(event->reason, reason) == 0;
}

/* What is refused to one command for such a reason is to all. */
static bool xargs_is_refusal(const struct wyn_client_event *event)
{
	if (xargs_reason_is(event, "NOT_STARTED") ||
		xargs_reason_is(event, "PROGRAM_NOT_LISTED")) {
		return false;
	}
	return xargs_reason_is(event, "SPAWNER_MISSING") ||
	       event->code == WYN_STATUS_FAILED_PRECONDITION ||
	       event->code == WYN_STATUS_PERMISSION_DENIED ||
	       (event->code == WYN_STATUS_NOT_FOUND &&
		       xargs_reason_is(event, "NOT_PREPARED"));
}

static void xargs_result(struct wyn_xargs *xargs, struct wyn_xargs_job *job,
	const struct wyn_client_event *event)
{
	struct xargs_end end = xargs_end_of(event);
	bool silent = event->code == WYN_STATUS_OK ||
		      xargs_reason_is(event, "EXIT_STATUS");
	bool lost = event->code == WYN_STATUS_UNAVAILABLE;

	if (xargs->arguments->json) {
		job->json = wyn_xargs_json_end(job, event);
		if (job->json == NULL) {
			wyn_xargs_fail(xargs, "print JSON", -ENOMEM);
		}
	}
	if (xargs_is_refusal(event)) {
		xargs->undone++;
		if (xargs->stop != WYN_XARGS_FAILED) {
			wyn_ctl_say("command %" PRIu64 ": %s", job->number,
				wyn_ctl_reason(event));
			xargs->stop = WYN_XARGS_FAILED;
		}
	} else if (xargs->cancelled &&
		   (lost || event->code == WYN_STATUS_CANCELLED)) {
		xargs->undone++;
	} else {
		/* Whoever resumes wants those done that are lost. */
		if (!lost) {
			xargs_log(xargs, job, &end, event);
		}
		xargs_count(xargs, job, &end,
			silent ? NULL : wyn_ctl_reason(event));
	}
	xargs_ended(xargs, job);
}

void wyn_xargs_event(
	struct wyn_xargs *xargs, const struct wyn_client_event *event)
{
	struct wyn_xargs_job *job = (void *)(uintptr_t)event->tag;
	bool error = event->kind == WYN_CLIENT_STDERR;
	int err;

	if (event->kind == WYN_CLIENT_ROOM) {
		xargs->starved = false;
	} else if (event->kind == WYN_CLIENT_RESULT) {
		xargs->flight--;
		xargs_result(xargs, job, event);
	} else if (error || event->kind == WYN_CLIENT_STDOUT) {
		err = wyn_gather_put(&xargs->gather, &job->output,
			error ? WYN_GATHER_STDERR : WYN_GATHER_STDOUT,
			(struct wyn_slice){
				event->value.data, event->value.size});
		if (err != 0 && xargs->stop != WYN_XARGS_FAILED) {
			wyn_xargs_fail(xargs,
				"keep the output of commands in "
				"TMPDIR",
				err);
		}
	}
}

/* The lines of the command that is next, with blanks between them. */
static char *xargs_tag(const struct wyn_xargs *xargs)
{
	const struct wyn_argv *lines = &xargs->next_lines;
	char *tag = malloc(lines->used);

	if (tag != NULL) {
		memcpy(tag, lines->text, lines->used);
		for (size_t i = 1; i < lines->count; i++) {
			tag[lines->words[i] - lines->text - 1] = ' ';
		}
	}
	return tag;
}

/* Returns: NULL when there is no memory. */
static struct wyn_xargs_job *xargs_begin(struct wyn_xargs *xargs)
{
	struct wyn_xargs_job *job = calloc(1, sizeof(*job));
	bool tagged = xargs->arguments->tag;
	bool logged = xargs->joblog.fd >= 0 || xargs->arguments->json;
	char *tag = NULL;

	if (job == NULL) {
		return NULL;
	}
	job->number = xargs->numbers;
	job->start_ns = xargs_real_ns();
	if (logged) {
		job->line = wyn_quote_words(
			xargs->next_argv.words, xargs->next_argv.count);
	}
	if (tagged) {
		tag = xargs_tag(xargs);
	}
	if ((logged && job->line == NULL) || (tagged && tag == NULL)) {
		free(tag);
		free(job->line);
		free(job);
		return NULL;
	}
	wyn_gather_begin(&xargs->gather, &job->output, tag);
	xargs->unprinted++;
	return job;
}

/* It is not even submitted: as if the daemon had said so. */
static void xargs_refuse(struct wyn_xargs *xargs, struct wyn_xargs_job *job,
	const char *reason, const char *why)
{
	const struct wyn_client_event event = {
		.kind = WYN_CLIENT_RESULT,
		.ran = WYN_CLIENT_RAN_NO,
		.code = WYN_STATUS_INVALID_ARGUMENT,
		.reason = reason,
		.message = why,
	};

	xargs_result(xargs, job, &event);
	wyn_xargs_used(xargs);
}

/* Returns: 0 to go on, or the error. */
static int xargs_not_submitted(
	struct wyn_xargs *xargs, struct wyn_xargs_job *job, int err)
{
	const struct wyn_client_error *error =
		wyn_client_error(xargs->ctl->client);

	if (err == -E2BIG || err == -EINVAL) {
		xargs_refuse(xargs, job, error->reason, error->message);
		return 0;
	}
	wyn_gather_drop(&xargs->gather, &job->output);
	xargs_free(xargs, job);
	xargs->starved = err == -EAGAIN;
	if (err == -ESHUTDOWN) {
		wyn_ctl_say("%s", error->message);
		xargs->stop = WYN_XARGS_FAILED;
		return 0;
	}
	return err;
}

int wyn_xargs_submit(struct wyn_xargs *xargs)
{
	struct wyn_xargs_job *job = xargs_begin(xargs);
	uint64_t seq = 0;
	int err;

	if (job == NULL) {
		wyn_xargs_fail(xargs, "begin a command", -ENOMEM);
		return 0;
	}
	if (xargs->next_broken != NULL) {
		xargs_refuse(xargs, job, "LINE_INVALID", xargs->next_broken);
		return 0;
	}
	xargs->command.argv = xargs->next_argv.words;
	xargs->options.tag = (uint64_t)(uintptr_t)job;
	err = wyn_client_submit_command(xargs->ctl->client, &xargs->command,
		(struct wyn_bytes){NULL, 0}, &xargs->options, &seq);
	if (err != 0) {
		return xargs_not_submitted(xargs, job, err);
	}
	if (xargs->first_seq == 0) {
		xargs->first_seq = seq;
	}
	xargs->last_seq = seq;
	xargs->flight++;
	wyn_xargs_used(xargs);
	return 0;
}

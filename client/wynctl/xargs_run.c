// SPDX-License-Identifier: MIT
/*
 * xargs_run.c - the wheel of `wynctl xargs`.
 *
 * Begins commands as long as there are lines, and places for them at the daemon
 * and in what waits to be printed; then waits for whatever comes first: output,
 * an end, more input, room in an output that was full, or a signal.
 */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "client/wynctl/clock.h"
#include "client/wynctl/eta.h"
#include "client/wynctl/interrupt.h"
#include "client/wynctl/progress.h"
#include "client/wynctl/quote.h"
#include "client/wynctl/xargs.h"

/* Room for one command more, in every bound. */
static bool xargs_has_room(const struct wyn_xargs *xargs)
{
	return xargs->stop == WYN_XARGS_GOES_ON && !xargs->starved &&
	       xargs->flight < xargs->jobs &&
	       xargs->unprinted < xargs->jobs + WYN_XARGS_AHEAD_MAX &&
	       !wyn_gather_full(&xargs->gather);
}

/* Returns: 0, -EAGAIN (wait first), or the connection's error. */
static int xargs_begin_all(struct wyn_xargs *xargs)
{
	int err = 0;

	while (err == 0 && xargs_has_room(xargs) && wyn_xargs_next(xargs)) {
		err = wyn_xargs_submit(xargs);
	}
	if (xargs->input_ended && xargs->counts.total == 0) {
		xargs->counts.total = xargs->numbers - xargs->skipped;
	}
	return err;
}

/* What runs is asked to end, unless --halt=soon lets it. */
static void xargs_cancel(struct wyn_xargs *xargs)
{
	if (xargs->cancelled || xargs->first_seq == 0 ||
		(xargs->stop == WYN_XARGS_HALTED &&
			xargs->halt.when == WYN_HALT_SOON)) {
		return;
	}
	xargs->cancelled = true;
	/* On a connection that is lost there is nothing left to cancel. */
	(void)!wyn_client_cancel_grace(xargs->ctl->client, xargs->first_seq,
		xargs->last_seq - xargs->first_seq + 1,
		xargs->arguments->grace_ms);
}

static void xargs_look(struct wyn_xargs *xargs)
{
	if (xargs->stop != WYN_XARGS_FAILED &&
		(xargs->ctl->output.error != 0 || xargs->error.error != 0)) {
		xargs->stop = WYN_XARGS_FAILED;
	}
	if (wyn_interrupted()) {
		xargs->stop = WYN_XARGS_INTERRUPTED;
	}
	if (xargs->stop != WYN_XARGS_GOES_ON) {
		xargs_cancel(xargs);
	}
}

static bool xargs_ended(const struct wyn_xargs *xargs)
{
	return xargs->flight == 0 &&
	       (xargs->stop != WYN_XARGS_GOES_ON ||
		       (xargs->input_ended && !xargs->next_ready));
}

/* Waits for an event, for input if that is wanted, or for a signal. */
static int xargs_wait(struct wyn_xargs *xargs)
{
	bool full = wyn_gather_full(&xargs->gather);
	bool read_on = xargs->fill && xargs_has_room(xargs);
	struct wyn_client_event event;
	int result;

	if (xargs->flight == 0 && !read_on && !full && !xargs->next_ready) {
		return 0;
	}
	result = wyn_ctl_wait(
		xargs->ctl, read_on ? xargs->input_fd : -1, &event);
	if (result == 0) {
		wyn_xargs_event(xargs, &event);
		return 0;
	}
	if (result == 1 && read_on) {
		wyn_xargs_fill(xargs);
	}
	return result == 1 || result == -EINTR ? 0 : result;
}

/* Returns: 0, or the connection's error. */
static int xargs_turn(struct wyn_xargs *xargs)
{
	int err = 0;

	while (err == 0) {
		err = xargs_begin_all(xargs);
		if (err != 0 && err != -EAGAIN &&
			xargs->stop == WYN_XARGS_GOES_ON) {
			(void)wyn_ctl_fail(xargs->ctl);
			xargs->stop = WYN_XARGS_FAILED;
		}
		xargs_look(xargs);
		wyn_xargs_print(xargs);
		if (xargs_ended(xargs)) {
			return 0;
		}
		err = xargs_wait(xargs);
	}
	return err;
}

/* What has ended and is not printed: all of it, however long that takes. */
static void xargs_print_rest(struct wyn_xargs *xargs)
{
	struct wyn_stdout *outputs[] = {&xargs->ctl->output, &xargs->error};

	for (;;) {
		wyn_xargs_print(xargs);
		if (!wyn_gather_full(&xargs->gather)) {
			return;
		}
		for (size_t i = 0; i < WYN_COUNT_OF(outputs); i++) {
			if (wyn_stdout_full(outputs[i])) {
				wyn_stdout_wait(outputs[i]);
			}
		}
	}
}

static void xargs_draw(void *context, char *out, size_t room)
{
	const struct wyn_xargs *xargs = context;
	const struct wyn_eta eta = {
		.done = xargs->counts.done + xargs->skipped,
		.skipped = xargs->skipped,
		.running = xargs->flight,
		.failed = xargs->counts.failed,
		.total = xargs->counts.total > 0
				 ? xargs->counts.total + xargs->skipped
				 : 0,
		.elapsed_ns = wyn_ctl_now_ns() - xargs->start_ns,
	};

	static_assert(WYN_PROGRESS_BYTES >= WYN_ETA_BYTES, "no room");
	(void)room;
	wyn_eta_format(&eta, out);
}

/* How many commands there will be is worth a look at the file, if anybody
 * wants to know. */
static void xargs_count_ahead(struct wyn_xargs *xargs)
{
	uint64_t lines = 0;

	if ((xargs->arguments->progress || xargs->halt.percent) &&
		!xargs->arguments->resume &&
		wyn_lines_count(&xargs->lines, &lines) == 0) {
		xargs->counts.total =
			(lines + xargs->max_args - 1) / xargs->max_args;
	}
}

static int xargs_exit_code(struct wyn_xargs *xargs, int err)
{
	if (xargs->undone > 0) {
		wyn_ctl_say("%" PRIu64 " command%s ended before %s done",
			xargs->undone, xargs->undone == 1 ? " was" : "s were",
			xargs->undone == 1 ? "it was" : "they were");
	}
	if (err != 0) {
		(void)wyn_ctl_fail(xargs->ctl);
		return WYN_HALT_EXIT_ERROR;
	}
	if (xargs->stop == WYN_XARGS_INTERRUPTED) {
		return wyn_interrupt_exit_code();
	}
	if (xargs->stop == WYN_XARGS_FAILED ||
		wyn_ctl_lost(xargs->ctl) != WYN_EXIT_OK) {
		return WYN_HALT_EXIT_ERROR;
	}
	return wyn_halt_exit_code(
		&xargs->halt, &xargs->counts, xargs->stop == WYN_XARGS_HALTED);
}

int wyn_xargs_run(struct wyn_xargs *xargs)
{
	int err;

	wyn_interrupt_init_both();
	xargs->start_ns = wyn_ctl_now_ns();
	xargs_count_ahead(xargs);
	if (xargs->arguments->progress) {
		wyn_progress_start_text(xargs_draw, xargs);
	}
	err = xargs_turn(xargs);
	xargs_print_rest(xargs);
	wyn_progress_end();
	return xargs_exit_code(xargs, err);
}

/* --dry-run: the commands, as lines of shell. */
int wyn_xargs_dry_run(struct wyn_xargs *xargs)
{
	struct wyn_stdout *output = &xargs->ctl->output;
	char *line;

	while (output->error == 0 && xargs->stop == WYN_XARGS_GOES_ON) {
		if (wyn_xargs_next(xargs)) {
			line = wyn_quote_words(
				xargs->next_argv.words, xargs->next_argv.count);
			if (line == NULL) {
				wyn_xargs_fail(
					xargs, "make a command", -ENOMEM);
				break;
			}
			if (xargs->arguments->json) {
				wyn_xargs_json_dry(xargs, line);
			} else {
				wyn_stdout_print(output, "%s\n", line);
			}
			free(line);
			wyn_xargs_used(xargs);
		} else if (xargs->fill) {
			wyn_stdout_flush(output);
			wyn_xargs_fill(xargs);
		} else {
			break;
		}
		if (wyn_stdout_full(output)) {
			wyn_stdout_wait(output);
		}
	}
	return xargs->stop == WYN_XARGS_GOES_ON ? WYN_EXIT_OK
						: WYN_HALT_EXIT_ERROR;
}

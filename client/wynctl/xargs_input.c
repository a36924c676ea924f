// SPDX-License-Identifier: MIT
/*
 * xargs_input.c - from lines to the words of the next command.
 *
 * No more is read than one command needs: what has no place at the daemon yet
 * stays in the pipe or the file.
 */
#include <errno.h>
#include <string.h>

#include "client/wynctl/interrupt.h"
#include "client/wynctl/xargs.h"

void wyn_xargs_fail(struct wyn_xargs *xargs, const char *what, int err)
{
	wyn_ctl_say("cannot %s: %s", what, strerror(-err));
	xargs->stop = WYN_XARGS_FAILED;
}

static void xargs_add(struct wyn_xargs *xargs, struct wyn_slice line)
{
	wyn_argv_begin(&xargs->next_lines);
	wyn_argv_put(&xargs->next_lines, (const char *)line.data, line.len);
	if (memchr(line.data, '\0', line.len) != NULL) {
		xargs->next_broken = "a NUL in its line: --null?";
	}
}

void wyn_xargs_fill(struct wyn_xargs *xargs)
{
	int err = wyn_lines_fill(&xargs->lines);

	xargs->fill = false;
	if (err == -E2BIG) {
		xargs_add(xargs, wyn_slice_of(""));
		xargs->next_broken = "a line longer than 64 MiB";
	} else if (err != 0 && err != -EINTR) {
		wyn_xargs_fail(xargs, "read the input", err);
	}
}

/* As many lines as a command takes. Returns: whether there are as many, or the
 * input has ended with fewer. */
static bool xargs_gather_lines(struct wyn_xargs *xargs)
{
	struct wyn_slice line;
	int err;

	while (xargs->next_lines.count < xargs->max_args) {
		err = wyn_lines_next(&xargs->lines, &line);
		if (err == -EAGAIN) {
			xargs->fill = true;
			return false;
		}
		if (err != 0) {
			xargs->input_ended = true;
			break;
		}
		xargs_add(xargs, line);
	}
	return xargs->next_lines.count > 0;
}

void wyn_xargs_used(struct wyn_xargs *xargs)
{
	wyn_argv_clear(&xargs->next_lines);
	xargs->next_broken = NULL;
	xargs->next_ready = false;
}

bool wyn_xargs_next(struct wyn_xargs *xargs)
{
	int err;

	while (!xargs->next_ready && !xargs->fill && !wyn_interrupted() &&
		xargs->stop == WYN_XARGS_GOES_ON && xargs_gather_lines(xargs)) {
		xargs->numbers++;
		if (wyn_ranges_have(&xargs->resumed, xargs->numbers)) {
			xargs->skipped++;
			wyn_xargs_used(xargs);
			continue;
		}
		err = wyn_argv_end(&xargs->next_lines);
		if (err == 0) {
			err = wyn_template_fill(&xargs->template,
				xargs->next_lines.words,
				xargs->next_lines.count, xargs->numbers,
				&xargs->next_argv);
		}
		if (err != 0) {
			wyn_xargs_fail(xargs, "make a command", err);
			return false;
		}
		xargs->next_ready = true;
	}
	return xargs->next_ready;
}

// SPDX-License-Identifier: MIT
/*
 * xargs.c - `wynctl xargs CMD`: one command for each line of input.
 *
 * From the command line to a state that is ready to run, and back from it.
 */
#include "client/wynctl/xargs.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* As many as there are CPUs for us. */
static uint64_t xargs_jobs(const struct wyn_arguments *arguments)
{
	cpu_set_t cpus;

	if (arguments->slots == 0) {
		return WYN_CLIENT_IN_FLIGHT_DEFAULT;
	}
	if (arguments->slots != WYN_ARGUMENTS_UNSET) {
		return arguments->slots;
	}
	return sched_getaffinity(0, sizeof(cpus), &cpus) == 0
		       ? (uint64_t)CPU_COUNT(&cpus)
		       : 1;
}

static enum wyn_gather_mode xargs_mode(const struct wyn_arguments *arguments)
{
	if (arguments->keep_order) {
		return WYN_GATHER_ORDER;
	}
	if (arguments->line_buffer) {
		return WYN_GATHER_LINES;
	}
	return arguments->ungroup ? WYN_GATHER_PIECES : WYN_GATHER_GROUPS;
}

/* Returns: whether input and log are open; else it has said why. */
static bool xargs_open(struct wyn_xargs *xargs)
{
	const struct wyn_arguments *arguments = xargs->arguments;
	int err;

	if (arguments->input != NULL && strcmp(arguments->input, "-") != 0) {
		xargs->input_fd =
			open(arguments->input, O_RDONLY | O_CLOEXEC | O_NOCTTY);
		if (xargs->input_fd < 0) {
			wyn_ctl_say(
				"%s: %s", arguments->input, strerror(errno));
			return false;
		}
	}
	wyn_lines_init_fd(
		&xargs->lines, xargs->input_fd, arguments->null ? '\0' : '\n');
	if (arguments->joblog != NULL && !arguments->dry_run) {
		err = wyn_joblog_open(&xargs->joblog, arguments->joblog,
			arguments->resume ? &xargs->resumed : NULL);
		if (err != 0) {
			wyn_ctl_say(
				"%s: %s", arguments->joblog, strerror(-err));
			return false;
		}
	}
	return true;
}

static int xargs_connect(struct wyn_xargs *xargs)
{
	struct wyn_ctl *ctl = xargs->ctl;
	int code = WYN_HALT_EXIT_ERROR;

	if (wyn_ctl_connect(ctl, xargs->jobs) != WYN_EXIT_OK) {
		return code;
	}
	wyn_stdout_init(&xargs->error, STDERR_FILENO);
	ctl->error = &xargs->error;
	wyn_gather_init(&xargs->gather, xargs_mode(xargs->arguments),
		&ctl->output, &xargs->error);
	xargs->gather.shares_terminal =
		isatty(STDOUT_FILENO) == 1 || isatty(STDERR_FILENO) == 1;
	if (xargs->arguments->json) {
		/* All of it goes to the same place. */
		xargs->gather.outputs[WYN_GATHER_STDERR] = &ctl->output;
		xargs->gather.write = wyn_xargs_json_write;
		xargs->gather.context = xargs;
	}
	code = wyn_xargs_run(xargs);
	wyn_gather_fini(&xargs->gather);
	ctl->error = NULL;
	return wyn_stdout_end(&xargs->error) == 0 ? code : WYN_HALT_EXIT_ERROR;
}

static void xargs_free(struct wyn_xargs *xargs)
{
	wyn_lines_fini(&xargs->lines);
	if (xargs->input_fd > STDERR_FILENO) {
		(void)close(xargs->input_fd);
	}
	wyn_ranges_fini(&xargs->resumed);
	wyn_argv_fini(&xargs->next_lines);
	wyn_argv_fini(&xargs->next_argv);
	wyn_here_fini(&xargs->here);
	free(xargs);
}

int wyn_command_xargs(struct wyn_ctl *ctl)
{
	const struct wyn_arguments *arguments = ctl->arguments;
	struct wyn_xargs *xargs = calloc(1, sizeof(*xargs));
	int code = WYN_HALT_EXIT_ERROR;
	int err;

	if (xargs == NULL) {
		wyn_ctl_say("%s", strerror(ENOMEM));
		return code;
	}
	xargs->ctl = ctl;
	xargs->arguments = arguments;
	xargs->input_fd = STDIN_FILENO;
	xargs->joblog.fd = -1;
	xargs->jobs = xargs_jobs(arguments);
	xargs->max_args = arguments->max_args != 0 ? arguments->max_args : 1;
	if (arguments->halt != NULL) {
		/* It was read once already. */
		(void)!wyn_halt_parse(arguments->halt, &xargs->halt);
	}
	wyn_template_init(&xargs->template, arguments->operands,
		arguments->operand_count);
	xargs->options = wyn_ctl_options(arguments);
	xargs->options.stream = true;
	xargs->options.nonblock = true;
	if (xargs_open(xargs) &&
		wyn_here_command(&xargs->here, arguments, &xargs->command)) {
		code = arguments->dry_run ? wyn_xargs_dry_run(xargs)
					  : xargs_connect(xargs);
	}
	/* main() will say it; but with it all codes below 255 are untrue. */
	wyn_stdout_wait(&ctl->output);
	if (ctl->output.error != 0 && code <= WYN_HALT_EXIT_MANY) {
		code = WYN_HALT_EXIT_ERROR;
	}
	err = wyn_joblog_close(&xargs->joblog);
	if (err != 0) {
		wyn_ctl_say("%s: %s", arguments->joblog, strerror(-err));
		code = WYN_HALT_EXIT_ERROR;
	}
	xargs_free(xargs);
	return code;
}

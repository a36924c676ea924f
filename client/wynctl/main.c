// SPDX-License-Identifier: MIT
/*
 * main.c - wynctl: reads its command line and runs one command.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/version.h"
#include "client/wynctl/ctl.h"
#include "client/wynctl/halt.h"

/*
 * A connection must never get the number of a standard stream that our caller
 * closed: it would be read as the input, or printed to. What is put there is
 * open the wrong way round, so that its use fails with EBADF as before.
 */
static void main_occupy_streams(void)
{
	int fd;

	for (fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		int flags = fd == STDIN_FILENO ? O_WRONLY : O_RDONLY;

		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", flags) != fd) {
			_exit(WYN_EXIT_FAILED);
		}
	}
}

static int main_run(struct wyn_ctl *ctl)
{
	switch (ctl->arguments->command) {
	case WYN_COMMAND_CALL:
		return wyn_command_call(ctl);
	case WYN_COMMAND_RUN:
		return wyn_command_run(ctl);
	case WYN_COMMAND_MAP:
		return wyn_command_map(ctl);
	case WYN_COMMAND_XARGS:
		return wyn_command_xargs(ctl);
	case WYN_COMMAND_REPEAT:
		return wyn_command_repeat(ctl);
	case WYN_COMMAND_BENCH:
		return wyn_command_bench(ctl);
	case WYN_COMMAND_FUNCTIONS:
		return wyn_command_functions(ctl);
	case WYN_COMMAND_STATS:
		return ctl->arguments->watch ? wyn_command_watch(ctl)
					     : wyn_command_stats(ctl);
	case WYN_COMMAND_PING:
		return wyn_command_ping(ctl);
	case WYN_COMMAND_VERSION:
		return wyn_command_version(ctl);
	case WYN_COMMAND_DRAIN:
		return wyn_command_drain(ctl);
	case WYN_COMMAND_LIST:
		return wyn_command_list(ctl);
	case WYN_COMMAND_EXPLAIN:
		return wyn_command_explain(ctl);
	case WYN_COMMAND_SHOW:
		return wyn_command_show(ctl);
	case WYN_COMMAND_LOGS:
		return wyn_command_logs(ctl);
	case WYN_COMMAND_WAIT:
		return wyn_command_wait(ctl);
	case WYN_COMMAND_CANCEL:
		return wyn_command_cancel(ctl);
	case WYN_COMMAND_SIGNAL:
		return wyn_command_signal(ctl);
	case WYN_COMMAND_MODULE:
		return wyn_command_module(ctl);
	case WYN_COMMAND_RELOAD:
		return wyn_command_reload(ctl);
	case WYN_COMMAND_HELP:
	case WYN_COMMAND_NONE:
		break;
	}
	return WYN_EXIT_USAGE;
}

/* Other codes of these commands are those of what they run. */
static int main_usage(enum wyn_command_id command)
{
	if (command == WYN_COMMAND_RUN || command == WYN_COMMAND_WAIT) {
		return WYN_EXIT_COMMAND_FAILED;
	}
	return command == WYN_COMMAND_XARGS ? WYN_HALT_EXIT_ERROR
					    : WYN_EXIT_USAGE;
}

int main(int argc, char **argv)
{
	char why[WYN_ARGUMENTS_WHY_BYTES];
	struct wyn_arguments arguments;
	struct wyn_ctl ctl = {.arguments = &arguments};
	int code = WYN_EXIT_OK;
	int err;

	main_occupy_streams();
	/* A closed pipe is an error of write(2), which stdout.c keeps. */
	(void)signal(SIGPIPE, SIG_IGN);
	if (wyn_arguments_parse(
		    argc, argv, getenv("WYN_CONNECT"), &arguments, why) != 0) {
		wyn_ctl_say("%s", why);
		return main_usage(arguments.command);
	}
	wyn_stdout_init(&ctl.output, STDOUT_FILENO);
	if (arguments.help) {
		wyn_arguments_help(stdout, arguments.command);
		if (fflush(stdout) != 0) {
			ctl.output.error = errno;
		}
	} else if (arguments.version) {
		wyn_stdout_print(&ctl.output, "wynctl %s\n", WYN_VERSION);
	} else {
		code = main_run(&ctl);
	}
	wyn_client_destroy(ctl.client);
	err = wyn_stdout_end(&ctl.output);
	if (err != 0) {
		wyn_ctl_say(
			"cannot write to standard output: %s", strerror(-err));
		code = code != WYN_EXIT_OK ? code : WYN_EXIT_FAILED;
	}
	return code;
}

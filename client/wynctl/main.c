// SPDX-License-Identifier: MIT
/*
 * main.c - wynctl: reads its command line and runs one command.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/version.h"
#include "client/wynctl/ctl.h"

static int main_run(struct wyn_ctl *ctl)
{
	switch (ctl->arguments->command) {
	case WYN_COMMAND_CALL:
		return wyn_command_call(ctl);
	case WYN_COMMAND_MAP:
		return wyn_command_map(ctl);
	case WYN_COMMAND_REPEAT:
		return wyn_command_repeat(ctl);
	case WYN_COMMAND_FUNCTIONS:
		return wyn_command_functions(ctl);
	case WYN_COMMAND_STATS:
		return wyn_command_stats(ctl);
	case WYN_COMMAND_PING:
		return wyn_command_ping(ctl);
	case WYN_COMMAND_VERSION:
		return wyn_command_version(ctl);
	case WYN_COMMAND_DRAIN:
		return wyn_command_drain(ctl);
	case WYN_COMMAND_NONE:
		break;
	}
	return WYN_EXIT_USAGE;
}

int main(int argc, char **argv)
{
	char why[WYN_ARGUMENTS_WHY_BYTES];
	struct wyn_arguments arguments;
	struct wyn_ctl ctl = {.arguments = &arguments};
	int code = WYN_EXIT_OK;
	int err;

	/* A closed pipe is an error of write(2), which stdout.c keeps. */
	(void)signal(SIGPIPE, SIG_IGN);
	if (wyn_arguments_parse(
		    argc, argv, getenv("WYN_CONNECT"), &arguments, why) != 0) {
		wyn_ctl_say("%s", why);
		return WYN_EXIT_USAGE;
	}
	wyn_stdout_init(&ctl.output, stdout);
	if (arguments.help) {
		wyn_arguments_help(stdout, arguments.command);
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

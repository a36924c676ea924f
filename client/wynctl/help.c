// SPDX-License-Identifier: MIT
/*
 * help.c - what --help prints, from the tables of options.c.
 */

#include <stdio.h>

#include "client/wynctl/options.h"

static void help_option(FILE *file, const struct wyn_option *option)
{
	char left[40];

	(void)snprintf(left, sizeof(left), "%c%c%c --%s%s%s",
		option->letter != 0 ? '-' : ' ',
		option->letter != 0 ? option->letter : ' ',
		option->letter != 0 ? ',' : ' ', option->name,
		option->value != NULL ? " " : "",
		option->value != NULL ? option->value : "");
	(void)fprintf(file, "  %-20s  %s\n", left, option->help);
}

static void help_overview(FILE *file)
{
	(void)fprintf(file, "usage: wynctl [OPTION...] COMMAND [ARG...]\n\n"
			    "Commands:\n");
	for (size_t i = 0; i < wyn_commands_count; i++) {
		(void)fprintf(file, "  %-9s %-15s %s\n", wyn_commands[i].name,
			wyn_commands[i].operands, wyn_commands[i].summary);
	}
	(void)fprintf(file, "\nOptions of every command:\n");
}

static void help_exit_codes(FILE *file, enum wyn_command_id command)
{
	if (command == WYN_COMMAND_RUN || command == WYN_COMMAND_WAIT) {
		(void)fprintf(file,
			"\nExit codes: the command's own, or 128 and the "
			"number of the signal that ended it;\n124 deadline, "
			"125 wynctl or wynd failed, 126 cannot be executed, "
			"127 not found.\n");
		return;
	}
	if (command == WYN_COMMAND_XARGS) {
		(void)fprintf(file,
			"\nExit codes: 0 all exited with 0, 1 to 100 so many "
			"did not, 101 more than 100,\n255 anything else that "
			"went wrong, 128 and the number of a signal to us.\n");
		return;
	}
	(void)fprintf(file,
		"\nExit codes: 0 done, 1 a task failed, 64 usage, 69 cannot "
		"connect or connection lost,\n75 try again, 77 permission, "
		"78 configuration, 124 deadline, 130 interrupted.\n");
}

void wyn_arguments_help(FILE *file, enum wyn_command_id command)
{
	const struct wyn_command *entry = wyn_command_by_id(command);

	if (entry == NULL) {
		help_overview(file);
	} else {
		(void)fprintf(file,
			"usage: wynctl %s [OPTION...]%s%s\n\n%s\n\n",
			entry->name, entry->operands[0] != '\0' ? " " : "",
			entry->operands, entry->summary);
	}
	for (size_t i = 0; i < wyn_options_count; i++) {
		if (entry == NULL ? wyn_options[i].commands == UINT32_MAX
				  : (wyn_options[i].commands & command) != 0) {
			help_option(file, &wyn_options[i]);
		}
	}
	if (entry == NULL) {
		(void)fprintf(file, "\nwynctl COMMAND --help says more.\n");
	}
	help_exit_codes(file, command);
}

// SPDX-License-Identifier: MIT
/*
 * arguments_operands.c - what of a command line's operands is not just a text,
 * and which options do not go together.
 */
#include "client/wynctl/arguments_operands.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <wyn/client.h>

#include "base/quantity.h"
#include "base/text.h"
#include "client/wynctl/halt.h"
#include "client/wynctl/options.h"
#include "client/wynctl/signal_name.h"

/* The operand that is a number, of those that have one. */
static int arguments_operand_number(const char *what, const char *text,
	uint64_t max, uint64_t *ret_number, char why[WYN_ARGUMENTS_WHY_BYTES])
{
	char wrong[WYN_QUANTITY_WHY_BYTES];
	int err = wyn_quantity_parse_count(text, 1, max, ret_number);

	if (err != 0) {
		wyn_quantity_explain(
			WYN_QUANTITY_COUNT, err, 1, max, wrong, sizeof(wrong));
		(void)snprintf(why, WYN_ARGUMENTS_WHY_BYTES, "%s %s: %s", what,
			text, wrong);
		return -EINVAL;
	}
	return 0;
}

static int arguments_interval(
	struct wyn_arguments *arguments, char why[WYN_ARGUMENTS_WHY_BYTES])
{
	char wrong[WYN_QUANTITY_WHY_BYTES];
	int err;

	arguments->interval_ms = WYN_WATCH_DEFAULT_MS;
	if (!arguments->watch &&
		(arguments->operand_count > 0 || arguments->count > 0)) {
		(void)snprintf(why, WYN_ARGUMENTS_WHY_BYTES,
			"TIME and --count are for stats --watch");
		return -EINVAL;
	}
	if (arguments->operand_count == 0) {
		return 0;
	}
	err = wyn_quantity_parse_ms(arguments->operands[0], 1, WYN_WATCH_MAX_MS,
		&arguments->interval_ms);
	if (err != 0) {
		wyn_quantity_explain(WYN_QUANTITY_MS, err, 1, WYN_WATCH_MAX_MS,
			wrong, sizeof(wrong));
		(void)snprintf(why, WYN_ARGUMENTS_WHY_BYTES, "TIME %s: %s",
			arguments->operands[0], wrong);
		return -EINVAL;
	}
	return 0;
}

/* What of the operands is not just a text. */
static int arguments_module(
	struct wyn_arguments *arguments, char why[WYN_ARGUMENTS_WHY_BYTES])
{
	bool check = arguments->operand_count > 1;

	if (strcmp(arguments->operands[0], check ? "check" : "list") != 0) {
		(void)snprintf(why, WYN_ARGUMENTS_WHY_BYTES,
			"usage: wynctl module list | module check FILE");
		return -EINVAL;
	}
	if (check && arguments->json) {
		(void)snprintf(why, WYN_ARGUMENTS_WHY_BYTES,
			"module check has no --json: it prints what wynd says");
		return -EINVAL;
	}
	return 0;
}

/* How the outputs of commands go out is one of several. */
static int arguments_xargs(
	struct wyn_arguments *arguments, char why[WYN_ARGUMENTS_WHY_BYTES])
{
	struct wyn_halt halt;

	if (arguments->keep_order + arguments->line_buffer +
			arguments->ungroup >
		1) {
		(void)snprintf(why, WYN_ARGUMENTS_WHY_BYTES,
			"only one of --keep-order, --line-buffer and "
			"--ungroup");
		return -EINVAL;
	}
	if (arguments->tag && (arguments->ungroup || arguments->json)) {
		(void)snprintf(why, WYN_ARGUMENTS_WHY_BYTES,
			"--tag goes neither with --ungroup nor with --json");
		return -EINVAL;
	}
	if (arguments->resume && arguments->joblog == NULL) {
		(void)snprintf(why, WYN_ARGUMENTS_WHY_BYTES,
			"--resume needs --joblog");
		return -EINVAL;
	}
	if (arguments->halt != NULL &&
		wyn_halt_parse(arguments->halt, &halt) != 0) {
		(void)snprintf(why, WYN_ARGUMENTS_WHY_BYTES,
			"--halt %s: must be never, or as now,fail=1 or "
			"soon,success=10%%",
			arguments->halt);
		return -EINVAL;
	}
	return 0;
}

uint64_t wyn_arguments_id(const char *operand)
{
	return strtoull(operand, NULL, 10);
}

/* From the index-th operand on they are ids. */
static int arguments_ids(const struct wyn_arguments *arguments, size_t index,
	char why[WYN_ARGUMENTS_WHY_BYTES])
{
	uint64_t id;
	int err = 0;

	for (; err == 0 && index < arguments->operand_count; index++) {
		err = arguments_operand_number(
			"id", arguments->operands[index], UINT64_MAX, &id, why);
	}
	return err;
}

static int arguments_signal(
	struct wyn_arguments *arguments, char why[WYN_ARGUMENTS_WHY_BYTES])
{
	arguments->number = wyn_signal_number(arguments->operands[0]);
	if (arguments->number == 0) {
		(void)snprintf(why, WYN_ARGUMENTS_WHY_BYTES,
			"signal %s: must be a name as TERM, or a number up to "
			"64",
			arguments->operands[0]);
		return -EINVAL;
	}
	return arguments_ids(arguments, 1, why);
}

static int arguments_detach(const struct wyn_arguments *arguments,
	char why[WYN_ARGUMENTS_WHY_BYTES])
{
	if (arguments->detach && (arguments->stream || arguments->raw)) {
		(void)snprintf(why, WYN_ARGUMENTS_WHY_BYTES,
			"--%s goes not with --detach: it is for wynctl logs",
			arguments->stream ? "stream" : "raw");
		return -EINVAL;
	}
	return 0;
}

static int arguments_numbers(
	struct wyn_arguments *arguments, char why[WYN_ARGUMENTS_WHY_BYTES])
{
	switch (arguments->command) {
	case WYN_COMMAND_REPEAT:
		return arguments_operand_number("number of tasks",
			arguments->operands[1], WYN_COUNT_MAX,
			&arguments->count, why);
	case WYN_COMMAND_EXPLAIN:
		return arguments_operand_number(
			arguments->connection != 0 ? "seq" : "id",
			arguments->operands[0], UINT64_MAX, &arguments->number,
			why);
	case WYN_COMMAND_SHOW:
	case WYN_COMMAND_LOGS:
	case WYN_COMMAND_WAIT:
	case WYN_COMMAND_CANCEL:
		return arguments_ids(arguments, 0, why);
	case WYN_COMMAND_SIGNAL:
		return arguments_signal(arguments, why);
	case WYN_COMMAND_CALL:
		return arguments_detach(arguments, why);
	case WYN_COMMAND_STATS:
		return arguments_interval(arguments, why);
	case WYN_COMMAND_MODULE:
		return arguments_module(arguments, why);
	case WYN_COMMAND_XARGS:
		return arguments_xargs(arguments, why);
	default:
		return 0;
	}
}

static int arguments_label(const struct wyn_arguments *arguments,
	char why[WYN_ARGUMENTS_WHY_BYTES])
{
	const char *label = arguments->label;

	if (label != NULL && (strlen(label) > WYN_CLIENT_LABEL_BYTES_MAX ||
				     !wyn_text_valid(wyn_slice_of(label)))) {
		(void)snprintf(why, WYN_ARGUMENTS_WHY_BYTES,
			"--label: it is UTF-8 of at most %u bytes",
			WYN_CLIENT_LABEL_BYTES_MAX);
		return -EINVAL;
	}
	return 0;
}

int wyn_arguments_operands(
	struct wyn_arguments *arguments, char why[WYN_ARGUMENTS_WHY_BYTES])
{
	const struct wyn_command *command =
		wyn_command_by_id(arguments->command);

	if (arguments->operand_count < command->operands_min ||
		arguments->operand_count > command->operands_max) {
		(void)snprintf(why, WYN_ARGUMENTS_WHY_BYTES,
			"usage: wynctl %s%s%s", command->name,
			command->operands[0] != '\0' ? " " : "",
			command->operands);
		return -EINVAL;
	}
	if ((arguments->command & WYN_COMMANDS_RUN) != 0 &&
		(arguments->operands[0][0] == '\0' ||
			strlen(arguments->operands[0]) >
				WYN_CLIENT_FUNCTION_BYTES_MAX ||
			!wyn_text_valid(
				wyn_slice_of(arguments->operands[0])))) {
		(void)snprintf(why, WYN_ARGUMENTS_WHY_BYTES,
			"the name of a function is UTF-8 of 1 to %u bytes",
			WYN_CLIENT_FUNCTION_BYTES_MAX);
		return -EINVAL;
	}
	if (arguments_label(arguments, why) != 0) {
		return -EINVAL;
	}
	return arguments_numbers(arguments, why);
}

// SPDX-License-Identifier: MIT
/*
 * arguments.c - parsing, by getopt_long(3) over tables made from ours.
 *
 * getopt's own messages are switched off: ours name the nearest option, and
 * tell an option of another command from one that does not exist.
 */
#include "client/wynctl/arguments.h"

#include <errno.h>
#include <getopt.h>
#include <string.h>

#include "base/assert.h"
#include "base/endpoint.h"
#include "base/nearest.h"
#include "base/quantity.h"
#include "client/wynctl/arguments_operands.h"
#include "client/wynctl/options.h"
#include "client/wynctl/words.h"

/* getopt's value of a long option: above every letter. */
#define LONG_BASE 256

/* A word that stands for a number, by the names in words.h. */
static int arguments_word(
	enum wyn_option_kind kind, const char *text, uint64_t *ret_number)
{
	const char *name;

	for (unsigned i = 1;; i++) {
		name = kind == WYN_OPTION_STATE ? wyn_word_state(i)
						: wyn_word_priority(i);
		if (name == NULL) {
			return -EINVAL;
		}
		if (strcmp(text, name) == 0) {
			*ret_number = i;
			return 0;
		}
	}
}

static int arguments_number(const struct wyn_option *option, const char *text,
	uint64_t *number, char why[WYN_ARGUMENTS_WHY_BYTES])
{
	enum wyn_quantity_kind kind = WYN_QUANTITY_COUNT;
	char wrong[WYN_QUANTITY_WHY_BYTES];
	bool word = option->kind == WYN_OPTION_PRIORITY ||
		    option->kind == WYN_OPTION_STATE;
	int err;

	if (word) {
		err = arguments_word(option->kind, text, number);
		(void)snprintf(wrong, sizeof(wrong), "must be %s",
			option->kind == WYN_OPTION_STATE
				? "uploading, queued, next, running, output "
				  "or ended"
				: "low, normal or high");
	} else if (option->kind == WYN_OPTION_MS) {
		kind = WYN_QUANTITY_MS;
		err = wyn_quantity_parse_ms(
			text, option->min, option->max, number);
	} else if (option->kind == WYN_OPTION_BYTES) {
		kind = WYN_QUANTITY_BYTES;
		err = wyn_quantity_parse_bytes(
			text, option->min, option->max, number);
	} else {
		err = wyn_quantity_parse_count(
			text, option->min, option->max, number);
	}
	if (err != 0) {
		if (!word) {
			wyn_quantity_explain(kind, err, option->min,
				option->max, wrong, sizeof(wrong));
		}
		(void)snprintf(why, WYN_ARGUMENTS_WHY_BYTES, "--%s %s: %s",
			option->name, text, wrong);
		return -EINVAL;
	}
	return 0;
}

static int arguments_append(const struct wyn_option *option, const char *text,
	struct wyn_arguments_list *list, char why[WYN_ARGUMENTS_WHY_BYTES])
{
	if (list->count == WYN_ARGUMENTS_LIST_MAX) {
		(void)snprintf(why, WYN_ARGUMENTS_WHY_BYTES,
			"--%s: more than %u of them", option->name,
			WYN_ARGUMENTS_LIST_MAX);
		return -EINVAL;
	}
	list->texts[list->count++] = text;
	return 0;
}

static int arguments_set(struct wyn_arguments *arguments,
	const struct wyn_option *option, const char *text,
	char why[WYN_ARGUMENTS_WHY_BYTES])
{
	char *field = (char *)arguments + option->offset;

	switch (option->kind) {
	case WYN_OPTION_FLAG:
		*(bool *)(void *)field = true;
		return 0;
	case WYN_OPTION_TEXT:
		*(const char **)(void *)field = text;
		return 0;
	case WYN_OPTION_LIST:
		return arguments_append(option, text, (void *)field, why);
	default:
		return arguments_number(
			option, text, (uint64_t *)(void *)field, why);
	}
}

/* What getopt(3) refused: says so, with the nearest long name. */
static int arguments_refused(
	int value, const char *word, char why[WYN_ARGUMENTS_WHY_BYTES])
{
	const char *names[WYN_OPTIONS_MAX];
	const char *near;
	char name[WYN_NEAREST_NAME_MAX];
	size_t n = 0;

	if (optopt >= LONG_BASE) {
		(void)snprintf(why, WYN_ARGUMENTS_WHY_BYTES, "option --%s %s",
			wyn_options[optopt - LONG_BASE].name,
			value == ':' ? "needs a value" : "takes no value");
		return -EINVAL;
	}
	if (optopt != 0) {
		(void)snprintf(why, WYN_ARGUMENTS_WHY_BYTES,
			value == ':' ? "option -%c needs a value"
				     : "unknown option -%c; if it is an "
				       "argument, put -- before it; see "
				       "wynctl COMMAND --help",
			optopt);
		return -EINVAL;
	}
	while (n < wyn_options_count) {
		names[n] = wyn_options[n].name;
		n++;
	}
	word += strspn(word, "-");
	(void)snprintf(
		name, sizeof(name), "%.*s", (int)strcspn(word, "="), word);
	near = wyn_nearest(name, names, n);
	(void)snprintf(why, WYN_ARGUMENTS_WHY_BYTES,
		near != NULL ? "unknown option --%s; did you mean --%s?"
			     : "unknown option --%s; see wynctl COMMAND --help",
		name, near);
	return -EINVAL;
}

/* The tables that getopt_long wants. All options of all commands are known; of
 * those with the same name or letter all take a value, or none does. */
struct getopt_tables {
	struct option longs[WYN_OPTIONS_MAX + 1];
	char shorts[2 + 3 * WYN_OPTIONS_MAX];
};

static void arguments_tables(struct getopt_tables *tables, bool to_operand)
{
	size_t size = 0;

	wyn_assert(wyn_options_count <= WYN_OPTIONS_MAX);
	memset(tables, 0, sizeof(*tables));
	tables->shorts[size++] = to_operand ? '+' : ':';
	if (to_operand) {
		tables->shorts[size++] = ':';
	}
	for (size_t i = 0; i < wyn_options_count; i++) {
		const struct wyn_option *option = &wyn_options[i];
		bool flag = option->kind == WYN_OPTION_FLAG;

		if (option->letter != 0) {
			tables->shorts[size++] = option->letter;
			if (!flag) {
				tables->shorts[size++] = ':';
			}
		}
		tables->longs[i] = (struct option){
			.name = option->name,
			.has_arg = flag ? no_argument : required_argument,
			.val = LONG_BASE + (int)i,
		};
	}
}

/* What getopt found, as this command has it; else as the first that has it. */
static const struct wyn_option *arguments_option(int value, unsigned command)
{
	const struct wyn_option *first = NULL;

	for (size_t i = 0; i < wyn_options_count; i++) {
		const struct wyn_option *option = &wyn_options[i];
		bool same = value >= LONG_BASE
				    ? strcmp(option->name,
					      wyn_options[value - LONG_BASE]
						      .name) == 0
				    : option->letter == value;

		if (same && (option->commands & command) != 0) {
			return option;
		}
		if (same && first == NULL) {
			first = option;
		}
	}
	wyn_assert(first != NULL);
	return first;
}

/* One part of a command line, before the command or after it. */
struct arguments_part {
	int argc;
	char **argv;
	unsigned command;
	bool to_operand; /* options end where an operand stands */
	bool only_looks; /* for the end of them */
};

/* Reads options into *arguments. given collects which, as bits by index. */
static int arguments_options(const struct arguments_part *part,
	struct wyn_arguments *arguments, uint64_t *given,
	char why[WYN_ARGUMENTS_WHY_BYTES])
{
	struct getopt_tables tables;
	const struct wyn_option *option;
	int value;
	int err = 0;

	arguments_tables(&tables, part->to_operand);
	optind = 0; /* starts anew, in glibc */
	opterr = 0;
	while (err == 0) {
		value = getopt_long(part->argc, part->argv, tables.shorts,
			tables.longs, NULL);
		if (value < 0) {
			break;
		}
		if (value == '?' || value == ':') {
			return arguments_refused(
				value, part->argv[optind - 1], why);
		}
		if (part->only_looks) {
			continue;
		}
		option = arguments_option(value, part->command);
		*given |= UINT64_C(1) << (option - wyn_options);
		err = arguments_set(arguments, option, optarg, why);
	}
	return err;
}

static int arguments_command(
	const char *name, unsigned *ret_id, char why[WYN_ARGUMENTS_WHY_BYTES])
{
	const char *names[WYN_COMMANDS_MAX];
	const char *near;

	for (size_t i = 0; i < wyn_commands_count; i++) {
		names[i] = wyn_commands[i].name;
		if (strcmp(names[i], name) == 0) {
			*ret_id = wyn_commands[i].id;
			return 0;
		}
	}
	near = wyn_nearest(name, names, wyn_commands_count);
	(void)snprintf(why, WYN_ARGUMENTS_WHY_BYTES,
		near != NULL ? "unknown command \"%s\"; did you mean \"%s\"?"
			     : "unknown command \"%s\"; see wynctl --help",
		name, near);
	return -EINVAL;
}

/* An option that exists, but not for this command. */
static int arguments_fit(const struct wyn_arguments *arguments, uint64_t given,
	char why[WYN_ARGUMENTS_WHY_BYTES])
{
	for (size_t i = 0; i < wyn_options_count; i++) {
		if ((given >> i & 1) != 0 &&
			(wyn_options[i].commands & arguments->command) == 0) {
			(void)snprintf(why, WYN_ARGUMENTS_WHY_BYTES,
				"--%s is no option of this command",
				wyn_options[i].name);
			return -EINVAL;
		}
	}
	return 0;
}

static int arguments_address(const struct wyn_arguments *arguments,
	const char *environment, char why[WYN_ARGUMENTS_WHY_BYTES])
{
	struct wyn_endpoint endpoint;
	const char *wrong = "";

	if (arguments->connect == NULL || wyn_endpoint_parse(arguments->connect,
						  &endpoint, &wrong) == 0) {
		return 0;
	}
	(void)snprintf(why, WYN_ARGUMENTS_WHY_BYTES,
		"%s: bad address \"%s\": %s",
		arguments->connect == environment ? "WYN_CONNECT" : "--connect",
		arguments->connect, wrong);
	return -EINVAL;
}

/* The part before the command, and the command. Returns: 0, with the index of
 * what follows it in *ret_at, argc if there is none. */
static int arguments_head(int argc, char **argv,
	struct wyn_arguments *arguments, uint64_t *given, int *ret_at,
	char why[WYN_ARGUMENTS_WHY_BYTES])
{
	struct arguments_part head = {argc, argv, WYN_COMMAND_NONE, true, true};
	unsigned id = WYN_COMMAND_NONE;
	int err = arguments_options(&head, arguments, given, why);

	if (err != 0) {
		return err;
	}
	head.argc = optind;
	head.only_looks = false;
	if (head.argc < argc) {
		err = arguments_command(argv[head.argc], &id, why);
	}
	head.command = id;
	arguments->command = (enum wyn_command_id)id;
	if (err == 0) {
		err = arguments_options(&head, arguments, given, why);
	}
	*ret_at = head.argc;
	return err;
}

/* The part after the command. */
static int arguments_tail(int argc, char **argv,
	struct wyn_arguments *arguments, uint64_t *given,
	char why[WYN_ARGUMENTS_WHY_BYTES])
{
	struct arguments_part tail = {
		.argc = argc,
		.argv = argv,
		.command = arguments->command,
		.to_operand = (arguments->command & WYN_COMMANDS_PROGRAM) != 0,
	};
	unsigned id = WYN_COMMAND_NONE;
	int err = arguments_options(&tail, arguments, given, why);

	if (err != 0) {
		return err;
	}
	arguments->operands = argv + optind;
	arguments->operand_count = (size_t)(argc - optind);
	if (arguments->command == WYN_COMMAND_HELP) {
		arguments->help = true;
		if (optind < argc) {
			err = arguments_command(argv[optind], &id, why);
		}
		arguments->command = (enum wyn_command_id)id;
	}
	return err;
}

int wyn_arguments_parse(int argc, char **argv, const char *environment,
	struct wyn_arguments *ret_arguments, char why[WYN_ARGUMENTS_WHY_BYTES])
{
	struct wyn_arguments arguments = {
		.connect = environment != NULL && environment[0] != '\0'
				   ? environment
				   : NULL,
		.connections = 1,
		.size = WYN_ARGUMENTS_UNSET,
		.warmup_ms = WYN_ARGUMENTS_UNSET,
		.slots = WYN_ARGUMENTS_UNSET,
	};
	uint64_t given = 0;
	int at = argc;
	int err = arguments_head(argc, argv, &arguments, &given, &at, why);

	if (err == 0 && at < argc) {
		err = arguments_tail(
			argc - at, argv + at, &arguments, &given, why);
	} else if (err == 0 && !arguments.help && !arguments.version) {
		(void)snprintf(why, WYN_ARGUMENTS_WHY_BYTES,
			"no command given; see wynctl --help");
		err = -EINVAL;
	}
	if (err == 0 && !arguments.help &&
		arguments.command != WYN_COMMAND_NONE) {
		err = arguments_fit(&arguments, given, why);
		if (err == 0) {
			err = wyn_arguments_operands(&arguments, why);
		}
		if (err == 0) {
			err = arguments_address(&arguments, environment, why);
		}
	}
	ret_arguments->command = arguments.command;
	if (err == 0) {
		*ret_arguments = arguments;
	}
	return err;
}

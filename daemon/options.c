// SPDX-License-Identifier: MIT
/*
 * options.c - getopt_long(3) over the settings and the flags of its own.
 *
 * getopt's own messages are off: ours name the flag that was perhaps meant. The
 * command line is read twice, since it names the file over which it wins.
 */
#include "daemon/options.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/nearest.h"
#include "base/quantity.h"
#include "daemon/config.h"

/* A flag that is no setting: what a file could not say. */
struct command {
	const char *name;
	const char *value; /* NULL = it takes none */
	const char *help;
	int (*take)(struct wyn_options *options, const struct command *command,
		const char *text, struct wyn_fault *fault);
	size_t field; /* offset in struct wyn_options, where take needs one */
	char letter;  /* its short form; 0 = it has none */
};

static int take_switch(struct wyn_options *options,
	const struct command *command, const char *text,
	struct wyn_fault *fault)
{
	bool *field = (bool *)((char *)options + command->field);

	(void)text;
	(void)fault;
	*field = true;
	return 0;
}

static int take_config(struct wyn_options *options,
	const struct command *command, const char *text,
	struct wyn_fault *fault)
{
	size_t bytes = strlen(text);

	if (bytes == 0 || bytes >= sizeof(options->config)) {
		return wyn_fault_set(fault, -EINVAL, WYN_EXIT_USAGE,
			"--%s: must be the path of a file, at most %zu bytes",
			command->name, sizeof(options->config) - 1);
	}
	memcpy(options->config, text, bytes + 1);
	return 0;
}

static int take_check_module(struct wyn_options *options,
	const struct command *command, const char *text,
	struct wyn_fault *fault)
{
	(void)command;
	(void)fault;
	options->check_module = text;
	return 0;
}

static int take_ready_fd(struct wyn_options *options,
	const struct command *command, const char *text,
	struct wyn_fault *fault)
{
	char why[WYN_QUANTITY_WHY_BYTES];
	uint64_t number;
	int error = wyn_quantity_parse_count(text, 1, INT_MAX, &number);

	if (error != 0) {
		wyn_quantity_explain(WYN_QUANTITY_COUNT, error, 1, INT_MAX, why,
			sizeof(why));
		return wyn_fault_set(fault, -EINVAL, WYN_EXIT_USAGE,
			"--%s %.200s: %s", command->name, text, why);
	}
	if (number == STDERR_FILENO) {
		return wyn_fault_set(fault, -EINVAL, WYN_EXIT_USAGE,
			"--%s 2: the log is written there; choose another",
			command->name);
	}
	options->ready_fd = (int)number;
	return 0;
}

#define FIELD(name) offsetof(struct wyn_options, name)

static const struct command commands[] = {
	{"config", "FILE",
		"read FILE, then FILE.d/*.conf by name\n      "
		"(default " WYN_CONFIG_DEFAULT ", if there is one)",
		take_config, 0, 0},
	{"check-config", NULL,
		"read all of it, print what comes of it, and exit", take_switch,
		FIELD(check_config), 0},
	{"list-settings", NULL,
		"print the table of settings for programs, and exit",
		take_switch, FIELD(list_settings), 0},
	{"check-module", "FILE",
		"load this module in a process apart, print its functions or "
		"why not,\n      and exit",
		take_check_module, 0, 0},
	{"ready-fd", "FD",
		"write each bound address and then `ready` to it, and close it",
		take_ready_fd, 0, 0},
	{"help", NULL, "print this and exit", take_switch, FIELD(help), 'h'},
	{"version", NULL, "print the version and exit", take_switch,
		FIELD(version), 'V'}};

#define COMMANDS  WYN_COUNT_OF(commands)
#define FLAGS_MAX (WYN_SETTINGS_MAX + COMMANDS)

/* For getopt: flags first and no permutation, ':' for a value that is missing,
 * and the letters of the table. */
#define LETTERS "+:hV"

/* All flags: the commands, then the settings. */
struct flags {
	size_t count;
	const char *names[FLAGS_MAX];
	struct option known[FLAGS_MAX + 1];
};

static void flags_add(struct flags *flags, const char *name, bool has_value)
{
	flags->names[flags->count] = name;
	flags->known[flags->count] = (struct option){
		.name = name,
		.has_arg = has_value ? required_argument : no_argument,
		.val = (int)flags->count,
	};
	flags->count++;
}

static void flags_gather(struct flags *flags)
{
	const struct wyn_setting *setting;

	memset(flags, 0, sizeof(*flags));
	for (size_t i = 0; i < COMMANDS; i++) {
		flags_add(flags, commands[i].name, commands[i].value != NULL);
	}
	for (size_t i = 0; (setting = wyn_setting_at(i)) != NULL; i++) {
		flags_add(flags, wyn_setting_flag(setting),
			!wyn_setting_is_switch(setting));
	}
}

static int unknown_flag(
	const struct flags *flags, const char *word, struct wyn_fault *fault)
{
	const char *near = wyn_nearest(word, flags->names, flags->count);

	if (near != NULL) {
		return wyn_fault_set(fault, -EINVAL, WYN_EXIT_USAGE,
			"there is no flag --%.200s; did you mean --%s?", word,
			near);
	}
	return wyn_fault_set(fault, -EINVAL, WYN_EXIT_USAGE,
		"there is no flag --%.200s; wynd --help lists them", word);
}

/* getopt_long() answers '?' to three different mistakes; this tells which. */
static int wrong_flag(const struct flags *flags, const char *argument,
	struct wyn_fault *fault)
{
	char word[64];
	size_t prefixed = 0;

	if (strncmp(argument, "--", 2) != 0) {
		return wyn_fault_set(fault, -EINVAL, WYN_EXIT_USAGE,
			"there is no flag %.200s; wynd --help lists them",
			argument);
	}
	(void)snprintf(word, sizeof(word), "%s", argument + 2);
	word[strcspn(word, "=")] = '\0';
	for (size_t i = 0; i < flags->count; i++) {
		if (strcmp(flags->names[i], word) == 0) {
			return wyn_fault_set(fault, -EINVAL, WYN_EXIT_USAGE,
				"--%s takes no value; leave it out", word);
		}
		prefixed += strncmp(flags->names[i], word, strlen(word)) == 0;
	}
	if (prefixed > 1) {
		return wyn_fault_set(fault, -EINVAL, WYN_EXIT_USAGE,
			"--%s is the beginning of several flags; write it out",
			word);
	}
	return unknown_flag(flags, word, fault);
}

/* What getopt found: a letter, or a place among the flags. */
static int take_found(
	int found, struct wyn_options *options, struct wyn_fault *fault)
{
	static const struct wyn_place command_line = {.file = NULL};

	for (size_t i = 0; i < COMMANDS; i++) {
		if (found == (int)i || (commands[i].letter != 0 &&
					       found == commands[i].letter)) {
			return commands[i].take(
				options, &commands[i], optarg, fault);
		}
	}
	return wyn_setting_take(&options->settings,
		wyn_setting_at((size_t)found - COMMANDS), optarg, &command_line,
		fault);
}

/* Nothing after these is looked at. */
static bool is_done(const struct wyn_options *options)
{
	return options->help || options->version || options->list_settings ||
	       options->check_module != NULL;
}

static int flags_parse(int argc, char **argv, struct wyn_options *options,
	struct wyn_fault *fault)
{
	struct flags flags;
	int found;

	flags_gather(&flags);
	/* 0 starts a fresh scan in glibc, whatever was scanned before. */
	optind = 0;
	opterr = 0;
	while ((found = getopt_long(argc, argv, LETTERS, flags.known, NULL)) !=
		-1) {
		int error;

		if (found == '?') {
			return wrong_flag(&flags, argv[optind - 1], fault);
		}
		if (found == ':') {
			return wyn_fault_set(fault, -EINVAL, WYN_EXIT_USAGE,
				"%.200s needs a value; wynd --help says which",
				argv[optind - 1]);
		}
		error = take_found(found, options, fault);
		if (error != 0 || is_done(options)) {
			return error;
		}
	}
	return optind == argc
		       ? 0
		       : wyn_fault_set(fault, -EINVAL, WYN_EXIT_USAGE,
				 "%.200s: wynd takes flags only; wynd --help "
				 "lists them",
				 argv[optind]);
}

/* The files first, and then the flags once more, over them. */
static int files_parse(int argc, char **argv, struct wyn_options *options,
	struct wyn_fault *fault)
{
	const char *path = options->config[0] != '\0' ? options->config
						      : WYN_CONFIG_DEFAULT;
	int error;

	wyn_settings_init(&options->settings);
	error = wyn_config_read(
		path, options->config[0] == '\0', &options->settings, fault);
	if (error == 0) {
		error = flags_parse(argc, argv, options, fault);
	}
	return error != 0 ? error
			  : wyn_settings_check(&options->settings, fault);
}

int wyn_options_parse(int argc, char **argv, struct wyn_options *ret_options,
	struct wyn_fault *ret_fault)
{
	int error;

	memset(ret_options, 0, sizeof(*ret_options));
	ret_options->argc = argc;
	ret_options->argv = argv;
	ret_options->ready_fd = -1;
	wyn_settings_init(&ret_options->settings);
	error = flags_parse(argc, argv, ret_options, ret_fault);
	if (error != 0 || is_done(ret_options)) {
		return error;
	}
	return files_parse(argc, argv, ret_options, ret_fault);
}

void wyn_options_help(FILE *out)
{
	fputs("usage: wynd [--FLAG [VALUE]]...\n"
	      "Runs the tasks that clients send over Unix and TCP sockets.\n\n",
		out);
	for (size_t i = 0; i < COMMANDS; i++) {
		const struct command *command = &commands[i];

		if (command->letter != 0) {
			fprintf(out, "  -%c,", command->letter);
		} else {
			fputs(" ", out);
		}
		fprintf(out, " --%s%s%s\n      %s\n", command->name,
			command->value != NULL ? " " : "",
			command->value != NULL ? command->value : "",
			command->help);
	}
	fputs("\nSettings; each is also a key of the configuration file, with "
	      "_ for -.\nA change there is applied by a reload, or needs a "
	      "restart:\n\n",
		out);
	wyn_settings_help(out);
	fputs("\nBYTES take K, M or G (powers of 1024); TIME takes ms, s, m "
	      "or h, and a bare\nnumber is in seconds. wynd(8) and "
	      "wynd.conf(5) say more.\n",
		out);
}

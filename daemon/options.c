// SPDX-License-Identifier: MIT
/*
 * options.c - the table of flags, and getopt_long(3) over it.
 *
 * A flag is a name, a word for its value, a line of help and a function that
 * takes the value. For a bound it also carries its row of limits.h. getopt's
 * own messages are off: ours name the flag that was perhaps meant.
 */
#include "daemon/options.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <wyn/pool.h>

#include "base/nearest.h"
#include "base/quantity.h"

/* Of a flag whose value is a number. */
struct bound {
	enum wyn_quantity_kind kind;
	uint64_t initial;
	uint64_t min;
	uint64_t max;
};

struct flag {
	const char *name;
	const char *value; /* NULL = it takes none */
	const char *help;
	int (*take)(struct wyn_options *options, const struct flag *flag,
		const char *text, struct wyn_fault *fault);
	size_t field; /* offset in struct wyn_options, where take needs one */
	struct bound bound;
	char letter; /* its short form; 0 = it has none */
};

static void *field_of(struct wyn_options *options, const struct flag *flag)
{
	return (char *)options + flag->field;
}

static int take_switch(struct wyn_options *options, const struct flag *flag,
	const char *text, struct wyn_fault *fault)
{
	bool *field = field_of(options, flag);

	(void)text;
	(void)fault;
	*field = true;
	return 0;
}

static int take_text(struct wyn_options *options, const struct flag *flag,
	const char *text, struct wyn_fault *fault)
{
	const char **field = field_of(options, flag);

	(void)fault;
	*field = text;
	return 0;
}

static int parse_number(const struct flag *flag, const char *text,
	struct wyn_fault *fault, uint64_t *ret)
{
	static int (*const parsers[])(
		const char *, uint64_t, uint64_t, uint64_t *) = {
		[WYN_QUANTITY_COUNT] = wyn_quantity_parse_count,
		[WYN_QUANTITY_BYTES] = wyn_quantity_parse_bytes,
		[WYN_QUANTITY_MS] = wyn_quantity_parse_ms,
	};
	const struct bound *bound = &flag->bound;
	char why[WYN_QUANTITY_WHY_BYTES];
	int error = parsers[bound->kind](text, bound->min, bound->max, ret);

	if (!error) {
		return 0;
	}
	wyn_quantity_explain(
		bound->kind, error, bound->min, bound->max, why, sizeof(why));
	return wyn_fault_set(fault, -EINVAL, WYN_EXIT_USAGE, "--%s %.200s: %s",
		flag->name, text, why);
}

static int take_number(struct wyn_options *options, const struct flag *flag,
	const char *text, struct wyn_fault *fault)
{
	return parse_number(flag, text, fault, field_of(options, flag));
}

static int take_listen(struct wyn_options *options, const struct flag *flag,
	const char *text, struct wyn_fault *fault)
{
	const char *why;
	int error;

	if (options->listen_count == WYN_LISTEN_MAX) {
		return wyn_fault_set(fault, -EINVAL, WYN_EXIT_USAGE,
			"--%s can be given at most %u times", flag->name,
			WYN_LISTEN_MAX);
	}
	error = wyn_endpoint_parse(
		text, &options->listen[options->listen_count], &why);
	if (error) {
		return wyn_fault_set(fault, -EINVAL,
			error == -ENAMETOOLONG ? WYN_EXIT_CONFIGURATION
					       : WYN_EXIT_USAGE,
			"--%s %.300s: %s", flag->name, text, why);
	}
	options->listen_count++;
	return 0;
}

static int take_ready_fd(struct wyn_options *options, const struct flag *flag,
	const char *text, struct wyn_fault *fault)
{
	uint64_t number;
	int error = parse_number(flag, text, fault, &number);

	if (error) {
		return error;
	}
	if (number == STDERR_FILENO) {
		return wyn_fault_set(fault, -EINVAL, WYN_EXIT_USAGE,
			"--%s 2: the log is written there; choose another",
			flag->name);
	}
	options->ready_fd = (int)number;
	return 0;
}

static int take_mode(struct wyn_options *options, const struct flag *flag,
	const char *text, struct wyn_fault *fault)
{
	unsigned mode = 0;
	size_t digits = 0;

	while (text[digits] >= '0' && text[digits] <= '7' && digits < 4) {
		mode = mode * 8 + (unsigned)(text[digits] - '0');
		digits++;
	}
	if (digits == 0 || text[digits] != '\0' || mode > 0777) {
		return wyn_fault_set(fault, -EINVAL, WYN_EXIT_USAGE,
			"--%s %.200s: must be octal permissions such as 0660",
			flag->name, text);
	}
	options->socket_mode = (mode_t)mode;
	return 0;
}

static int take_level(struct wyn_options *options, const struct flag *flag,
	const char *text, struct wyn_fault *fault)
{
	if (wyn_log_level_parse(text, &options->log_level)) {
		return wyn_fault_set(fault, -EINVAL, WYN_EXIT_USAGE,
			"--%s %.200s: must be error, warning, info or debug",
			flag->name, text);
	}
	return 0;
}

#define FIELD(name) offsetof(struct wyn_options, name)
#define COUNT(initial, low, high)                            \
	{                                                    \
		WYN_QUANTITY_COUNT, (initial), (low), (high) \
	}
/* The words for a value of that kind. */
#define WORD_COUNT "COUNT"
#define WORD_BYTES "BYTES"
#define WORD_MS	   "TIME"

#define LIMIT_FLAG(name, flag, unit, initial, min, max, help)      \
	{flag, WORD_##unit, help, take_number, FIELD(limits.name), \
		{WYN_QUANTITY_##unit, (initial), (min), (max)}, 0},

static const struct flag flags[] = {
	{"listen", "ADDR",
		"unix:PATH, tcp:HOST:PORT or tcp:[IPV6]:PORT, port 0 for any "
		"free one;\n      again for more (default " WYN_LISTEN_DEFAULT
		")",
		take_listen, 0, {0}, 0},
	{"allow-plaintext", NULL,
		"listen on TCP addresses that are not loopback, unencrypted",
		take_switch, FIELD(allow_plaintext), {0}, 0},
	{"socket-mode", "MODE",
		"permissions of Unix sockets, octal (default 0660)", take_mode,
		0, {0}, 0},
	{"socket-group", "NAME",
		"group of Unix sockets (default " WYN_SOCKET_GROUP
		" if there is one and wynd runs as root)",
		take_text, FIELD(socket_group), {0}, 0},
	{"modules", "DIR",
		"load every *.so in it\n      (default " WYN_MODULES_DIR ")",
		take_text, FIELD(modules), {0}, 0},
	{"workers", "COUNT",
		"threads that run tasks; if not given, one for each CPU that "
		"affinity\n      and cgroup allow",
		take_number, FIELD(workers), COUNT(0, 1, WYN_POOL_WORKERS_MAX),
		0},
	{"loops", "COUNT", "threads that serve connections", take_number,
		FIELD(loops), COUNT(WYN_LOOPS_DEFAULT, 1, WYN_LOOPS_MAX), 0},
	{"ready-fd", "FD",
		"write each bound address and then `ready` to it, and close it",
		take_ready_fd, 0, COUNT(0, 1, INT_MAX), 0},
	{"log-level", "LEVEL", "error, warning, info or debug (default info)",
		take_level, 0, {0}, 0},
	{"help", NULL, "print this and exit", take_switch, FIELD(help), {0},
		'h'},
	{"version", NULL, "print the version and exit", take_switch,
		FIELD(version), {0}, 'V'},
	WYN_LIMIT_TABLE(LIMIT_FLAG)};

#define FLAGS WYN_COUNT_OF(flags)

/* For getopt: flags first and no permutation, ':' for a value that is missing,
 * and the letters of the table. */
#define LETTERS "+:hV"

static int unknown_flag(const char *word, struct wyn_fault *fault)
{
	const char *names[FLAGS];
	const char *near;

	for (size_t i = 0; i < FLAGS; i++) {
		names[i] = flags[i].name;
	}
	near = wyn_nearest(word, names, FLAGS);
	if (near) {
		return wyn_fault_set(fault, -EINVAL, WYN_EXIT_USAGE,
			"there is no flag --%.200s; did you mean --%s?", word,
			near);
	}
	return wyn_fault_set(fault, -EINVAL, WYN_EXIT_USAGE,
		"there is no flag --%.200s; wynd --help lists them", word);
}

/* getopt_long() answers '?' to three different mistakes; this tells which. */
static int wrong_flag(const char *argument, struct wyn_fault *fault)
{
	char word[64];
	size_t prefixed = 0;

	if (strncmp(argument, "--", 2)) {
		return wyn_fault_set(fault, -EINVAL, WYN_EXIT_USAGE,
			"there is no flag %.200s; wynd --help lists them",
			argument);
	}
	snprintf(word, sizeof(word), "%s", argument + 2);
	word[strcspn(word, "=")] = '\0';
	for (size_t i = 0; i < FLAGS; i++) {
		if (!strcmp(flags[i].name, word)) {
			return wyn_fault_set(fault, -EINVAL, WYN_EXIT_USAGE,
				"--%s takes no value; leave it out", word);
		}
		prefixed += !strncmp(flags[i].name, word, strlen(word));
	}
	if (prefixed > 1) {
		return wyn_fault_set(fault, -EINVAL, WYN_EXIT_USAGE,
			"--%s is the beginning of several flags; write it out",
			word);
	}
	return unknown_flag(word, fault);
}

static void set_defaults(struct wyn_options *options)
{
	*options = (struct wyn_options){
		.modules = WYN_MODULES_DIR,
		.socket_mode = 0660,
		.loops = WYN_LOOPS_DEFAULT,
		.ready_fd = -1,
		.log_level = WYN_LOG_INFO,
		.limits = WYN_LIMITS_INIT,
	};
}

static int set_listen_default(
	struct wyn_options *options, struct wyn_fault *fault)
{
	const char *why;

	if (options->listen_count > 0) {
		return 0;
	}
	options->listen_count = 1;
	return wyn_endpoint_parse(WYN_LISTEN_DEFAULT, &options->listen[0], &why)
		       ? wyn_fault_set(fault, -EINVAL, WYN_EXIT_CONFIGURATION,
				 "%s: %s", WYN_LISTEN_DEFAULT, why)
		       : 0;
}

/* The flag of what getopt found: its place in the table, or a letter. */
static const struct flag *flag_of(int at)
{
	for (size_t i = 0; i < FLAGS; i++) {
		if (flags[i].letter && flags[i].letter == at) {
			return &flags[i];
		}
	}
	return &flags[at];
}

static int parse_flags(int argc, char **argv, struct wyn_options *options,
	struct wyn_fault *fault)
{
	struct option known[FLAGS + 1] = {0};
	int at;

	for (size_t i = 0; i < FLAGS; i++) {
		known[i].name = flags[i].name;
		known[i].has_arg =
			flags[i].value ? required_argument : no_argument;
		known[i].val = (int)i;
	}
	/* 0 starts a fresh scan in glibc, whatever was scanned before. */
	optind = 0;
	opterr = 0;
	while ((at = getopt_long(argc, argv, LETTERS, known, NULL)) != -1) {
		const struct flag *flag;
		int error;

		if (at == '?') {
			return wrong_flag(argv[optind - 1], fault);
		}
		if (at == ':') {
			return wyn_fault_set(fault, -EINVAL, WYN_EXIT_USAGE,
				"%.200s needs a value; wynd --help says which",
				argv[optind - 1]);
		}
		flag = flag_of(at);
		error = flag->take(options, flag, optarg, fault);
		if (error || options->help || options->version) {
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

int wyn_options_parse(int argc, char **argv, struct wyn_options *ret_options,
	struct wyn_fault *ret_fault)
{
	struct wyn_options options;
	int error;

	set_defaults(&options);
	error = parse_flags(argc, argv, &options, ret_fault);
	if (!error) {
		error = set_listen_default(&options, ret_fault);
	}
	if (!error) {
		error = wyn_options_check(&options.limits, ret_fault);
	}
	if (!error) {
		*ret_options = options;
	}
	return error;
}

int wyn_options_check(
	const struct wyn_limits *limits, struct wyn_fault *ret_fault)
{
	const struct {
		bool contradicts;
		const char *advice;
	} rules[] = {
		{limits->credit_bytes < limits->argument_bytes_max,
			"--credit-bytes must be at least --max-argument, or "
			"the largest argument could never be sent"},
		{limits->daemon_bytes_max < limits->argument_bytes_max,
			"--max-bytes must be at least --max-argument, or the "
			"largest argument could never be held"},
		/* Nobody holds more than is left: see account.h. */
		{limits->daemon_bytes_max / 2 < limits->value_bytes_max,
			"--max-bytes must be at least twice --max-value, or "
			"the largest value could never be held"},
	};

	for (size_t i = 0; i < WYN_COUNT_OF(rules); i++) {
		if (rules[i].contradicts) {
			return wyn_fault_set(ret_fault, -EINVAL,
				WYN_EXIT_CONFIGURATION, "%s", rules[i].advice);
		}
	}
	return 0;
}

static void print_bound(FILE *out, const struct bound *bound)
{
	char texts[3][24];
	const uint64_t values[3] = {bound->initial, bound->min, bound->max};

	for (size_t i = 0; i < 3; i++) {
		wyn_quantity_format(
			bound->kind, values[i], texts[i], sizeof(texts[i]));
	}
	if (bound->initial) {
		fprintf(out, " (default %s; %s to %s)", texts[0], texts[1],
			texts[2]);
	} else {
		fprintf(out, " (%s to %s)", texts[1], texts[2]);
	}
}

void wyn_options_help(FILE *out)
{
	fputs("usage: wynd [--FLAG [VALUE]]...\n"
	      "Runs the tasks that clients send over Unix and TCP sockets.\n\n",
		out);
	for (size_t i = 0; i < FLAGS; i++) {
		if (flags[i].letter) {
			fprintf(out, "  -%c, --%s", flags[i].letter,
				flags[i].name);
		} else {
			fprintf(out, "  --%s%s%s", flags[i].name,
				flags[i].value ? " " : "",
				flags[i].value ? flags[i].value : "");
		}
		if (flags[i].take == take_number) {
			print_bound(out, &flags[i].bound);
		}
		fprintf(out, "\n      %s\n", flags[i].help);
	}
	fputs("\nBYTES take K, M or G (powers of 1024); TIME takes ms, s, m "
	      "or h, and a bare\nnumber is in seconds. wynd(8) says more.\n",
		out);
}

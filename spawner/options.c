// SPDX-License-Identifier: MIT
/*
 * options.c - see options.h.
 */
#include "spawner/options.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "base/nearest.h"
#include "base/quantity.h"

enum flag {
	FLAG_LINK = 1000,
	FLAG_USER,
};

static const struct option known[] = {
	{"link", required_argument, NULL, FLAG_LINK},
	{"user", required_argument, NULL, FLAG_USER},
	{"help", no_argument, NULL, 'h'},
	{"version", no_argument, NULL, 'V'},
	{0},
};

static int WYN_PRINTF(2, 3) wrong(char *why, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(why, WYN_OPTIONS_WHY_BYTES, format, arguments);
	va_end(arguments);
	return -EINVAL;
}

static int take_link(const char *text, struct wyn_options *options, char *why)
{
	char range[WYN_QUANTITY_WHY_BYTES];
	uint64_t number;
	int error = wyn_quantity_parse_count(text, 0, INT_MAX, &number);

	if (error) {
		wyn_quantity_explain(WYN_QUANTITY_COUNT, error, 0, INT_MAX,
			range, sizeof(range));
		return wrong(why, "--link %.60s: %s", text, range);
	}
	options->link = (int)number;
	return 0;
}

static int take_user(const char *text, struct wyn_options *options, char *why)
{
	const struct passwd *entry = getpwnam(text);
	uint64_t number;

	if (entry) {
		options->peer = entry->pw_uid;
		return 0;
	}
	if (wyn_quantity_parse_count(text, 0, UINT32_MAX - 1, &number)) {
		return wrong(why, "--user %.60s: there is no such user", text);
	}
	options->peer = (uid_t)number;
	return 0;
}

static int unknown(const char *word, char *why)
{
	const char *names[] = {"link", "user", "help", "version"};
	const char *near = NULL;

	if (strncmp(word, "--", 2) == 0) {
		near = wyn_nearest(word + 2, names, WYN_COUNT_OF(names));
	}
	if (near) {
		return wrong(why, "there is no flag %.60s; did you mean --%s?",
			word, near);
	}
	return wrong(why,
		"there is no flag %.60s; wynd-spawner --help lists "
		"them",
		word);
}

/* What getopt found in this word. */
static int take_found(
	int found, const char *word, struct wyn_options *options, char *why)
{
	switch (found) {
	case FLAG_LINK:
		return take_link(optarg, options, why);
	case FLAG_USER:
		return take_user(optarg, options, why);
	case 'h':
		options->help = true;
		return 0;
	case 'V':
		options->version = true;
		return 0;
	case ':':
		return wrong(why, "%.60s: wants a value", word);
	default:
		return unknown(word, why);
	}
}

int wyn_options_parse(int argc, char **argv, struct wyn_options *ret_options,
	char why[static WYN_OPTIONS_WHY_BYTES])
{
	struct wyn_options options = {.link = -1, .peer = geteuid()};
	int error = 0;

	opterr = 0;
	optind = 0; /* it begins anew */
	while (!error) {
		const char *word = argv[optind > 0 ? optind : 1];
		int found = getopt_long(argc, argv, "+:hV", known, NULL);

		if (found == -1) {
			break;
		}
		error = take_found(found, word, &options, why);
	}
	if (!error && optind < argc) {
		error = wrong(why, "%.60s: wynd-spawner takes flags alone",
			argv[optind]);
	}
	if (!error) {
		*ret_options = options;
	}
	return error;
}

void wyn_options_help(FILE *out)
{
	fputs("usage: wynd-spawner [--link FD] [--user USER]\n"
	      "\n"
	      "Starts and ends the processes of wynd's commands. wynd starts "
	      "it by itself;\n"
	      "under a service manager it takes the socket that it is passed "
	      "(LISTEN_FDS).\n"
	      "\n"
	      "  --link FD      serve wynd on the connected socket FD, and end "
	      "with it\n"
	      "  --user USER    who may connect, beside root (default: who "
	      "runs this)\n"
	      "  -h, --help     print this and exit\n"
	      "  -V, --version  print the version and exit\n",
		out);
}

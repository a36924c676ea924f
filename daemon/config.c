// SPDX-License-Identifier: MIT
/*
 * config.c - libconfuse over the settings.
 *
 * What libconfuse 3.3 leaves to us: it miscounts lines behind a comment, so
 * comments are blanked before. A comment or a quoted text without an end
 * swallows the rest of a file without a word, and the beginning of the next
 * one, for its scanner is one for the process: neither gets there. So does a
 * name of the environment, which goes on to the next brace, wherever that is. A
 * NUL would end a file early, and a * without quotes is lost. A key that is set
 * twice would be what was said last.
 */
#include "daemon/config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <confuse.h>

#include "base/assert.h"
#include "base/nearest.h"

/* A file that is being read. libconfuse's callbacks take no context, so there
 * is one at a time. */
struct reading {
	const char *path;
	bool open; /* to others */
	struct wyn_settings *settings;
	struct wyn_fault *fault;
	int error; /* of a value, or of the syntax: the first */
	unsigned values[WYN_SETTINGS_MAX]; /* how many each has in this file */
	char last[WYN_SETTING_TEXT_BYTES]; /* of a list, the latest */
	const char *names[WYN_SETTINGS_MAX];
	char keys[WYN_SETTINGS_MAX][WYN_SETTING_NAME_BYTES];
	size_t count;
};

static struct reading *reading;

static int WYN_PRINTF(3, 4)
	refuse(unsigned line, int error, const char *format, ...)
{
	char why[256];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(why, sizeof(why), format, arguments);
	va_end(arguments);
	reading->error =
		wyn_fault_set(reading->fault, error, WYN_EXIT_CONFIGURATION,
			"%.200s:%u: %s", reading->path, line, why);
	return -1;
}

static size_t index_of(const char *key)
{
	size_t i = 0;

	while (i < reading->count && strcmp(reading->keys[i], key) != 0) {
		i++;
	}
	return i;
}

/* libconfuse calls it after each value, and once more at the end of a list. */
static int on_value(cfg_t *cfg, cfg_opt_t *opt)
{
	unsigned line = (unsigned)cfg->line;
	size_t at = index_of(opt->name);
	const struct wyn_setting *setting = wyn_setting_at(at);
	unsigned values = cfg_opt_size(opt);
	const char *text = cfg_opt_getnstr(opt, values - 1);
	const struct wyn_place place = {reading->path, line, reading->open};

	if (reading->error != 0) {
		return -1;
	}
	wyn_assert(setting != NULL);
	if (values == reading->values[at] && wyn_setting_is_list(setting) &&
		strcmp(text, reading->last) == 0) {
		return 0;
	}
	if (values <= reading->values[at]) {
		return refuse(line, -EINVAL,
			"%s is set a second time in this file; keep one",
			opt->name);
	}
	reading->values[at] = values;
	(void)snprintf(reading->last, sizeof(reading->last), "%s", text);
	reading->error = wyn_setting_take(
		reading->settings, setting, text, &place, reading->fault);
	return reading->error == 0 ? 0 : -1;
}

/* The name in libconfuse's "no such option 'NAME'", cut where it is long. */
static bool unknown_key(const char *text, char *ret_key, size_t bytes)
{
	static const char begin[] = "no such option '";
	size_t len;

	if (strncmp(text, begin, sizeof(begin) - 1) != 0) {
		return false;
	}
	text += sizeof(begin) - 1;
	len = strcspn(text, "'");
	len = len < bytes - 1 ? len : bytes - 1;
	memcpy(ret_key, text, len);
	ret_key[len] = '\0';
	return true;
}

static void on_error(cfg_t *cfg, const char *format, va_list arguments)
{
	unsigned line = (unsigned)cfg->line;
	char text[256];
	char key[64];
	const char *near;

	if (reading->error != 0) {
		return; /* it says only that a callback failed */
	}
	(void)vsnprintf(text, sizeof(text), format, arguments);
	if (!unknown_key(text, key, sizeof(key))) {
		(void)refuse(line, -EINVAL,
			"%s; a line is KEY = VALUE, or KEY = {VALUE, ...}, "
			"with quotes where a value has blanks or brackets",
			text);
		return;
	}
	near = wyn_nearest(key, reading->names, reading->count);
	if (near != NULL) {
		(void)refuse(line, -EINVAL,
			"there is no key %s; did you mean %s?", key, near);
	} else {
		(void)refuse(line, -EINVAL,
			"there is no key %s; wynd --list-settings lists them",
			key);
	}
}

static void keys_gather(cfg_opt_t *ret_opts)
{
	const struct wyn_setting *setting;
	size_t i;

	for (i = 0; (setting = wyn_setting_at(i)) != NULL; i++) {
		const cfg_opt_t one =
			CFG_STR(reading->keys[i], NULL, CFGF_NONE);
		const cfg_opt_t list =
			CFG_STR_LIST(reading->keys[i], NULL, CFGF_NONE);

		wyn_setting_key(setting, reading->keys[i]);
		reading->names[i] = reading->keys[i];
		ret_opts[i] = wyn_setting_is_list(setting) ? list : one;
	}
	reading->count = i;
	ret_opts[i] = (cfg_opt_t)CFG_END();
}

static void parse(cfg_t *cfg, const char *text)
{
	int rc;

	(void)cfg_set_error_function(cfg, on_error);
	for (size_t i = 0; i < reading->count; i++) {
		(void)cfg_set_validate_func(cfg, reading->keys[i], on_value);
	}
	rc = cfg_parse_buf(cfg, text);
	if (rc != CFG_SUCCESS && reading->error == 0) {
		(void)refuse(1, -ENOMEM, "%s", strerror(ENOMEM));
	}
}

static int text_parse(const char *text)
{
	cfg_opt_t opts[WYN_SETTINGS_MAX + 1];
	cfg_t *cfg;

	keys_gather(opts);
	cfg = cfg_init(opts, CFGF_NONE);
	if (cfg == NULL) {
		(void)refuse(1, -ENOMEM, "%s", strerror(ENOMEM));
		return reading->error;
	}
	parse(cfg, text);
	cfg_free(cfg);
	return reading->error;
}

/* Where the scanner of comments is. */
struct cursor {
	char *at;
	unsigned line;
};

static void blank(struct cursor *cursor)
{
	if (*cursor->at == '\n') {
		cursor->line++;
	} else {
		*cursor->at = ' ';
	}
	cursor->at++;
}

/* Up to the second of the closing two characters. */
static int comment_blank(struct cursor *cursor)
{
	unsigned line = cursor->line;

	blank(cursor);
	blank(cursor);
	while (strncmp(cursor->at, "*/", 2) != 0) {
		if (*cursor->at == '\0') {
			return refuse(line, -EINVAL, "this comment has no end");
		}
		blank(cursor);
	}
	blank(cursor);
	blank(cursor);
	return 0;
}

/* Whatever is in it belongs to the name, quotes and comments too. */
static int variable_pass(struct cursor *cursor)
{
	size_t bytes = strcspn(cursor->at, "}\"\n");

	if (cursor->at[bytes] != '}') {
		return refuse(cursor->line, -EINVAL,
			"a ${NAME} has no } behind its name");
	}
	cursor->at += bytes + 1;
	return 0;
}

static bool is_variable(const struct cursor *cursor)
{
	return strncmp(cursor->at, "${", 2) == 0;
}

static int quotes_pass(struct cursor *cursor)
{
	char quote = *cursor->at++;

	while (*cursor->at != quote) {
		if (quote == '"' && is_variable(cursor)) {
			if (variable_pass(cursor) != 0) {
				return reading->error;
			}
			continue;
		}
		cursor->at += *cursor->at == '\\';
		if (*cursor->at == '\n' || *cursor->at == '\0') {
			return refuse(cursor->line, -EINVAL,
				"a quoted text does not end on its line");
		}
		cursor->at++;
	}
	cursor->at++;
	return 0;
}

/* Lines keep their numbers. */
static int comments_blank(char *text)
{
	struct cursor cursor = {text, 1};
	bool word = false; /* slashes inside of one are its own */
	int error = 0;

	while (error == 0 && *cursor.at != '\0') {
		char c = *cursor.at;

		if (c == '#' || (!word && strncmp(cursor.at, "//", 2) == 0)) {
			while (*cursor.at != '\n' && *cursor.at != '\0') {
				blank(&cursor);
			}
		} else if (!word && strncmp(cursor.at, "/*", 2) == 0) {
			error = comment_blank(&cursor);
		} else if (c == '"' || c == '\'') {
			error = quotes_pass(&cursor);
			word = false;
		} else if (is_variable(&cursor)) {
			error = variable_pass(&cursor);
			word = false;
		} else if (c == '*') {
			error = refuse(cursor.line, -EINVAL,
				"a value with * is written in quotes");
		} else {
			cursor.line += c == '\n';
			word = strchr(" \t\n={}(),+", c) == NULL;
			cursor.at++;
		}
	}
	return reading->error;
}

static int text_read(char *text)
{
	int error = comments_blank(text);

	return error != 0 ? error : text_parse(text);
}

static int file_fault(const char *path, int error, struct wyn_fault *fault)
{
	return wyn_fault_set(fault, error, wyn_fault_exit_code(error),
		"%.200s: cannot be read: %s", path, strerror(-error));
}

/* Who may write to it who may not be us anyway. An ACL shows as the group's
 * mode. */
static bool is_open(const struct stat *status)
{
	return (status->st_uid != 0 && status->st_uid != geteuid()) ||
	       (status->st_mode & (S_IWGRP | S_IWOTH)) != 0;
}

static int fd_check(
	int fd, const char *path, bool *ret_open, struct wyn_fault *fault)
{
	struct stat status;

	if (fstat(fd, &status) < 0) {
		return file_fault(path, -errno, fault);
	}
	if (!S_ISREG(status.st_mode)) {
		return wyn_fault_set(fault, -EINVAL, WYN_EXIT_CONFIGURATION,
			"%.200s: is no regular file; name one", path);
	}
	*ret_open = is_open(&status);
	return 0;
}

/* As much of it as there may be and one byte more. Returns: bytes, -errno. */
static ssize_t fd_read(int fd, char *text)
{
	size_t used = 0;
	ssize_t n;

	do {
		n = read(fd, text + used, WYN_CONFIG_BYTES_MAX + 1 - used);
		if (n > 0) {
			used += (size_t)n;
		}
	} while (n > 0 || (n < 0 && errno == EINTR));
	return n < 0 ? -errno : (ssize_t)used;
}

static int text_check(const char *text, size_t bytes, const char *path,
	struct wyn_fault *fault)
{
	const char *nul = memchr(text, '\0', bytes);
	unsigned line = 1;

	if (bytes > WYN_CONFIG_BYTES_MAX) {
		return wyn_fault_set(fault, -EFBIG, WYN_EXIT_CONFIGURATION,
			"%.200s: is larger than %u bytes", path,
			WYN_CONFIG_BYTES_MAX);
	}
	if (nul == NULL) {
		return 0;
	}
	for (const char *at = text; at < nul; at++) {
		line += *at == '\n';
	}
	return wyn_fault_set(fault, -EINVAL, WYN_EXIT_CONFIGURATION,
		"%.200s:%u: has a NUL byte; write it as text", path, line);
}

static int fd_parse(int fd, const char *path, bool open_to_others,
	struct wyn_settings *settings, struct wyn_fault *fault)
{
	char *text = malloc(WYN_CONFIG_BYTES_MAX + 1);
	struct reading now = {.path = path,
		.open = open_to_others,
		.settings = settings,
		.fault = fault};
	ssize_t bytes;
	int error;

	if (text == NULL) {
		return file_fault(path, -ENOMEM, fault);
	}
	bytes = fd_read(fd, text);
	error = bytes < 0 ? file_fault(path, (int)bytes, fault)
			  : text_check(text, (size_t)bytes, path, fault);
	if (error == 0) {
		text[bytes] = '\0';
		reading = &now;
		error = text_read(text);
		reading = NULL;
	}
	free(text);
	return error;
}

static int file_read(const char *path, bool optional,
	struct wyn_settings *settings, struct wyn_fault *fault)
{
	/* Without O_NONBLOCK a FIFO of that name would hold us up. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	bool open_to_others = true;
	int error;

	if (fd < 0) {
		return optional && errno == ENOENT
			       ? 0
			       : file_fault(path, -errno, fault);
	}
	error = fd_check(fd, path, &open_to_others, fault);
	if (error == 0) {
		error = fd_parse(fd, path, open_to_others, settings, fault);
	}
	(void)close(fd);
	return error;
}

static int is_config_name(const struct dirent *entry)
{
	size_t bytes = strlen(entry->d_name);
	size_t suffix = strlen(WYN_CONFIG_SUFFIX);

	return entry->d_name[0] != '.' && bytes > suffix &&
	       strcmp(entry->d_name + bytes - suffix, WYN_CONFIG_SUFFIX) == 0;
}

static int names_compare(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int names_read(const char *directory, struct dirent **names, int count,
	struct wyn_settings *settings, struct wyn_fault *fault)
{
	char path[WYN_SETTING_TEXT_BYTES + 512];

	if (count > (int)WYN_CONFIG_FILES_MAX) {
		return wyn_fault_set(fault, -E2BIG, WYN_EXIT_CONFIGURATION,
			"%.200s: has %d files, and may have %u", directory,
			count, WYN_CONFIG_FILES_MAX);
	}
	for (int i = 0; i < count; i++) {
		int error;

		(void)snprintf(path, sizeof(path), "%s/%s", directory,
			names[i]->d_name);
		error = file_read(path, false, settings, fault);
		if (error != 0) {
			return error;
		}
	}
	return 0;
}

static int directory_read(const char *directory, struct wyn_settings *settings,
	struct wyn_fault *fault)
{
	struct dirent **names = NULL;
	int count = scandir(directory, &names, is_config_name, names_compare);
	int error;

	if (count < 0) {
		return errno == ENOENT ? 0
				       : file_fault(directory, -errno, fault);
	}
	error = names_read(directory, names, count, settings, fault);
	while (count > 0) {
		free(names[--count]);
	}
	free(names);
	return error;
}

int wyn_config_read(const char *path, bool optional,
	struct wyn_settings *settings, struct wyn_fault *ret_fault)
{
	char directory[WYN_SETTING_TEXT_BYTES + 4];
	int error = file_read(path, optional, settings, ret_fault);

	if (error != 0) {
		return error;
	}
	(void)snprintf(directory, sizeof(directory), "%.*s.d",
		(int)WYN_SETTING_TEXT_BYTES, path);
	return directory_read(directory, settings, ret_fault);
}

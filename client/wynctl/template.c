// SPDX-License-Identifier: MIT
/*
 * template.c - replacement strings.
 *
 * All words of a command are in one buffer that may move while it grows, so
 * they are offsets until the last is there.
 */
#include "client/wynctl/template.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum template_part {
	TEMPLATE_NONE,
	TEMPLATE_LINE,
	TEMPLATE_NO_EXTENSION,
	TEMPLATE_NAME,
	TEMPLATE_DIRECTORY,
	TEMPLATE_STEM,
	TEMPLATE_NUMBER,
};

static const struct {
	const char *text;
	enum template_part part;
} template_parts[] = {
	{"{}", TEMPLATE_LINE},
	{"{.}", TEMPLATE_NO_EXTENSION},
	{"{/}", TEMPLATE_NAME},
	{"{//}", TEMPLATE_DIRECTORY},
	{"{/.}", TEMPLATE_STEM},
	{"{#}", TEMPLATE_NUMBER},
};

/* Which one `at` begins with, and how long it is. */
static enum template_part template_part_at(const char *at, size_t *ret_size)
{
	for (size_t i = 0; i < WYN_COUNT_OF(template_parts); i++) {
		size_t size = strlen(template_parts[i].text);

		if (strncmp(at, template_parts[i].text, size) == 0) {
			*ret_size = size;
			return template_parts[i].part;
		}
	}
	return TEMPLATE_NONE;
}

/* Whether the word has one: of a line, or any. */
static bool template_has(const char *word, bool of_line)
{
	size_t size = 0;

	for (; *word != '\0'; word++) {
		enum template_part part = template_part_at(word, &size);

		if (part != TEMPLATE_NONE &&
			(!of_line || part != TEMPLATE_NUMBER)) {
			return true;
		}
	}
	return false;
}

void wyn_template_init(
	struct wyn_template *template, char **words, size_t count)
{
	*template = (struct wyn_template){words, count, true};
	for (size_t i = 0; i < count; i++) {
		template->appends =
			template->appends && !template_has(words[i], false);
	}
}

void wyn_argv_clear(struct wyn_argv *argv)
{
	argv->count = 0;
	argv->used = 0;
	argv->broken = false;
}

void wyn_argv_put(struct wyn_argv *argv, const char *text, size_t size)
{
	size_t capacity = argv->capacity > 0 ? argv->capacity : 256;
	char *larger;

	while (capacity - argv->used < size) {
		capacity *= 2;
	}
	if (capacity > argv->capacity) {
		larger = realloc(argv->text, capacity);
		if (larger == NULL) {
			argv->broken = true;
			return;
		}
		argv->text = larger;
		argv->capacity = capacity;
	}
	if (size > 0) {
		memcpy(argv->text + argv->used, text, size);
	}
	argv->used += size;
}

void wyn_argv_begin(struct wyn_argv *argv)
{
	size_t room = argv->room > 0 ? 2 * argv->room : 16;
	char **larger;

	if (argv->count > 0) {
		wyn_argv_put(argv, "", 1);
	}
	/* One more for the NULL. */
	if (argv->count + 1 >= argv->room) {
		larger = realloc(argv->words, room * sizeof(*larger));
		if (larger == NULL) {
			argv->broken = true;
			return;
		}
		argv->words = larger;
		argv->room = room;
	}
	argv->words[argv->count++] = (char *)(uintptr_t)argv->used;
}

int wyn_argv_end(struct wyn_argv *argv)
{
	wyn_argv_put(argv, "", 1);
	if (argv->broken || argv->words == NULL) {
		return -ENOMEM;
	}
	for (size_t i = 0; i < argv->count; i++) {
		argv->words[i] = argv->text + (uintptr_t)argv->words[i];
	}
	argv->words[argv->count] = NULL;
	return 0;
}

void wyn_argv_fini(struct wyn_argv *argv)
{
	free(argv->words);
	free(argv->text);
	*argv = (struct wyn_argv){0};
}

/* Where the name behind the last slash begins. */
static const char *template_name(const char *line)
{
	const char *slash = strrchr(line, '/');

	return slash != NULL ? slash + 1 : line;
}

/* Without what begins at the last dot of its name. */
static size_t template_stem_size(const char *line)
{
	const char *dot = strrchr(template_name(line), '.');

	return dot != NULL ? (size_t)(dot - line) : strlen(line);
}

/* As dirname(1) has it. */
static void template_directory(struct wyn_argv *argv, const char *line)
{
	size_t size = strlen(line);

	while (size > 1 && line[size - 1] == '/') {
		size--;
	}
	while (size > 0 && line[size - 1] != '/') {
		size--;
	}
	while (size > 1 && line[size - 1] == '/') {
		size--;
	}
	if (size == 0) {
		wyn_argv_put(argv, ".", 1);
	} else {
		wyn_argv_put(argv, line, size);
	}
}

static void template_put(struct wyn_argv *argv, enum template_part part,
	const char *line, uint64_t seq)
{
	const char *name = template_name(line);
	char number[24];

	switch (part) {
	case TEMPLATE_LINE:
		wyn_argv_put(argv, line, strlen(line));
		break;
	case TEMPLATE_NO_EXTENSION:
		wyn_argv_put(argv, line, template_stem_size(line));
		break;
	case TEMPLATE_NAME:
		wyn_argv_put(argv, name, strlen(name));
		break;
	case TEMPLATE_DIRECTORY:
		template_directory(argv, line);
		break;
	case TEMPLATE_STEM:
		wyn_argv_put(argv, name, template_stem_size(name));
		break;
	case TEMPLATE_NUMBER:
		(void)snprintf(number, sizeof(number), "%" PRIu64, seq);
		wyn_argv_put(argv, number, strlen(number));
		break;
	case TEMPLATE_NONE:
		break;
	}
}

static void template_word(
	struct wyn_argv *argv, const char *word, const char *line, uint64_t seq)
{
	size_t plain;
	size_t size = 0;

	wyn_argv_begin(argv);
	while (*word != '\0') {
		enum template_part part = template_part_at(word, &size);

		if (part != TEMPLATE_NONE) {
			template_put(argv, part, line, seq);
			word += size;
			continue;
		}
		plain = 1 + strcspn(word + 1, "{");
		wyn_argv_put(argv, word, plain);
		word += plain;
	}
}

int wyn_template_fill(const struct wyn_template *template, char *const *lines,
	size_t count, uint64_t seq, struct wyn_argv *argv)
{
	wyn_argv_clear(argv);
	for (size_t i = 0; i < template->count; i++) {
		bool of_line = template_has(template->words[i], true);

		for (size_t n = 0; n < (of_line ? count : 1); n++) {
			template_word(argv, template->words[i],
				of_line ? lines[n] : "", seq);
		}
	}
	for (size_t n = 0; template->appends && n < count; n++) {
		wyn_argv_begin(argv);
		wyn_argv_put(argv, lines[n], strlen(lines[n]));
	}
	return wyn_argv_end(argv);
}

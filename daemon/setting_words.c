// SPDX-License-Identifier: MIT
/*
 * setting_words.c - lists of words, and what a word may be.
 *
 * A word that a quoted text of a file could not have as it stands is refused,
 * so that what is printed is a file again.
 */
#include <errno.h>
#include <string.h>

#include "daemon/setting_row.h"

#define QUOTES_BYTES 4u /* of a word: two quotes, a comma, a blank */
#define BRACES_BYTES 2u

static struct wyn_setting_list *list_of(
	struct wyn_settings *settings, const struct wyn_setting *setting)
{
	return (struct wyn_setting_list *)((char *)settings + setting->field);
}

const char *wyn_setting_word(
	const struct wyn_setting_list *list, const char *before)
{
	const char *next =
		before == NULL ? list->words : before + strlen(before) + 1;

	return next < list->words + list->bytes ? next : NULL;
}

static bool is_plain(const char *text)
{
	for (; *text != '\0'; text++) {
		if ((unsigned char)*text < ' ' || *text == 0x7f ||
			strchr("\"\\$", *text) != NULL) {
			return false;
		}
	}
	return true;
}

/* Of all words as text, with one more of that length. */
static size_t text_bytes(const struct wyn_setting_list *list, size_t bytes)
{
	return list->bytes + list->count * (QUOTES_BYTES - 1) + bytes +
	       QUOTES_BYTES + BRACES_BYTES;
}

static int words_take(const struct wyn_taking *taking)
{
	struct wyn_setting_list *list =
		list_of(taking->settings, taking->setting);
	size_t bytes = strlen(taking->text);
	const char *must = taking->setting->check(taking->text);

	if (must != NULL) {
		return wyn_setting_refuse(taking, WYN_EXIT_USAGE, "%s", must);
	}
	if (!is_plain(taking->text)) {
		return wyn_setting_refuse(taking, WYN_EXIT_USAGE,
			"must not have quotes, \\, $ or control characters");
	}
	if (text_bytes(list, bytes) >= WYN_SETTING_TEXT_BYTES) {
		return wyn_setting_refuse(taking, WYN_EXIT_CONFIGURATION,
			"the list is longer than %u bytes",
			WYN_SETTING_TEXT_BYTES);
	}
	memcpy(list->words + list->bytes, taking->text, bytes + 1);
	list->bytes += bytes + 1;
	list->count++;
	return 0;
}

static void words_format(const struct wyn_settings *settings,
	const struct wyn_setting *setting, char *out, size_t bytes)
{
	const struct wyn_setting_list *list =
		(const void *)((const char *)settings + setting->field);
	size_t used = (size_t)snprintf(out, bytes, "{");
	const char *word = NULL;

	while ((word = wyn_setting_word(list, word)) != NULL) {
		used += (size_t)snprintf(out + used, bytes - used, "%s\"%s\"",
			used > 1 ? ", " : "", word);
	}
	(void)snprintf(out + used, bytes - used, "}");
}

static void words_clear(
	struct wyn_settings *settings, const struct wyn_setting *setting)
{
	memset(list_of(settings, setting), 0, sizeof(struct wyn_setting_list));
}

const struct wyn_setting_type wyn_setting_words = {
	words_take, words_format, sizeof(struct wyn_setting_list), words_clear};

/* As adduser(8) has it and a little wider; no wildcards, blanks or commas. */
static bool is_user(const char *text, size_t bytes)
{
	static const char set[] = "abcdefghijklmnopqrstuvwxyz"
				  "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.@-";

	return bytes > 0 && text[0] != '-' && strspn(text, set) >= bytes;
}

const char *wyn_setting_check_user(const char *text)
{
	return is_user(text, strlen(text)) ? NULL
					   : "must be a user's name or number";
}

const char *wyn_setting_check_path(const char *text)
{
	return text[0] == '/' ? NULL : "must be an absolute path";
}

const char *wyn_setting_check_variable(const char *text)
{
	size_t name = strcspn(text, "=*");

	if ((text[name] == '\0' && name > 0) || strcmp(text + name, "*") == 0) {
		return NULL;
	}
	return "must be the name of a variable, or its beginning and *";
}

const char *wyn_setting_check_run_as(const char *text)
{
	const char *equals = strchr(text, '=');

	if (equals != NULL && is_user(text, (size_t)(equals - text)) &&
		is_user(equals + 1, strlen(equals + 1))) {
		return NULL;
	}
	return "must be PEER=USER, each a name or a number";
}

const char *wyn_setting_check_cgroup(const char *text)
{
	return text[0] == '/' || strcmp(text, WYN_CGROUP_OWN) == 0 ||
			       strcmp(text, "none") == 0
		       ? NULL
		       : "must be own, none, or the absolute path of a "
			 "directory";
}

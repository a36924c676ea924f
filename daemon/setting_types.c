// SPDX-License-Identifier: MIT
/*
 * setting_types.c - how a value of each type is read and written.
 */
#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "daemon/setting_row.h"

int wyn_setting_refuse(const struct wyn_taking *taking,
	enum wyn_exit_code flag_code, const char *format, ...)
{
	const struct wyn_place *place = taking->place;
	char key[WYN_SETTING_NAME_BYTES];
	char why[256];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(why, sizeof(why), format, arguments);
	va_end(arguments);
	if (place->file == NULL) {
		return wyn_fault_set(taking->fault, -EINVAL, flag_code,
			"--%s %.200s: %s", taking->setting->name, taking->text,
			why);
	}
	wyn_setting_key(taking->setting, key);
	return wyn_fault_set(taking->fault, -EINVAL, WYN_EXIT_CONFIGURATION,
		"%.200s:%u: %s = %.200s: %s", place->file, place->line, key,
		taking->text, why);
}

static void *field_of(const struct wyn_taking *taking)
{
	return (char *)taking->settings + taking->setting->field;
}

static const void *value_of(
	const struct wyn_settings *settings, const struct wyn_setting *setting)
{
	return (const char *)settings + setting->field;
}

static int switch_take(const struct wyn_taking *taking)
{
	static const char *const words[] = {
		"no", "yes", "off", "on", "false", "true", "0", "1"};
	bool *field = field_of(taking);

	if (taking->text == NULL) {
		*field = true;
		return 0;
	}
	for (size_t i = 0; i < WYN_COUNT_OF(words); i++) {
		if (strcmp(taking->text, words[i]) == 0) {
			*field = i % 2 != 0;
			return 0;
		}
	}
	return wyn_setting_refuse(taking, WYN_EXIT_USAGE, "must be yes or no");
}

static void switch_format(const struct wyn_settings *settings,
	const struct wyn_setting *setting, char *out, size_t bytes)
{
	const bool *field = value_of(settings, setting);

	(void)snprintf(out, bytes, "%s", *field ? "yes" : "no");
}

static int text_take(const struct wyn_taking *taking)
{
	size_t room = taking->setting->bytes;
	size_t bytes = strlen(taking->text);

	if (bytes == 0) {
		return wyn_setting_refuse(
			taking, WYN_EXIT_USAGE, "must not be empty");
	}
	if (bytes >= room) {
		return wyn_setting_refuse(taking, WYN_EXIT_CONFIGURATION,
			"has %zu bytes, and may have %zu", bytes, room - 1);
	}
	if (taking->setting->check != NULL) {
		const char *must = taking->setting->check(taking->text);

		if (must != NULL) {
			return wyn_setting_refuse(
				taking, WYN_EXIT_USAGE, "%s", must);
		}
	}
	memcpy(field_of(taking), taking->text, bytes + 1);
	return 0;
}

static void text_format(const struct wyn_settings *settings,
	const struct wyn_setting *setting, char *out, size_t bytes)
{
	(void)snprintf(out, bytes, "\"%s\"",
		(const char *)value_of(settings, setting));
}

static int number_take(const struct wyn_taking *taking)
{
	static int (*const parsers[])(
		const char *, uint64_t, uint64_t, uint64_t *) = {
		[WYN_QUANTITY_COUNT] = wyn_quantity_parse_count,
		[WYN_QUANTITY_BYTES] = wyn_quantity_parse_bytes,
		[WYN_QUANTITY_MS] = wyn_quantity_parse_ms,
	};
	const struct wyn_setting_bound *bound = &taking->setting->bound;
	char why[WYN_QUANTITY_WHY_BYTES];
	int error = parsers[bound->kind](
		taking->text, bound->min, bound->max, field_of(taking));

	if (error == 0) {
		return 0;
	}
	wyn_quantity_explain(
		bound->kind, error, bound->min, bound->max, why, sizeof(why));
	return wyn_setting_refuse(taking, WYN_EXIT_USAGE, "%s", why);
}

static void number_format(const struct wyn_settings *settings,
	const struct wyn_setting *setting, char *out, size_t bytes)
{
	const uint64_t *field = value_of(settings, setting);

	if (*field < setting->bound.min) {
		(void)snprintf(out, bytes, "unset");
		return;
	}
	wyn_quantity_format(setting->bound.kind, *field, out, bytes);
}

static int mode_take(const struct wyn_taking *taking)
{
	const char *text = taking->text;
	mode_t *field = field_of(taking);
	unsigned mode = 0;
	size_t digits = 0;

	while (text[digits] >= '0' && text[digits] <= '7' && digits < 4) {
		mode = mode * 8 + (unsigned)(text[digits] - '0');
		digits++;
	}
	if (digits == 0 || text[digits] != '\0' || mode > 0777) {
		return wyn_setting_refuse(taking, WYN_EXIT_USAGE,
			"must be octal permissions up to 0777, such as 0660");
	}
	*field = (mode_t)mode;
	return 0;
}

static void mode_format(const struct wyn_settings *settings,
	const struct wyn_setting *setting, char *out, size_t bytes)
{
	const mode_t *field = value_of(settings, setting);

	(void)snprintf(out, bytes, "%04o", (unsigned)*field);
}

static int level_take(const struct wyn_taking *taking)
{
	if (wyn_log_level_parse(taking->text, field_of(taking)) == 0) {
		return 0;
	}
	return wyn_setting_refuse(taking, WYN_EXIT_USAGE,
		"must be error, warning, info or debug");
}

static void level_format(const struct wyn_settings *settings,
	const struct wyn_setting *setting, char *out, size_t bytes)
{
	const enum wyn_log_level *field = value_of(settings, setting);

	(void)snprintf(out, bytes, "%s", wyn_log_level_name(*field));
}

static int form_take(const struct wyn_taking *taking)
{
	if (wyn_log_form_parse(taking->text, field_of(taking)) == 0) {
		return 0;
	}
	return wyn_setting_refuse(
		taking, WYN_EXIT_USAGE, "must be auto, text, journal or json");
}

static void form_format(const struct wyn_settings *settings,
	const struct wyn_setting *setting, char *out, size_t bytes)
{
	const enum wyn_log_form *field = value_of(settings, setting);

	(void)snprintf(out, bytes, "%s", wyn_log_form_name(*field));
}

static int listen_take(const struct wyn_taking *taking)
{
	struct wyn_settings *settings = taking->settings;
	const char *why;
	int error;

	if (settings->listen_count == WYN_LISTEN_MAX) {
		return wyn_setting_refuse(taking, WYN_EXIT_USAGE,
			"is the address after the last: at most %u",
			WYN_LISTEN_MAX);
	}
	error = wyn_endpoint_parse(
		taking->text, &settings->listen[settings->listen_count], &why);
	if (error != 0) {
		return wyn_setting_refuse(taking,
			error == -ENAMETOOLONG ? WYN_EXIT_CONFIGURATION
					       : WYN_EXIT_USAGE,
			"%s", why);
	}
	settings->listen_count++;
	return 0;
}

static void listen_clear(
	struct wyn_settings *settings, const struct wyn_setting *setting)
{
	(void)setting;
	settings->listen_count = 0;
}

static void listen_format(const struct wyn_settings *settings,
	const struct wyn_setting *setting, char *out, size_t bytes)
{
	char text[WYN_ENDPOINT_TEXT_BYTES];
	size_t used = 0;

	(void)setting;
	static_assert(WYN_LISTEN_MAX * (WYN_ENDPOINT_TEXT_BYTES + 4) <
			      2 * WYN_SETTING_TEXT_BYTES,
		"paths have at most 107 bytes, so all fit");
	if (settings->listen_count == 0) {
		(void)snprintf(out, bytes, "{\"" WYN_LISTEN_DEFAULT "\"}");
		return;
	}
	for (size_t i = 0; i < settings->listen_count && used < bytes; i++) {
		wyn_endpoint_format(&settings->listen[i], text, sizeof(text));
		used += (size_t)snprintf(out + used, bytes - used, "%s\"%s\"%s",
			i == 0 ? "{" : ", ", text,
			i + 1 == settings->listen_count ? "}" : "");
	}
}

const struct wyn_setting_type wyn_setting_switch = {
	switch_take, switch_format, sizeof(bool), NULL};
const struct wyn_setting_type wyn_setting_text = {
	text_take, text_format, 0, NULL};
const struct wyn_setting_type wyn_setting_number = {
	number_take, number_format, sizeof(uint64_t), NULL};
const struct wyn_setting_type wyn_setting_mode = {
	mode_take, mode_format, sizeof(mode_t), NULL};
const struct wyn_setting_type wyn_setting_level = {
	level_take, level_format, sizeof(enum wyn_log_level), NULL};
const struct wyn_setting_type wyn_setting_form = {
	form_take, form_format, sizeof(enum wyn_log_form), NULL};
const struct wyn_setting_type wyn_setting_addresses = {listen_take,
	listen_format, WYN_LISTEN_MAX * sizeof(struct wyn_endpoint),
	listen_clear};

// SPDX-License-Identifier: MIT
/*
 * setting_row.h - a row of the table, and the types of values that there are.
 *
 * Private to settings.c, setting_*.c and settings_print.c.
 */
#pragma once

#include "base/quantity.h"
#include "daemon/settings.h"

/* Of a row whose value is a number. */
struct wyn_setting_bound {
	enum wyn_quantity_kind kind;
	uint64_t initial;
	uint64_t min;
	uint64_t max;
};

/* A value on its way into the settings. */
struct wyn_taking {
	struct wyn_settings *settings;
	const struct wyn_setting *setting;
	const char *text;
	const struct wyn_place *place;
	struct wyn_fault *fault;
};

struct wyn_setting_type {
	int (*take)(const struct wyn_taking *taking);
	void (*format)(const struct wyn_settings *settings,
		const struct wyn_setting *setting, char *out, size_t bytes);
	size_t bytes; /* of a value; 0 = the row's */
	/* Of a list: there is nothing in it. NULL = it is none. */
	void (*clear)(struct wyn_settings *settings,
		const struct wyn_setting *setting);
};

struct wyn_setting {
	const char *name;  /* of the flag */
	const char *value; /* NULL = a switch */
	const char *help;
	const struct wyn_setting_type *type;
	size_t field; /* offset in struct wyn_settings */
	size_t bytes; /* of a text, with its NUL */
	struct wyn_setting_bound bound;
	/* Of a text or a word of a list: NULL = it can be; else what it must
	 * be. */
	const char *(*check)(const char *text);
	bool reloads;
	bool guarded; /* not from a file that is open to others */
};

/* wyn_setting_refuse - why a value is not taken, with its place. Returns:
 * -EINVAL. */
int WYN_PRINTF(3, 4) wyn_setting_refuse(const struct wyn_taking *taking,
	enum wyn_exit_code flag_code, const char *format, ...);

/* What a word may be: see docs/wynd.conf.5.scd. */
const char *wyn_setting_check_user(const char *text);
const char *wyn_setting_check_path(const char *text);
const char *wyn_setting_check_variable(const char *text);
const char *wyn_setting_check_run_as(const char *text);
const char *wyn_setting_check_cgroup(const char *text);

extern const struct wyn_setting_type wyn_setting_switch;
extern const struct wyn_setting_type wyn_setting_text;
extern const struct wyn_setting_type wyn_setting_number;
extern const struct wyn_setting_type wyn_setting_mode;
extern const struct wyn_setting_type wyn_setting_level;
extern const struct wyn_setting_type wyn_setting_form;
extern const struct wyn_setting_type wyn_setting_addresses;
extern const struct wyn_setting_type wyn_setting_words;

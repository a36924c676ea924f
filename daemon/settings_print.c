// SPDX-License-Identifier: MIT
/*
 * settings_print.c - the table for people and for programs.
 */
#include "daemon/setting_row.h"

/* The texts of a bound, as a value is written. */
struct bound_texts {
	char initial[24];
	char min[24];
	char max[24];
};

static struct bound_texts bound_format(const struct wyn_setting_bound *bound)
{
	struct bound_texts texts = {"", "", ""};

	wyn_quantity_format(bound->kind, bound->initial, texts.initial,
		sizeof(texts.initial));
	wyn_quantity_format(
		bound->kind, bound->min, texts.min, sizeof(texts.min));
	wyn_quantity_format(
		bound->kind, bound->max, texts.max, sizeof(texts.max));
	return texts;
}

/* A number that is none by default is said by its help. */
static bool has_default(const struct wyn_setting *row)
{
	return row->type != &wyn_setting_number || row->bound.initial != 0 ||
	       row->bound.min == 0;
}

static const char *when_applied(const struct wyn_setting *row)
{
	return row->reloads ? "reload" : "restart";
}

void wyn_settings_help(FILE *out)
{
	const struct wyn_setting *row;

	for (size_t i = 0; (row = wyn_setting_at(i)) != NULL; i++) {
		struct bound_texts texts = bound_format(&row->bound);

		fprintf(out, "  --%s%s%s (", row->name, row->value ? " " : "",
			row->value ? row->value : "");
		if (row->type == &wyn_setting_number) {
			if (has_default(row)) {
				fprintf(out, "default %s; ", texts.initial);
			}
			fprintf(out, "%s to %s; ", texts.min, texts.max);
		}
		fprintf(out, "%s)\n      %s\n", when_applied(row), row->help);
	}
}

/* In one line, single blanks. */
static void print_folded(const char *text, FILE *out)
{
	bool blank = false;

	for (; *text != '\0'; text++) {
		if (*text == ' ' || *text == '\n') {
			blank = true;
			continue;
		}
		if (blank) {
			fputc(' ', out);
		}
		blank = false;
		fputc(*text, out);
	}
}

static void print_row(const struct wyn_settings *initial,
	const struct wyn_setting *row, FILE *out)
{
	bool number = row->type == &wyn_setting_number;
	struct bound_texts texts = bound_format(&row->bound);
	char text[WYN_SETTING_TEXT_BYTES];
	char key[WYN_SETTING_NAME_BYTES];

	wyn_setting_key(row, key);
	wyn_setting_format(initial, row, text);
	fprintf(out, "%s\t%s\t%s\t%s\t%s\t%s\t", key,
		row->value ? row->value : "yes or no",
		has_default(row) ? text : "-", number ? texts.min : "-",
		number ? texts.max : "-", when_applied(row));
	print_folded(row->help, out);
	fputc('\n', out);
}

void wyn_settings_list(FILE *out)
{
	struct wyn_settings initial;
	const struct wyn_setting *row;

	wyn_settings_init(&initial);
	for (size_t i = 0; (row = wyn_setting_at(i)) != NULL; i++) {
		print_row(&initial, row, out);
	}
}

/* The row of the table, behind a value. */
static void print_bounds(const struct wyn_settings *initial,
	const struct wyn_setting *row, FILE *out)
{
	struct bound_texts texts = bound_format(&row->bound);
	char text[WYN_SETTING_TEXT_BYTES];

	fputs(row->value ? row->value : "yes or no", out);
	if (row->type == &wyn_setting_number) {
		fprintf(out, ", %s to %s", texts.min, texts.max);
	}
	if (has_default(row)) {
		wyn_setting_format(initial, row, text);
		fprintf(out, ", default %s", text);
	}
	fprintf(out, ", %s", when_applied(row));
}

void wyn_settings_print(const struct wyn_settings *settings, FILE *out)
{
	struct wyn_settings initial;
	const struct wyn_setting *row;
	char text[WYN_SETTING_TEXT_BYTES];
	char key[WYN_SETTING_NAME_BYTES];

	wyn_settings_init(&initial);
	for (size_t i = 0; (row = wyn_setting_at(i)) != NULL; i++) {
		const char *place = settings->places[i];

		wyn_setting_key(row, key);
		wyn_setting_format(settings, row, text);
		fprintf(out, "%s%s = %s # %s%s", *place != '\0' ? "" : "# ",
			key, text, place, *place != '\0' ? "; " : "");
		print_bounds(&initial, row, out);
		fputc('\n', out);
	}
}

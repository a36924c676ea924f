// SPDX-License-Identifier: MIT
/*
 * settings.h - what the daemon can be told, wherever it is told.
 *
 * One table: from each row come a flag (options.h), a key of the configuration
 * file (config.h), their help, and the lines of `wynd --check-config` and
 * `wynd --list-settings`, from which the manual is made. The bounds of limits.h
 * are rows like the others. Nothing is opened or resolved here. Any thread,
 * since all of it is plain values.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "base/compiler.h"
#include "base/endpoint.h"
#include "daemon/fault.h"
#include "daemon/limits.h"
#include "daemon/log_format.h"

#define WYN_LISTEN_MAX		16u /* addresses */
#define WYN_LOOPS_MAX		64u
#define WYN_LOOPS_DEFAULT	1u
#define WYN_LISTEN_DEFAULT	"unix:" WYN_ENDPOINT_DEFAULT_PATH
#define WYN_SOCKET_GROUP	"wynd" /* if it exists and nothing is said */
#define WYN_SETTINGS_MAX	64u    /* rows of the table */
#define WYN_SETTING_NAME_BYTES	32u    /* with a NUL */
#define WYN_SETTING_TEXT_BYTES	4096u  /* of one value, with a NUL */
#define WYN_SETTING_PLACE_BYTES 96u    /* kept of a place's name, likewise */
/* What programs expect that use select(2), unless they raise it themselves;
 * ours is as high as it may be. */
#define WYN_COMMAND_FILES_DEFAULT 1024u
#define WYN_CGROUP_OWN		  "own" /* the spawner's, if it has one */

/* Where `make install` puts them; the Makefile says it. */
#ifndef WYN_MODULES_DIR
#define WYN_MODULES_DIR "/usr/local/lib/wynd/modules"
#endif
#ifndef WYN_SPAWNER
#define WYN_SPAWNER "/usr/local/libexec/wynd/wynd-spawner"
#endif

/* Words; as text they fit WYN_SETTING_TEXT_BYTES, with quotes and commas. */
struct wyn_setting_list {
	size_t count;
	size_t bytes;			    /* of them */
	char words[WYN_SETTING_TEXT_BYTES]; /* each with its NUL */
};

struct wyn_settings {
	struct wyn_endpoint listen[WYN_LISTEN_MAX];
	size_t listen_count;			   /* 0 = WYN_LISTEN_DEFAULT */
	char modules[WYN_SETTING_TEXT_BYTES];	   /* a directory */
	char socket_group[WYN_SETTING_NAME_BYTES]; /* "" = nothing was said */
	mode_t socket_mode;
	uint64_t workers; /* 0 = as many as CPUs are allowed */
	uint64_t loops;
	bool allow_plaintext;
	enum wyn_log_level log_level;
	enum wyn_log_form log_form;
	bool commands;
	struct wyn_setting_list command_users;	  /* names or numbers */
	struct wyn_setting_list command_programs; /* absolute paths */
	struct wyn_setting_list command_env;	  /* NAME or PREFIX* */
	struct wyn_setting_list command_run_as;	  /* PEER=USER */
	mode_t command_umask;
	bool command_private_tmp;
	uint64_t command_files;	    /* 0 = as many as the spawner */
	uint64_t command_processes; /* 0 = as many as the spawner */
	char command_cgroup[WYN_SETTING_TEXT_BYTES]; /* or own, or none */
	char spawner[WYN_SETTING_TEXT_BYTES];
	struct wyn_limits limits;
	/* Where each row was said; "" = nowhere. */
	char places[WYN_SETTINGS_MAX][WYN_SETTING_PLACE_BYTES];
};

/* Where a value stands: in a file, or in the command line. */
struct wyn_place {
	const char *file; /* NULL = it is a flag's */
	unsigned line;
	bool open; /* others than root and we may write to the file */
};

struct wyn_setting; /* a row */

/* wyn_settings_init - every row has its default. Thread: any. */
void wyn_settings_init(struct wyn_settings *ret_settings);

/*
 * wyn_settings_check - values that each are in range but cannot be together.
 *
 * Thread: any. Returns: 0; -EINVAL, exit code 78.
 */
WYN_NODISCARD
int wyn_settings_check(
	const struct wyn_settings *settings, struct wyn_fault *ret_fault);

/*
 * wyn_settings_addresses - where to listen ourselves, also when nothing was
 * said.
 *
 * passed: the service manager passed sockets, which stand for the default.
 * Thread: any. Returns: how many.
 */
size_t wyn_settings_addresses(const struct wyn_settings *settings, bool passed,
	struct wyn_endpoint ret_addresses[WYN_LISTEN_MAX]);

/* wyn_setting_at - a row, in the order of help; NULL past the end. Thread: any.
 */
const struct wyn_setting *wyn_setting_at(size_t index);

/* wyn_setting_flag, wyn_setting_key - its names: max-frame, max_frame. Thread:
 * any. */
const char *wyn_setting_flag(const struct wyn_setting *setting);
void wyn_setting_key(const struct wyn_setting *setting,
	char ret_key[WYN_SETTING_NAME_BYTES]);

/* wyn_setting_is_switch - its flag takes no value. Thread: any. */
bool wyn_setting_is_switch(const struct wyn_setting *setting);

/* wyn_setting_is_list - each value is one more. Thread: any. */
bool wyn_setting_is_list(const struct wyn_setting *setting);

/* wyn_setting_word - the one after that, NULL = the first; NULL when there is
 * none. Thread: any. */
const char *wyn_setting_word(
	const struct wyn_setting_list *list, const char *before);

/* wyn_setting_reloads - a reload applies it; else a restart does. Thread: any.
 */
bool wyn_setting_reloads(const struct wyn_setting *setting);

/*
 * wyn_setting_take - sets it to what the text says.
 *
 * The first value of a list at another place than its others takes their place.
 * What decides who runs what is not taken from a file that is open to others.
 * text: NULL = a switch without one. Thread: any. Returns: 0; -EINVAL, the
 * fault names the place, what is wrong and what would be right; exit code 64
 * for a flag, 78 for a file and for what no machine could do.
 */
WYN_NODISCARD
int wyn_setting_take(struct wyn_settings *settings,
	const struct wyn_setting *setting, const char *text,
	const struct wyn_place *place, struct wyn_fault *ret_fault);

/* wyn_setting_copy - one value, and where it was said. Thread: any. */
void wyn_setting_copy(struct wyn_settings *to, const struct wyn_settings *from,
	const struct wyn_setting *setting);

/* wyn_setting_format - the value as a file would have it. Thread: any. */
void wyn_setting_format(const struct wyn_settings *settings,
	const struct wyn_setting *setting,
	char ret_text[WYN_SETTING_TEXT_BYTES]);

/* wyn_settings_help - each flag with default and range. Thread: any. */
void wyn_settings_help(FILE *out);

/* wyn_settings_list - the table for programs: key, kind of value, default,
 * least, most, `reload` or `restart`, help; tabs between. Thread: any. */
void wyn_settings_list(FILE *out);

/* wyn_settings_print - key, value, and where it was said. Thread: any. */
void wyn_settings_print(const struct wyn_settings *settings, FILE *out);

// SPDX-License-Identifier: MIT
/*
 * settings.c - the table of settings.
 */
#include "daemon/settings.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include <wyn/pool.h>

#include "base/assert.h"
#include "daemon/setting_row.h"

#define FIELD(name) .field = offsetof(struct wyn_settings, name)
#define TEXT(name) \
	FIELD(name), .bytes = sizeof(((const struct wyn_settings *)NULL)->name)
#define COUNT(initial, low, high) \
	.bound = {WYN_QUANTITY_COUNT, (initial), (low), (high)}
/* The words for a value of that kind. */
#define WORD_COUNT	"COUNT"
#define WORD_BYTES	"BYTES"
#define WORD_MS		"TIME"
#define RELOADS_NOW	true
#define RELOADS_RESTART false

#define LIMIT_ROW(limit, flag, unit, initial, min, max, when, text)      \
	{.name = (flag),                                                 \
		.value = WORD_##unit,                                    \
		.help = (text),                                          \
		.type = &wyn_setting_number,                             \
		FIELD(limits.limit),                                     \
		.bound = {WYN_QUANTITY_##unit, (initial), (min), (max)}, \
		.reloads = RELOADS_##when},

static const struct wyn_setting rows[] = {
	{.name = "listen",
		.value = "ADDR",
		.help = "unix:PATH, tcp:HOST:PORT or tcp:[IPV6]:PORT, port 0 "
			"for any free one;\n      again for more (default: the "
			"sockets that the service manager\n      passes, "
			"else " WYN_LISTEN_DEFAULT ")",
		.type = &wyn_setting_addresses,
		FIELD(listen),
		.reloads = true},
	{.name = "allow-plaintext",
		.help = "listen on TCP addresses that are not loopback, "
			"unencrypted\n      (default no)",
		.type = &wyn_setting_switch,
		FIELD(allow_plaintext),
		.reloads = true},
	{.name = "socket-mode",
		.value = "MODE",
		.help = "permissions of Unix sockets, octal, up to 0777 "
			"(default 0660)",
		.type = &wyn_setting_mode,
		FIELD(socket_mode)},
	{.name = "socket-group",
		.value = "NAME",
		.help = "group of Unix sockets (default " WYN_SOCKET_GROUP
			" if there is one and wynd runs as root)",
		.type = &wyn_setting_text,
		TEXT(socket_group)},
	{.name = "modules",
		.value = "DIR",
		.help = "load every *.so in it\n      (default " WYN_MODULES_DIR
			")",
		.type = &wyn_setting_text,
		TEXT(modules)},
	{.name = "workers",
		.value = "COUNT",
		.help = "threads that run tasks; if not given, one for each "
			"CPU that affinity\n      and cgroup allow",
		.type = &wyn_setting_number,
		FIELD(workers),
		COUNT(0, 1, WYN_POOL_WORKERS_MAX)},
	{.name = "loops",
		.value = "COUNT",
		.help = "threads that serve connections",
		.type = &wyn_setting_number,
		FIELD(loops),
		COUNT(WYN_LOOPS_DEFAULT, 1, WYN_LOOPS_MAX)},
	{.name = "log-level",
		.value = "LEVEL",
		.help = "error, warning, info or debug (default info)",
		.type = &wyn_setting_level,
		FIELD(log_level),
		.reloads = true},
	{.name = "log-format",
		.value = "NAME",
		.help = "auto, text, journal or json (default auto: journal "
			"where stderr is the\n      journal's, else text)",
		.type = &wyn_setting_form,
		FIELD(log_form)},
	{.name = "commands",
		.help = "run commands too, not only functions, for those who "
			"may\n      (default no)",
		.type = &wyn_setting_switch,
		FIELD(commands),
		.reloads = true,
		.guarded = true},
	{.name = "command-users",
		.value = "USER",
		.help = "whose commands are run, by name or number; again for "
			"more\n      (default root and wynd's own user)",
		.type = &wyn_setting_words,
		FIELD(command_users),
		.check = wyn_setting_check_user,
		.reloads = true,
		.guarded = true},
	{.name = "command-programs",
		.value = "PATH",
		.help = "programs that commands may begin with; again for "
			"more\n      (default all)",
		.type = &wyn_setting_words,
		FIELD(command_programs),
		.check = wyn_setting_check_path,
		.reloads = true,
		.guarded = true},
	{.name = "command-env",
		.value = "VARIABLE",
		.help = "what a command's environment may have beside HOME, "
			"LANG, PATH, TERM\n      and USER: NAME or PREFIX*; "
			"again for more\n      (default all; with "
			"command-programs or run_as LC_* and TZ)",
		.type = &wyn_setting_words,
		FIELD(command_env),
		.check = wyn_setting_check_variable,
		.reloads = true,
		.guarded = true},
	{.name = "command-run-as",
		.value = "PEER=USER",
		.help = "PEER's commands may run as USER, where they ask for "
			"it; again for more\n      (default none)",
		.type = &wyn_setting_words,
		FIELD(command_run_as),
		.check = wyn_setting_check_run_as,
		.reloads = true,
		.guarded = true},
	{.name = "command-umask",
		.value = "MODE",
		.help = "umask of commands, octal, up to 0777 (default 0022)",
		.type = &wyn_setting_mode,
		FIELD(command_umask),
		.reloads = true,
		.guarded = true},
	{.name = "command-private-tmp",
		.help = "each command has a /tmp of its own, which goes when "
			"it ends\n      (default no)",
		.type = &wyn_setting_switch,
		FIELD(command_private_tmp),
		.reloads = true,
		.guarded = true},
	{.name = "command-files",
		.value = "COUNT",
		.help = "files that a command may have open, which it may "
			"raise to wynd's\n      own limit; 0 leaves the "
			"spawner's",
		.type = &wyn_setting_number,
		FIELD(command_files),
		COUNT(WYN_COMMAND_FILES_DEFAULT, 0, 1 << 20),
		.reloads = true,
		.guarded = true},
	{.name = "command-processes",
		.value = "COUNT",
		.help = "processes and threads of a command's user at which "
			"it starts no more;\n      0 leaves the spawner's",
		.type = &wyn_setting_number,
		FIELD(command_processes),
		COUNT(0, 0, 1 << 22),
		.reloads = true,
		.guarded = true},
	{.name = "command-cgroup",
		.value = "CGROUP",
		.help = "where commands have cgroups: own, the spawner's if it "
			"is delegated;\n      a directory of cgroup v2; or "
			"none (default " WYN_CGROUP_OWN ")",
		.type = &wyn_setting_text,
		TEXT(command_cgroup),
		.check = wyn_setting_check_cgroup,
		.guarded = true},
	{.name = "spawner",
		.value = "PATH",
		.help = "the program that starts commands, or the socket of "
			"its service\n      (default " WYN_SPAWNER
			", or wynd-spawner\n      beside wynd)",
		.type = &wyn_setting_text,
		TEXT(spawner),
		.check = wyn_setting_check_path,
		.guarded = true},
	WYN_LIMIT_TABLE(LIMIT_ROW)};

static_assert(WYN_COUNT_OF(rows) <= WYN_SETTINGS_MAX, "each has its place");

void wyn_settings_init(struct wyn_settings *ret_settings)
{
	memset(ret_settings, 0, sizeof(*ret_settings));
	memcpy(ret_settings->modules, WYN_MODULES_DIR, sizeof(WYN_MODULES_DIR));
	ret_settings->socket_mode = 0660;
	ret_settings->loops = WYN_LOOPS_DEFAULT;
	ret_settings->log_level = WYN_LOG_INFO;
	ret_settings->log_form = WYN_LOG_AUTO;
	ret_settings->command_umask = 0022;
	ret_settings->command_files = WYN_COMMAND_FILES_DEFAULT;
	memcpy(ret_settings->command_cgroup, WYN_CGROUP_OWN,
		sizeof(WYN_CGROUP_OWN));
	memcpy(ret_settings->spawner, WYN_SPAWNER, sizeof(WYN_SPAWNER));
	ret_settings->limits = (struct wyn_limits)WYN_LIMITS_INIT;
}

int wyn_settings_check(
	const struct wyn_settings *settings, struct wyn_fault *ret_fault)
{
	const struct wyn_limits *limits = &settings->limits;
	const struct {
		bool contradicts;
		const char *advice;
	} rules[] = {
		{limits->credit_bytes < limits->argument_bytes_max,
			"credit-bytes must be at least max-argument, or "
			"the largest argument could never be sent"},
		{limits->daemon_bytes_max < limits->argument_bytes_max,
			"max-bytes must be at least max-argument, or the "
			"largest argument could never be held"},
		/* Nobody holds more than is left: see account.h. */
		{limits->daemon_bytes_max / 2 < limits->value_bytes_max,
			"max-bytes must be at least twice max-value, or "
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

size_t wyn_settings_addresses(const struct wyn_settings *settings, bool passed,
	struct wyn_endpoint ret_addresses[WYN_LISTEN_MAX])
{
	const char *why;
	int error;

	memcpy(ret_addresses, settings->listen, sizeof(settings->listen));
	if (settings->listen_count > 0) {
		return settings->listen_count;
	}
	if (passed) {
		return 0;
	}
	error = wyn_endpoint_parse(WYN_LISTEN_DEFAULT, &ret_addresses[0], &why);
	wyn_assert(error == 0);
	return 1;
}

const struct wyn_setting *wyn_setting_at(size_t index)
{
	return index < WYN_COUNT_OF(rows) ? &rows[index] : NULL;
}

const char *wyn_setting_flag(const struct wyn_setting *setting)
{
	return setting->name;
}

void wyn_setting_key(
	const struct wyn_setting *setting, char ret_key[WYN_SETTING_NAME_BYTES])
{
	size_t bytes = strlen(setting->name);

	wyn_assert(bytes < WYN_SETTING_NAME_BYTES);
	for (size_t i = 0; i <= bytes; i++) {
		ret_key[i] = setting->name[i] == '-' ? '_' : setting->name[i];
	}
}

bool wyn_setting_is_switch(const struct wyn_setting *setting)
{
	return setting->value == NULL;
}

bool wyn_setting_is_list(const struct wyn_setting *setting)
{
	return setting->type->clear != NULL;
}

bool wyn_setting_reloads(const struct wyn_setting *setting)
{
	return setting->reloads;
}

/* Of a file its last part and the line; of the command line "flag". */
static void place_format(
	const struct wyn_place *place, char ret[WYN_SETTING_PLACE_BYTES])
{
	const char *slash;

	if (place->file == NULL) {
		(void)snprintf(ret, WYN_SETTING_PLACE_BYTES, "flag");
		return;
	}
	slash = strrchr(place->file, '/');
	(void)snprintf(ret, WYN_SETTING_PLACE_BYTES, "%.80s:%u",
		slash != NULL ? slash + 1 : place->file, place->line);
}

/* In the same file, or also in the command line. */
static bool is_same_place(const char *a, const char *b)
{
	size_t bytes = strcspn(a, ":");

	return bytes == strcspn(b, ":") && strncmp(a, b, bytes) == 0;
}

int wyn_setting_take(struct wyn_settings *settings,
	const struct wyn_setting *setting, const char *text,
	const struct wyn_place *place, struct wyn_fault *ret_fault)
{
	const struct wyn_taking taking = {
		settings, setting, text, place, ret_fault};
	char *before = settings->places[setting - rows];
	char now[WYN_SETTING_PLACE_BYTES];
	int error;

	place_format(place, now);
	if (setting->guarded && place->open) {
		return wyn_setting_refuse(&taking, WYN_EXIT_CONFIGURATION,
			"others may write to this file; it must belong to "
			"root, or to the user whom wynd runs as, and chmod "
			"go-w must have been done");
	}
	if (wyn_setting_is_list(setting) && !is_same_place(before, now)) {
		setting->type->clear(settings, setting);
	}
	error = setting->type->take(&taking);
	if (error == 0) {
		memcpy(before, now, sizeof(now));
	}
	return error;
}

void wyn_setting_copy(struct wyn_settings *to, const struct wyn_settings *from,
	const struct wyn_setting *setting)
{
	size_t bytes = setting->type->bytes > 0 ? setting->type->bytes
						: setting->bytes;

	memcpy((char *)to + setting->field, (const char *)from + setting->field,
		bytes);
	if (setting->type == &wyn_setting_addresses) {
		to->listen_count = from->listen_count;
	}
	memcpy(to->places[setting - rows], from->places[setting - rows],
		sizeof(to->places[0]));
}

void wyn_setting_format(const struct wyn_settings *settings,
	const struct wyn_setting *setting,
	char ret_text[WYN_SETTING_TEXT_BYTES])
{
	setting->type->format(
		settings, setting, ret_text, WYN_SETTING_TEXT_BYTES);
}

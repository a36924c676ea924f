// SPDX-License-Identifier: MIT
/*
 * command.c - see command.h.
 */
#include "daemon/run/command.h"

#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"
#include "base/text.h"
#include "daemon/modules/module.h"
#include "daemon/run/account.h"
#include "proto/spawn.h"

#define TAG_BYTES_MAX 5u /* of a field, as it is written */

/* A batch calls a function or runs a command; what asks for the function of
 * one that runs a command gets this one, which is in no module. */
static struct wyn_module_version no_version;

const struct wyn_function_entry wyn_command_entry = {
	.name = "",
	.summary = "",
	.module = "",
	.version = &no_version,
};

/* As execve(2) counts: a string with its NUL, and a pointer to it. */
static uint64_t strings_bytes(const ProtobufCBinaryData *strings, size_t n)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < n; i++) {
		bytes += strings[i].len + 1 + sizeof(char *);
	}
	return bytes;
}

static bool has_nul(const ProtobufCBinaryData *string)
{
	return string->len > 0 && memchr(string->data, 0, string->len) != NULL;
}

static bool any_has_nul(const ProtobufCBinaryData *strings, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (has_nul(&strings[i])) {
			return true;
		}
	}
	return false;
}

/* NAME=VALUE, with a name. */
static bool is_assignment(const ProtobufCBinaryData *string)
{
	return string->len > 1 && string->data[0] != '=' &&
	       memchr(string->data, '=', string->len) != NULL;
}

/* Fields of a later version are kept and sent on like the others. */
static uint64_t unknown_bytes(const ProtobufCMessage *message)
{
	uint64_t bytes = 0;

	for (unsigned i = 0; i < message->n_unknown_fields; i++) {
		bytes += message->unknown_fields[i].len + TAG_BYTES_MAX;
	}
	return bytes;
}

uint64_t wyn_command_size(const Wyn__V1__Command *message)
{
	uint64_t limits = message->limits == NULL
				  ? 0
				  : unknown_bytes(&message->limits->base);

	return strings_bytes(message->argv, message->n_argv) +
	       strings_bytes(message->env, message->n_env) + message->cwd.len +
	       strlen(message->run_as) + unknown_bytes(&message->base) + limits;
}

const char *wyn_command_wrong(const Wyn__V1__Command *message)
{
	if (message->n_argv == 0 || message->argv[0].len == 0) {
		return "argv has no program";
	}
	if (any_has_nul(message->argv, message->n_argv)) {
		return "argv has a NUL in it";
	}
	if (any_has_nul(message->env, message->n_env)) {
		return "env has a NUL in it";
	}
	for (size_t i = 0; i < message->n_env; i++) {
		if (!is_assignment(&message->env[i])) {
			return "env has something that is no NAME=VALUE";
		}
	}
	if (has_nul(&message->cwd)) {
		return "cwd has a NUL in it";
	}
	if (message->cwd.len > 0 && message->cwd.data[0] != '/') {
		return "cwd is not an absolute path";
	}
	return NULL;
}

/* What is no text, or would move a terminal, becomes `?`. */
static void line_fill(
	char line[WYN_COMMAND_LINE_BYTES], const Wyn__V1__Command *message)
{
	char text[WYN_COMMAND_LINE_BYTES];
	size_t used = 0;

	for (size_t i = 0; i < message->n_argv; i++) {
		const ProtobufCBinaryData *word = &message->argv[i];

		if (i > 0 && used < sizeof(text) - 1) {
			text[used++] = ' ';
		}
		for (size_t j = 0; j < word->len && used < sizeof(text) - 1;
			j++) {
			uint8_t byte = word->data[j];

			text[used++] =
				byte < ' ' || byte == 0x7f ? '?' : (char)byte;
		}
	}
	/* A character that was cut would make all of it no text. */
	text[wyn_text_whole((struct wyn_slice){(uint8_t *)text, used})] = '\0';
	wyn_text_copy(line, WYN_COMMAND_LINE_BYTES, text);
}

struct wyn_command *wyn_command_create(
	const Wyn__V1__Command *message, struct wyn_account *account)
{
	size_t bytes = wyn_spawn_command_bytes(message);
	struct wyn_command *command = calloc(1, sizeof(*command) + bytes);

	if (command == NULL) {
		return NULL;
	}
	wyn_account_hold(account);
	command->account = account;
	command->input_stream = message->input_stream;
	command->merge_stderr = message->merge_stderr;
	line_fill(command->line, message);
	command->packed_bytes = bytes;
	wyn_spawn_command_encode(message, command->packed);
	account->command_bytes += wyn_command_bytes(command);
	return command;
}

void wyn_command_destroy(struct wyn_command *command)
{
	if (command == NULL) {
		return;
	}
	command->account->command_bytes -= wyn_command_bytes(command);
	wyn_account_release(command->account);
	free(command);
}

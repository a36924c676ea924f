// SPDX-License-Identifier: MIT
/*
 * test_command.c - a command of a batch: what is wrong with one, its size, its
 * copy, and the line that people see.
 */
#include "daemon/run/command.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "daemon/run/account.h"
#include "proto/arena.h"
#include "proto/spawn.h"
#include "tests/support/rig_messages.h"

static _Atomic uint64_t all_held;
static struct wyn_account *account;
static struct rig_command command;
static ProtobufCBinaryData env[2];

static int setup(void **state)
{
	(void)state;
	account = wyn_account_create(&all_held, 1000000);
	assert_non_null(account);
	rig_command_init(&command, "/bin/echo one two");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	assert_int_equal(account->command_bytes, 0);
	wyn_account_release(account);
	return 0;
}

static ProtobufCBinaryData bytes_of(const char *bytes, size_t n)
{
	ProtobufCBinaryData word = rig_word(bytes);

	word.len = n;
	return word;
}

static void env_set(const char *first)
{
	env[0] = rig_word(first);
	command.message.env = env;
	command.message.n_env = 1;
}

static void wrong_expected(const char *field)
{
	const char *wrong = wyn_command_wrong(&command.message);

	assert_non_null(wrong);
	assert_memory_equal(wrong, field, strlen(field));
}

static void command_is_well_when_all_is_there(void **state)
{
	(void)state;
	env_set("PATH=/bin");
	env[1] = rig_word("EMPTY=");
	command.message.n_env = 2;
	command.message.cwd = rig_word("/tmp");
	assert_null(wyn_command_wrong(&command.message));
}

static void command_is_well_when_an_argument_is_empty(void **state)
{
	(void)state;
	command.argv[1] = rig_word("");
	assert_null(wyn_command_wrong(&command.message));
}

static void command_is_wrong_when_it_has_no_argv(void **state)
{
	(void)state;
	command.message.n_argv = 0;
	wrong_expected("argv");
}

static void command_is_wrong_when_the_program_is_empty(void **state)
{
	(void)state;
	command.argv[0].len = 0;
	wrong_expected("argv");
}

static void command_is_wrong_when_argv_has_a_nul(void **state)
{
	(void)state;
	command.argv[2] = bytes_of("a\0b", 3);
	wrong_expected("argv");
	command.argv[2] = bytes_of("ab\0", 3);
	wrong_expected("argv");
}

static void command_is_wrong_when_env_has_a_nul(void **state)
{
	(void)state;
	env_set("");
	env[0] = bytes_of("A=\0", 3);
	wrong_expected("env");
}

static void command_is_wrong_when_env_is_no_assignment(void **state)
{
	static const char *const texts[] = {"", "=", "=value", "NAME"};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		env_set(texts[i]);
		wrong_expected("env");
	}
}

static void command_is_wrong_when_cwd_has_a_nul(void **state)
{
	(void)state;
	command.message.cwd = bytes_of("/tmp\0", 5);
	wrong_expected("cwd");
}

static void command_is_wrong_when_cwd_is_not_absolute(void **state)
{
	(void)state;
	command.message.cwd = rig_word("tmp");
	wrong_expected("cwd");
}

static void command_size_counts_as_execve_does(void **state)
{
	(void)state;
	env_set("A=b");
	command.message.cwd = rig_word("/tmp");
	assert_int_equal(wyn_command_size(&command.message),
		sizeof("/bin/echo") + sizeof("one") + sizeof("two") +
			sizeof("A=b") + 4 * sizeof(char *) + 4);
}

static void command_size_counts_what_this_version_does_not_know(void **state)
{
	uint8_t bytes[100] = {99};
	ProtobufCMessageUnknownField unknown = {.tag = 100,
		.wire_type = PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED,
		.len = sizeof(bytes),
		.data = bytes};
	Wyn__V1__CommandLimits limits = WYN__V1__COMMAND_LIMITS__INIT;
	uint64_t before = wyn_command_size(&command.message);

	(void)state;
	command.message.base.n_unknown_fields = 1;
	command.message.base.unknown_fields = &unknown;
	assert_true(wyn_command_size(&command.message) > before + 100);
	limits.base.n_unknown_fields = 1;
	limits.base.unknown_fields = &unknown;
	command.message.limits = &limits;
	assert_true(wyn_command_size(&command.message) > before + 200);
}

/* Else a message that max-command lets in is more than the spawner takes. */
static void command_size_counts_no_less_than_is_sent_on(void **state)
{
	enum {
		N = 100
	};
	uint8_t one = 1;
	ProtobufCMessageUnknownField unknown[N];
	uint64_t before = wyn_command_size(&command.message);
	size_t bytes = wyn_spawn_command_bytes(&command.message);

	(void)state;
	for (size_t i = 0; i < N; i++) {
		unknown[i] =
			(ProtobufCMessageUnknownField){.tag = (1u << 29) - 1,
				.wire_type = PROTOBUF_C_WIRE_TYPE_VARINT,
				.len = 1,
				.data = &one};
	}
	command.message.base.n_unknown_fields = N;
	command.message.base.unknown_fields = unknown;
	assert_true(wyn_command_size(&command.message) - before >=
		    wyn_spawn_command_bytes(&command.message) - bytes);
}

/* The account is the caller's, and the command holds it. */
static struct wyn_command *create(void)
{
	struct wyn_command *made =
		wyn_command_create(&command.message, account);

	assert_non_null(made);
	return made;
}

static void command_is_a_copy_when_it_is_made(void **state)
{
	static _Alignas(16) uint8_t memory[4096];
	const Wyn__V1__Command *again;
	struct wyn_command *made;
	struct wyn_arena arena;
	char line[] = "cat x";

	(void)state;
	rig_command_init(&command, line);
	command.message.input_stream = true;
	command.message.merge_stderr = true;
	made = create();
	memset(line, '?', strlen(line));
	wyn_arena_init(&arena, memory, sizeof(memory));
	assert_int_equal(
		wyn_spawn_command_decode(
			(struct wyn_slice){made->packed, made->packed_bytes},
			&arena, &again),
		0);
	assert_int_equal(again->n_argv, 2);
	assert_memory_equal(again->argv[0].data, "cat", 3);
	assert_memory_equal(again->argv[1].data, "x", 1);
	assert_true(made->input_stream);
	assert_true(made->merge_stderr);
	wyn_command_destroy(made);
}

static void command_is_charged_while_it_is_there(void **state)
{
	struct wyn_command *one = create();
	struct wyn_command *two = create();

	(void)state;
	assert_int_equal(account->command_bytes,
		wyn_command_bytes(one) + wyn_command_bytes(two));
	assert_true(wyn_command_bytes(one) > one->packed_bytes);
	wyn_command_destroy(one);
	assert_int_equal(account->command_bytes, wyn_command_bytes(two));
	wyn_command_destroy(two);
}

static void command_keeps_its_account_when_the_owner_has_gone(void **state)
{
	struct wyn_account *other = wyn_account_create(&all_held, 1000);
	struct wyn_command *made = wyn_command_create(&command.message, other);

	(void)state;
	assert_non_null(made);
	wyn_account_release(other);
	wyn_command_destroy(made);
}

static void command_is_nothing_when_there_is_none(void **state)
{
	(void)state;
	wyn_command_destroy(NULL);
	assert_int_equal(wyn_command_bytes(NULL), 0);
}

static void line_expected(const char *text)
{
	struct wyn_command *made = create();

	assert_string_equal(made->line, text);
	wyn_command_destroy(made);
}

static void command_line_has_blanks_between_words(void **state)
{
	(void)state;
	line_expected("/bin/echo one two");
}

static void command_line_has_marks_when_a_terminal_would_obey(void **state)
{
	(void)state;
	command.argv[1] = rig_word("\033[2J\r\n\t");
	command.argv[2] = rig_word("\177");
	line_expected("/bin/echo ?[2J??? ?");
}

static void command_line_keeps_characters_beyond_ascii(void **state)
{
	(void)state;
	command.argv[1] = rig_word("gr\xc3\xbc\xc3\x9f");
	line_expected("/bin/echo gr\xc3\xbc\xc3\x9f two");
}

static void command_line_has_marks_when_it_is_no_utf8(void **state)
{
	(void)state;
	command.argv[1] = rig_word("\xff\xc3");
	line_expected("/bin/echo ?? two");
}

/* Of a word so long, whose last character ends `over` bytes beyond the room. */
static void cut_expected(size_t over)
{
	char word[2 * WYN_COMMAND_LINE_BYTES];
	size_t room = WYN_COMMAND_LINE_BYTES - 1;
	size_t ascii = room - 3 + over;
	struct wyn_command *made;

	memset(word, 'x', ascii);
	memcpy(word + ascii, "\xe2\x82\xac tail", 9);
	rig_command_init(&command, word);
	made = create();
	assert_int_equal(strlen(made->line), over == 0	    ? room
					     : ascii < room ? ascii
							    : room);
	assert_true(wyn_text_valid(wyn_slice_of(made->line)));
	assert_null(strchr(made->line, '?'));
	wyn_command_destroy(made);
}

static void command_line_is_cut_between_characters(void **state)
{
	(void)state;
	for (size_t over = 0; over <= 4; over++) {
		cut_expected(over);
	}
}

static void command_line_is_cut_when_there_are_many_words(void **state)
{
	ProtobufCBinaryData words[300];
	struct wyn_command *made;

	(void)state;
	for (size_t i = 0; i < 300; i++) {
		words[i] = rig_word("a");
	}
	command.message.argv = words;
	command.message.n_argv = 300;
	made = create();
	assert_int_equal(strlen(made->line), WYN_COMMAND_LINE_BYTES - 1);
	wyn_command_destroy(made);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(command_is_well_when_all_is_there),
		TEST(command_is_well_when_an_argument_is_empty),
		TEST(command_is_wrong_when_it_has_no_argv),
		TEST(command_is_wrong_when_the_program_is_empty),
		TEST(command_is_wrong_when_argv_has_a_nul),
		TEST(command_is_wrong_when_env_has_a_nul),
		TEST(command_is_wrong_when_env_is_no_assignment),
		TEST(command_is_wrong_when_cwd_has_a_nul),
		TEST(command_is_wrong_when_cwd_is_not_absolute),
		TEST(command_size_counts_as_execve_does),
		TEST(command_size_counts_what_this_version_does_not_know),
		TEST(command_size_counts_no_less_than_is_sent_on),
		TEST(command_is_a_copy_when_it_is_made),
		TEST(command_is_charged_while_it_is_there),
		TEST(command_keeps_its_account_when_the_owner_has_gone),
		TEST(command_is_nothing_when_there_is_none),
		TEST(command_line_has_blanks_between_words),
		TEST(command_line_has_marks_when_a_terminal_would_obey),
		TEST(command_line_keeps_characters_beyond_ascii),
		TEST(command_line_has_marks_when_it_is_no_utf8),
		TEST(command_line_is_cut_between_characters),
		TEST(command_line_is_cut_when_there_are_many_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

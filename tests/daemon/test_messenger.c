// SPDX-License-Identifier: MIT
/*
 * test_messenger.c - what is told, in which order, and that nobody waits for a
 * service manager that does not read.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/io/messenger.h"
#include "tests/support/manager.h"

static int manager;
static struct wyn_messenger *messenger;

static int set_up(void **state)
{
	(void)state;
	manager = manager_start();
	assert_int_equal(wyn_messenger_create(&messenger), 0);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	wyn_messenger_destroy(messenger);
	manager_stop(manager);
	return 0;
}

static void post(enum wyn_message message, const char *status)
{
	wyn_messenger_post(messenger, message, status);
}

/* The next one that is not there only to fill the queue. */
static const char *hear(void)
{
	const char *text;

	do {
		text = manager_look(manager, 0);
	} while (!strcmp(text, MANAGER_FILLER));
	return text;
}

static void messenger_tells_each_kind(void **state)
{
	(void)state;
	post(WYN_MESSAGE_READY, "a");
	assert_string_equal(hear(), "READY=1\nSTATUS=a");
	post(WYN_MESSAGE_STATUS, "b");
	assert_string_equal(hear(), "STATUS=b");
	post(WYN_MESSAGE_FEED, NULL);
	assert_string_equal(hear(), "WATCHDOG=1");
	post(WYN_MESSAGE_RELOADING, NULL);
	assert_memory_equal(hear(), "RELOADING=1\nMONOTONIC_USEC=", 27);
	post(WYN_MESSAGE_STOPPING, "c");
	assert_string_equal(hear(), "STOPPING=1\nSTATUS=c");
}

static void messenger_tells_the_last_when_nobody_read(void **state)
{
	char text[16];
	unsigned told = 0;

	(void)state;
	manager_fill(manager);
	for (unsigned i = 0; i <= 1000; i++) {
		snprintf(text, sizeof(text), "%u", i);
		post(WYN_MESSAGE_STATUS, text);
	}
	/* One that was under way, and the last. */
	while (strcmp(hear(), "STATUS=1000")) {
		told++;
	}
	assert_true(told <= 1);
}

static void messenger_is_not_ready_when_it_reloads_again(void **state)
{
	const char *text;

	(void)state;
	manager_fill(manager);
	post(WYN_MESSAGE_FEED, NULL);
	post(WYN_MESSAGE_READY, "a");
	post(WYN_MESSAGE_RELOADING, NULL);
	do {
		text = hear();
	} while (strncmp(text, "RELOADING=1", 11) != 0);
	post(WYN_MESSAGE_STOPPING, "b");
	do {
		text = hear();
		assert_int_not_equal(strncmp(text, "READY=1", 7), 0);
	} while (strncmp(text, "STOPPING=1", 10) != 0);
}

static void messenger_tells_what_is_left_when_it_ends(void **state)
{
	(void)state;
	post(WYN_MESSAGE_STATUS, "x");
	post(WYN_MESSAGE_STOPPING, "bye");
	wyn_messenger_destroy(messenger);
	messenger = NULL;
	manager_hear(manager, "STOPPING=1\nSTATUS=bye");
}

static void messenger_ends_when_nobody_reads(void **state)
{
	(void)state;
	manager_fill(manager);
	post(WYN_MESSAGE_STOPPING, "bye");
	wyn_messenger_destroy(messenger);
	messenger = NULL;
}

#define TEST(function) \
	cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(messenger_tells_each_kind),
		TEST(messenger_tells_the_last_when_nobody_read),
		TEST(messenger_is_not_ready_when_it_reloads_again),
		TEST(messenger_tells_what_is_left_when_it_ends),
		TEST(messenger_ends_when_nobody_reads),
	};

	return cmocka_run_group_tests_name("messenger", tests, NULL, NULL);
}

// SPDX-License-Identifier: MIT
/*
 * test_endpoint.c - addresses as text, right and wrong ones.
 */
#include "base/endpoint.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/compiler.h"

static struct wyn_endpoint parsed(const char *text)
{
	struct wyn_endpoint endpoint;
	const char *why = NULL;

	assert_int_equal(wyn_endpoint_parse(text, &endpoint, &why), 0);
	assert_null(why);
	return endpoint;
}

static int refused(const char *text)
{
	struct wyn_endpoint endpoint;
	struct wyn_endpoint untouched;
	const char *why = NULL;
	int err;

	memset(&endpoint, 0x5a, sizeof(endpoint));
	memset(&untouched, 0x5a, sizeof(untouched));
	err = wyn_endpoint_parse(text, &endpoint, &why);
	assert_non_null(why);
	assert_memory_equal(&endpoint, &untouched, sizeof(endpoint));
	return err;
}

static void endpoint_has_path_when_unix(void **state)
{
	struct wyn_endpoint endpoint = parsed("unix:/run/wynd/wynd.sock");

	(void)state;
	assert_int_equal(endpoint.kind, WYN_ENDPOINT_UNIX);
	assert_string_equal(endpoint.path, "/run/wynd/wynd.sock");
	assert_string_equal(endpoint.host, "");
}

static void endpoint_keeps_colons_when_in_unix_path(void **state)
{
	(void)state;
	assert_string_equal(parsed("unix:a:b:1").path, "a:b:1");
}

static void endpoint_has_host_and_port_when_tcp(void **state)
{
	struct wyn_endpoint endpoint = parsed("tcp:localhost:7117");

	(void)state;
	assert_int_equal(endpoint.kind, WYN_ENDPOINT_TCP);
	assert_string_equal(endpoint.host, "localhost");
	assert_int_equal(endpoint.port, 7117);
	assert_string_equal(endpoint.path, "");
}

static void endpoint_has_host_without_brackets_when_ipv6(void **state)
{
	struct wyn_endpoint endpoint = parsed("tcp:[::1]:0");

	(void)state;
	assert_string_equal(endpoint.host, "::1");
	assert_int_equal(endpoint.port, 0);
}

static void endpoint_takes_port_when_largest(void **state)
{
	(void)state;
	assert_int_equal(parsed("tcp:h:65535").port, 65535);
}

static void endpoint_takes_path_when_longest(void **state)
{
	char text[128] = "unix:";

	(void)state;
	memset(text + 5, 'p', WYN_ENDPOINT_PATH_BYTES - 1);
	assert_int_equal(strlen(parsed(text).path), 107);
}

static void endpoint_refuses_path_when_too_long(void **state)
{
	char text[128] = "unix:";

	(void)state;
	memset(text + 5, 'p', WYN_ENDPOINT_PATH_BYTES);
	assert_int_equal(refused(text), -ENAMETOOLONG);
}

static void endpoint_refuses_host_when_too_long(void **state)
{
	char text[300] = "tcp:";

	(void)state;
	memset(text + 4, 'h', WYN_ENDPOINT_HOST_BYTES);
	strncpy(text + 4 + WYN_ENDPOINT_HOST_BYTES, ":1", 3);
	assert_int_equal(refused(text), -ENAMETOOLONG);
}

static void endpoint_refuses_text_when_malformed(void **state)
{
	static const char *const wrong[] = {"", "unix", "unix:", "UNIX:/a",
		"/run/wynd.sock", "tcp:", "tcp:host", "tcp::1",
		"tcp:host:", "tcp:host:65536", "tcp:host:000001", "tcp:host:-1",
		"tcp:host: 1", "tcp:host:1x", "tcp:::1:80", "tcp:[::1]",
		"tcp:[::1]80", "tcp:[::1:80", "tcp:[]:80", "tcp:::1]:80",
		"tcp:a]:80", "udp:host:1"};

	(void)state;
	for (size_t i = 0; i < WYN_COUNT_OF(wrong); i++) {
		assert_int_equal(refused(wrong[i]), -EINVAL);
	}
}

static void endpoint_is_the_same_when_formatted(void **state)
{
	static const char *const texts[] = {"unix:/run/wynd/wynd.sock",
		"tcp:127.0.0.1:7117", "tcp:[fe80::1%eth0]:0",
		"tcp:localhost:65535"};
	char out[WYN_ENDPOINT_TEXT_BYTES];

	(void)state;
	for (size_t i = 0; i < WYN_COUNT_OF(texts); i++) {
		struct wyn_endpoint endpoint = parsed(texts[i]);

		wyn_endpoint_format(&endpoint, out, sizeof(out));
		assert_string_equal(out, texts[i]);
	}
}

static void endpoint_is_cut_when_room_is_short(void **state)
{
	struct wyn_endpoint endpoint = parsed("unix:/run/wynd.sock");
	char out[8];

	(void)state;
	wyn_endpoint_format(&endpoint, out, sizeof(out));
	assert_string_equal(out, "unix:/r");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(endpoint_has_path_when_unix),
		cmocka_unit_test(endpoint_keeps_colons_when_in_unix_path),
		cmocka_unit_test(endpoint_has_host_and_port_when_tcp),
		cmocka_unit_test(endpoint_has_host_without_brackets_when_ipv6),
		cmocka_unit_test(endpoint_takes_port_when_largest),
		cmocka_unit_test(endpoint_takes_path_when_longest),
		cmocka_unit_test(endpoint_refuses_path_when_too_long),
		cmocka_unit_test(endpoint_refuses_host_when_too_long),
		cmocka_unit_test(endpoint_refuses_text_when_malformed),
		cmocka_unit_test(endpoint_is_the_same_when_formatted),
		cmocka_unit_test(endpoint_is_cut_when_room_is_short),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

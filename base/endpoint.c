// SPDX-License-Identifier: MIT
/*
 * endpoint.c - addresses as users write them: parsing and formatting.
 *
 * The result is built in a local and copied out at the end, so that a caller
 * never sees half of an address.
 */
#include "base/endpoint.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const char WHY_FORM[] =
	"write it as unix:PATH, tcp:HOST:PORT or tcp:[IPV6]:PORT";

static int refuse(int error, const char *why, const char **ret_why)
{
	*ret_why = why;
	return error;
}

static int parse_unix(const char *path, struct wyn_endpoint *ret_endpoint,
	const char **ret_why)
{
	size_t len = strlen(path);

	if (len == 0) {
		return refuse(-EINVAL, "name a path after unix:", ret_why);
	}
	if (len >= sizeof(ret_endpoint->path)) {
		return refuse(-ENAMETOOLONG,
			"the path of a Unix socket has at most 107 bytes; "
			"choose a shorter one",
			ret_why);
	}
	*ret_endpoint = (struct wyn_endpoint){.kind = WYN_ENDPOINT_UNIX};
	memcpy(ret_endpoint->path, path, len + 1);
	return 0;
}

/* Digits only: strtoul() would take a sign and blanks too. */
static bool parse_port(const char *text, uint16_t *ret_port)
{
	unsigned int port = 0;
	size_t digits = 0;

	while (text[digits] >= '0' && text[digits] <= '9' && digits < 5) {
		port = port * 10 + (unsigned int)(text[digits] - '0');
		digits++;
	}
	if (digits == 0 || text[digits] != '\0' || port > UINT16_MAX) {
		return false;
	}
	*ret_port = (uint16_t)port;
	return true;
}

/*
 * The host ends at the bracket or at the only colon: an IPv6 address without
 * brackets would leave it open which of its colons begins the port.
 */
static const char *find_host_end(const char **host)
{
	const char *end;

	if (**host == '[') {
		(*host)++;
		end = strchr(*host, ']');
		return end && end[1] == ':' ? end : NULL;
	}
	end = strchr(*host, ':');
	return end && !strchr(end + 1, ':') &&
			       !memchr(*host, ']', (size_t)(end - *host))
		       ? end
		       : NULL;
}

static int parse_tcp(const char *text, struct wyn_endpoint *ret_endpoint,
	const char **ret_why)
{
	const char *host = text;
	const char *end = find_host_end(&host);
	uint16_t port;
	size_t len;

	if (!end) {
		return refuse(-EINVAL,
			"write it as tcp:HOST:PORT, with an IPv6 address in "
			"brackets: tcp:[::1]:PORT",
			ret_why);
	}
	len = (size_t)(end - host);
	if (len == 0) {
		return refuse(-EINVAL,
			"name a host between tcp: and the port, 127.0.0.1 for "
			"instance",
			ret_why);
	}
	if (len >= sizeof(ret_endpoint->host)) {
		return refuse(-ENAMETOOLONG,
			"a host name has at most 255 bytes; shorten it",
			ret_why);
	}
	if (!parse_port(end + (*end == ']' ? 2 : 1), &port)) {
		return refuse(-EINVAL,
			"end it with a port from 0 to 65535 (0 = any free one)",
			ret_why);
	}
	*ret_endpoint =
		(struct wyn_endpoint){.kind = WYN_ENDPOINT_TCP, .port = port};
	memcpy(ret_endpoint->host, host, len);
	return 0;
}

int wyn_endpoint_parse(const char *text, struct wyn_endpoint *ret_endpoint,
	const char **ret_why)
{
	if (!strncmp(text, "unix:", 5)) {
		return parse_unix(text + 5, ret_endpoint, ret_why);
	}
	if (!strncmp(text, "tcp:", 4)) {
		return parse_tcp(text + 4, ret_endpoint, ret_why);
	}
	return refuse(-EINVAL, WHY_FORM, ret_why);
}

void wyn_endpoint_format(
	const struct wyn_endpoint *endpoint, char *out, size_t out_bytes)
{
	bool brackets;

	if (endpoint->kind == WYN_ENDPOINT_UNIX) {
		snprintf(out, out_bytes, "unix:%s", endpoint->path);
		return;
	}
	brackets = strchr(endpoint->host, ':') != NULL;
	snprintf(out, out_bytes, "tcp:%s%s%s:%u", brackets ? "[" : "",
		endpoint->host, brackets ? "]" : "",
		(unsigned int)endpoint->port);
}

bool wyn_endpoint_equal(
	const struct wyn_endpoint *a, const struct wyn_endpoint *b)
{
	return a->kind == b->kind && strcmp(a->path, b->path) == 0 &&
	       strcmp(a->host, b->host) == 0 && a->port == b->port;
}

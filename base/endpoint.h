// SPDX-License-Identifier: MIT
/*
 * endpoint.h - addresses as users write them.
 *
 *	unix:PATH	a socket in the file system
 *	tcp:HOST:PORT	a name or an IPv4 address; port 0 = any free one
 *	tcp:[ADDR]:PORT	an IPv6 address
 *
 * Text only: nothing is resolved, opened or checked for existence, which the
 * daemon and the client each do in their own way. Any room, any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

/* sizeof(sockaddr_un.sun_path): one byte of it is the NUL. */
#define WYN_ENDPOINT_PATH_BYTES 108u
/* The longest DNS name is 253 bytes. */
#define WYN_ENDPOINT_HOST_BYTES 256u
/* Room for any endpoint as text: host, brackets, "tcp:", port, NUL. */
#define WYN_ENDPOINT_TEXT_BYTES 288u

/* Where wynd listens, and clients look for it, unless told otherwise. */
#define WYN_ENDPOINT_DEFAULT_PATH "/run/wynd/wynd.sock"

enum wyn_endpoint_kind {
	WYN_ENDPOINT_UNIX = 1,
	WYN_ENDPOINT_TCP = 2,
};

struct wyn_endpoint {
	enum wyn_endpoint_kind kind;
	char path[WYN_ENDPOINT_PATH_BYTES]; /* UNIX, else empty */
	char host[WYN_ENDPOINT_HOST_BYTES]; /* TCP, without brackets */
	uint16_t port;			    /* TCP, host byte order */
};

/*
 * wyn_endpoint_parse - reads an address from text.
 *
 * Thread: any. Owns: borrows `text`. Returns: 0; -EINVAL when the text is none
 * of the forms above; -ENAMETOOLONG when the path does not fit a socket
 * address or the host is longer than a name can be. On error *ret_why is a
 * constant sentence that says what to do, and *ret_endpoint is not written; on
 * success *ret_why is not written.
 */
WYN_NODISCARD
int wyn_endpoint_parse(const char *text, struct wyn_endpoint *ret_endpoint,
	const char **ret_why);

/* wyn_endpoint_equal - the same address, as it was written. Thread: any. */
bool wyn_endpoint_equal(
	const struct wyn_endpoint *a, const struct wyn_endpoint *b);

/*
 * wyn_endpoint_format - writes an address the way wyn_endpoint_parse() reads.
 *
 * Thread: any. `out` is always ended by NUL; what does not fit is cut, which
 * cannot happen with WYN_ENDPOINT_TEXT_BYTES.
 */
void wyn_endpoint_format(
	const struct wyn_endpoint *endpoint, char *out, size_t out_bytes);

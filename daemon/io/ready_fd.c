// SPDX-License-Identifier: MIT
/*
 * ready_fd.c - tells whoever started us where we listen, and when.
 */
#include "daemon/io/ready_fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/endpoint.h"
#include "daemon/io/acceptor.h"
#include "daemon/write.h"

int wyn_ready_fd_check(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	return flags < 0 || (flags & O_ACCMODE) == O_RDONLY ? -EBADF : 0;
}

static int write_line(int fd, const char *text)
{
	int error = wyn_write_all(fd, text, strlen(text));

	return error ? error : wyn_write_all(fd, "\n", 1);
}

static void give_back(int fd)
{
	int null;

	if (fd > STDERR_FILENO) {
		close(fd);
		return;
	}
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null >= 0) {
		dup2(null, fd);
		close(null);
	}
}

int wyn_ready_fd_tell(int fd, const struct wyn_acceptor *acceptor)
{
	const struct wyn_endpoint *endpoint;
	char text[WYN_ENDPOINT_TEXT_BYTES];
	int error = 0;

	for (size_t i = 0;
		!error && (endpoint = wyn_acceptor_endpoint(acceptor, i));
		i++) {
		wyn_endpoint_format(endpoint, text, sizeof(text));
		error = write_line(fd, text);
	}
	if (!error) {
		error = write_line(fd, "ready");
	}
	give_back(fd);
	return error;
}

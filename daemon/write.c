// SPDX-License-Identifier: MIT
/*
 * write.c - see write.h.
 */
#include "daemon/write.h"

#include <errno.h>
#include <unistd.h>

int wyn_write_all(int fd, const char *text, size_t bytes)
{
	while (bytes > 0) {
		ssize_t written = write(fd, text, bytes);

		if (written < 0 && errno != EINTR) {
			return -errno;
		}
		if (written > 0) {
			text += written;
			bytes -= (size_t)written;
		}
	}
	return 0;
}

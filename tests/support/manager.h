// SPDX-License-Identifier: MIT
/*
 * manager.h - what a service manager does for wynd, done by a test.
 *
 * A notify socket with an abstract name of this process's own, and the
 * variables of the environment that speak of it. One at a time.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define MANAGER_MESSAGE_BYTES 1024u
#define MANAGER_PATIENCE_S    60

/* manager_start - its socket, which NOTIFY_SOCKET names. */
static inline int manager_start(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const struct timeval patience = {.tv_sec = MANAGER_PATIENCE_S};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	char name[sizeof(address.sun_path)];
	int bytes =
		snprintf(name, sizeof(name), "@wynd-test-%ld", (long)getpid());

	memcpy(address.sun_path, name, (size_t)bytes);
	address.sun_path[0] = '\0';
	if (fd < 0 ||
		bind(fd, (struct sockaddr *)&address,
			(socklen_t)(offsetof(struct sockaddr_un, sun_path) +
				    (size_t)bytes)) ||
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience,
			sizeof(patience)) ||
		setenv("NOTIFY_SOCKET", name, 1)) {
		perror("manager");
		abort();
	}
	return fd;
}

static inline void manager_stop(int fd)
{
	close(fd);
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
}

/* manager_look - a message that is there; "" = there is none. */
static inline const char *manager_look(int fd, int flags)
{
	static char text[MANAGER_MESSAGE_BYTES];
	ssize_t bytes = recv(fd, text, sizeof(text) - 1, flags);

	text[bytes > 0 ? bytes : 0] = '\0';
	return text;
}

/* manager_hear - waits for a message that begins so; others are passed over. */
static inline const char *manager_hear(int fd, const char *begins)
{
	const char *text;

	while (*(text = manager_look(fd, 0)) != '\0') {
		if (!strncmp(text, begins, strlen(begins))) {
			return text;
		}
	}
	fprintf(stderr, "manager: \"%s\" did not come\n", begins);
	abort();
}

#define MANAGER_FILLER "filler"

/* manager_fill - sends itself messages until it takes no more: whoever tells
 * it something then waits until it looks. */
static inline void manager_fill(int fd)
{
	struct sockaddr_un address;
	socklen_t bytes = sizeof(address);
	int other = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (other < 0 || getsockname(fd, (struct sockaddr *)&address, &bytes)) {
		perror("manager");
		abort();
	}
	while (sendto(other, MANAGER_FILLER, strlen(MANAGER_FILLER),
		       MSG_DONTWAIT, (struct sockaddr *)&address, bytes) > 0) {
	}
	close(other);
}

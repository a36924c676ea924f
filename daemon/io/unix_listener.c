// SPDX-License-Identifier: MIT
/*
 * unix_listener.c - a socket in the file system: lock, take over, bind.
 *
 * The lock file decides between two daemons that start at once, which probing
 * alone cannot: both would find nobody there. Only who holds it may remove a
 * socket, and only one on which nobody answers. The holder unlinks the lock
 * file while it is locked; one that opened it before then finds, with the
 * lock in hand, that the path leads elsewhere, and starts again.
 */
#include "daemon/io/listener_kind.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/time.h"

/* Each try lost means that another daemon ended in between. */
#define LOCK_TRIES_MAX 16

/* A daemon that was killed while it started its spawner leaves a child that has
 * the lock and the socket, until it executes. */
#define IN_USE_TRIES_MAX 50
#define IN_USE_STEP_MS	 5

static void write_lock_path(const struct wyn_endpoint *endpoint,
	char out[static WYN_ENDPOINT_PATH_BYTES + 8])
{
	snprintf(out, WYN_ENDPOINT_PATH_BYTES + 8, "%s.lock", endpoint->path);
}

static int refuse_with(const struct wyn_endpoint *endpoint, int error,
	const char *doing, const char *advice, struct wyn_fault *fault)
{
	return wyn_fault_set(fault, error, wyn_fault_exit_code(error),
		"unix:%s: %s: %s; %s", endpoint->path, doing, strerror(-error),
		advice);
}

static int refuse(const struct wyn_endpoint *endpoint, int error,
	const char *doing, struct wyn_fault *fault)
{
	switch (-error) {
	case ENOENT:
	case ENOTDIR:
		return refuse_with(endpoint, error, doing,
			"create its directory first, or choose another", fault);
	case EACCES:
	case EPERM:
	case EROFS:
		return refuse_with(endpoint, error, doing,
			"choose a directory that this user may write to, such "
			"as $XDG_RUNTIME_DIR",
			fault);
	default:
		return refuse_with(endpoint, error, doing,
			"choose another path with --listen", fault);
	}
}

static struct sockaddr_un address_of(const struct wyn_endpoint *endpoint)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	_Static_assert(sizeof(address.sun_path) == WYN_ENDPOINT_PATH_BYTES,
		"a path that parses fits");
	memcpy(address.sun_path, endpoint->path, sizeof(address.sun_path));
	return address;
}

/* Is the file at `path` the one that is open as `fd`? */
static bool leads_to(const char *path, int fd)
{
	struct stat named;
	struct stat opened;

	return lstat(path, &named) == 0 && fstat(fd, &opened) == 0 &&
	       named.st_dev == opened.st_dev && named.st_ino == opened.st_ino;
}

static int lock(const struct wyn_endpoint *endpoint, int *ret_fd,
	struct wyn_fault *fault)
{
	char path[WYN_ENDPOINT_PATH_BYTES + 8];

	write_lock_path(endpoint, path);
	for (int i = 0; i < LOCK_TRIES_MAX; i++) {
		int fd = open(
			path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

		if (fd < 0) {
			return refuse(endpoint, -errno,
				"cannot create the lock file beside it", fault);
		}
		if (flock(fd, LOCK_EX | LOCK_NB)) {
			int error = errno;

			close(fd);
			return error == EWOULDBLOCK
				       ? wyn_fault_set(fault, -EADDRINUSE,
						 WYN_EXIT_UNAVAILABLE,
						 "unix:%s: in use by another "
						 "wynd; stop that one or "
						 "choose another path",
						 endpoint->path)
				       : refuse(endpoint, -error,
						 "cannot lock it", fault);
		}
		if (leads_to(path, fd)) {
			*ret_fd = fd;
			return 0;
		}
		close(fd);
	}
	return refuse(endpoint, -EAGAIN, "cannot lock it", fault);
}

/* 0 = somebody answers, -ECONNREFUSED = nobody does. */
static int probe(const struct wyn_endpoint *endpoint)
{
	struct sockaddr_un address = address_of(endpoint);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int error = 0;

	if (fd < 0) {
		return -errno;
	}
	if (connect(fd, (struct sockaddr *)&address, sizeof(address))) {
		error = -errno;
	}
	close(fd);
	return error;
}

/* Makes the path free, or says why it is not to be had. */
static int clear(const struct wyn_endpoint *endpoint, struct wyn_fault *fault)
{
	struct stat there;
	int error;

	if (lstat(endpoint->path, &there)) {
		return errno == ENOENT ? 0
				       : refuse(endpoint, -errno,
						 "cannot look at it", fault);
	}
	if (!S_ISSOCK(there.st_mode)) {
		return wyn_fault_set(fault, -EEXIST, WYN_EXIT_CONFIGURATION,
			"unix:%s: is there and not a socket; move it away or "
			"choose another path",
			endpoint->path);
	}
	error = probe(endpoint);
	switch (error) {
	case -ECONNREFUSED:
		return unlink(endpoint->path) && errno != ENOENT
			       ? refuse(endpoint, -errno,
					 "cannot remove the stale socket",
					 fault)
			       : 0;
	case -ENOENT:
		return 0;
	case 0:
	case -EAGAIN:	  /* its queue of connections is full: it is alive */
	case -EPROTOTYPE: /* not a stream: somebody else's */
		return wyn_fault_set(fault, -EADDRINUSE, WYN_EXIT_UNAVAILABLE,
			"unix:%s: another program answers there; stop it or "
			"choose another path",
			endpoint->path);
	default:
		return refuse(endpoint, error,
			"cannot tell whether somebody answers there", fault);
	}
}

/*
 * The socket is made with no rights for anybody else, and gets its group and
 * its mode before it listens: at no time may more people connect than were
 * meant to.
 */
static int bind_socket(struct wyn_listener *listener,
	const struct wyn_listener_config *config, struct wyn_fault *fault)
{
	const struct wyn_endpoint *endpoint = &listener->endpoint;
	struct sockaddr_un address = address_of(endpoint);
	struct stat bound;

	if (fchmod(listener->fd, 0600) ||
		bind(listener->fd, (struct sockaddr *)&address,
			sizeof(address)) ||
		lstat(endpoint->path, &bound)) {
		return refuse(endpoint, -errno, "cannot bind", fault);
	}
	listener->device = bound.st_dev;
	listener->inode = bound.st_ino;
	if (config->socket_group != WYN_NO_GROUP &&
		lchown(endpoint->path, (uid_t)-1, config->socket_group)) {
		return refuse_with(endpoint, -errno,
			"cannot give it to the group of --socket-group",
			"run as root or as a member of that group", fault);
	}
	/* Not through a link that somebody put in its place meanwhile; glibc
	 * does that by way of /proc/self/fd. */
	if (fchmodat(AT_FDCWD, endpoint->path, config->socket_mode,
		    AT_SYMLINK_NOFOLLOW)) {
		return refuse_with(endpoint, -errno,
			"cannot set its --socket-mode",
			"it takes a /proc that is mounted and a file system "
			"that keeps permissions",
			fault);
	}
	if (listen(listener->fd, WYN_LISTEN_BACKLOG)) {
		return refuse(endpoint, -errno, "cannot listen", fault);
	}
	return 0;
}

static int open_once(const struct wyn_endpoint *endpoint,
	const struct wyn_listener_config *config,
	struct wyn_listener *ret_listener, struct wyn_fault *ret_fault)
{
	struct wyn_listener made = {.endpoint = *endpoint, .fd = -1};
	int error = lock(endpoint, &made.lock_fd, ret_fault);

	if (error) {
		return error;
	}
	error = clear(endpoint, ret_fault);
	if (error) {
		goto unlink;
	}
	made.fd =
		socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (made.fd < 0) {
		error = refuse(
			endpoint, -errno, "cannot make a socket", ret_fault);
		goto unlink;
	}
	error = bind_socket(&made, config, ret_fault);
	if (error) {
		goto unlink;
	}
	*ret_listener = made;
	return 0;
unlink:
	/* The file goes first, as in wyn_listener_close(). */
	wyn_unix_listener_unlink(&made);
	if (made.fd >= 0) {
		close(made.fd);
	}
	return error;
}

int wyn_unix_listener_open(const struct wyn_endpoint *endpoint,
	const struct wyn_listener_config *config,
	struct wyn_listener *ret_listener, struct wyn_fault *ret_fault)
{
	static const struct timespec step = {
		.tv_nsec = (long)(IN_USE_STEP_MS * WYN_NS_PER_MS),
	};
	int error;

	for (int i = 0;; i++) {
		error = open_once(endpoint, config, ret_listener, ret_fault);
		if (error != -EADDRINUSE || i == IN_USE_TRIES_MAX) {
			return error;
		}
		nanosleep(&step, NULL);
	}
}

int wyn_unix_listener_adopt(
	int fd, struct wyn_listener *ret_listener, const char **ret_why)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	socklen_t bytes = sizeof(address);
	struct wyn_endpoint *endpoint = &ret_listener->endpoint;

	/* An abstract name begins with NUL and has no permissions: whoever
	 * shares our network could connect. */
	if (getsockname(fd, (struct sockaddr *)&address, &bytes) ||
		address.sun_path[0] == '\0') {
		*ret_why = "has no path, so that no permissions guard it; give "
			   "ListenStream= one that begins with /";
		return -EINVAL;
	}
	/* All of sun_path may be in use, and then no NUL ends it. */
	if (bytes > sizeof(address) ||
		strnlen(address.sun_path, sizeof(address.sun_path)) ==
			sizeof(address.sun_path)) {
		*ret_why = "has a path of more than 107 bytes; shorten it";
		return -ENAMETOOLONG;
	}
	*endpoint = (struct wyn_endpoint){.kind = WYN_ENDPOINT_UNIX};
	memcpy(endpoint->path, address.sun_path, sizeof(endpoint->path));
	return 0;
}

void wyn_unix_listener_unlink(struct wyn_listener *listener)
{
	char lock_path[WYN_ENDPOINT_PATH_BYTES + 8];
	struct stat there;

	/* Somebody may have removed ours and put another in its place. */
	if (listener->inode && lstat(listener->endpoint.path, &there) == 0 &&
		there.st_dev == listener->device &&
		there.st_ino == listener->inode) {
		unlink(listener->endpoint.path);
	}
	write_lock_path(&listener->endpoint, lock_path);
	if (leads_to(lock_path, listener->lock_fd)) {
		unlink(lock_path);
	}
	close(listener->lock_fd);
	listener->lock_fd = -1;
}

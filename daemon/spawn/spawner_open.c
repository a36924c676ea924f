// SPDX-License-Identifier: MIT
/*
 * spawner_open.c - see spawner_open.h.
 *
 * The program gets a session of its own, so that no signal of our terminal's
 * reaches it, and of our descriptors its socket and standard error alone.
 */
#include "daemon/spawn/spawner_open.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/time.h"
#include "daemon/clock.h"
#include "daemon/spawn/spawn_state.h"
#include "daemon/spawn/spawner_link.h"
#include "proto/message.h"

#define LINK_FD 3 /* in the program */

/* The lists of a Configure, which borrows them until it is encoded. */
struct lists {
	ProtobufCBinaryData *programs;
	Wyn__Spawn__V1__Rlimit *rlimits;
	Wyn__Spawn__V1__Rlimit **rlimit_of;
};

static bool lists_make(
	const struct wyn_command_config *config, struct lists *ret_lists)
{
	size_t programs = config->programs_count;
	size_t rlimits = config->rlimits_count;
	struct lists lists = {
		calloc(programs + 1, sizeof(*lists.programs)),
		calloc(rlimits + 1, sizeof(*lists.rlimits)),
		calloc(rlimits + 1, sizeof(Wyn__Spawn__V1__Rlimit *)),
	};

	*ret_lists = lists;
	if (!lists.programs || !lists.rlimits || !lists.rlimit_of) {
		return false;
	}
	for (size_t i = 0; i < programs; i++) {
		/* Encoding only reads it. */
		lists.programs[i].data =
			(uint8_t *)(uintptr_t)config->programs[i];
		lists.programs[i].len = strlen(config->programs[i]);
	}
	for (size_t i = 0; i < rlimits; i++) {
		wyn__spawn__v1__rlimit__init(&lists.rlimits[i]);
		lists.rlimits[i].resource = config->rlimits[i].resource;
		lists.rlimits[i].soft = config->rlimits[i].soft;
		lists.rlimits[i].hard = config->rlimits[i].hard;
		lists.rlimit_of[i] = &lists.rlimits[i];
	}
	return true;
}

static void lists_free(struct lists *lists)
{
	free(lists->programs);
	free(lists->rlimits);
	free(lists->rlimit_of);
}

/* After a reload more may run, or wait for it, than are to: it would refuse
 * those that come to it later. */
static uint64_t commands_max(const struct wyn_spawn *self)
{
	uint64_t count = 0;

	for (size_t i = 0; i < self->slots; i++) {
		count += self->processes[i]->state != WYN_PROCESS_FREE;
	}
	return count > self->config.commands_max ? count
						 : self->config.commands_max;
}

bool wyn_spawner_configure_make(struct wyn_spawn *self)
{
	const struct wyn_command_config *config = &self->config;
	struct wyn_spawner_link *link = &self->link;
	Wyn__Spawn__V1__Configure configure = WYN__SPAWN__V1__CONFIGURE__INIT;
	Wyn__Spawn__V1__Request request = WYN__SPAWN__V1__REQUEST__INIT;
	struct lists lists;

	if (!lists_make(config, &lists)) {
		lists_free(&lists);
		return false;
	}
	configure.version = WYN_SPAWN_VERSION;
	configure.commands_max = (uint32_t)commands_max(self);
	configure.n_programs = config->programs_count;
	configure.programs = lists.programs;
	configure.n_rlimits = config->rlimits_count;
	configure.rlimits = lists.rlimit_of;
	configure.umask = config->umask;
	configure.private_tmp = config->private_tmp;
	configure.cgroup = wyn_message_text(config->cgroup);
	configure.ledger = wyn_message_text(config->ledger);
	request.what_case = WYN__SPAWN__V1__REQUEST__WHAT_CONFIGURE;
	request.configure = &configure;
	link->configure_at = 0;
	link->configure_bytes = wyn_spawn_request_bytes(&request);
	link->configure = malloc(link->configure_bytes);
	if (link->configure != NULL) {
		(void)wyn_spawn_request_encode(&request, link->configure);
	}
	lists_free(&lists);
	return link->configure != NULL;
}

/* Signals that we ignore or block are its own to decide about. */
static int attributes_init(posix_spawnattr_t *attributes)
{
	sigset_t set;
	int error = posix_spawnattr_init(attributes);

	if (error) {
		return error;
	}
	sigfillset(&set);
	(void)posix_spawnattr_setsigdefault(attributes, &set);
	sigemptyset(&set);
	(void)posix_spawnattr_setsigmask(attributes, &set);
	(void)posix_spawnattr_setflags(
		attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGDEF |
				    POSIX_SPAWN_SETSIGMASK);
	return 0;
}

static int actions_init(posix_spawn_file_actions_t *actions, int fd)
{
	int error = posix_spawn_file_actions_init(actions);

	if (error) {
		return error;
	}
	error = posix_spawn_file_actions_adddup2(actions, fd, LINK_FD);
	if (!error) {
		error = posix_spawn_file_actions_addopen(
			actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	}
	if (!error) {
		/* Who reads our output is not to wait for its end. */
		error = posix_spawn_file_actions_adddup2(
			actions, STDERR_FILENO, STDOUT_FILENO);
	}
	if (!error) {
		error = posix_spawn_file_actions_addclosefrom_np(
			actions, LINK_FD + 1);
	}
	if (error) {
		posix_spawn_file_actions_destroy(actions);
	}
	return error;
}

/* Returns: 0, errno. */
static int program_spawn(const char *program, int fd, pid_t *ret_pid)
{
	char link_fd[16];
	char *argv[] = {(char *)(uintptr_t)program,
		(char *)(uintptr_t) "--link", link_fd, NULL};
	posix_spawnattr_t attributes;
	posix_spawn_file_actions_t actions;
	int error = attributes_init(&attributes);

	if (error) {
		return error;
	}
	snprintf(link_fd, sizeof(link_fd), "%d", LINK_FD);
	error = actions_init(&actions, fd);
	if (!error) {
		error = posix_spawn(
			ret_pid, program, &actions, &attributes, argv, environ);
		posix_spawn_file_actions_destroy(&actions);
	}
	posix_spawnattr_destroy(&attributes);
	return error;
}

/* Without a pidfd it is waited for when the next one is started. */
static void child_watch(struct wyn_spawn *self, struct wyn_spawner_child *child)
{
	child->on.fd = (int)syscall(SYS_pidfd_open, child->pid, 0);
	if (child->on.fd >= 0 &&
		wyn_spawn_watch(self, &child->on, EPOLLIN) < 0) {
		wyn_watched_close(&child->on);
	}
}

/* Returns: 0, errno. */
static int open_program(struct wyn_spawn *self)
{
	struct wyn_spawner_child *child = calloc(1, sizeof(*child));
	int sockets[2];
	int error;

	if (child == NULL) {
		return ENOMEM;
	}
	child->on = (struct wyn_watched){.kind = WYN_WATCHED_CHILD, .fd = -1};
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) <
		0) {
		error = errno;
		free(child);
		return error;
	}
	error = program_spawn(self->config.spawner, sockets[1], &child->pid);
	close(sockets[1]);
	if (error) {
		close(sockets[0]);
		free(child);
		return error;
	}
	self->link.on.fd = sockets[0];
	self->link.child = child;
	wyn_list_push_back(&self->link.children, &child->link);
	child_watch(self, child);
	return 0;
}

/* Returns: 0, errno. */
static int open_service(struct wyn_spawn *self)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t bytes = strlen(self->config.spawner);
	int fd;

	if (bytes >= sizeof(address.sun_path)) {
		return ENAMETOOLONG;
	}
	memcpy(address.sun_path, self->config.spawner, bytes);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0) {
		return errno;
	}
	/* It never waits: where the queue is full, it fails with EAGAIN. */
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) <
		0) {
		int error = errno;

		close(fd);
		return error;
	}
	self->link.on.fd = fd;
	return 0;
}

static bool is_socket(const char *path)
{
	struct stat status;

	return stat(path, &status) == 0 && S_ISSOCK(status.st_mode);
}

static bool is_fatal(int error)
{
	switch (error) {
	case ENOENT:
	case ENOTDIR:
	case EACCES:
	case EPERM:
	case ENOEXEC:
	case ENAMETOOLONG:
	case ELOOP:
	case EPROTOTYPE:
		return true;
	default:
		return false;
	}
}

bool wyn_spawner_open(
	struct wyn_spawn *self, const char **ret_error, bool *ret_fatal)
{
	int error = is_socket(self->config.spawner) ? open_service(self)
						    : open_program(self);

	if (error) {
		*ret_error = strerrordesc_np(error);
		*ret_fatal = is_fatal(error);
		return false;
	}
	*ret_fatal = false;
	*ret_error = "no memory for its configuration";
	if (!wyn_spawner_configure_make(self)) {
		return false;
	}
	*ret_error = "its socket cannot be watched";
	return wyn_spawn_watch(self, &self->link.on, EPOLLIN) == 0;
}

static void child_drop(struct wyn_spawner_child *child)
{
	wyn_list_remove(&child->link);
	wyn_watched_close(&child->on);
	free(child);
}

/* Whom it has started may have its end of the link still, and not go on. What
 * it said before it went is read, and behind that its end. */
static void end_link(
	struct wyn_spawner_link *link, const struct wyn_spawner_child *child)
{
	if (link->child == child) {
		link->child = NULL;
		(void)shutdown(link->on.fd, SHUT_RD);
	}
}

void wyn_spawner_child_reap(
	struct wyn_spawn *self, struct wyn_spawner_child *child)
{
	pid_t pid = waitpid(child->pid, NULL, WNOHANG);

	/* ECHILD: somebody else has waited for it. */
	if (pid > 0 || (pid < 0 && errno == ECHILD)) {
		end_link(&self->link, child);
		child_drop(child);
	}
}

void wyn_spawner_reap(struct wyn_spawn *self)
{
	struct wyn_list *at;
	struct wyn_list *after;

	wyn_list_for_each_safe (at, after, &self->link.children) {
		wyn_spawner_child_reap(self,
			wyn_list_entry(at, struct wyn_spawner_child, link));
	}
}

/* Its socket is closed, so it ends once what it ran has been killed. */
static void child_await(
	const struct wyn_spawner_child *child, uint64_t until_ns)
{
	uint64_t now_ns = wyn_clock_ns(CLOCK_MONOTONIC);
	uint64_t left_ns = until_ns > now_ns ? until_ns - now_ns : 0;
	struct pollfd ended = {.fd = child->on.fd, .events = POLLIN};

	if (ended.fd >= 0) {
		(void)poll(&ended, 1, (int)(left_ns / WYN_NS_PER_MS));
	}
	(void)waitpid(child->pid, NULL, WNOHANG);
}

void wyn_spawner_fini(struct wyn_spawner_link *link)
{
	uint64_t until_ns = wyn_clock_ns(CLOCK_MONOTONIC) +
			    WYN_SPAWN_END_MS * WYN_NS_PER_MS;
	struct wyn_list *first;

	while ((first = wyn_list_first(&link->children)) != NULL) {
		struct wyn_spawner_child *child =
			wyn_list_entry(first, struct wyn_spawner_child, link);

		child_await(child, until_ns);
		child_drop(child);
	}
}

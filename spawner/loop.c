// SPDX-License-Identifier: MIT
/*
 * loop.c - see loop.h.
 */
#include "spawner/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/compiler.h"
#include "spawner/command.h"
#include "spawner/link.h"
#include "spawner/sys.h"

#define EVENTS_MAX 64

uint64_t wyn_loop_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * WYN_NS_PER_S + (uint64_t)now.tv_nsec;
}

int wyn_loop_watch(
	struct wyn_loop *loop, int fd, uint32_t events, struct wyn_watch *watch)
{
	struct epoll_event event = {.events = events, .data.ptr = watch};

	return wyn_sys.epoll_ctl(loop->epoll, EPOLL_CTL_ADD, fd, &event)
		       ? -errno
		       : 0;
}

int wyn_loop_rewatch(
	struct wyn_loop *loop, int fd, uint32_t events, struct wyn_watch *watch)
{
	struct epoll_event event = {.events = events, .data.ptr = watch};

	return wyn_sys.epoll_ctl(loop->epoll, EPOLL_CTL_MOD, fd, &event)
		       ? -errno
		       : 0;
}

void wyn_loop_unwatch(struct wyn_loop *loop, int fd)
{
	(void)epoll_ctl(loop->epoll, EPOLL_CTL_DEL, fd, NULL);
}

/*
 * All signals are blocked, and none is ignored: a command begins as if nobody
 * had changed anything, by one call. SIGPIPE is an error of write(2) then, and
 * who is told to end by SIGTERM reads it from the descriptor, or does not.
 */
static void arrange_signals(void)
{
	/* The kernel's, whatever is in it: all zeroes are the default. */
	static const unsigned long usual[8];
	struct sigaction action = {.sa_handler = SIG_DFL};
	sigset_t all;

	sigfillset(&all);
	(void)sigprocmask(SIG_BLOCK, &all, NULL);
	for (int number = 1; number <= SIGRTMAX; number++) {
		/* Who is stopped is no news: we do it ourselves. */
		action.sa_flags = number == SIGCHLD ? SA_NOCLDSTOP : 0;
		if (sigaction(number, &action, NULL)) {
			/* The libc's own: its posix_spawn(3) ignores them. */
			(void)syscall(SYS_rt_sigaction, number, usual, NULL,
				(NSIG - 1) / 8);
		}
	}
}

/* So that no descriptor that comes is one of those a command begins with. */
static int open_null(struct wyn_loop *loop)
{
	int fd;

	do {
		fd = wyn_sys.openat(AT_FDCWD, "/dev/null", O_RDWR | O_CLOEXEC);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	loop->null = fd;
	return fd < 0 ? -errno : 0;
}

static void raise_files(struct wyn_loop *loop)
{
	struct rlimit limit;

	(void)getrlimit(RLIMIT_NOFILE, &loop->files);
	limit = loop->files;
	limit.rlim_cur = limit.rlim_max;
	/* Refused, it is as it was; commands are told when it is too little. */
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

static int take_memory(struct wyn_loop *loop)
{
	void *packet = wyn_sys.mmap(NULL, WYN_SPAWN_PACKET_BYTES_MAX,
		PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (packet == MAP_FAILED) {
		return -errno;
	}
	loop->packet = packet;
	return 0;
}

static void on_signal(
	struct wyn_loop *loop, struct wyn_watch *watch, uint32_t events)
{
	struct signalfd_siginfo news[2];
	ssize_t got = read(loop->signals, news, sizeof(news));

	(void)watch;
	(void)events;
	for (size_t i = 0; got > 0 && i < (size_t)got / sizeof(news[0]); i++) {
		if (news[i].ssi_signo == SIGCHLD) {
			loop->tree_asked = true;
		} else {
			loop->ending = true;
		}
	}
}

static int watch_signals(struct wyn_loop *loop, bool end)
{
	sigset_t signals;
	int fd;

	sigemptyset(&signals);
	sigaddset(&signals, SIGCHLD);
	if (end) {
		sigaddset(&signals, SIGTERM);
		sigaddset(&signals, SIGINT);
	}
	fd = signalfd(loop->signals, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0) {
		return -errno;
	}
	if (loop->signals >= 0) {
		return 0;
	}
	loop->signals = fd;
	loop->on_signal.ready = on_signal;
	return wyn_loop_watch(loop, fd, EPOLLIN, &loop->on_signal);
}

int wyn_loop_init(struct wyn_loop *loop)
{
	int error;

	*loop = (struct wyn_loop){.epoll = -1,
		.signals = -1,
		.null = -1,
		.listener = -1,
		.over_ns = UINT64_MAX,
		.listen_ns = UINT64_MAX,
		.tree = {.proc = -1, .children = -1}};
	wyn_list_init(&loop->links);
	wyn_list_init(&loop->dead);
	wyn_list_init(&loop->dead_links);
	wyn_list_init(&loop->left);
	wyn_list_init(&loop->stopping);
	wyn_list_init(&loop->signalled);
	wyn_list_init(&loop->cgroups);
	wyn_list_init(&loop->ledgers);
	wyn_pads_init(&loop->pads);
	arrange_signals();
	raise_files(loop);
	error = open_null(loop);
	if (!error && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) {
		error = -errno;
	}
	if (!error) {
		error = take_memory(loop);
	}
	if (!error) {
		error = wyn_tree_init(&loop->tree);
	}
	if (error) {
		return error;
	}
	loop->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (loop->epoll < 0) {
		return -errno;
	}
	return watch_signals(loop, false);
}

static void close_if_open(int fd)
{
	if (fd >= 0) {
		close(fd);
	}
}

void wyn_loop_fini(struct wyn_loop *loop)
{
	wyn_tree_fini(&loop->tree);
	wyn_users_fini(&loop->users);
	close_if_open(loop->epoll);
	close_if_open(loop->signals);
	close_if_open(loop->null);
	close_if_open(loop->listener);
	wyn_pads_fini(&loop->pads);
	if (loop->packet) {
		munmap(loop->packet, WYN_SPAWN_PACKET_BYTES_MAX);
	}
}

static void on_listener(
	struct wyn_loop *loop, struct wyn_watch *watch, uint32_t events)
{
	int fd = wyn_sys.accept(loop->listener);
	struct ucred peer;
	socklen_t bytes = sizeof(peer);

	(void)watch;
	(void)events;
	if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOMEM ||
			      errno == ENOBUFS)) {
		/* It would be ready at once again. */
		wyn_loop_unwatch(loop, loop->listener);
		loop->listen_ns = wyn_loop_now() + WYN_AGAIN_NS;
	}
	if (fd < 0) {
		return;
	}
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &bytes) ||
		(peer.uid != 0 && peer.uid != loop->peer)) {
		fprintf(stderr,
			"wynd-spawner: a link is refused: its user is neither "
			"root nor that of --user\n");
		close(fd);
		return;
	}
	if (loop->links_count >= WYN_LINKS_MAX) {
		fprintf(stderr, "wynd-spawner: a link is refused: there are "
				"too many\n");
		close(fd);
		return;
	}
	/* Closed again, the peer sees it and tries again. */
	(void)!wyn_link_open(loop, fd);
}

int wyn_loop_listen(struct wyn_loop *loop, int fd, uid_t peer)
{
	int error = watch_signals(loop, true);

	if (error) {
		return error;
	}
	/* Whoever has gone before we accept him must not keep us. */
	(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
	(void)fcntl(fd, F_SETFL, O_NONBLOCK);
	loop->listener = fd;
	loop->peer = peer;
	loop->on_listener.ready = on_listener;
	return wyn_loop_watch(loop, fd, EPOLLIN, &loop->on_listener);
}

int wyn_loop_serve(struct wyn_loop *loop, int fd)
{
	(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
	loop->lone = true;
	return wyn_link_open(loop, fd);
}

static void close_links(struct wyn_loop *loop)
{
	struct wyn_list *link;
	struct wyn_list *after;

	if (loop->listener >= 0) {
		wyn_loop_unwatch(loop, loop->listener);
		close(loop->listener);
		loop->listener = -1;
	}
	wyn_list_for_each_safe (link, after, &loop->links) {
		wyn_link_close(
			wyn_list_entry(link, struct wyn_link, link), NULL);
	}
}

/* Whoever had a turn is done with them. */
static void bury(struct wyn_loop *loop)
{
	struct wyn_list *link;

	while ((link = wyn_list_pop_front(&loop->dead)) != NULL) {
		free(wyn_list_entry(link, struct wyn_command, link));
	}
	while ((link = wyn_list_pop_front(&loop->dead_links)) != NULL) {
		wyn_link_free(wyn_list_entry(link, struct wyn_link, link));
	}
}

/*
 * The kernel counts to a command's peak of memory what the process had before
 * it executed: ours, and not of now but at its highest. After a large message
 * that would be told of every command that is smaller, so it is set back, after
 * what the libc keeps: as much as was ever freed at once (M_MMAP_THRESHOLD).
 */
void wyn_loop_forget_peak(struct wyn_loop *loop)
{
	int fd;

	if (loop->grown) {
		(void)malloc_trim(0);
	}
	loop->pads.grown = false;
	fd = openat(loop->tree.proc, "self/clear_refs", O_WRONLY | O_CLOEXEC);
	if (fd >= 0) {
		(void)!write(fd, "5", 1);
		close(fd);
	}
}

/* Returns: for epoll_wait(2), in ms, -1 = for ever. */
static int timeout_of(struct wyn_loop *loop, uint64_t next_ns)
{
	uint64_t now_ns;

	if (loop->over_ns < next_ns) {
		next_ns = loop->over_ns;
	}
	if (next_ns == UINT64_MAX) {
		return -1;
	}
	now_ns = wyn_loop_now();
	if (next_ns <= now_ns) {
		return 0;
	}
	next_ns = (next_ns - now_ns + WYN_NS_PER_MS - 1) / WYN_NS_PER_MS;
	return next_ns > 60000 ? 60000 : (int)next_ns;
}

static void turn(struct wyn_loop *loop, int n, struct epoll_event *events)
{
	for (int i = 0; i < n; i++) {
		if (events[i].data.ptr == &loop->on_signal) {
			on_signal(loop, &loop->on_signal, events[i].events);
		}
	}
	if (loop->tree_asked) {
		loop->tree_asked = wyn_commands_wait(loop) != 0;
	}
	for (int i = 0; i < n; i++) {
		struct wyn_watch *watch = events[i].data.ptr;

		if (watch != &loop->on_signal) {
			watch->ready(loop, watch, events[i].events);
		}
	}
	if (loop->lone && loop->links_count == 0) {
		loop->ending = true;
	}
	if (loop->ending && loop->over_ns == UINT64_MAX) {
		loop->over_ns = wyn_loop_now() + WYN_LOOP_LINGER_NS;
		close_links(loop);
	}
}

/* What is done because its time has come. Returns: when the next one's comes.
 */
static uint64_t act_in_time(struct wyn_loop *loop)
{
	uint64_t next_ns = UINT64_MAX;
	uint64_t now_ns;

	if (wyn_list_empty(&loop->stopping) &&
		wyn_list_empty(&loop->signalled) && !loop->tree_asked &&
		loop->listen_ns == UINT64_MAX) {
		return next_ns;
	}
	now_ns = wyn_loop_now();
	next_ns = wyn_commands_due(loop, now_ns);
	if (loop->listen_ns <= now_ns) {
		loop->listen_ns =
			loop->listener >= 0 &&
					wyn_loop_watch(loop, loop->listener,
						EPOLLIN, &loop->on_listener)
				? now_ns + WYN_AGAIN_NS
				: UINT64_MAX;
	}
	if (loop->listen_ns < next_ns) {
		next_ns = loop->listen_ns;
	}
	if (loop->tree_asked && next_ns > now_ns + WYN_AGAIN_NS) {
		next_ns = now_ns + WYN_AGAIN_NS;
	}
	return next_ns;
}

int wyn_loop_run(struct wyn_loop *loop)
{
	struct epoll_event events[EVENTS_MAX];
	uint64_t next_ns = UINT64_MAX;

	while (!loop->ending || !wyn_list_empty(&loop->links)) {
		int n = epoll_wait(loop->epoll, events, EVENTS_MAX,
			timeout_of(loop, next_ns));

		if (n < 0 && errno != EINTR) {
			return -errno;
		}
		turn(loop, n, events);
		next_ns = act_in_time(loop);
		bury(loop);
		if (loop->grown || loop->pads.grown) {
			wyn_loop_forget_peak(loop);
			loop->grown = false;
		}
		if (loop->over_ns != UINT64_MAX &&
			wyn_loop_now() >= loop->over_ns &&
			!wyn_list_empty(&loop->links)) {
			return -ETIMEDOUT;
		}
	}
	bury(loop);
	return 0;
}

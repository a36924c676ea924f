// SPDX-License-Identifier: MIT
/*
 * link.c - see link.h.
 *
 * The other end is our own program: what cannot be read closes the link. Want
 * of memory or of descriptors is no such thing; it ends one command alone.
 */
#include "spawner/link.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "spawner/command.h"
#include "spawner/loop.h"
#include "spawner/request.h"
#include "spawner/shared.h"
#include "spawner/sys.h"

/* Of an event that we send: an Ended with its longest path, a Ready. */
#define EVENT_BYTES_MAX (16u << 10)

struct wyn_link_event {
	struct wyn_link_event *next;
	size_t bytes;
	uint8_t data[];
};

/* Descriptors of a packet. One more than may come has room, so that too many
 * are told apart from those for which there was no room in our table. */
union control {
	struct cmsghdr head;
	char bytes[CMSG_SPACE((WYN_SPAWN_FDS_MAX + 1) * sizeof(int))];
};

static void close_fds(struct wyn_link *link)
{
	while (link->fds_count > 0) {
		close(link->fds[--link->fds_count]);
	}
	link->fds_lost = false;
}

static void drop_message(struct wyn_link *link)
{
	free(link->message);
	link->message = NULL;
	link->message_bytes = 0;
	link->message_room = 0;
	link->message_more = false;
	link->message_lost = false;
	close_fds(link);
}

static void rewatch(struct wyn_link *link)
{
	uint32_t events = (link->reading ? (uint32_t)EPOLLIN : 0) |
			  (link->first ? (uint32_t)EPOLLOUT : 0);

	if (wyn_loop_rewatch(link->loop, link->fd, events, &link->watch)) {
		wyn_link_close(link, "epoll_ctl fails");
	}
}

static bool try_send(struct wyn_link *link, const uint8_t *bytes, size_t n)
{
	ssize_t sent;

	do {
		sent = wyn_sys.send(
			link->fd, bytes, n, MSG_NOSIGNAL | MSG_DONTWAIT);
	} while (sent < 0 && errno == EINTR);
	if (sent >= 0) {
		return true;
	}
	/* A peer that is gone is seen by who reads. */
	return errno != EAGAIN && errno != ENOBUFS && errno != ENOMEM;
}

/* Two events for each command: then wynd does not read, and nor do we. */
static size_t unsent_max(const struct wyn_link *link)
{
	return 2 * (size_t)link->config.commands_max;
}

void wyn_link_send(struct wyn_link *link, const Wyn__Spawn__V1__Event *event)
{
	uint8_t packet[EVENT_BYTES_MAX];
	size_t bytes = 1 + wyn_spawn_event_bytes(event);
	struct wyn_link_event *kept;

	if (link->fd < 0) {
		return;
	}
	wyn_assert(bytes <= sizeof(packet));
	packet[0] = 0;
	(void)wyn_spawn_event_encode(event, packet + 1);
	if (!link->first && try_send(link, packet, bytes)) {
		return;
	}
	kept = wyn_sys.calloc(1, sizeof(*kept) + bytes);
	if (!kept) {
		wyn_link_close(link, "no memory for an event");
		return;
	}
	kept->bytes = bytes;
	memcpy(kept->data, packet, bytes);
	*link->last = kept;
	link->last = &kept->next;
	link->unsent++;
	if (link->unsent == 1 || link->unsent == unsent_max(link)) {
		link->reading = link->unsent < unsent_max(link);
		rewatch(link);
	}
}

static void send_kept(struct wyn_link *link)
{
	struct wyn_link_event *kept;

	while ((kept = link->first) != NULL &&
		try_send(link, kept->data, kept->bytes)) {
		link->first = kept->next;
		link->unsent--;
		free(kept);
	}
	if (!link->first) {
		link->last = &link->first;
		link->reading = true;
		rewatch(link);
	}
}

/* Takes the descriptors of a packet. Returns: 0; -EPROTO: too many. */
static int take_fds(struct wyn_link *link, struct msghdr *head)
{
	struct cmsghdr *control;
	int error = 0;

	for (control = CMSG_FIRSTHDR(head); control;
		control = CMSG_NXTHDR(head, control)) {
		size_t n = (control->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		const unsigned char *data = CMSG_DATA(control);

		if (control->cmsg_level != SOL_SOCKET ||
			control->cmsg_type != SCM_RIGHTS) {
			continue;
		}
		for (size_t i = 0; i < n; i++) {
			int fd;

			memcpy(&fd, data + i * sizeof(fd), sizeof(fd));
			if (link->message_more ||
				link->fds_count == WYN_SPAWN_FDS_MAX) {
				close(fd);
				error = -EPROTO;
				continue;
			}
			link->fds[link->fds_count++] = fd;
		}
	}
	if (head->msg_flags & MSG_CTRUNC) {
		link->fds_lost = true;
	}
	return error;
}

/* One more piece of a message of several. */
static void keep_piece(struct wyn_link *link, const uint8_t *bytes, size_t n)
{
	size_t want = link->message_bytes + n;
	uint8_t *message = link->message;

	if (!link->message_more) {
		link->message_id =
			wyn_request_start_id((struct wyn_slice){bytes, n});
	}
	if (link->message_lost || n == 0) {
		return;
	}
	if (want > link->message_room) {
		size_t room = want > 2 * link->message_room
				      ? want
				      : 2 * link->message_room;

		message = wyn_sys.realloc(message, room);
		if (!message) {
			link->message_lost = true;
			return;
		}
		link->message = message;
		link->message_room = room;
		link->loop->grown = true;
	}
	memcpy(message + link->message_bytes, bytes, n);
	link->message_bytes = want;
}

static void finish_message(struct wyn_link *link, struct wyn_slice message)
{
	int error;

	if (link->message_lost) {
		error = wyn_request_lose(link, link->message_id);
	} else {
		error = wyn_request_handle(link, message, link->fds,
			link->fds_count, link->fds_lost);
	}
	if (error) {
		wyn_link_close(link, "a message that cannot be");
	}
	drop_message(link);
}

static int take_packet(struct wyn_link *link, const uint8_t *bytes, size_t n)
{
	uint8_t flags = bytes[0];

	bytes++;
	n--;
	if ((flags & ~WYN_SPAWN_PACKET_KNOWN) != 0 ||
		link->message_bytes + n > WYN_SPAWN_MESSAGE_BYTES_MAX) {
		return -EPROTO;
	}
	if (flags & WYN_SPAWN_PACKET_MORE) {
		keep_piece(link, bytes, n);
		link->message_more = true;
	} else if (link->message_more) {
		keep_piece(link, bytes, n);
		finish_message(link,
			(struct wyn_slice){link->message, link->message_bytes});
	} else {
		finish_message(link, (struct wyn_slice){bytes, n});
	}
	return 0;
}

/* Returns: whether there may be more. */
static bool read_packet(struct wyn_link *link)
{
	union control control;
	uint8_t *packet = link->loop->packet;
	struct iovec part = {packet, WYN_SPAWN_PACKET_BYTES_MAX};
	struct msghdr head = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	int fds_error;
	ssize_t got = wyn_sys.recvmsg(
		link->fd, &head, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);

	if (got < 0 && (errno == EAGAIN || errno == EINTR || errno == ENOMEM ||
			       errno == ENOBUFS)) {
		return false;
	}
	/* Also of nothing, which may bring descriptors, too. */
	fds_error = got >= 0 ? take_fds(link, &head) : 0;
	if (got <= 0) {
		wyn_link_close(link, NULL);
		return false;
	}
	if (fds_error || (head.msg_flags & MSG_TRUNC) ||
		take_packet(link, packet, (size_t)got)) {
		wyn_link_close(link, "a packet that cannot be");
	}
	return link->fd >= 0 && link->reading;
}

static void on_ready(
	struct wyn_loop *loop, struct wyn_watch *watch, uint32_t events)
{
	struct wyn_link *link = WYN_CONTAINER_OF(watch, struct wyn_link, watch);
	unsigned packets = 0;

	(void)loop;
	if (link->fd >= 0 && (events & EPOLLOUT)) {
		send_kept(link);
	}
	if (link->fd < 0) {
		return;
	}
	if (!(events & EPOLLIN)) {
		if (events & (EPOLLERR | EPOLLHUP)) {
			wyn_link_close(link, NULL);
		}
		return;
	}
	while (packets < WYN_LINK_PACKETS_MAX && read_packet(link)) {
		packets++;
	}
}

int wyn_link_open(struct wyn_loop *loop, int fd)
{
	struct wyn_link *link = wyn_sys.calloc(1, sizeof(*link));
	int error = link ? 0 : -ENOMEM;

	if (link) {
		link->loop = loop;
		link->fd = fd;
		link->watch.ready = on_ready;
		link->last = &link->first;
		link->reading = true;
		link->config.commands_max = 1;
		wyn_list_init(&link->link);
		wyn_list_init(&link->commands);
		error = wyn_loop_watch(loop, fd, EPOLLIN, &link->watch);
	}
	if (error) {
		free(link);
		close(fd);
		return error;
	}
	wyn_list_push_back(&loop->links, &link->link);
	loop->links_count++;
	return 0;
}

void wyn_link_close(struct wyn_link *link, const char *why)
{
	struct wyn_link_event *kept;
	struct wyn_list *each;
	struct wyn_list *after;

	if (link->fd < 0) {
		return;
	}
	if (why) {
		fprintf(stderr, "wynd-spawner: a link closes: %s\n", why);
	}
	wyn_loop_unwatch(link->loop, link->fd);
	close(link->fd);
	link->fd = -1;
	link->loop->links_count--;
	drop_message(link);
	while ((kept = link->first) != NULL) {
		link->first = kept->next;
		free(kept);
	}
	link->last = &link->first;
	link->unsent = 0;
	wyn_list_for_each_safe (each, after, &link->commands) {
		wyn_command_abandon(link->loop,
			wyn_list_entry(each, struct wyn_command, link));
	}
	wyn_link_thin(link);
}

void wyn_link_thin(struct wyn_link *link)
{
	if (link->fd < 0 && wyn_list_empty(&link->commands)) {
		wyn_list_remove(&link->link);
		wyn_list_push_back(&link->loop->dead_links, &link->link);
	}
}

void wyn_link_free(struct wyn_link *link)
{
	wyn_program_list_fini(&link->config.programs);
	wyn_shared_cgroups_release(link->config.cgroups);
	wyn_shared_ledger_release(link->config.ledger);
	free(link);
}

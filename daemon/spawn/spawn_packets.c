// SPDX-License-Identifier: MIT
/*
 * spawn_packets.c - see spawn_packets.h.
 *
 * Packets are built for as much as one sendmmsg takes, and what they were built
 * from changes only when the socket has taken them. A message in pieces is not
 * interrupted by another one: its process stays first in the list.
 */
#include "daemon/spawn/spawn_packets.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/assert.h"
#include "daemon/run/command.h"
#include "daemon/run/task.h"
#include "daemon/spawn/process.h"
#include "daemon/spawn/spawn_state.h"
#include "daemon/spawn/spawner_link.h"

#define PIECE_BYTES_MAX (WYN_SPAWN_PACKET_BYTES_MAX - 1u)

static uint8_t flags_last = 0;
static uint8_t flags_more = WYN_SPAWN_PACKET_MORE;

void wyn_spawn_packets_init(struct wyn_spawn_packets *packets)
{
	for (unsigned i = 0; i < WYN_SPAWN_RECEIVES_MAX; i++) {
		packets->in_parts[i] =
			(struct iovec){packets->in[i], sizeof(packets->in[i])};
		packets->in_heads[i].msg_hdr = (struct msghdr){
			.msg_iov = &packets->in_parts[i],
			.msg_iovlen = 1,
		};
	}
}

static bool full(const struct wyn_spawn_packets *packets)
{
	return packets->out_count == WYN_SPAWN_SENDS_MAX;
}

static struct wyn_packet *add(struct wyn_spawn_packets *packets,
	enum wyn_packet_what what, struct wyn_process *process)
{
	struct wyn_packet *packet = &packets->out[packets->out_count];
	struct msghdr *head = &packets->out_heads[packets->out_count].msg_hdr;

	packets->out_count++;
	packet->what = what;
	packet->process = process;
	*head = (struct msghdr){.msg_iov = packet->parts};
	return packet;
}

static struct msghdr *head_of(
	struct wyn_spawn_packets *packets, const struct wyn_packet *packet)
{
	return &packets->out_heads[packet - packets->out].msg_hdr;
}

static void part_add(struct wyn_spawn_packets *packets,
	struct wyn_packet *packet, const uint8_t *data, size_t bytes)
{
	struct msghdr *head = head_of(packets, packet);

	if (bytes > 0) {
		/* sendmsg(2) only reads it. */
		packet->parts[head->msg_iovlen++] =
			(struct iovec){(void *)(uintptr_t)data, bytes};
	}
}

/* The piece from `at` of a message that lies in two places. */
static void piece_add(struct wyn_spawn_packets *packets,
	struct wyn_packet *packet, size_t at, struct wyn_slice one,
	struct wyn_slice two)
{
	size_t all = one.len + two.len;
	size_t bytes = all - at < PIECE_BYTES_MAX ? all - at : PIECE_BYTES_MAX;
	size_t of_one = at < one.len ? one.len - at : 0;

	packet->bytes = bytes;
	of_one = of_one < bytes ? of_one : bytes;
	part_add(packets, packet, at + bytes < all ? &flags_more : &flags_last,
		1);
	if (of_one > 0) {
		part_add(packets, packet, one.data + at, of_one);
	}
	if (of_one < bytes) {
		part_add(packets, packet, two.data + (at + of_one - one.len),
			bytes - of_one);
	}
}

static void descriptors_add(struct wyn_spawn_packets *packets,
	struct wyn_packet *packet, const struct wyn_process *process)
{
	struct msghdr *head = head_of(packets, packet);
	int fds[WYN_SPAWN_FDS_MAX];
	size_t count = 0;
	struct cmsghdr *control;

	for (unsigned i = 0; i < WYN_SPAWN_FDS_MAX; i++) {
		if (process->pipes[i].child_fd >= 0) {
			fds[count++] = process->pipes[i].child_fd;
		}
	}
	if (count == 0) {
		return;
	}
	head->msg_control = packet->control;
	head->msg_controllen = CMSG_SPACE(count * sizeof(int));
	memset(packet->control, 0, sizeof(packet->control));
	control = CMSG_FIRSTHDR(head);
	control->cmsg_level = SOL_SOCKET;
	control->cmsg_type = SCM_RIGHTS;
	control->cmsg_len = CMSG_LEN(count * sizeof(int));
	memcpy(CMSG_DATA(control), fds, count * sizeof(int));
}

static size_t start_bytes(const struct wyn_process *process)
{
	return process->request.head_bytes +
	       process->task->batch->command->packed_bytes;
}

/* Returns: false when not all of it has room. */
static bool start_add(
	struct wyn_spawn_packets *packets, struct wyn_process *process)
{
	const struct wyn_command *command = process->task->batch->command;
	const struct wyn_request *request = &process->request;
	struct wyn_slice head = {request->head, request->head_bytes};
	struct wyn_slice body = {command->packed, command->packed_bytes};
	size_t at = request->start_at;

	while (at < start_bytes(process)) {
		struct wyn_packet *packet;

		if (full(packets)) {
			return false;
		}
		packet = add(packets, WYN_PACKET_START, process);
		piece_add(packets, packet, at, head, body);
		if (at == 0) {
			descriptors_add(packets, packet, process);
		}
		at += packet->bytes;
	}
	return true;
}

static void note_add(struct wyn_spawn_packets *packets,
	enum wyn_packet_what what, struct wyn_process *process, unsigned number)
{
	struct wyn_packet *packet = add(packets, what, process);
	Wyn__Spawn__V1__Request request = WYN__SPAWN__V1__REQUEST__INIT;
	Wyn__Spawn__V1__Signal signal = WYN__SPAWN__V1__SIGNAL__INIT;
	Wyn__Spawn__V1__Stop stop = WYN__SPAWN__V1__STOP__INIT;
	Wyn__Spawn__V1__Reap reap = WYN__SPAWN__V1__REAP__INIT;
	size_t bytes;

	packet->number = number;
	switch (what) {
	case WYN_PACKET_SIGNAL:
		signal.id = process->id;
		signal.number = number;
		request.what_case = WYN__SPAWN__V1__REQUEST__WHAT_SIGNAL;
		request.signal = &signal;
		break;
	case WYN_PACKET_STOP:
		stop.id = process->id;
		stop.grace_ms = process->request.grace_ms;
		request.what_case = WYN__SPAWN__V1__REQUEST__WHAT_STOP;
		request.stop = &stop;
		break;
	default:
		reap.id = process->id;
		request.what_case = WYN__SPAWN__V1__REQUEST__WHAT_REAP;
		request.reap = &reap;
		break;
	}
	bytes = wyn_spawn_request_bytes(&request);
	wyn_assert(bytes < sizeof(packet->note));
	packet->note[0] = 0;
	(void)wyn_spawn_request_encode(&request, packet->note + 1);
	part_add(packets, packet, packet->note, bytes + 1);
}

/* Returns: false when not all of it has room. */
static bool process_add(
	struct wyn_spawn_packets *packets, struct wyn_process *process)
{
	const struct wyn_request *request = &process->request;
	uint64_t signals = request->signals;

	if (request->start && !start_add(packets, process)) {
		return false;
	}
	while (signals != 0 && !full(packets)) {
		unsigned bit = (unsigned)__builtin_ctzll(signals);

		signals &= signals - 1;
		note_add(packets, WYN_PACKET_SIGNAL, process, bit + 1);
	}
	if (request->stop && !full(packets)) {
		note_add(packets, WYN_PACKET_STOP, process, 0);
	}
	if (request->reap && !full(packets)) {
		note_add(packets, WYN_PACKET_REAP, process, 0);
	}
	return !full(packets);
}

/* Returns: false when not all of it has room. */
static bool configure_add(
	struct wyn_spawn_packets *packets, const struct wyn_spawner_link *link)
{
	struct wyn_slice message = {link->configure, link->configure_bytes};
	size_t at = link->configure_at;

	while (at < link->configure_bytes) {
		struct wyn_packet *packet;

		if (full(packets)) {
			return false;
		}
		packet = add(packets, WYN_PACKET_CONFIGURE, NULL);
		piece_add(packets, packet, at, message,
			(struct wyn_slice){NULL, 0});
		at += packet->bytes;
	}
	return true;
}

/* Is a Start half sent? Then it is that of the first process. */
static bool in_start(const struct wyn_spawn *self)
{
	const struct wyn_list *first = wyn_list_first(&self->sending);

	return first != NULL && wyn_list_entry(first, struct wyn_process, link)
						->request.start_at > 0;
}

/* What is to be started goes by the newest configuration. So a Configure goes
 * first, but after a Start that is half sent; and while another Configure is to
 * come behind it no Start goes. */
static void gather(struct wyn_spawn *self)
{
	struct wyn_spawn_packets *packets = &self->packets;
	const struct wyn_spawner_link *link = &self->link;
	bool configure_next = link->configure != NULL && in_start(self);
	const struct wyn_list *at;

	packets->out_count = 0;
	if (link->configure != NULL && !configure_next &&
		(!configure_add(packets, link) || link->stale)) {
		return;
	}
	wyn_list_for_each (at, &self->sending) {
		if (!process_add(packets,
			    wyn_list_entry(at, struct wyn_process, link)) ||
			configure_next) {
			return;
		}
	}
}

static void configure_sent(struct wyn_spawner_link *link, size_t bytes)
{
	link->configure_at += bytes;
	if (link->configure_at == link->configure_bytes) {
		wyn_spawner_configure_drop(link);
	}
}

static void start_sent(
	struct wyn_spawn *self, struct wyn_process *process, size_t bytes)
{
	struct wyn_request *request = &process->request;

	if (request->start_at == 0) {
		wyn_process_descriptors_sent(process);
	}
	request->start_at += bytes;
	if (request->start_at == start_bytes(process)) {
		request->start = false;
		request->start_at = 0;
		wyn_process_started(self, process);
	}
}

static void sent(struct wyn_spawn *self, const struct wyn_packet *packet)
{
	struct wyn_process *process = packet->process;

	switch (packet->what) {
	case WYN_PACKET_CONFIGURE:
		configure_sent(&self->link, packet->bytes);
		return;
	case WYN_PACKET_START:
		start_sent(self, process, packet->bytes);
		break;
	case WYN_PACKET_SIGNAL:
		process->request.signals &=
			~(UINT64_C(1) << (packet->number - 1));
		break;
	case WYN_PACKET_STOP:
		process->request.stop = false;
		break;
	case WYN_PACKET_REAP:
		process->request.reap = false;
		break;
	}
	if (!wyn_request_pending(&process->request)) {
		wyn_process_sent(self, process);
	}
}

/* Writable again is told by the socket that takes no more. */
static void set_full(struct wyn_spawn *self, bool is_full)
{
	struct wyn_spawner_link *link = &self->link;

	if (is_full == link->full) {
		return;
	}
	link->full = is_full;
	if (wyn_spawn_watch(self, &link->on,
		    EPOLLIN | (is_full ? (uint32_t)EPOLLOUT : 0)) < 0) {
		wyn_spawner_broken(self, "it cannot be watched");
	}
}

/* Nothing of the first packet went. Returns: whether to go on. */
static bool failed(struct wyn_spawn *self, int error)
{
	const struct wyn_packet *packet = &self->packets.out[0];

	if (error == EINTR) {
		return true;
	}
	if (error == EAGAIN) {
		set_full(self, true);
		return false;
	}
	/* Its descriptors are too many on their way, or there is no memory. */
	if ((error == ETOOMANYREFS || error == ENOMEM || error == ENOBUFS) &&
		packet->what == WYN_PACKET_START &&
		packet->process->request.start_at == 0) {
		wyn_process_not_started(self, packet->process, error);
		return true;
	}
	wyn_spawner_broken_by(self, error);
	return false;
}

void wyn_spawn_flush(struct wyn_spawn *self)
{
	struct wyn_spawn_packets *packets = &self->packets;

	while (self->link.on.fd >= 0 &&
		(self->link.configure != NULL ||
			!wyn_list_empty(&self->sending))) {
		int count;

		gather(self);
		count = sendmmsg(self->link.on.fd, packets->out_heads,
			packets->out_count, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (count < 0) {
			if (!failed(self, errno)) {
				return;
			}
			count = 0;
		}
		for (int i = 0; i < count; i++) {
			sent(self, &packets->out[i]);
		}
		if (self->link.stale && self->link.configure == NULL) {
			wyn_spawner_configure(self);
		}
	}
	if (self->link.on.fd >= 0) {
		set_full(self, false);
	}
}

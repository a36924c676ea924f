// SPDX-License-Identifier: MIT
/*
 * spawner_events.c - what the spawner says.
 *
 * It is our own program, so what cannot be read, or is not to be said now, ends
 * the link: nothing that it says after that could be believed.
 */
#include "daemon/spawn/spawner_link.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/log.h"
#include "daemon/spawn/process.h"
#include "daemon/spawn/spawn_state.h"

#define NAMES_BYTES 128u

static void ready_log(const Wyn__Spawn__V1__Ready *ready)
{
	char names[NAMES_BYTES] = "";
	size_t used = 0;

	for (size_t i = 0; i < ready->n_controllers && used < sizeof(names);
		i++) {
		used += (size_t)snprintf(names + used, sizeof(names) - used,
			"%s%s", i > 0 ? "," : "", ready->controllers[i]);
	}
	wyn_log_limited(WYN_LOG_INFO, WYN_LOG_SPAWNER, "spawner-started",
		WYN_LOG_NUMBER("pid", ready->pid),
		WYN_LOG_TEXT("cgroup", ready->cgroup),
		WYN_LOG_TEXT("controllers", names),
		WYN_LOG_NUMBER("killed", ready->killed));
}

static void on_ready(struct wyn_spawn *self, const Wyn__Spawn__V1__Ready *ready)
{
	struct wyn_spawner_link *link = &self->link;
	bool first = link->state == WYN_LINK_CONFIGURING;

	if (ready->version != WYN_SPAWN_VERSION) {
		/* Another one of the same program will not be better. */
		link->failures = WYN_SPAWN_FAILURES_MAX;
		wyn_spawner_broken(self, "it is of another version");
		return;
	}
	if (ready->problem[0] != '\0') {
		wyn_log_limited(WYN_LOG_WARNING, WYN_LOG_SPAWNER,
			"spawner-limited",
			WYN_LOG_TEXT("problem", ready->problem));
	}
	if (!first) {
		return;
	}
	ready_log(ready);
	uv_timer_stop(&self->link_timer);
	link->state = WYN_LINK_READY;
	link->failures = 0;
	if (link->stale) {
		wyn_spawner_configure(self);
	}
	wyn_process_launch_all(self);
}

static void on_ended(struct wyn_spawn *self, const Wyn__Spawn__V1__Ended *ended)
{
	struct wyn_process *process = wyn_process_find(self, ended->id);

	if (process == NULL || !wyn_process_ended(self, process, ended)) {
		wyn_spawner_broken(
			self, "it said that what does not run ended");
		return;
	}
	self->link.breaks = 0;
}

static void on_message(struct wyn_spawn *self, struct wyn_slice bytes)
{
	const Wyn__Spawn__V1__Event *event;

	wyn_arena_reset(&self->arena);
	if (wyn_spawn_event_decode(bytes, &self->arena, &event) < 0) {
		wyn_spawner_broken(self, "it sent what cannot be read");
	} else if (event->what_case == WYN__SPAWN__V1__EVENT__WHAT_READY) {
		on_ready(self, event->ready);
	} else {
		on_ended(self, event->ended);
	}
}

/* Returns: false when it is too long, or there is no memory. */
static bool message_add(struct wyn_spawner_link *link, struct wyn_slice piece)
{
	if (link->message == NULL) {
		link->message = malloc(WYN_SPAWN_EVENT_BYTES);
		link->message_bytes = 0;
	}
	if (link->message == NULL ||
		piece.len > WYN_SPAWN_EVENT_BYTES - link->message_bytes) {
		return false;
	}
	if (piece.len > 0) {
		memcpy(link->message + link->message_bytes, piece.data,
			piece.len);
		link->message_bytes += piece.len;
	}
	return true;
}

static void on_packet(struct wyn_spawn *self, const uint8_t *data, size_t bytes)
{
	struct wyn_spawner_link *link = &self->link;
	struct wyn_slice piece = {data + 1, bytes - 1};
	uint8_t flags = data[0];
	uint8_t *message;

	if ((flags & ~WYN_SPAWN_PACKET_KNOWN) != 0) {
		wyn_spawner_broken(self, "it sent what cannot be read");
		return;
	}
	if ((flags & WYN_SPAWN_PACKET_MORE) == 0 && link->message == NULL) {
		on_message(self, piece);
		return;
	}
	if (!message_add(link, piece)) {
		wyn_spawner_broken(self, "it sent what is too long");
		return;
	}
	if ((flags & WYN_SPAWN_PACKET_MORE) == 0) {
		message = link->message;
		link->message = NULL;
		on_message(
			self, (struct wyn_slice){message, link->message_bytes});
		free(message);
	}
}

/* One call has all that is there, as a rule; what is left tells of itself. */
void wyn_spawner_receive(struct wyn_spawn *self)
{
	struct wyn_spawn_packets *packets = &self->packets;
	int fd = self->link.on.fd;
	int count = recvmmsg(fd, packets->in_heads, WYN_SPAWN_RECEIVES_MAX,
		MSG_DONTWAIT, NULL);

	if (count < 0 && errno != EAGAIN && errno != EINTR) {
		wyn_spawner_broken_by(self, errno);
	}
	for (int i = 0; i < count && self->link.on.fd == fd; i++) {
		const struct mmsghdr *head = &packets->in_heads[i];

		if (head->msg_len == 0) {
			wyn_spawner_broken(self, "it went away");
		} else if ((head->msg_hdr.msg_flags & MSG_TRUNC) != 0) {
			wyn_spawner_broken(self, "it sent what is too long");
		} else {
			on_packet(self, packets->in[i], head->msg_len);
		}
	}
}

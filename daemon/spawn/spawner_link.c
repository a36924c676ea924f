// SPDX-License-Identifier: MIT
/*
 * spawner_link.c - see spawner_link.h. What comes over the socket is in
 * spawner_events.c, how a socket is had in spawner_open.c.
 *
 * A socket that broke is never opened again in the same call: a timer does it,
 * so that whoever found it broken need not know how far things went meanwhile.
 */
#include "daemon/spawn/spawner_link.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/assert.h"
#include "daemon/log.h"
#include "daemon/spawn/process.h"
#include "daemon/spawn/spawn_state.h"
#include "daemon/spawn/spawner_open.h"

#define MESSAGE_BYTES 512u

void wyn_spawner_init(struct wyn_spawner_link *link)
{
	*link = (struct wyn_spawner_link){
		.on = {.kind = WYN_WATCHED_LINK, .fd = -1},
		.state = WYN_LINK_NONE,
	};
	wyn_list_init(&link->children);
}

void wyn_spawner_configure_drop(struct wyn_spawner_link *link)
{
	free(link->configure);
	link->configure = NULL;
}

static void drop_socket(struct wyn_spawn *self)
{
	struct wyn_spawner_link *link = &self->link;

	uv_timer_stop(&self->link_timer);
	wyn_watched_close(&link->on);
	link->child = NULL;
	wyn_spawner_configure_drop(link);
	free(link->message);
	link->message = NULL;
	link->full = false;
	link->state = WYN_LINK_NONE;
}

static void on_link_timer(uv_timer_t *timer)
{
	struct wyn_spawn *self = timer->data;

	wyn_spawner_retry(self);
	wyn_spawn_flush(self);
}

/* Who breaks once, or twice, may have been killed. */
static uint64_t delay_ms(const struct wyn_spawner_link *link)
{
	unsigned over = link->breaks > 2 ? link->breaks - 3 : 0;
	uint64_t ms = UINT64_C(10) << (over < 10 ? over : 10);

	if (link->breaks <= 2) {
		return 0;
	}
	return ms < WYN_SPAWN_DELAY_MS_MAX ? ms : WYN_SPAWN_DELAY_MS_MAX;
}

static void refuse_waiting(struct wyn_spawn *self, const char *error)
{
	char message[MESSAGE_BYTES];
	struct wyn_list *first;

	snprintf(message, sizeof(message), "%s (spawner): %s",
		self->config.spawner, error);
	while ((first = wyn_list_first(&self->waiting)) != NULL) {
		wyn_process_refuse(self,
			wyn_list_entry(first, struct wyn_process, link),
			WYN_REFUSAL_SPAWNER_MISSING, message);
	}
}

/* There is none, and how it comes. fatal: it will not be better next time. */
static void open_failed(struct wyn_spawn *self, const char *error, bool fatal)
{
	struct wyn_spawner_link *link = &self->link;

	link->failures++;
	if (link->breaks < UINT8_MAX) {
		link->breaks++;
	}
	link->retry_ms = uv_now(self->uv) + delay_ms(link);
	if (!fatal && link->failures < WYN_SPAWN_FAILURES_MAX) {
		link->state = WYN_LINK_PAUSED;
		uv_timer_start(
			&self->link_timer, on_link_timer, delay_ms(link), 0);
		return;
	}
	wyn_log_limited(WYN_LOG_ERROR, WYN_LOG_SPAWNER, "spawner-failed",
		WYN_LOG_TEXT("spawner", self->config.spawner),
		WYN_LOG_TEXT("error", error));
	refuse_waiting(self, error);
}

static void open_link(struct wyn_spawn *self)
{
	struct wyn_spawner_link *link = &self->link;
	const char *error = NULL;
	bool fatal = false;

	wyn_assert(link->on.fd < 0);
	wyn_spawner_reap(self);
	if (!wyn_spawner_open(self, &error, &fatal)) {
		drop_socket(self);
		open_failed(self, error, fatal);
		return;
	}
	link->state = WYN_LINK_CONFIGURING;
	link->stale = false;
	uv_timer_start(&self->link_timer, on_link_timer, WYN_SPAWN_READY_MS, 0);
}

void wyn_spawner_want(struct wyn_spawn *self)
{
	struct wyn_spawner_link *link = &self->link;

	switch (link->state) {
	case WYN_LINK_READY:
		wyn_process_launch_all(self);
		break;
	case WYN_LINK_NONE:
		if (link->failures > 0 && uv_now(self->uv) < link->retry_ms) {
			refuse_waiting(self, "it failed a moment ago");
		} else {
			open_link(self);
		}
		break;
	case WYN_LINK_CONFIGURING:
	case WYN_LINK_PAUSED:
		break;
	}
}

void wyn_spawner_retry(struct wyn_spawn *self)
{
	if (self->link.state == WYN_LINK_CONFIGURING) {
		wyn_spawner_broken(self, "it does not answer");
		return;
	}
	wyn_assert(self->link.state == WYN_LINK_PAUSED);
	self->link.state = WYN_LINK_NONE;
	if (!wyn_list_empty(&self->waiting)) {
		open_link(self);
	}
}

void wyn_spawner_configure(struct wyn_spawn *self)
{
	struct wyn_spawner_link *link = &self->link;

	if (link->state != WYN_LINK_READY) {
		/* Its Ready asks again; any other one begins with this. */
		link->stale = link->state == WYN_LINK_CONFIGURING;
		return;
	}
	/* One that is sent in part has to go on to its end. Who sends that end
	 * asks again (wyn_spawn_flush()). */
	link->stale = link->configure != NULL && link->configure_at > 0;
	if (link->stale) {
		return;
	}
	wyn_spawner_configure_drop(link);
	if (!wyn_spawner_configure_make(self)) {
		wyn_spawner_broken(self, "no memory for its configuration");
	}
}

/* Of all that it has. Returns: how many commands have come back for it. */
static size_t lost_all(struct wyn_spawn *self)
{
	size_t lost = 0;

	for (size_t i = 0; i < self->slots; i++) {
		lost += wyn_process_link_lost(self, self->processes[i]);
	}
	return lost;
}

static size_t length(const struct wyn_list *list)
{
	const struct wyn_list *at;
	size_t count = 0;

	wyn_list_for_each (at, list) {
		count++;
	}
	return count;
}

void wyn_spawner_broken(struct wyn_spawn *self, const char *error)
{
	struct wyn_spawner_link *link = &self->link;
	bool ready = link->state == WYN_LINK_READY;
	size_t lost;

	drop_socket(self);
	wyn_process_rewind_all(self);
	if (!ready) {
		open_failed(self, error, false);
		return;
	}
	lost = lost_all(self);
	wyn_log_limited(WYN_LOG_WARNING, WYN_LOG_SPAWNER, "spawner-lost",
		WYN_LOG_TEXT("error", error), WYN_LOG_NUMBER("commands", lost),
		WYN_LOG_NUMBER("waiting", length(&self->waiting)));
	if (link->breaks < UINT8_MAX) {
		link->breaks++;
	}
	link->state = WYN_LINK_PAUSED;
	uv_timer_start(&self->link_timer, on_link_timer, delay_ms(link), 0);
}

void wyn_spawner_broken_by(struct wyn_spawn *self, int error)
{
	/* What it said before it went is there; behind that we read its end. */
	if (error != EPIPE && error != ECONNRESET) {
		wyn_spawner_broken(self, strerrordesc_np(error));
	}
}

void wyn_spawner_close(struct wyn_spawn *self)
{
	struct wyn_list *at;

	drop_socket(self);
	wyn_process_rewind_all(self);
	(void)lost_all(self);
	refuse_waiting(self, "wynd is ending");
	wyn_spawner_reap(self);
	/* wyn_spawner_fini() waits for those that are left, without it. */
	wyn_list_for_each (at, &self->link.children) {
		struct wyn_spawner_child *child =
			wyn_list_entry(at, struct wyn_spawner_child, link);

		wyn_watched_unwatch(&child->on);
	}
}

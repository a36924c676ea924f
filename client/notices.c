// SPDX-License-Identifier: MIT
/*
 * notices.c - the queue of kept events.
 *
 * One allocation each, with the bytes and the texts of the event behind it.
 * That is not the way of plain results, which wait in the table.
 */
#include "client/notices.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct wyn_notice {
	struct wyn_list link;
	size_t memory_size;
	struct wyn_client_event event;
	struct wyn_client_usage usage; /* of event */
	char data[];		       /* value, reason NUL, message NUL */
};

/* Ends the validity of what was taken last. */
static void notices_release(struct wyn_notices *notices)
{
	free(notices->lent);
	notices->lent = NULL;
}

void wyn_notices_init(struct wyn_notices *notices)
{
	*notices = (struct wyn_notices){0};
	wyn_list_init(&notices->list);
}

void wyn_notices_fini(struct wyn_notices *notices)
{
	struct wyn_list *link;

	notices_release(notices);
	while ((link = wyn_list_pop_front(&notices->list)) != NULL) {
		free(wyn_list_entry(link, struct wyn_notice, link));
	}
	notices->bytes = 0;
	notices->memory_bytes = 0;
}

int wyn_notices_keep(
	struct wyn_notices *notices, const struct wyn_client_event *event)
{
	size_t value_size = event->value.size;
	size_t reason_size = strlen(event->reason) + 1;
	size_t message_size = strlen(event->message) + 1;
	size_t memory_size;
	struct wyn_notice *notice;
	char *at;

	memory_size = sizeof(*notice) + value_size + reason_size + message_size;
	notice = malloc(memory_size);
	if (notice == NULL) {
		return -ENOMEM;
	}
	notice->memory_size = memory_size;
	notice->event = *event;
	at = notice->data;
	if (value_size > 0) {
		memcpy(at, event->value.data, value_size);
	}
	notice->event.value.data = at;
	at += value_size;
	notice->event.reason = memcpy(at, event->reason, reason_size);
	at += reason_size;
	notice->event.message = memcpy(at, event->message, message_size);
	if (event->usage != NULL) {
		notice->usage = *event->usage;
		notice->event.usage = &notice->usage;
	}
	wyn_list_push_back(&notices->list, &notice->link);
	notices->bytes += value_size;
	notices->memory_bytes += memory_size;
	return 0;
}

bool wyn_notices_take(
	struct wyn_notices *notices, struct wyn_client_event *ret_event)
{
	struct wyn_list *link = wyn_list_pop_front(&notices->list);
	struct wyn_notice *notice;

	if (link == NULL) {
		return false;
	}
	notices_release(notices);
	notice = wyn_list_entry(link, struct wyn_notice, link);
	notices->bytes -= notice->event.value.size;
	notices->memory_bytes -= notice->memory_size;
	notices->lent = notice;
	*ret_event = notice->event;
	return true;
}

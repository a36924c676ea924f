// SPDX-License-Identifier: MIT
/*
 * handover.c - accepted sockets on their way from loop 0 to their loop.
 */
#include "daemon/io/handover.h"

#include <string.h>
#include <unistd.h>

int wyn_handover_init(struct wyn_handover *handover)
{
	handover->count = 0;
	return -pthread_mutex_init(&handover->lock, NULL);
}

void wyn_handover_fini(struct wyn_handover *handover)
{
	for (size_t i = 0; i < handover->count; i++) {
		close(handover->sockets[i].fd);
	}
	handover->count = 0;
	pthread_mutex_destroy(&handover->lock);
}

bool wyn_handover_room(struct wyn_handover *handover)
{
	bool room;

	pthread_mutex_lock(&handover->lock);
	room = handover->count < WYN_HANDOVER_MAX;
	pthread_mutex_unlock(&handover->lock);
	return room;
}

bool wyn_handover_put(
	struct wyn_handover *handover, const struct wyn_handed *socket)
{
	bool room;

	pthread_mutex_lock(&handover->lock);
	room = handover->count < WYN_HANDOVER_MAX;
	if (room) {
		handover->sockets[handover->count++] = *socket;
	}
	pthread_mutex_unlock(&handover->lock);
	return room;
}

size_t wyn_handover_take(struct wyn_handover *handover,
	struct wyn_handed ret_sockets[static WYN_HANDOVER_MAX])
{
	size_t count;

	pthread_mutex_lock(&handover->lock);
	count = handover->count;
	memcpy(ret_sockets, handover->sockets, count * sizeof(*ret_sockets));
	handover->count = 0;
	pthread_mutex_unlock(&handover->lock);
	return count;
}

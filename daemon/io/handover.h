// SPDX-License-Identifier: MIT
/*
 * handover.h - accepted sockets on their way from loop 0 to their loop.
 *
 * A bounded box under a mutex. It does not wake anybody: loop.c does.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"
#include "base/endpoint.h"
#include "daemon/engine/engine.h"

#define WYN_HANDOVER_MAX 256u /* sockets on the way to one loop */

struct wyn_handed {
	int fd;
	enum wyn_endpoint_kind kind;
	struct wyn_peer peer;
};

struct wyn_handover {
	pthread_mutex_t lock;
	size_t count;				     /* [M lock] */
	struct wyn_handed sockets[WYN_HANDOVER_MAX]; /* [M lock] */
};

/* wyn_handover_init - empty. Thread: boot. Returns: 0, -errno of pthreads. */
WYN_NODISCARD
int wyn_handover_init(struct wyn_handover *handover);

/* wyn_handover_fini - closes what was never taken. Thread: boot. */
void wyn_handover_fini(struct wyn_handover *handover);

/* wyn_handover_room - false = full. Only putting fills it, so a single
 * producer can rely on true. Thread: any. */
bool wyn_handover_room(struct wyn_handover *handover);

/*
 * wyn_handover_put - Thread: any. Owns: takes the descriptor if true.
 * Returns: false when it is full.
 */
WYN_NODISCARD
bool wyn_handover_put(
	struct wyn_handover *handover, const struct wyn_handed *socket);

/*
 * wyn_handover_take - everything in it, oldest first.
 *
 * Thread: any. Owns: gives the descriptors. Returns: how many.
 */
WYN_NODISCARD
size_t wyn_handover_take(struct wyn_handover *handover,
	struct wyn_handed ret_sockets[static WYN_HANDOVER_MAX]);

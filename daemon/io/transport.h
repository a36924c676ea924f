// SPDX-License-Identifier: MIT
/*
 * transport.h - sockets of one loop, each with its connection.
 *
 * Moves bytes between a libuv stream and a wyn_conn and does what the
 * connection wishes: read, pause, close. Knows no frame. A connection that
 * closes after its last answer lingers: the socket's sending half is shut and
 * what still comes in is thrown away until the peer closes too, because a
 * close(2) with unread bytes would make the kernel drop that answer. It counts
 * no more as a connection, so those that linger have a bound of their own: one
 * more, and the oldest is closed at once.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <uv.h>

#include "base/compiler.h"
#include "base/endpoint.h"
#include "base/list.h"
#include "daemon/engine/engine.h"

#define WYN_WRITE_PIECES_MAX   16u /* gathered by one write at once */
#define WYN_PENDING_PIECES_MAX 4u  /* libuv allocates for more than 4 */
#define WYN_WRITE_ROUNDS_MAX   8u  /* writes at once, then by the loop */
/* Read in one turn: of one connection at most, where libuv alone would go on
 * for 32 slabs; of all that have more together, each as much; and of one at
 * least, however many have more. */
#define WYN_TURN_READ_BYTES	  (2u * WYN_RECEIVE_BYTES)
#define WYN_TURN_READ_ALL_BYTES	  (1u << 20)
#define WYN_TURN_READ_LEAST_BYTES (4u << 10)
#define WYN_LINGER_MS		  1000u
#define WYN_LINGER_BYTES_MAX	  (4u << 20)
#define WYN_LINGERING_MAX	  256u /* sockets of one loop */
/* TCP probes a peer that is silent: the wire sends no Pings after Finish, and a
 * peer that lost its power or its network never closes. */
#define WYN_TCP_IDLE_S	      60
#define WYN_TCP_PROBE_EVERY_S 10
#define WYN_TCP_PROBES	      6

struct wyn_transport;

/* Those of one loop. [L] but for what is marked. */
struct wyn_transports {
	uv_loop_t *uv;		     /* [I] */
	struct wyn_engine *engine;   /* [I] */
	void (*gone)(void *context); /* [I] a descriptor was closed */
	void *context;		     /* [I] */
	uint64_t turn;		     /* the number of the loop's */
	size_t share_bytes;	     /* what each may read in it */
	size_t greedy; /* those that have read as much and may have more */
	uint8_t *slab; /* one read, taken before the next */
	struct wyn_list open;	   /* all of them */
	struct wyn_list lingering; /* earliest deadline first */
	size_t lingering_count;
	size_t count;	 /* also those whose close is under way */
	uint64_t opened; /* since the beginning */
};

/*
 * wyn_transports_init - none yet.
 *
 * Thread: boot. Owns: borrows uv and engine. `gone` may be NULL. Returns: 0,
 * -ENOMEM.
 */
WYN_NODISCARD
int wyn_transports_init(struct wyn_transports *transports, uv_loop_t *uv,
	struct wyn_engine *engine, void (*gone)(void *context), void *context);

/* wyn_transports_fini - all are closed. Thread: boot. */
void wyn_transports_fini(struct wyn_transports *transports);

/*
 * wyn_transport_open - serves an accepted socket.
 *
 * Thread: loop. Owns: takes the descriptor, also on an error. Returns: 0,
 * -ENOMEM, what libuv said.
 */
WYN_NODISCARD
int wyn_transport_open(struct wyn_transports *transports, int fd,
	enum wyn_endpoint_kind kind, const struct wyn_peer *peer);

/*
 * wyn_transports_turn - each may read again, as much as its share is now.
 *
 * Thread: loop, once per turn, before it polls.
 */
void wyn_transports_turn(struct wyn_transports *transports);

/*
 * wyn_transport_flush - writes the output and does what the connection wishes.
 *
 * For each connection that wyn_engine_dirty() names. Thread: loop.
 */
void wyn_transport_flush(struct wyn_transport *transport);

/*
 * wyn_transports_expire - ends what has lingered for too long.
 *
 * Thread: loop. Returns: when to come again; UINT64_MAX = not at all.
 */
uint64_t wyn_transports_expire(
	struct wyn_transports *transports, uint64_t now_ns);

/* wyn_transports_abort - closes all, whatever is unwritten. Thread: loop. */
void wyn_transports_abort(struct wyn_transports *transports);

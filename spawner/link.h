// SPDX-License-Identifier: MIT
/*
 * link.h - a socket to wynd: packets to messages and back, descriptors.
 *
 * What comes is handed to request.h message by message. What goes is one packet
 * each, sent at once; what the socket does not take waits here, and with too
 * much of that nothing is read. When it closes, by either end, its commands are
 * killed; it is there until they are gone.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/compiler.h"
#include "base/list.h"
#include "proto/spawn.h"
#include "spawner/child.h"
#include "spawner/program.h"
#include "spawner/watch.h"

struct wyn_loop;
struct wyn_link_event;
struct wyn_shared_cgroups;
struct wyn_shared_ledger;

/* Packets that are read from one link before others have their turn. */
#define WYN_LINK_PACKETS_MAX 64u

/* What Configure has said. */
struct wyn_link_config {
	bool known;
	bool private_tmp;
	uint32_t commands_max;
	mode_t umask;
	struct wyn_program_list programs;
	size_t limits_count;
	struct wyn_child_limit limits[RLIM_NLIMITS];
	struct wyn_shared_cgroups *cgroups; /* NULL = none */
	struct wyn_shared_ledger *ledger;   /* NULL = none */
};

struct wyn_link {
	struct wyn_list link; /* of the loop's, or of its dead */
	struct wyn_watch watch;
	struct wyn_loop *loop;
	int fd; /* -1: closed */
	struct wyn_link_config config;
	struct wyn_list commands; /* also those that wynd may not name */
	size_t listed_count;	  /* those that it may */

	uint8_t *message; /* its packets so far; NULL = none */
	size_t message_bytes;
	size_t message_room;
	uint64_t message_id; /* of the Start that it is, for a refusal */
	bool message_more;   /* the next packet goes on with it */
	bool message_lost;   /* no memory for it: what comes of it is dropped */
	int fds[WYN_SPAWN_FDS_MAX];
	size_t fds_count;
	bool fds_lost; /* the kernel had no room for them */

	struct wyn_link_event *first; /* not sent */
	struct wyn_link_event **last;
	size_t unsent;
	bool reading;
};

/*
 * wyn_link_open - one more.
 *
 * Owns: takes fd. Returns: 0; -ENOMEM; -errno of epoll_ctl(2); fd is closed.
 */
WYN_NODISCARD
int wyn_link_open(struct wyn_loop *loop, int fd);

/* wyn_link_close - why: for the log, or NULL. A closed one is left alone. */
void wyn_link_close(struct wyn_link *link, const char *why);

/* wyn_link_send - a closed one sends nothing. If it cannot be kept either, the
 * link closes. */
void wyn_link_send(struct wyn_link *link, const Wyn__Spawn__V1__Event *event);

/* wyn_link_thin - it has one command less, and may be gone. */
void wyn_link_thin(struct wyn_link *link);

/* wyn_link_free - when it is dead and the turn is over. */
void wyn_link_free(struct wyn_link *link);

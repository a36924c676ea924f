// SPDX-License-Identifier: MIT
/*
 * loop.h - the one thread: what it waits for, and what all links have in
 * common.
 *
 * One epoll for all; the end of a child is told by a signalfd, the next thing
 * that is due by the timeout. In a turn the dead are seen first, so that wynd
 * has their events while we are busy with new commands.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "base/compiler.h"
#include "base/list.h"
#include "spawner/pad.h"
#include "spawner/table.h"
#include "spawner/tree.h"
#include "spawner/user.h"
#include "spawner/watch.h"

#define WYN_LINKS_MAX 64u

/* When something could not be done or seen: again after this. */
#define WYN_AGAIN_NS (10 * WYN_NS_PER_MS)

/* For the last processes, once all links are closed: who does not die of
 * SIGKILL in this time waits for a device, and may do so for ever. */
#define WYN_LOOP_LINGER_NS (10 * WYN_NS_PER_S)

struct wyn_loop {
	int epoll;
	int signals;
	int null;	    /* /dev/null, for who has no input or output */
	int listener;	    /* -1: none */
	uid_t peer;	    /* beside root, who may have a link */
	bool lone;	    /* it ends with its last link */
	bool ending;	    /* no more links */
	uint64_t over_ns;   /* UINT64_MAX: not all links are closed */
	uint64_t listen_ns; /* UINT64_MAX: it listens, or need not */
	size_t links_count;
	struct wyn_list links; /* also closed ones, until they are empty */
	/* To be freed when the turn is over. */
	struct wyn_list dead;
	struct wyn_list dead_links;
	struct wyn_watch on_signal;
	struct wyn_watch on_listener;

	struct wyn_tree tree;
	bool tree_asked; /* a child may be dead, or a look is wanted */
	bool look_again; /* something that was left could not be watched */
	struct wyn_table table;
	struct wyn_list left;	   /* commands */
	struct wyn_list stopping;  /* commands */
	struct wyn_list signalled; /* likewise */
	struct wyn_list cgroups;   /* shared.h */
	struct wyn_list ledgers;
	struct wyn_users users;

	struct rlimit files; /* of descriptors, that commands begin with */
	struct wyn_pads pads;
	void *packet; /* WYN_SPAWN_PACKET_BYTES_MAX */
	bool grown;   /* a message took several packets, and memory */
};

/*
 * wyn_loop_init - signals are blocked from here on, and are as exec(3) wants
 * them; privileges can be had no more; descriptors 0 to 2 are open.
 *
 * Returns: 0; -errno; wyn_loop_fini() is due with both.
 */
WYN_NODISCARD
int wyn_loop_init(struct wyn_loop *loop);
void wyn_loop_fini(struct wyn_loop *loop);

/* wyn_loop_listen - takes links there, from root and that user, and ends by
 * SIGTERM. Returns: 0; -errno. */
WYN_NODISCARD
int wyn_loop_listen(struct wyn_loop *loop, int fd, uid_t peer);

/* wyn_loop_serve - one link, with which it ends. Owns: takes fd. Returns: 0;
 * -errno. */
WYN_NODISCARD
int wyn_loop_serve(struct wyn_loop *loop, int fd);

/* wyn_loop_run - until it has to end. Returns: 0; -errno of epoll_wait(2);
 * -ETIMEDOUT: not all processes have ended. */
WYN_NODISCARD
int wyn_loop_run(struct wyn_loop *loop);

/* wyn_loop_watch - waits for events of a descriptor; wyn_loop_rewatch - for
 * others; wyn_loop_unwatch - for none. Returns: 0; -errno of epoll_ctl(2). */
WYN_NODISCARD
int wyn_loop_watch(struct wyn_loop *loop, int fd, uint32_t events,
	struct wyn_watch *watch);
WYN_NODISCARD
int wyn_loop_rewatch(struct wyn_loop *loop, int fd, uint32_t events,
	struct wyn_watch *watch);
void wyn_loop_unwatch(struct wyn_loop *loop, int fd);

/* wyn_loop_forget_peak - what large messages took is given back, and our
 * highest RSS is the present one. */
void wyn_loop_forget_peak(struct wyn_loop *loop);

/* wyn_loop_now - CLOCK_MONOTONIC. */
uint64_t wyn_loop_now(void);

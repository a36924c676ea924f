// SPDX-License-Identifier: MIT
/*
 * policy.h - who may run which commands: a pure decision.
 *
 * A policy is made from the settings, by boot or wyn-aux (policy_make.h), and
 * never changes; a reload makes another. Loops share it, and count who holds
 * it. What has been decided stays so, whatever a reload says.
 *
 * Which programs may be run is for wynd-spawner, which opens them: a path that
 * is compared here may name another file there.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "daemon/engine/verdict.h"
#include "daemon/run/executor.h"
#include "proto/message.h"

struct wyn_peer;

/* Patterns of the environment, each of which is tried for each variable. */
#define WYN_POLICY_NAMES_MAX   64u
#define WYN_POLICY_RLIMITS_MAX 2u

/* uid may have its commands run as that user. */
struct wyn_policy_run_as {
	uint32_t uid;
	uint32_t as_uid;
	uint32_t as_gid;
	char *as; /* the user's name */
};

/* [I] all but the holders; the memory of all of it is its own. */
struct wyn_policy {
	_Atomic uint32_t holders; /* [A policy] */
	bool commands;		  /* any at all */
	bool root;		  /* the spawner may become any user */
	uint32_t own_uid;	  /* ours, whom they run as else */
	uint32_t own_gid;
	uint32_t *users; /* that may; root and own_uid where there is none */
	size_t users_count;
	char **programs; /* absolute paths; none = every program */
	size_t programs_count;
	char **names; /* of the environment: NAME or PREFIX*; none = see .c */
	size_t names_count;
	struct wyn_policy_run_as *run_as;
	size_t run_as_count;

	/* For the spawner alone. */
	char *spawner; /* a program, or the socket of a service */
	char *cgroup;  /* as in spawn.proto */
	uint32_t umask;
	bool private_tmp;
	struct wyn_rlimit rlimits[WYN_POLICY_RLIMITS_MAX];
	size_t rlimits_count;
};

/* wyn_policy_create - all zero, held once. Thread: boot, aux. Returns: NULL
 * when there is no memory. */
struct wyn_policy *wyn_policy_create(void);

/* wyn_policy_hold, wyn_policy_release - counted; the last one frees it. NULL is
 * a no-op. Thread: any. */
struct wyn_policy *wyn_policy_hold(struct wyn_policy *policy);
void wyn_policy_release(struct wyn_policy *policy);

/*
 * wyn_policy_decide - whether this peer may run that command, and as whom.
 *
 * policy: NULL = no commands. Thread: loop. Returns: true; false: *ret_answer
 * has the rule's name and says which key of wynd.conf it is, in a text that is
 * borrowed until this thread's next call.
 */
WYN_NODISCARD
bool wyn_policy_decide(const struct wyn_policy *policy,
	const struct wyn_peer *peer, const Wyn__V1__Command *command,
	uint32_t *ret_uid, uint32_t *ret_gid, struct wyn_answer *ret_answer);

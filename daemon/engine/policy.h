// SPDX-License-Identifier: MIT
/*
 * policy.h - who may run which commands: a pure decision.
 *
 * A policy is made from the settings, by boot or wyn-aux, and never changes; a
 * reload makes another. Loops share it, and count who holds it.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "daemon/engine/verdict.h"
#include "proto/message.h"

struct wyn_peer;

#define WYN_POLICY_USERS_MAX	256u
#define WYN_POLICY_PROGRAMS_MAX 256u
#define WYN_POLICY_NAMES_MAX	64u /* patterns of the environment */
#define WYN_POLICY_RUN_AS_MAX	256u

/* uid may have its commands run as that user. */
struct wyn_policy_run_as {
	uint32_t uid;
	uint32_t as_uid;
	uint32_t as_gid;
	char *as; /* the user's name */
};

/* [I] all but the holders */
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
	char **names; /* of the environment: NAME or PREFIX*; */
	size_t names_count;
	struct wyn_policy_run_as *run_as;
	size_t run_as_count;
};

/* wyn_policy_hold, wyn_policy_release - counted; the last one frees it. Thread:
 * any. */
struct wyn_policy *wyn_policy_hold(struct wyn_policy *policy);
void wyn_policy_release(struct wyn_policy *policy);

/*
 * wyn_policy_decide - whether this peer may run that command, and as whom.
 *
 * Thread: loop. policy: NULL = no commands. Returns: true; false: *ret_answer
 * has the rule's name and says which key of wynd.conf it is.
 */
WYN_NODISCARD
bool wyn_policy_decide(const struct wyn_policy *policy,
	const struct wyn_peer *peer, const Wyn__V1__Command *command,
	uint32_t *ret_uid, uint32_t *ret_gid, struct wyn_answer *ret_answer);

// SPDX-License-Identifier: MIT
/*
 * policy_make.h - the settings as a policy: names of users become numbers, and
 * the spawner is looked for.
 */
#pragma once

#include "base/compiler.h"
#include "daemon/fault.h"
#include "daemon/settings.h"

struct wyn_policy;

/*
 * wyn_policy_make - what the settings say of commands, also where these are
 * off, so that a mistake is found before they are turned on.
 *
 * Thread: boot, aux. Owns: the caller's, to release. Returns: 0; -ENOENT: there
 * is no such user; -EPERM: a row of command_run_as that cannot be had without a
 * spawner that is root; -E2BIG; -ENOMEM; what looking a user up said; and the
 * fault. Blocks: asks the databases of users.
 */
WYN_NODISCARD
int wyn_policy_make(const struct wyn_settings *settings,
	struct wyn_policy **ret_policy, struct wyn_fault *ret_fault);

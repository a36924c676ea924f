// SPDX-License-Identifier: MIT
/*
 * rig_keep_fixture.h - a rig whose user has two clients: one that leaves tasks
 * behind, and one that asks for them.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "daemon/engine/engine_state.h"
#include "tests/support/rig_commands.h"
#include "tests/support/rig_fixture.h"
#include "tests/support/rig_keep.h"
#include "tests/support/rig_messages.h"

static struct rig_client *asker; /* of the same user */

static inline void start(const struct wyn_limits *limits, uint32_t uid)
{
	rig = rig_create(limits, 2);
	(void)rig_commands_attach(rig);
	client = rig_open_user(rig, uid);
	asker = rig_open_user(rig, uid);
}

static inline int setup(void **state)
{
	struct wyn_limits limits = WYN_LIMITS_INIT;

	(void)state;
	limits.executor_tasks_max = 3;
	limits.commands_max = 2;
	start(&limits, 0);
	return 0;
}

static inline void again(const struct wyn_limits *limits, uint32_t uid)
{
	rig_destroy(rig);
	start(limits, uid);
}

static inline void leave(void)
{
	rig_client_break(client);
	rig_settle(rig);
}

static inline size_t keepers(void)
{
	return rig->engine->keepers_count;
}

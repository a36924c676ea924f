// SPDX-License-Identifier: MIT
/*
 * engine_change.c - what changes for all connections of a loop: other limits or
 * another policy, a drain.
 */
#include "daemon/run/account.h"
#include "daemon/engine/conn_later.h"
#include "daemon/engine/conn_state.h"
#include "daemon/engine/conn_work.h"
#include "daemon/engine/engine_state.h"
#include "daemon/engine/inquiry.h"
#include "daemon/engine/keeper.h"
#include "daemon/engine/policy.h"

void wyn_engine_drain(struct wyn_engine *engine, uint64_t now_ns)
{
	struct wyn_list *link;

	if (engine->draining) {
		return;
	}
	engine->draining = true;
	engine->now_ns = now_ns;
	wyn_inquiries_release(engine);
	wyn_list_for_each (link, &engine->conns) {
		struct wyn_conn *conn =
			wyn_list_entry(link, struct wyn_conn, link);

		if (!wyn_keeper_is(conn)) {
			wyn_conn_go_away(conn);
		}
	}
}

void wyn_engine_cancel_all(struct wyn_engine *engine, uint64_t now_ns)
{
	struct wyn_list *link;

	engine->now_ns = now_ns;
	wyn_list_for_each (link, &engine->conns) {
		struct wyn_conn *conn =
			wyn_list_entry(link, struct wyn_conn, link);

		wyn_conn_give_up(conn);
		if (!wyn_keeper_is(conn)) {
			wyn_conn_later_give_up(conn);
		}
	}
}

static void commands_configure(struct wyn_engine *engine)
{
	struct wyn_executor *executor = engine->command_executor;
	const struct wyn_policy *policy = engine->policy;
	struct wyn_command_config config;

	if (executor == NULL || policy == NULL) {
		return;
	}
	config = (struct wyn_command_config){
		.spawner = policy->spawner,
		.commands_max = engine->limits.commands_max,
		.drain_ms = engine->limits.command_drain_ms,
		.programs = (const char *const *)policy->programs,
		.programs_count = policy->programs_count,
		.umask = policy->umask,
		.rlimits = policy->rlimits,
		.rlimits_count = policy->rlimits_count,
		.private_tmp = policy->private_tmp,
		.cgroup = policy->cgroup,
		.ledger = engine->ledger,
	};
	executor->ops->configure(executor, &config);
}

void wyn_engine_limit(
	struct wyn_engine *engine, const struct wyn_limits *limits)
{
	struct wyn_list *link;

	engine->limits = *limits;
	commands_configure(engine);
	wyn_keepers_limit(engine);
	/* Whoever was held back may go on. */
	wyn_list_for_each (link, &engine->conns) {
		struct wyn_conn *conn =
			wyn_list_entry(link, struct wyn_conn, link);

		wyn_account_limit(conn->account, limits->daemon_bytes_max);
		wyn_engine_activate(conn);
	}
}

void wyn_engine_policy(struct wyn_engine *engine, struct wyn_policy *policy)
{
	struct wyn_policy *before = engine->policy;

	engine->policy = wyn_policy_hold(policy);
	commands_configure(engine);
	wyn_policy_release(before);
}

const struct wyn_limits *wyn_engine_limits(const struct wyn_engine *engine)
{
	return &engine->limits;
}

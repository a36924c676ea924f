// SPDX-License-Identifier: MIT
/*
 * policy.c - see policy.h.
 */
#include "daemon/engine/policy.h"

bool wyn_policy_decide(const struct wyn_policy *policy,
	const struct wyn_peer *peer, const Wyn__V1__Command *command,
	uint32_t *ret_uid, uint32_t *ret_gid, struct wyn_answer *ret_answer)
{
	(void)peer;
	(void)command;
	if (policy == NULL || !policy->commands) {
		*ret_answer = (struct wyn_answer){
			.refusal = WYN_REFUSAL_COMMANDS_OFF};
		return false;
	}
	*ret_uid = policy->own_uid;
	*ret_gid = policy->own_gid;
	return true;
}

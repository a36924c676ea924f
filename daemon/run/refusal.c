// SPDX-License-Identifier: MIT
/*
 * refusal.c - see refusal.h.
 */
#include "daemon/run/refusal.h"

#include "base/assert.h"

const struct wyn_refusal_entry *wyn_refusal_of(enum wyn_refusal refusal)
{
	static const struct wyn_refusal_entry entries[WYN_REFUSALS] = {
#define ENTRY(name, code, has_run, retry_ms, count, words) \
	[WYN_REFUSAL_##name] = {                           \
		.word = #name,                             \
		.counter = #count,                         \
		.text = (words),                           \
		.retry_after_ms = (retry_ms),              \
		.status = WYN_STATUS_##code,               \
		.ran = WYN__V1__RAN__RAN_##has_run,        \
	},
		WYN_REFUSAL_TABLE(ENTRY)
#undef ENTRY
	};

	wyn_assert(refusal < WYN_REFUSALS);
	return &entries[refusal];
}

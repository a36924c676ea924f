// SPDX-License-Identifier: MIT
/*
 * log_refused.c - see log_refused.h.
 */
#include "daemon/log_refused.h"

#include <stdbool.h>
#include <stddef.h>

#include "daemon/log.h"
#include "daemon/run/refusal.h"

/* Not so what its client has ended, or its time: that is no refusal. */
static bool is_refusal(const struct wyn_refusal_entry *entry)
{
	return entry->word && entry->ran == WYN__V1__RAN__RAN_NO &&
	       entry->status != WYN_STATUS_CANCELLED &&
	       entry->status != WYN_STATUS_DEADLINE_EXCEEDED;
}

static void tell(struct wyn_log_refused *refused, const struct wyn_stats *stats)
{
	struct wyn_log_field fields[WYN_REFUSALS + 1];
	size_t count = 1;
	uint64_t sum = 0;

	for (size_t i = 0; i < WYN_REFUSALS; i++) {
		const struct wyn_refusal_entry *entry =
			wyn_refusal_of((enum wyn_refusal)i);
		uint64_t more = stats->refused_approx[i] - refused->told[i];

		refused->told[i] = stats->refused_approx[i];
		if (more > 0 && is_refusal(entry)) {
			fields[count++] = (struct wyn_log_field){
				.key = entry->counter, .number = more};
			sum += more;
		}
	}
	fields[0] = (struct wyn_log_field)WYN_LOG_NUMBER("tasks", sum);
	if (sum > 0) {
		wyn_log_write(WYN_LOG_WARNING, WYN_LOG_REFUSED, "tasks-refused",
			fields, count);
	}
}

void wyn_log_refused_turn(struct wyn_log_refused *refused,
	const struct wyn_stats *stats, uint64_t (*clock_ns)(void))
{
	uint64_t now_ns;

	if (stats->tasks_refused_approx == refused->seen) {
		return;
	}
	now_ns = clock_ns();
	if (refused->told_ns && now_ns - refused->told_ns < WYN_LOG_WINDOW_NS) {
		return;
	}
	refused->seen = stats->tasks_refused_approx;
	refused->told_ns = now_ns;
	tell(refused, stats);
}

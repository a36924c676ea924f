// SPDX-License-Identifier: MIT
/*
 * rules.c - the rules of Submit and Results that a schema cannot state.
 *
 * Only what makes a message mean nothing is refused here. Limits, credit and
 * the order of seqs are the daemon's: those are answered task by task.
 */
#include "proto/rules.h"

#include <errno.h>

int wyn_rules_submit_check(const struct wyn_submit *submit)
{
	uint64_t args = submit->args.count;
	uint64_t sizes = submit->arg_sizes_count;

	if ((args == 0) == (sizes == 0)) {
		return -EBADMSG;
	}
	if (submit->command != NULL && submit->function.len > 0) {
		return -EBADMSG;
	}
	/* One of the two is 0. The seq after the last must exist, too, for
	 * the next Submit is compared with it. */
	if (args + sizes > UINT64_MAX - submit->first_seq) {
		return -EBADMSG;
	}
	return 0;
}

int wyn_rules_results_check(
	const struct wyn_results *results, size_t codes, size_t values)
{
	if ((codes > 0 && codes != results->count) ||
		(values > 0 && values != results->count)) {
		return -EBADMSG;
	}
	for (size_t i = 0; i < results->detail_count; i++) {
		uint32_t row = results->detail_rows[i];

		if (row >= results->count) {
			return -EBADMSG;
		}
		if (i > 0 && row <= results->detail_rows[i - 1]) {
			return -EBADMSG;
		}
	}
	return 0;
}

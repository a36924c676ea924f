// SPDX-License-Identifier: MIT
/*
 * verdict.c - see verdict.h. The loop's thread only.
 */
#include "daemon/verdict.h"

#include <stdlib.h>
#include <string.h>

struct wyn_verdict *wyn_verdict_create(
	const struct wyn_answer *answer, uint64_t first_seq, uint64_t count)
{
	size_t text_bytes = strnlen(answer->text, WYN_VERDICT_TEXT_BYTES_MAX);
	size_t bytes = sizeof(struct wyn_verdict) +
		       (answer->text_borrowed ? text_bytes : 0);
	struct wyn_verdict *verdict = malloc(bytes);
	const char *text = answer->text;

	if (verdict == NULL) {
		return NULL;
	}
	*verdict = (struct wyn_verdict){
		.next_seq = first_seq,
		.count = count,
		.code = answer->code,
		.memory_bytes = (uint32_t)bytes,
	};
	wyn_list_init(&verdict->link);
	if (answer->text_borrowed) {
		text = memcpy(verdict->text, answer->text, text_bytes);
	}
	verdict->detail = (struct wyn_detail){
		.message = {(const uint8_t *)text, text_bytes},
		.reason = wyn_slice_of(answer->reason),
		.retry_after_ms = answer->retry_after_ms,
		.ran = answer->ran,
	};
	return verdict;
}

bool wyn_verdict_extend(struct wyn_verdict *verdict,
	const struct wyn_answer *answer, uint64_t first_seq, uint64_t count)
{
	const struct wyn_detail *detail = &verdict->detail;

	/* Constants are the same when their addresses are. */
	if (verdict->next_seq + verdict->count != first_seq ||
		detail->message.data != (const uint8_t *)answer->text ||
		detail->reason.data != (const uint8_t *)answer->reason ||
		detail->retry_after_ms != answer->retry_after_ms ||
		detail->ran != answer->ran || verdict->code != answer->code) {
		return false;
	}
	verdict->count += count;
	return true;
}

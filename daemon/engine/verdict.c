// SPDX-License-Identifier: MIT
/*
 * verdict.c - see verdict.h. The loop's thread only.
 */
#include "daemon/engine/verdict.h"

#include <stdlib.h>
#include <string.h>

static const char *text_of(const struct wyn_answer *answer)
{
	return answer->text != NULL ? answer->text
				    : wyn_refusal_of(answer->refusal)->text;
}

static uint8_t ran_of(const struct wyn_answer *answer)
{
	return answer->ran != 0 ? answer->ran
				: wyn_refusal_of(answer->refusal)->ran;
}

struct wyn_verdict *wyn_verdict_create(
	const struct wyn_answer *answer, uint64_t first_seq, uint64_t count)
{
	const struct wyn_refusal_entry *entry = wyn_refusal_of(answer->refusal);
	const char *text = text_of(answer);
	size_t text_bytes = strnlen(text, WYN_VERDICT_TEXT_BYTES_MAX);
	size_t bytes = sizeof(struct wyn_verdict) +
		       (answer->text_borrowed ? text_bytes : 0);
	struct wyn_verdict *verdict = malloc(bytes);

	if (verdict == NULL) {
		return NULL;
	}
	*verdict = (struct wyn_verdict){
		.next_seq = first_seq,
		.count = count,
		.refusal = answer->refusal,
		.memory_bytes = (uint32_t)bytes,
		.row_bytes = (uint32_t)(WYN_ROW_BYTES + text_bytes +
					strlen(entry->word)),
	};
	wyn_list_init(&verdict->link);
	if (answer->text_borrowed) {
		text = memcpy(verdict->text, text, text_bytes);
	}
	verdict->detail = (struct wyn_detail){
		.message = {(const uint8_t *)text, text_bytes},
		.reason = wyn_slice_of(entry->word),
		.retry_after_ms = entry->retry_after_ms,
		.ran = ran_of(answer),
	};
	return verdict;
}

bool wyn_verdict_extend(struct wyn_verdict *verdict,
	const struct wyn_answer *answer, uint64_t first_seq, uint64_t count)
{
	const struct wyn_detail *detail = &verdict->detail;

	/* Constants are the same when their addresses are. */
	if (verdict->next_seq + verdict->count != first_seq ||
		verdict->refusal != answer->refusal ||
		detail->message.data != (const uint8_t *)text_of(answer) ||
		detail->ran != ran_of(answer)) {
		return false;
	}
	verdict->count += count;
	return true;
}

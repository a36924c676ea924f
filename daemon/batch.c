// SPDX-License-Identifier: MIT
/*
 * batch.c - see batch.h. The loop's thread only.
 */
#include "daemon/batch.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

static struct wyn_batch *batch_alloc(size_t region_bytes)
{
	struct wyn_batch *batch;
	size_t bytes = sizeof(*batch) + region_bytes;

	batch = malloc(bytes);
	if (batch == NULL) {
		return NULL;
	}
	memset(batch, 0, sizeof(*batch));
	batch->holders = 1;
	batch->bytes = bytes;
	batch->span.batch = batch;
	wyn_list_init(&batch->span.link);
	wyn_list_init(&batch->spans);
	wyn_list_push_back(&batch->spans, &batch->span.of_batch);
	return batch;
}

struct wyn_batch *wyn_batch_create(const struct wyn_args *args)
{
	struct wyn_batch *batch = batch_alloc(args->region.len);

	if (batch == NULL) {
		return NULL;
	}
	memcpy(batch->region, args->region.data, args->region.len);
	batch->span.args = *args;
	batch->span.args.region.data = batch->region;
	batch->count = args->count;
	return batch;
}

struct wyn_batch *wyn_batch_create_upload(
	uint64_t argument_bytes, uint8_t **ret_argument)
{
	struct wyn_batch *batch =
		batch_alloc(WYN_ARGS_HEAD_BYTES_MAX + argument_bytes);
	size_t head;

	if (batch == NULL) {
		return NULL;
	}
	head = wyn_args_head_put(batch->region, argument_bytes);
	batch->span.args = (struct wyn_args){
		.region = {batch->region, head + argument_bytes},
		.count = 1,
		.bytes_total = argument_bytes,
	};
	batch->count = 1;
	*ret_argument = batch->region + head;
	return batch;
}

void wyn_batch_hold(struct wyn_batch *batch)
{
	batch->holders++;
	wyn_assert(batch->holders != 0);
}

size_t wyn_batch_release(struct wyn_batch *batch)
{
	size_t bytes = batch->bytes;

	wyn_assert(batch->holders > 0);
	if (--batch->holders > 0) {
		return 0;
	}
	if (batch->timers != NULL) {
		wyn_timers_disarm(batch->timers, &batch->deadline);
	}
	free(batch);
	return bytes;
}

/* The cursor counts what is left; credit wants the bytes of it as well. */
static bool args_take(struct wyn_args *args, struct wyn_slice *ret_argument)
{
	if (!wyn_args_next(args, ret_argument)) {
		return false;
	}
	args->bytes_total -= ret_argument->len;
	return true;
}

bool wyn_span_take(struct wyn_span *span, uint64_t *ret_seq,
	struct wyn_element *ret_element)
{
	const uint8_t *begin = span->args.region.data;

	if (!args_take(&span->args, &ret_element->argument)) {
		return false;
	}
	ret_element->whole = (struct wyn_slice){
		begin, (size_t)(span->args.region.data - begin)};
	*ret_seq = span->next_seq++;
	return true;
}

struct wyn_span *wyn_span_again(struct wyn_batch *batch, uint64_t seq,
	const struct wyn_element *element)
{
	struct wyn_span *span = malloc(sizeof(*span));

	if (span == NULL) {
		return NULL;
	}
	*span = (struct wyn_span){
		.batch = batch,
		.next_seq = seq,
		.args = {.region = element->whole,
			.count = 1,
			.bytes_total = element->argument.len},
		.slow = true,
	};
	wyn_list_init(&span->link);
	wyn_list_push_back(&batch->spans, &span->of_batch);
	wyn_batch_hold(batch);
	return span;
}

bool wyn_span_prepend(
	struct wyn_span *span, uint64_t seq, const struct wyn_element *element)
{
	struct wyn_args *args = &span->args;

	if (!span->slow || span->next_seq != seq + 1 ||
		args->region.data != element->whole.data + element->whole.len) {
		return false;
	}
	span->next_seq = seq;
	args->region.data = element->whole.data;
	args->region.len += element->whole.len;
	args->count++;
	args->bytes_total += element->argument.len;
	return true;
}

struct wyn_span *wyn_span_split(struct wyn_span *span, uint64_t count)
{
	struct wyn_span *rest = malloc(sizeof(*rest));
	struct wyn_args first = span->args;
	struct wyn_slice argument;

	wyn_assert(count > 0 && count < span->args.count);
	if (rest == NULL) {
		return NULL;
	}
	*rest = *span;
	wyn_list_init(&rest->link);
	wyn_list_insert_between(
		&rest->of_batch, &span->of_batch, span->of_batch.next);
	for (uint64_t i = 0; i < count; i++) {
		(void)args_take(&rest->args, &argument);
	}
	rest->next_seq += count;
	first.count = count;
	first.bytes_total -= rest->args.bytes_total;
	first.region.len -= rest->args.region.len;
	span->args = first;
	wyn_batch_hold(span->batch);
	return rest;
}

size_t wyn_span_drop(struct wyn_span *span)
{
	struct wyn_batch *batch = span->batch;

	wyn_list_remove(&span->link);
	wyn_list_remove(&span->of_batch);
	if (span != &batch->span) {
		free(span);
	}
	return wyn_batch_release(batch);
}

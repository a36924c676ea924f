// SPDX-License-Identifier: MIT
/*
 * inputs.c - a short list: who brings input to many commands at once has much
 * else to do.
 */
#include "client/inputs.h"

#include <errno.h>
#include <stdlib.h>

static void input_destroy(struct wyn_input_stream *input)
{
	wyn_list_remove(&input->link);
	free(input);
}

void wyn_inputs_init(struct wyn_inputs *inputs)
{
	wyn_list_init(&inputs->list);
	inputs->bytes = 0;
}

void wyn_inputs_fini(struct wyn_inputs *inputs)
{
	while (!wyn_list_empty(&inputs->list)) {
		input_destroy(wyn_list_entry(
			inputs->list.next, struct wyn_input_stream, link));
	}
}

int wyn_inputs_add(struct wyn_inputs *inputs, uint64_t seq)
{
	struct wyn_input_stream *input = malloc(sizeof(*input));

	if (input == NULL) {
		return -ENOMEM;
	}
	*input = (struct wyn_input_stream){.seq = seq};
	wyn_list_push_back(&inputs->list, &input->link);
	return 0;
}

struct wyn_input_stream *wyn_inputs_find(
	struct wyn_inputs *inputs, uint64_t seq)
{
	struct wyn_list *link;
	struct wyn_list *after;
	struct wyn_input_stream *input;

	wyn_list_for_each_safe (link, after, &inputs->list) {
		input = wyn_list_entry(link, struct wyn_input_stream, link);
		if (input->seq == seq) {
			return input;
		}
	}
	return NULL;
}

void wyn_inputs_drop(struct wyn_inputs *inputs, uint64_t seq)
{
	struct wyn_input_stream *input = wyn_inputs_find(inputs, seq);

	if (input != NULL) {
		input_destroy(input);
	}
}

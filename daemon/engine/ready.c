// SPDX-License-Identifier: MIT
/*
 * ready.c - see ready.h. An owner's queue is on the ring of its priority while
 * it has spans and neither the owner nor the queue is held.
 */
#include "daemon/engine/ready.h"

#include "base/assert.h"

static const unsigned turns_per_round[WYN_PRIORITIES] = {
	WYN_READY_TURN_LOW,
	WYN_READY_TURN_NORMAL,
	WYN_READY_TURN_HIGH,
};

void wyn_ready_init(struct wyn_ready *ready)
{
	for (unsigned i = 0; i < WYN_PRIORITIES; i++) {
		wyn_list_init(&ready->turns[i]);
	}
	ready->priority = WYN_PRIORITIES - 1;
	ready->turns_left = turns_per_round[ready->priority];
	ready->turn = NULL;
	ready->quantum_left_ns = 0;
}

void wyn_ready_owner_init(struct wyn_ready_owner *owner)
{
	for (unsigned i = 0; i < WYN_PRIORITIES; i++) {
		wyn_list_init(&owner->queues[i].turn);
		wyn_list_init(&owner->queues[i].spans);
		owner->queues[i].held = false;
	}
	owner->tasks = 0;
	owner->held = false;
}

/* Puts a queue on its ring, or takes it off, as it should be now. */
static void queue_settle(struct wyn_ready *ready, struct wyn_ready_owner *owner,
	unsigned priority)
{
	struct wyn_ready_queue *queue = &owner->queues[priority];
	bool wanted =
		!owner->held && !queue->held && !wyn_list_empty(&queue->spans);

	if (!wanted) {
		wyn_list_remove(&queue->turn);
		/* Whoever is next has a whole turn. */
		ready->turn = ready->turn == queue ? NULL : ready->turn;
	} else if (wyn_list_empty(&queue->turn)) {
		wyn_list_push_back(&ready->turns[priority], &queue->turn);
	}
}

void wyn_ready_push(struct wyn_ready *ready, struct wyn_ready_owner *owner,
	unsigned priority, struct wyn_span *span)
{
	wyn_assert(priority < WYN_PRIORITIES);
	wyn_list_push_back(&owner->queues[priority].spans, &span->link);
	owner->tasks += span->args.count;
	queue_settle(ready, owner, priority);
}

void wyn_ready_grew(struct wyn_ready_owner *owner, uint64_t tasks)
{
	owner->tasks += tasks;
}

/* Moves on to a priority that has something and turns left. */
static bool priority_choose(struct wyn_ready *ready)
{
	for (unsigned tries = 0; tries <= WYN_PRIORITIES; tries++) {
		if (ready->turns_left > 0 &&
			!wyn_list_empty(&ready->turns[ready->priority])) {
			return true;
		}
		ready->priority =
			(ready->priority + WYN_PRIORITIES - 1) % WYN_PRIORITIES;
		ready->turns_left = turns_per_round[ready->priority];
	}
	return false;
}

struct wyn_span *wyn_ready_pick(
	struct wyn_ready *ready, struct wyn_ready_owner **ret_owner)
{
	struct wyn_ready_queue *queue;
	struct wyn_span *span;

	if (!priority_choose(ready)) {
		return NULL;
	}
	queue = wyn_list_entry(wyn_list_first(&ready->turns[ready->priority]),
		struct wyn_ready_queue, turn);
	span = wyn_list_entry(
		wyn_list_first(&queue->spans), struct wyn_span, link);
	if (ready->turn != queue) {
		ready->turn = queue;
		ready->quantum_left_ns = WYN_READY_QUANTUM_NS;
	}
	*ret_owner = WYN_CONTAINER_OF(
		queue - ready->priority, struct wyn_ready_owner, queues);
	return span;
}

/* Against the quantum; what is faster than that counts as this. */
static uint64_t task_cost_ns(uint64_t task_ns)
{
	uint64_t least = WYN_READY_QUANTUM_NS / WYN_READY_QUANTUM;

	return task_ns > least ? task_ns : least;
}

uint64_t wyn_ready_most(const struct wyn_ready *ready,
	const struct wyn_span *span, uint64_t task_ns)
{
	uint64_t most = ready->quantum_left_ns / task_cost_ns(task_ns);

	most = most > 0 ? most : 1;
	return most < span->args.count ? most : span->args.count;
}

void wyn_ready_took(struct wyn_ready *ready, struct wyn_ready_owner *owner,
	struct wyn_span *span, uint64_t tasks, uint64_t task_ns)
{
	struct wyn_ready_queue *queue = &owner->queues[ready->priority];
	uint64_t took_ns = tasks * task_cost_ns(task_ns);
	uint64_t left_ns = ready->quantum_left_ns;

	wyn_assert(tasks <= owner->tasks);
	owner->tasks -= tasks;
	ready->quantum_left_ns = took_ns < left_ns ? left_ns - took_ns : 0;
	if (span->args.count == 0) {
		wyn_list_remove(&span->link);
	}
	if (ready->quantum_left_ns == 0 || wyn_list_empty(&queue->spans)) {
		ready->turn = NULL;
		ready->turns_left--;
		wyn_list_remove(&queue->turn);
		queue_settle(ready, owner, ready->priority);
	}
}

void wyn_ready_remove(struct wyn_ready *ready, struct wyn_ready_owner *owner,
	struct wyn_span *span)
{
	owner->tasks -= span->args.count;
	for (unsigned i = 0; i < WYN_PRIORITIES; i++) {
		struct wyn_ready_queue *queue = &owner->queues[i];

		/* What is first next may be free to start. */
		queue->held = queue->held &&
			      wyn_list_first(&queue->spans) != &span->link;
	}
	wyn_list_remove(&span->link);
	for (unsigned i = 0; i < WYN_PRIORITIES; i++) {
		queue_settle(ready, owner, i);
	}
}

bool wyn_ready_give_back(struct wyn_ready *ready, struct wyn_ready_owner *owner,
	unsigned priority, const struct wyn_part *part)
{
	struct wyn_list *spans = &owner->queues[priority].spans;
	struct wyn_list *first = wyn_list_first(spans);
	struct wyn_span *span =
		first == NULL ? NULL
			      : wyn_list_entry(first, struct wyn_span, link);

	if (span == NULL || !wyn_span_prepend(span, part)) {
		span = wyn_span_again(part);
		if (span == NULL) {
			return false;
		}
		wyn_list_push_front(spans, &span->link);
		owner->queues[priority].held = false;
	}
	owner->tasks += part->args.count;
	queue_settle(ready, owner, priority);
	return true;
}

void wyn_ready_insert_after(struct wyn_span *before, struct wyn_span *span)
{
	wyn_list_insert_between(&span->link, &before->link, before->link.next);
}

void wyn_ready_hold(
	struct wyn_ready *ready, struct wyn_ready_owner *owner, bool held)
{
	owner->held = held;
	for (unsigned i = 0; i < WYN_PRIORITIES; i++) {
		queue_settle(ready, owner, i);
	}
}

void wyn_ready_hold_queue(struct wyn_ready *ready,
	struct wyn_ready_owner *owner, unsigned priority)
{
	wyn_assert(priority < WYN_PRIORITIES);
	owner->queues[priority].held = true;
	queue_settle(ready, owner, priority);
}

void wyn_ready_release_queues(
	struct wyn_ready *ready, struct wyn_ready_owner *owner)
{
	for (unsigned i = 0; i < WYN_PRIORITIES; i++) {
		owner->queues[i].held = false;
		queue_settle(ready, owner, i);
	}
}

bool wyn_ready_has_held_queue(const struct wyn_ready_owner *owner)
{
	for (unsigned i = 0; i < WYN_PRIORITIES; i++) {
		if (owner->queues[i].held) {
			return true;
		}
	}
	return false;
}

// SPDX-License-Identifier: MIT
/*
 * list.h - an intrusive, circular, doubly linked list.
 *
 * The same struct is the head and the link inside each element, so that
 * removal needs neither the head nor a search, and nothing allocates. A link
 * that is on no list points to itself: removing it again changes nothing, and
 * wyn_list_empty() on it answers "on no list". Any room; one thread at a time.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/assert.h"
#include "base/compiler.h"

struct wyn_list {
	struct wyn_list *next;
	struct wyn_list *prev;
};

/* Needed before any other call, for heads and for links. */
static inline void wyn_list_init(struct wyn_list *list)
{
	list->next = list;
	list->prev = list;
}

/* Of a head: has no elements. Of a link: is on no list. */
static inline bool wyn_list_empty(const struct wyn_list *list)
{
	return list->next == list;
}

static inline void wyn_list_insert_between(
	struct wyn_list *link, struct wyn_list *prev, struct wyn_list *next)
{
	/* Else wyn_list_init() was not called. */
	wyn_assert(prev != NULL);
	wyn_assert(next != NULL);
	link->prev = prev;
	link->next = next;
	prev->next = link;
	next->prev = link;
}

/* `link` is on no list. */
static inline void wyn_list_push_front(
	struct wyn_list *list, struct wyn_list *link)
{
	wyn_list_insert_between(link, list, list->next);
}

/* `link` is on no list. */
static inline void wyn_list_push_back(
	struct wyn_list *list, struct wyn_list *link)
{
	wyn_list_insert_between(link, list->prev, list);
}

/* Leaves the link initialised, on no list. */
static inline void wyn_list_remove(struct wyn_list *link)
{
	link->prev->next = link->next;
	link->next->prev = link->prev;
	wyn_list_init(link);
}

/* The first link, or NULL. It stays on the list. */
static inline struct wyn_list *wyn_list_first(const struct wyn_list *list)
{
	return wyn_list_empty(list) ? NULL : list->next;
}

/* The last link, or NULL. It stays on the list. */
static inline struct wyn_list *wyn_list_last(const struct wyn_list *list)
{
	return wyn_list_empty(list) ? NULL : list->prev;
}

/* Takes the first link off the list; NULL when there is none. */
static inline struct wyn_list *wyn_list_pop_front(struct wyn_list *list)
{
	struct wyn_list *link = wyn_list_first(list);

	/* As wyn_list_remove(), said so that a static analyser follows it. */
	if (link) {
		list->next = link->next;
		list->next->prev = list;
		wyn_list_init(link);
	}
	return link;
}

/* The object of `type` whose `member` is `link`. */
#define wyn_list_entry(link, type, member) WYN_CONTAINER_OF(link, type, member)

/* `link` (struct wyn_list *) visits each element; none may be removed. */
#define wyn_list_for_each(link, list) \
	for ((link) = (list)->next; (link) != (list); (link) = (link)->next)

/* The same, when the body may remove `link` itself. */
#define wyn_list_for_each_safe(link, after, list)                             \
	for ((link) = (list)->next, (after) = (link)->next; (link) != (list); \
		(link) = (after), (after) = (link)->next)

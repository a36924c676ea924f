// SPDX-License-Identifier: MIT
/*
 * group.h - a group's side for the futures in it.
 *
 * The caller's side is public, in wyn/future.h.
 */
#pragma once

#include <stdbool.h>

#include <wyn/future.h>

/*
 * wyn_group_enter - one more task to wait for.
 *
 * Thread: any. Blocks: never.
 */
void wyn_group_enter(struct wyn_group *group);

/*
 * wyn_group_leave - a task has ended, with its result.
 *
 * The group may be gone when this returns.
 *
 * Thread: any. Blocks: never.
 */
void wyn_group_leave(struct wyn_group *group, int result);

/*
 * wyn_group_is_cancelled - whether tasks of the group should not start.
 *
 * Thread: any. Blocks: never.
 */
bool wyn_group_is_cancelled(const struct wyn_group *group);

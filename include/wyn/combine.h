// SPDX-License-Identifier: MIT
/*
 * wyn/combine.h - futures made of futures: all, any, race, then.
 *
 * A combinator takes the handles of its inputs and gives one future, which is
 * awaited, cancelled, dropped and combined again like any other. No thread
 * waits inside it: whoever ends the last input ends the combination. On an
 * error it has taken nothing, and the inputs are still the caller's.
 *
 * The inputs are all different, and not used any more, not even by an await in
 * progress. Those whose value nobody gets go to their destructors, after they
 * have ended, at the latest when the combination is dropped. Dropping it
 * early cancels nothing. Cancelling it ends it at once and asks each input,
 * as wyn_future_cancel does. An await inside a task helps with that task's own
 * descendants, but takes no other input upon itself. C and C++.
 */
#pragma once

#include <wyn/future.h>

#ifdef __cplusplus
extern "C" {
#endif

#define WYN_COMBINE_INPUTS_MAX (1u << 20) /* inputs of one combination */

/*
 * wyn_future_all - ends when every input has ended.
 *
 * If all have succeeded, so does it: value.ptr[0] points to an array of n
 * struct wyn_value in the order of the inputs, value.u64[1] is n. The array
 * lives until the future is dropped; whoever reads it has all the values. It
 * is not an array of the caller's because that could not be given up early.
 * Else it ends with the error that came first, and nobody gets a value.
 *
 * Borrows the array `inputs` for the call. n may be 0: it succeeds at once.
 *
 * Thread: any. Takes the inputs. Gives: *ret_future, to be dropped once.
 * Returns: 0; -EINVAL if an input is NULL or of another pool; -E2BIG if n is
 * over WYN_COMBINE_INPUTS_MAX; -ENOMEM; -ESHUTDOWN in a forked child.
 * Blocks: never.
 */
WYN_POOL_NODISCARD
int wyn_future_all(struct wyn_pool *pool, struct wyn_future *const *inputs,
	size_t n, struct wyn_future **ret_future);

/*
 * wyn_future_any - ends when the first input has succeeded, with its value.
 *
 * The others are then cancelled if they have not begun, and asked if they run.
 * If every input fails, it ends with the error that came first.
 *
 * Borrows the array `inputs` for the call.
 *
 * Thread: any. Takes the inputs. Gives: *ret_future, to be dropped once.
 * Returns: as wyn_future_all, and -EINVAL if n is 0. Blocks: never.
 */
WYN_POOL_NODISCARD
int wyn_future_any(struct wyn_pool *pool, struct wyn_future *const *inputs,
	size_t n, struct wyn_future **ret_future);

/*
 * wyn_future_race - ends when the first input has ended, as that one did.
 *
 * The others: as in wyn_future_any.
 *
 * Thread: any. Takes the inputs. Gives: *ret_future, to be dropped once.
 * Returns: as wyn_future_any. Blocks: never.
 */
WYN_POOL_NODISCARD
int wyn_future_race(struct wyn_pool *pool, struct wyn_future *const *inputs,
	size_t n, struct wyn_future **ret_future);

/*
 * The body of a task that goes on where another has succeeded, with what that
 * one gave. The value is the body's to free; the array that an `all` gave
 * lives until the body returns. Otherwise as wyn_task_fn.
 */
typedef int wyn_map_fn(
	void *arg, struct wyn_value value, struct wyn_value *ret_value);

/*
 * wyn_future_then - runs fn(arg, value, &value) once the input has succeeded.
 *
 * fn is a task of its own, which whoever ended the input spawns; it must not
 * await what that input's task must not await. If the input fails or is
 * cancelled fn does not run, and the future ends with the same error: so no
 * function of the caller's ever runs in a cancel or in a drain that has
 * nothing left to do. If the task cannot be queued by then, it ends with
 * -ENOMEM. It counts in flight from this call on.
 *
 * Borrows `options` as wyn_pool_spawn.
 *
 * Thread: any. Takes the input. Gives: *ret_future, to be dropped once.
 * Returns: 0; -EINVAL if the input is NULL; -EAGAIN at in_flight_max;
 * -ECANCELED if the group is cancelled; -ENOMEM; -ESHUTDOWN in a forked child,
 * or from outside after drain began if the input has succeeded by now.
 * Blocks: never.
 */
WYN_POOL_NODISCARD
int wyn_future_then(struct wyn_future *input, wyn_map_fn *fn, void *arg,
	const struct wyn_spawn_options *options,
	struct wyn_future **ret_future);

#ifdef __cplusplus
}
#endif

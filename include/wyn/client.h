// SPDX-License-Identifier: MIT
/*
 * wyn/client.h - libwynclient: one connection to wynd.
 *
 * A client is used by one thread at a time; threads that want to work side by
 * side take a client each. Calls that wait may be cut short by a signal
 * handler, or by a stop and SIGCONT (-EINTR), and then simply be called again.
 * SIGPIPE is never raised. For event loops there is wyn/client_async.h.
 *
 * Every task ends in exactly one result. When the connection breaks, each task
 * without one ends as UNAVAILABLE with ran = maybe (FAILED_PRECONDITION with
 * ran = no, if the server had said that it would not take it); only then do
 * calls return the error of the connection. Every function that can fail
 * returns 0 or -errno; wyn_client_error() then says why. "The connection's
 * errors": -EPIPE (closed), -ESHUTDOWN (closed after it went away with every
 * task answered), -ECONNRESET (lost), -EPROTO (the server broke the protocol or
 * ended the connection with an Error), -ENOMEM, -ENOTCONN.
 */
#pragma once

#include <wyn/client_types.h>

#ifdef __cplusplus
extern "C" {
#endif

#define WYN_CLIENT_NODISCARD __attribute__((warn_unused_result))

struct wyn_client;

/*
 * wyn_client_create - makes a client that is not connected yet.
 *
 * Thread: any. Owns: the caller's; borrows config (NULL = defaults) for the
 * call. Returns: 0, -ENOMEM, -EINVAL (in_flight_max, or name is not UTF-8).
 * Blocks: no.
 */
WYN_CLIENT_NODISCARD
int wyn_client_create(
	const struct wyn_client_config *config, struct wyn_client **ret_client);

/*
 * wyn_client_destroy - closes the connection and frees everything.
 *
 * Tasks without a result are cancelled by the server. NULL is a no-op.
 * Thread: the client's. Blocks: no.
 */
void wyn_client_destroy(struct wyn_client *client);

/*
 * wyn_client_connect - connects and shakes hands.
 *
 * address is "unix:PATH", "tcp:HOST:PORT", or NULL for the default: wynd.sock
 * in $XDG_RUNTIME_DIR if it answers, else /run/wynd/wynd.sock. After
 * a failure, or wyn_client_disconnect(), it may be called again.
 *
 * Thread: the client's. Returns: 0; -EINVAL, -ENAMETOOLONG (address);
 * -EISCONN; -ETIMEDOUT, -EINTR; -EHOSTUNREACH (the name does not resolve); the
 * errors of connect(2); the connection's errors. Blocks: until `deadline_ns`;
 * resolving a name is bounded by the resolver alone.
 */
WYN_CLIENT_NODISCARD
int wyn_client_connect(
	struct wyn_client *client, const char *address, uint64_t deadline_ns);

/*
 * wyn_client_connect_fd - shakes hands over a connected stream socket.
 *
 * Thread: the client's. Owns: takes `fd`, also on error. Returns, Blocks: as
 * wyn_client_connect().
 */
WYN_CLIENT_NODISCARD
int wyn_client_connect_fd(
	struct wyn_client *client, int fd, uint64_t deadline_ns);

/*
 * wyn_client_error - why the last failed call failed.
 *
 * Thread: the client's. Owns: the client's, valid until the next failure.
 * Returns: never NULL. Blocks: no.
 */
const struct wyn_client_error *wyn_client_error(
	const struct wyn_client *client);

/*
 * wyn_client_server - who answered and what its limits are.
 *
 * Thread: the client's. Owns: the client's. Returns: never NULL; all zero
 * before the handshake. Blocks: no.
 */
const struct wyn_client_server *wyn_client_server(
	const struct wyn_client *client);

/*
 * wyn_client_submit - hands one task to the server.
 *
 * What is submitted is sent when enough has gathered, by any call that waits,
 * or by wyn_client_flush(). options may be NULL.
 *
 * Thread: the client's. Owns: copies all it is given. Returns: 0; -EINVAL
 * (function's name, label); -E2BIG (over the server's limits); -EAGAIN
 * (nonblock and no credit or room); -ENOBUFS (in_flight_max results, or too
 * many partial values, wait to be taken: take some); -ESHUTDOWN (the server is
 * going away, or after wyn_client_finish()); -EINTR; the connection's errors.
 * Blocks: until there is credit; results that come meanwhile are kept.
 */
WYN_CLIENT_NODISCARD
int wyn_client_submit(struct wyn_client *client, const char *function,
	struct wyn_bytes argument, const struct wyn_client_options *options,
	uint64_t *ret_seq);

/*
 * wyn_client_submit_batch - hands up to `n` tasks to the server.
 *
 * Task i of those taken has the seq *ret_first + i. Like write(2) it may take
 * fewer than n, at least one: call again with the rest. Splitting over the
 * server's limits is done here.
 *
 * Thread: the client's. Owns: copies all it is given. Returns, Blocks: as
 * wyn_client_submit(), for the first of the tasks.
 */
WYN_CLIENT_NODISCARD
int wyn_client_submit_batch(struct wyn_client *client, const char *function,
	const struct wyn_bytes *arguments, size_t n,
	const struct wyn_client_options *options, uint64_t *ret_first,
	size_t *ret_count);

/*
 * wyn_client_submit_source - hands over one task whose argument is read piece
 * by piece while it is sent.
 *
 * Several such arguments take turns on the connection. A source that ends too
 * early or fails ends its task as ABORTED.
 *
 * Thread: the client's; the source's functions are called from it. Owns: takes
 * the source, also on error, until it calls source->release. Returns, Blocks:
 * as wyn_client_submit(); it does not wait until all is sent.
 */
WYN_CLIENT_NODISCARD
int wyn_client_submit_source(struct wyn_client *client, const char *function,
	const struct wyn_client_source *source,
	const struct wyn_client_options *options, uint64_t *ret_seq);

/*
 * wyn_client_source_fd - `size` bytes of a file from its current position.
 *
 * Thread: any. Owns: takes `fd`, closed by release. Returns: the source.
 * Blocks: no; its read does, as read(2).
 */
struct wyn_client_source wyn_client_source_fd(int fd, uint64_t size);

/*
 * wyn_client_next - the next event, whatever it is about.
 *
 * Thread: the client's. Owns: the event's pointers are valid until the next
 * call. Returns: 0; -EAGAIN (AT_ONCE, nothing there), -ETIMEDOUT, -EINTR;
 * -ENODATA (nothing is in flight and no WYN_CLIENT_ROOM is due, so nothing
 * would come); the connection's errors, once every task has had its result.
 * Blocks: until `deadline_ns`.
 */
WYN_CLIENT_NODISCARD
int wyn_client_next(struct wyn_client *client, uint64_t deadline_ns,
	struct wyn_client_event *ret_event);

/*
 * wyn_client_await - the result of one task.
 *
 * Everything else that comes meanwhile is kept for wyn_client_next(), partial
 * values of this task too; only reports of progress are dropped.
 *
 * Thread: the client's. Owns, Blocks: as wyn_client_next(). Returns: 0;
 * -ENOENT (no such task, or its result was taken, or it is quiet); -ENOBUFS
 * (too many partial values wait to be taken); else as wyn_client_next().
 */
WYN_CLIENT_NODISCARD
int wyn_client_await(struct wyn_client *client, uint64_t seq,
	uint64_t deadline_ns, struct wyn_client_event *ret_event);

/*
 * wyn_client_await_any - the first result of several tasks.
 *
 * Of those that are there already, the first one of `seqs`. A seq whose result
 * was taken is passed over, so the same call again and again gives them all.
 *
 * Thread, Owns, Blocks: as wyn_client_await(). Returns: 0; -ENOENT (no result
 * is to come for any of them); else as wyn_client_await().
 */
WYN_CLIENT_NODISCARD
int wyn_client_await_any(struct wyn_client *client, const uint64_t *seqs,
	size_t n, uint64_t deadline_ns, struct wyn_client_event *ret_event);

#ifdef __cplusplus
}
#endif

#include <wyn/client_async.h>
#include <wyn/client_command.h>
#include <wyn/client_control.h>
#include <wyn/client_inspect.h>

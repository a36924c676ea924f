// SPDX-License-Identifier: MIT
/*
 * wyn/client_control.h - libwynclient beside submitting and awaiting.
 *
 * Cancelling, finishing, measuring, asking the server about itself, and what
 * to do after a break. Included by wyn/client.h, whose rules hold here.
 */
#pragma once

#include <wyn/client.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * wyn_client_cancel - asks that `count` tasks from `first` on end early.
 *
 * A request: each of them still has its one result, which may be OK. Seqs that
 * are unknown or finished do no harm.
 *
 * Thread: the client's. Returns: 0; the connection's errors. Blocks: no; it is
 * sent as submits are.
 */
WYN_CLIENT_NODISCARD
int wyn_client_cancel(
	struct wyn_client *client, uint64_t first, uint64_t count);

/*
 * wyn_client_flush - sends what was submitted.
 *
 * Thread: the client's. Returns: 0; -EAGAIN, -ETIMEDOUT, -EINTR; the
 * connection's errors. Blocks: until `deadline_ns`; results that come
 * meanwhile are kept, at their bound (-ENOBUFS) take some.
 */
WYN_CLIENT_NODISCARD
int wyn_client_flush(struct wyn_client *client, uint64_t deadline_ns);

/*
 * wyn_client_finish - tells the server that nothing more will be submitted.
 *
 * The results of what was submitted still come. Thread: the client's.
 * Returns: 0; the connection's errors. Blocks: no; it is sent as submits are.
 */
WYN_CLIENT_NODISCARD
int wyn_client_finish(struct wyn_client *client);

/*
 * wyn_client_ping - measures one round trip through the server's loop.
 *
 * Thread: the client's. Returns: 0; -ETIMEDOUT, -EINTR, -ENOBUFS (partial
 * values wait to be taken); the connection's errors. Blocks: until
 * `deadline_ns`.
 */
WYN_CLIENT_NODISCARD
int wyn_client_ping(
	struct wyn_client *client, uint64_t deadline_ns, uint64_t *ret_ns);

/*
 * wyn_client_functions - names every function that the server has, in order.
 *
 * `each` may not call the client; anything but 0 from it ends the listing and
 * is returned. Its argument is valid during the call.
 *
 * Thread: the client's. Returns: 0; what `each` returned; -EREMOTEIO (the
 * server refused, see wyn_client_error()); -ESHUTDOWN after
 * wyn_client_finish(); else as wyn_client_ping().
 * Blocks: until `deadline_ns`.
 */
WYN_CLIENT_NODISCARD
int wyn_client_functions(struct wyn_client *client, uint64_t deadline_ns,
	int (*each)(void *context, const struct wyn_client_function *function),
	void *context);

/*
 * wyn_client_stats - gives every counter of the server.
 *
 * Thread, Returns, Blocks, `each`: as wyn_client_functions().
 */
WYN_CLIENT_NODISCARD
int wyn_client_stats(struct wyn_client *client, uint64_t deadline_ns,
	int (*each)(void *context, const struct wyn_client_counter *counter),
	void *context);

/*
 * wyn_client_drain - asks the server to finish its work and to end.
 *
 * For administrators: root or the daemon's own user, over a Unix socket.
 * *ret_unfinished is how many accepted tasks had no answer yet.
 *
 * Thread, Returns, Blocks: as wyn_client_functions().
 */
WYN_CLIENT_NODISCARD
int wyn_client_drain(struct wyn_client *client, uint64_t deadline_ns,
	uint64_t *ret_unfinished);

/*
 * wyn_client_in_flight - tasks submitted and not answered yet.
 *
 * Thread: the client's. Returns: the number, quiet tasks included. Blocks: no.
 */
uint64_t wyn_client_in_flight(const struct wyn_client *client);

/*
 * wyn_client_uploads - sources that are not wholly sent yet.
 *
 * Thread: the client's. Returns: the number. Blocks: no.
 */
uint64_t wyn_client_uploads(const struct wyn_client *client);

/*
 * wyn_client_hold - `bytes` of partial values that were taken are not used up.
 *
 * The server is granted so much less, until a later call says less. For callers
 * who pass them on to someone slow and must serve the connection meanwhile.
 *
 * Thread: the client's. Blocks: no.
 */
void wyn_client_hold(struct wyn_client *client, uint64_t bytes);

/*
 * What was not answered when connections broke: since the last report, so that
 * attempts that failed in between lose nothing of it. None of it is told here
 * alone: each of the tasks has its event as well, quiet ones one together.
 */
struct wyn_client_loss {
	uint64_t ran_maybe; /* tasks that may have run, or may not */
	uint64_t ran_no;    /* that did not: they may be submitted again */
	uint64_t quiet;	    /* quiet ones, of which nothing is known */
	/* The least and the greatest seq of ran_maybe and ran_no; 0 = none. */
	uint64_t first_seq;
	uint64_t last_seq;
	struct wyn_client_error error; /* of the first that broke; error 0 =
					* none did */
};

/*
 * wyn_client_disconnect - closes the connection, or what is left of it.
 *
 * Each task without a result ends as after a break. Kept events, and these
 * ends, stay to be taken by wyn_client_next(). Then every way to connect is
 * open again. Seqs go on: none is used twice in a client's life. Credit,
 * limits and in_flight start anew.
 *
 * Thread: the client's. Returns: 0; -ENOMEM (call it again). Blocks: no.
 */
WYN_CLIENT_NODISCARD
int wyn_client_disconnect(
	struct wyn_client *client, struct wyn_client_loss *ret_loss);

/*
 * wyn_client_reconnect - connects to the same address again after a break.
 *
 * It is wyn_client_disconnect() and wyn_client_connect(). After a failure it
 * may be called again, when the caller thinks it is time.
 *
 * Thread: the client's. Returns: 0; -EISCONN (nothing broke); -ENOTCONN (it
 * was never connected to an address); -ENOMEM; else as wyn_client_connect().
 * Blocks: as wyn_client_connect().
 */
WYN_CLIENT_NODISCARD
int wyn_client_reconnect(struct wyn_client *client, uint64_t deadline_ns,
	struct wyn_client_loss *ret_loss);

/*
 * wyn_client_deadline_in_ms - now and so many milliseconds.
 *
 * Thread: any. Returns: a deadline for the functions above, never AT_ONCE.
 * Blocks: no.
 */
uint64_t wyn_client_deadline_in_ms(uint64_t ms);

#ifdef __cplusplus
}
#endif

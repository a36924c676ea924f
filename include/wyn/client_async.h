// SPDX-License-Identifier: MIT
/*
 * wyn/client_async.h - libwynclient in an event loop of the caller's.
 *
 * One fd to poll, what to poll it for, how long, and one call to make then;
 * none of them ever blocks. Included by wyn/client.h, whose rules hold here:
 *
 *	for (;;) {
 *		while (wyn_client_process(client, &event) > 0)
 *			handle(&event), maybe submit more;
 *		poll(wyn_client_fd(), wyn_client_events(), ..._timeout_ms())
 *	}
 */
#pragma once

#include <wyn/client.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * wyn_client_connect_start - begins to connect, and to shake hands.
 *
 * wyn_client_process() goes on with it, and gives WYN_CLIENT_CONNECTED when the
 * server has answered; until then, submits with `nonblock` return -EAGAIN. A
 * host must be given by its number: to look up a name would block.
 *
 * Thread: the client's. Returns: 0 (it is under way); -EINVAL, -ENAMETOOLONG
 * (address); -EISCONN; -EHOSTUNREACH (a name); -EAGAIN (too many wait for the
 * Unix socket: try again later); the errors of connect(2); -ENOMEM. Blocks: no.
 */
WYN_CLIENT_NODISCARD
int wyn_client_connect_start(struct wyn_client *client, const char *address);

/*
 * wyn_client_connect_fd_start - begins to shake hands over a stream socket
 * that is connected, or is about to be.
 *
 * Thread: the client's. Owns: takes `fd`, also on error. Returns: 0;
 * -EISCONN; -ENOMEM. Blocks: no.
 */
WYN_CLIENT_NODISCARD
int wyn_client_connect_fd_start(struct wyn_client *client, int fd);

/*
 * wyn_client_fd - what to poll.
 *
 * It changes only by connecting and disconnecting. Thread: the client's. Owns:
 * the client's. Returns: the fd, -1 when there is none. Blocks: no.
 */
int wyn_client_fd(const struct wyn_client *client);

/*
 * wyn_client_events - what to poll the fd for.
 *
 * Ask again before each poll(2): a submit gives something to write. Thread: the
 * client's. Returns: POLLIN, POLLOUT or both; 0 when there is no connection or
 * it has ended. Blocks: no.
 */
int wyn_client_events(const struct wyn_client *client);

/*
 * wyn_client_timeout_ms - how long to poll at most.
 *
 * Thread: the client's. Returns: milliseconds as poll(2) has them; 0 = call
 * wyn_client_process() at once, -1 = only the fd matters. Blocks: no.
 */
int wyn_client_timeout_ms(const struct wyn_client *client);

/*
 * wyn_client_process - reads and writes what the socket allows, and gives one
 * event.
 *
 * Call it when the fd is ready or the time is over, and again until it gives
 * none. It may be called at any time, and mixed with the calls that wait. The
 * server pings an idle client too, and lets go who never answers.
 *
 * Thread: the client's. Owns: the event's pointers are valid until the next
 * call. Returns: 1 with an event; 0 (poll now); the connection's errors, once
 * every task has had its result: disconnect or destroy then. Blocks: no;
 * sources of arguments may.
 */
WYN_CLIENT_NODISCARD
int wyn_client_process(
	struct wyn_client *client, struct wyn_client_event *ret_event);

/*
 * wyn_client_wants_write - whether wyn_client_events() has POLLOUT.
 *
 * Thread: the client's. Blocks: no.
 */
bool wyn_client_wants_write(const struct wyn_client *client);

#ifdef __cplusplus
}
#endif

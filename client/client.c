// SPDX-License-Identifier: MIT
/*
 * client.c - the way to the socket: poll, send and recv around a session.
 *
 * It decides only when to touch the socket. With the deadline AT_ONCE a step
 * never waits, which is all that the form for event loops needs. Submits
 * gather in the session; the
 * socket is written when enough has gathered and whenever a call is about to
 * wait, so that a burst of small submits costs one system call.
 */
#include "client/client.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "client/clock.h"
#include "client/command.h"
#include "client/connect.h"
#include "client/control.h"
#include "client/reason.h"
#include "client/source.h"
#include "client/submit.h"

/* Enough to be worth a system call of its own. */
#define FLUSH_BYTES (64u << 10)
/* In one step, when the socket takes all of them: an upload may be long, and
 * its caller have other things to do. */
#define SENDS_MAX 4

static int client_lost(struct wyn_client *client, int error)
{
	wyn_session_end(&client->session, error, WYN_STATUS_UNAVAILABLE,
		WYN_REASON_CONNECTION_LOST,
		"the connection to the server was lost: %s; what was not "
		"answered may have run",
		strerror(-error));
	return WYN_SESSION_NOTED;
}

/* Returns: whether it is connected. If it never will be, the session ends. */
static bool client_is_through(struct wyn_client *client)
{
	char why[WYN_CONNECT_WHY_BYTES];
	int err;

	if (WYN_LIKELY(!client->connecting)) {
		return true;
	}
	err = wyn_connect_finish(client->fd);
	if (err == -EINPROGRESS) {
		return false;
	}
	client->connecting = false;
	if (err == 0) {
		return true;
	}
	wyn_connect_why(client->address, err, why);
	wyn_session_end(&client->session, err, WYN_STATUS_UNAVAILABLE,
		WYN_REASON_CANNOT_CONNECT, "%s", why);
	return false;
}

int wyn_client_send(struct wyn_client *client)
{
	struct wyn_slice output;
	int result = -EAGAIN;
	int sends = 0;
	ssize_t sent;

	if (!client_is_through(client)) {
		return -EAGAIN;
	}
	output = wyn_session_output(&client->session);
	while (output.len > 0 && !client->send_failed && sends < SENDS_MAX) {
		sent = send(client->fd, output.data, output.len,
			MSG_NOSIGNAL | MSG_DONTWAIT);
		if (sent < 0 && errno == EINTR) {
			continue;
		}
		if (sent < 0 && errno == EAGAIN) {
			break;
		}
		if (sent < 0) {
			client->send_failed = true;
			return WYN_SESSION_NOTED;
		}
		wyn_session_sent(&client->session, (size_t)sent);
		result = WYN_SESSION_NOTED;
		sends++;
		output = wyn_session_output(&client->session);
	}
	return result;
}

/* Returns: NOTED; -EAGAIN; -EINTR, when it may wait. */
static int client_receive(struct wyn_client *client, bool waits)
{
	uint8_t *room;
	size_t bytes;
	ssize_t got;
	int err = wyn_session_room(&client->session, &room, &bytes);

	if (err != 0) {
		return WYN_SESSION_NOTED;
	}
	do {
		got = recv(client->fd, room, bytes, waits ? 0 : MSG_DONTWAIT);
	} while (got < 0 && errno == EINTR && !waits);
	if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
		return -errno;
	}
	if (got < 0) {
		return client_lost(
			client, errno == EPIPE ? -EPIPE : -ECONNRESET);
	}
	if (got == 0) {
		wyn_session_eof(&client->session);
		return WYN_SESSION_NOTED;
	}
	wyn_session_received(&client->session, (size_t)got);
	client->unread = true;
	if (client->keepalive_ns != 0) {
		client->heard_ns = wyn_client_now_ns();
		client->probed = false;
	}
	return WYN_SESSION_NOTED;
}

static int client_timed_out(struct wyn_client *client)
{
	return wyn_session_fail(&client->session, -ETIMEDOUT,
		WYN_STATUS_DEADLINE_EXCEEDED, WYN_REASON_TIMED_OUT,
		"the server did not answer in time");
}

/* Past its deadline a caller gets what is there already, once: a server that
 * always has something to say could hold it for ever. */
static bool client_is_late(struct wyn_client *client, uint64_t deadline_ns)
{
	if (deadline_ns == WYN_CLIENT_AT_ONCE ||
		deadline_ns == WYN_CLIENT_FOREVER ||
		wyn_client_now_ns() < deadline_ns) {
		return false;
	}
	if (client->late_ns == deadline_ns) {
		return true;
	}
	client->late_ns = deadline_ns;
	return false;
}

static int client_interrupted(struct wyn_client *client)
{
	return wyn_session_fail(&client->session, -EINTR, WYN_STATUS_ABORTED,
		WYN_REASON_INTERRUPTED, "interrupted by a signal");
}

uint64_t wyn_client_silence_ns(const struct wyn_client *client)
{
	if (client->keepalive_ns == 0 || client->fd < 0 ||
		client->session.state == WYN_SESSION_ENDED) {
		return WYN_CLIENT_FOREVER;
	}
	return client->heard_ns + client->keepalive_ns;
}

/*
 * Nothing has come: after too long a silence, asks for a sign of life or gives
 * up. Returns: whether it did something.
 *
 * The second wait begins with the question, not with the end of the first one:
 * a caller that was busy elsewhere must not take its own silence for the
 * server's. Before the Welcome, Hello is the question.
 */
static bool client_keepalive(struct wyn_client *client)
{
	uint64_t due_ns = wyn_client_silence_ns(client);
	uint64_t now_ns;

	if (due_ns == WYN_CLIENT_FOREVER) {
		return false;
	}
	now_ns = wyn_client_now_ns();
	if (now_ns < due_ns) {
		return false;
	}
	if (client->probed) {
		wyn_session_end(&client->session, -ECONNRESET,
			WYN_STATUS_UNAVAILABLE, WYN_REASON_CONNECTION_LOST,
			"the server has said nothing for %llu ms; what was not "
			"answered may have run",
			(unsigned long long)(2 * client->keepalive_ns /
					     WYN_NS_PER_MS));
		return true;
	}
	client->probed = true;
	client->heard_ns = now_ns;
	if (client->session.state == WYN_SESSION_OPEN) {
		/* Without memory the session has ended, as the pull tells. */
		(void)!wyn_session_probe(&client->session);
	}
	return true;
}

static int client_poll(struct wyn_client *client, uint64_t deadline_ns)
{
	uint64_t due_ns = wyn_client_silence_ns(client);
	int err = wyn_connect_poll(client->fd, (short)wyn_client_events(client),
		due_ns < deadline_ns ? due_ns : deadline_ns);

	if (err == -ETIMEDOUT && due_ns < deadline_ns) {
		return WYN_SESSION_NOTED;
	}
	if (err == -ETIMEDOUT) {
		return client_timed_out(client);
	}
	if (err == -EINTR) {
		return client_interrupted(client);
	}
	return err == 0 ? WYN_SESSION_NOTED : client_lost(client, err);
}

/*
 * Everything received has been read: so talk to the socket.
 *
 * The answer to what has just been sent is not there yet, so it is not asked
 * for before the sleep, unless there is to be none. Where nothing but input can
 * end it, the sleep is in recv(2) itself.
 */
static int client_exchange(struct wyn_client *client, uint64_t deadline_ns)
{
	struct wyn_session *session = &client->session;
	bool sent;
	bool waits;
	bool late;
	bool asked;
	int received = -EAGAIN;

	if (client_is_late(client, deadline_ns)) {
		return client_timed_out(client);
	}
	sent = wyn_client_send(client) == WYN_SESSION_NOTED;
	if (session->state == WYN_SESSION_ENDED) {
		return WYN_SESSION_NOTED;
	}
	waits = deadline_ns == WYN_CLIENT_FOREVER && client->recv_waits &&
		client->keepalive_ns == 0 && !wyn_client_wants_write(client);
	late = deadline_ns == WYN_CLIENT_AT_ONCE ||
	       deadline_ns == client->late_ns;
	asked = waits || late || !sent;
	if (asked) {
		received = client_receive(client, waits);
	}
	if (received == -EINTR) {
		return client_interrupted(client);
	}
	if (received == WYN_SESSION_NOTED ||
		(asked && client_keepalive(client))) {
		return WYN_SESSION_NOTED;
	}
	if (deadline_ns == WYN_CLIENT_AT_ONCE) {
		/* Sending may have made the room that an event is due for. */
		return session->starved && session->relieved ? WYN_SESSION_NOTED
							     : -EAGAIN;
	}
	return client_poll(client, deadline_ns);
}

int wyn_client_step(struct wyn_client *client, uint64_t deadline_ns,
	struct wyn_client_event *ret_event)
{
	int result = wyn_session_pull(&client->session, ret_event);

	if (result != -EAGAIN) {
		return result;
	}
	if (client->fd < 0) {
		return wyn_session_not_connected(&client->session);
	}
	client->unread = false;
	return client_exchange(client, deadline_ns);
}

int wyn_client_may_keep(struct wyn_client *client)
{
	if (!wyn_session_keeps_too_much(&client->session)) {
		return 0;
	}
	return wyn_session_fail(&client->session, -ENOBUFS,
		WYN_STATUS_RESOURCE_EXHAUSTED, WYN_REASON_PARTIAL_VALUES,
		"too many events wait to be taken");
}

int wyn_client_step_keeping(struct wyn_client *client, uint64_t deadline_ns)
{
	struct wyn_client_event event;
	int result = wyn_client_may_keep(client);

	if (result != 0) {
		return result;
	}
	result = wyn_client_step(client, deadline_ns, &event);
	if (result == 0) {
		return wyn_session_keep(&client->session, &event);
	}
	return result == WYN_SESSION_NOTED ? 0 : result;
}

static int client_no_copy(struct wyn_client *client, int error)
{
	return wyn_session_fail(&client->session, error,
		WYN_STATUS_RESOURCE_EXHAUSTED, WYN_REASON_CLIENT_NO_MEMORY,
		"no memory for the argument");
}

/* Larger than a frame: a copy of it goes in chunks. */
static int client_submit_copy(struct wyn_client *client, const char *function,
	struct wyn_bytes argument, const struct wyn_client_options *options,
	uint64_t *ret_seq)
{
	struct wyn_client_source source;
	int err = wyn_source_copy(argument, &source);

	if (err != 0) {
		return client_no_copy(client, err);
	}
	return wyn_client_submit_source(
		client, function, &source, options, ret_seq);
}

/* Before -EAGAIN is returned the socket has had its chance. */
static int client_wait(struct wyn_client *client, bool nonblock)
{
	if (nonblock) {
		return wyn_client_send(client) == WYN_SESSION_NOTED &&
				       !client->send_failed
			       ? 0
			       : -EAGAIN;
	}
	return wyn_client_step_keeping(client, WYN_CLIENT_FOREVER);
}

/* After a try, whose result is in `err`: waits for what it lacked. Returns:
 * whether to try again; if not, *err says how it ends. */
static bool client_again(struct wyn_client *client, bool nonblock, int *err)
{
	if (*err != -EAGAIN) {
		return false;
	}
	*err = client_wait(client, nonblock);
	return *err == 0;
}

/* What follows the last try. Returns: `err`. */
static int client_tried(struct wyn_client *client, int err)
{
	if (err == -EAGAIN) {
		wyn_session_starve(&client->session);
	}
	if (wyn_outbox_pending(&client->session.outbox).len >= FLUSH_BYTES) {
		(void)wyn_client_send(client);
	}
	return err;
}

static const struct wyn_client_options submit_defaults;

int wyn_client_submit_batch(struct wyn_client *client, const char *function,
	const struct wyn_bytes *arguments, size_t n,
	const struct wyn_client_options *options, uint64_t *ret_first,
	size_t *ret_count)
{
	int err;

	if (options == NULL) {
		options = &submit_defaults;
	}
	if (n == 0) {
		*ret_count = 0;
		return 0;
	}
	do {
		err = wyn_session_submit(&client->session, function, arguments,
			n, options, ret_first, ret_count);
	} while (client_again(client, options->nonblock, &err));
	if (err == -EMSGSIZE) {
		err = client_submit_copy(
			client, function, arguments[0], options, ret_first);
		if (err == 0) {
			*ret_count = 1;
		}
	}
	return client_tried(client, err);
}

int wyn_client_submit(struct wyn_client *client, const char *function,
	struct wyn_bytes argument, const struct wyn_client_options *options,
	uint64_t *ret_seq)
{
	size_t count;

	return wyn_client_submit_batch(
		client, function, &argument, 1, options, ret_seq, &count);
}

int wyn_client_submit_source(struct wyn_client *client, const char *function,
	const struct wyn_client_source *source,
	const struct wyn_client_options *options, uint64_t *ret_seq)
{
	int err;

	if (options == NULL) {
		options = &submit_defaults;
	}
	do {
		err = wyn_session_submit_source(
			&client->session, function, source, options, ret_seq);
	} while (client_again(client, options->nonblock, &err));
	if (err != 0 && source->release != NULL) {
		source->release(source->context);
	}
	return client_tried(client, err);
}

/* The input is too large for a frame: a copy of it goes in chunks. */
static int client_command_copy(struct wyn_client *client,
	const struct wyn_client_command *command, struct wyn_bytes input,
	const struct wyn_client_options *options, uint64_t *ret_seq)
{
	struct wyn_client_source source;
	int err = wyn_source_copy(input, &source);

	if (err != 0) {
		return client_no_copy(client, err);
	}
	err = wyn_session_submit_command(
		&client->session, command, input, &source, options, ret_seq);
	if (err != 0) {
		source.release(source.context);
	}
	return err;
}

int wyn_client_submit_command(struct wyn_client *client,
	const struct wyn_client_command *command, struct wyn_bytes input,
	const struct wyn_client_options *options, uint64_t *ret_seq)
{
	int err;

	if (options == NULL) {
		options = &submit_defaults;
	}
	do {
		err = wyn_session_submit_command(&client->session, command,
			input, NULL, options, ret_seq);
		if (err == -EMSGSIZE) {
			err = client_command_copy(
				client, command, input, options, ret_seq);
		}
	} while (client_again(client, options->nonblock, &err));
	return client_tried(client, err);
}

int wyn_client_input(struct wyn_client *client, uint64_t seq,
	struct wyn_bytes bytes, bool eof, size_t *ret_taken)
{
	int err;

	do {
		err = wyn_session_input(
			&client->session, seq, bytes, eof, ret_taken);
	} while (client_again(client, true, &err));
	return client_tried(client, err);
}

// SPDX-License-Identifier: MIT
/*
 * attach.c - a client's life: how it comes by a connection, loses it, and
 * comes by another.
 *
 * Each way to connect ends in wyn_client_attach(), which does not wait; the
 * calls that do wait step on until the Welcome is there. A connection that is
 * given up leaves the session as after wyn_client_create(), but for what is
 * kept for the caller and for the seqs.
 */
#include "client/client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/time.h"
#include "client/clock.h"
#include "client/connect.h"
#include "client/reason.h"

/* No silence is as long as this, and twice of it is no overflow. */
#define KEEPALIVE_MS_MAX (UINT64_C(1) << 40)

/*
 * With a timeout set, recv(2) ends with EINTR whatever SA_RESTART says. That
 * is all that it is for: when it is over, poll(2) goes on waiting.
 */
static const struct timeval recv_wait = {.tv_sec = 3600};

int wyn_client_create(
	const struct wyn_client_config *config, struct wyn_client **ret_client)
{
	struct wyn_client *client = calloc(1, sizeof(*client));
	uint64_t keepalive_ms = config != NULL ? config->keepalive_ms : 0;
	int err;

	if (client == NULL) {
		return -ENOMEM;
	}
	client->fd = -1;
	if (keepalive_ms > KEEPALIVE_MS_MAX) {
		keepalive_ms = KEEPALIVE_MS_MAX;
	}
	client->keepalive_ns = keepalive_ms * WYN_NS_PER_MS;
	err = wyn_session_init(&client->session, config);
	if (err != 0) {
		free(client);
		return err;
	}
	*ret_client = client;
	return 0;
}

void wyn_client_destroy(struct wyn_client *client)
{
	if (client == NULL) {
		return;
	}
	wyn_session_fini(&client->session);
	if (client->fd >= 0) {
		(void)close(client->fd);
	}
	free(client->address);
	free(client);
}

static int attach_refuse(struct wyn_client *client)
{
	return wyn_session_fail(&client->session, -EISCONN,
		WYN_STATUS_FAILED_PRECONDITION, WYN_REASON_CONNECTED,
		"the client is connected already");
}

int wyn_client_attach(struct wyn_client *client, int fd)
{
	int err = 0;

	if (client->fd >= 0) {
		(void)close(fd);
		return attach_refuse(client);
	}
	/* For want of memory when the last connection was given up. */
	if (client->session.state == WYN_SESSION_ENDED) {
		err = wyn_session_restart(&client->session);
	}
	if (err != 0) {
		(void)close(fd);
		return err;
	}
	client->fd = fd;
	client->recv_waits = setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &recv_wait,
				     sizeof(recv_wait)) == 0;
	if (client->keepalive_ns != 0) {
		client->heard_ns = wyn_client_now_ns();
	}
	return 0;
}

/* Keeps all that is still to be told, the ends of lost tasks too. Returns: 0;
 * -ENOMEM, some of it is gone. */
static int attach_settle(struct wyn_client *client)
{
	struct wyn_session *session = &client->session;
	struct wyn_client_event event;
	int err = 0;
	int result;

	do {
		result = wyn_session_pull(session, &event);
		if (result == 0 && wyn_session_keep(session, &event) != 0) {
			err = -ENOMEM;
		}
		if (result == -EAGAIN) {
			wyn_session_end(session, -EPIPE, WYN_STATUS_UNAVAILABLE,
				WYN_REASON_CONNECTION_CLOSED,
				"the client closed the connection; what was "
				"not answered may have run");
			result = WYN_SESSION_NOTED;
		}
	} while (result == 0 || result == WYN_SESSION_NOTED);
	return err;
}

/* Gives up the connection, if there is one. The loss is told later. */
static int attach_leave(struct wyn_client *client)
{
	int restart_err;
	int err;

	if (client->fd < 0) {
		return 0;
	}
	err = attach_settle(client);
	(void)close(client->fd);
	client->fd = -1;
	client->send_failed = false;
	client->connecting = false;
	client->unread = false;
	client->told = false;
	client->probed = false;
	client->late_ns = 0;
	restart_err = wyn_session_restart(&client->session);
	return err != 0 ? err : restart_err;
}

/* A connection that failed to come about leaves the client as it was. */
static int attach_failed(struct wyn_client *client, int error)
{
	struct wyn_client_error why = client->session.error;

	/* For want of memory wyn_client_attach() tries that again. */
	(void)!attach_leave(client);
	client->session.error = why;
	return error;
}

/* Until the Welcome is there. */
static int attach_await(struct wyn_client *client, uint64_t deadline_ns)
{
	int err;

	while (client->session.state == WYN_SESSION_NEW) {
		err = wyn_client_step_keeping(client, deadline_ns);
		if (err != 0) {
			return attach_failed(client, err);
		}
	}
	if (client->session.state == WYN_SESSION_ENDED) {
		client->session.error = client->session.end;
		return attach_failed(client, client->session.end_error);
	}
	return 0;
}

/* Of a client that is not connected: remembers where it connects to. */
static int attach_address(struct wyn_client *client, const char *address)
{
	char *copy;

	if (client->fd >= 0) {
		return attach_refuse(client);
	}
	copy = address != NULL ? strdup(address) : NULL;
	if (address != NULL && copy == NULL) {
		return wyn_session_fail(&client->session, -ENOMEM,
			WYN_STATUS_RESOURCE_EXHAUSTED,
			WYN_REASON_CLIENT_NO_MEMORY,
			"no memory for the address");
	}
	free(client->address);
	client->address = copy;
	client->addressed = true;
	return 0;
}

static void attach_forget_address(struct wyn_client *client)
{
	free(client->address);
	client->address = NULL;
	client->addressed = false;
}

/* Records why no socket could be had. */
static int attach_no_socket(struct wyn_client *client, int err, const char *why)
{
	uint32_t status = WYN_STATUS_UNAVAILABLE;

	if (err == -EINVAL || err == -ENAMETOOLONG) {
		status = WYN_STATUS_INVALID_ARGUMENT;
	} else if (err == -EACCES || err == -EPERM) {
		status = WYN_STATUS_PERMISSION_DENIED;
	}
	return wyn_session_fail(&client->session, err, status,
		WYN_REASON_CANNOT_CONNECT, "%s", why);
}

int wyn_client_connect_fd(
	struct wyn_client *client, int fd, uint64_t deadline_ns)
{
	int err = wyn_client_attach(client, fd);

	if (err != 0) {
		return err;
	}
	attach_forget_address(client);
	return attach_await(client, deadline_ns);
}

int wyn_client_connect(
	struct wyn_client *client, const char *address, uint64_t deadline_ns)
{
	char why[WYN_CONNECT_WHY_BYTES];
	int fd;
	int err = attach_address(client, address);

	if (err != 0) {
		return err;
	}
	/* Not `address`, which may be what was just replaced. */
	err = wyn_connect(client->address, deadline_ns, why, &fd);
	if (err != 0) {
		return attach_no_socket(client, err, why);
	}
	err = wyn_client_attach(client, fd);
	return err == 0 ? attach_await(client, deadline_ns) : err;
}

static int attach_start(struct wyn_client *client, int fd)
{
	int err = wyn_client_attach(client, fd);

	if (err == 0) {
		client->connecting = true;
		client->session.announces = true;
	}
	return err;
}

int wyn_client_connect_fd_start(struct wyn_client *client, int fd)
{
	int err = attach_start(client, fd);

	if (err == 0) {
		attach_forget_address(client);
	}
	return err;
}

int wyn_client_connect_start(struct wyn_client *client, const char *address)
{
	char why[WYN_CONNECT_WHY_BYTES];
	int fd;
	int err = attach_address(client, address);

	if (err != 0) {
		return err;
	}
	err = wyn_connect_start(client->address, why, &fd);
	if (err != 0) {
		return attach_no_socket(client, err, why);
	}
	return attach_start(client, fd);
}

static void attach_report(
	struct wyn_client *client, struct wyn_client_loss *ret_loss)
{
	*ret_loss = client->session.loss;
	client->session.loss = (struct wyn_client_loss){0};
}

int wyn_client_disconnect(
	struct wyn_client *client, struct wyn_client_loss *ret_loss)
{
	int err = attach_leave(client);

	if (err == 0) {
		attach_report(client, ret_loss);
	}
	return err;
}

int wyn_client_reconnect(struct wyn_client *client, uint64_t deadline_ns,
	struct wyn_client_loss *ret_loss)
{
	int err;

	if (client->session.state == WYN_SESSION_OPEN) {
		return attach_refuse(client);
	}
	if (!client->addressed) {
		return wyn_session_not_connected(&client->session);
	}
	err = attach_leave(client);
	if (err == 0) {
		err = wyn_client_connect(client, client->address, deadline_ns);
	}
	if (err == 0) {
		attach_report(client, ret_loss);
	}
	return err;
}

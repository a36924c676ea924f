// SPDX-License-Identifier: MIT
/*
 * client_poll.c - a client of wynd in an event loop of its own.
 *
 *	client_poll ADDRESS FUNCTION <lines
 *
 * Calls FUNCTION with each line and prints the results as they come, each with
 * the number of its line. One poll(2) waits for input and for wynd; nothing
 * else waits, so a slow server stops neither reading nor anything else that a
 * program would do here. ADDRESS is unix:PATH or tcp:NUMBER:PORT.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <wyn/client.h>

struct feed {
	struct wyn_client *client;
	const char *function;
	uint64_t line;	/* the number of the next one */
	bool connected; /* and there was room when it was last asked for */
	bool ended;	/* there is no more input */
	bool failed;
	size_t used;
	char buffer[1 << 16];
};

/* The line at the front of the buffer. Returns: whether there is one. */
static bool feed_line(const struct feed *feed, size_t *ret_size)
{
	const char *end = memchr(feed->buffer, '\n', feed->used);

	if (end != NULL) {
		*ret_size = (size_t)(end - feed->buffer);
		return true;
	}
	*ret_size = feed->used;
	return feed->used == sizeof(feed->buffer) ||
	       (feed->ended && feed->used > 0);
}

/* Submits lines while wynd takes them: it says when it takes more. */
static int feed_submit(struct feed *feed)
{
	struct wyn_client_options options = {.nonblock = true};
	uint64_t seq;
	size_t size;
	int err;

	while (feed->connected && feed_line(feed, &size)) {
		options.tag = feed->line;
		err = wyn_client_submit(feed->client, feed->function,
			(struct wyn_bytes){feed->buffer, size}, &options, &seq);
		if (err == -EAGAIN || err == -ENOBUFS) {
			feed->connected = err == -ENOBUFS;
			return 0;
		}
		if (err != 0) {
			return err;
		}
		feed->line++;
		if (size < feed->used) {
			size++; /* its newline */
		}
		feed->used -= size;
		memmove(feed->buffer, feed->buffer + size, feed->used);
	}
	return 0;
}

static void feed_event(struct feed *feed, const struct wyn_client_event *event)
{
	switch (event->kind) {
	case WYN_CLIENT_CONNECTED:
	case WYN_CLIENT_ROOM:
		feed->connected = true;
		break;
	case WYN_CLIENT_RESULT:
		if (event->code == WYN_STATUS_OK) {
			printf("%" PRIu64 "\t%.*s\n", event->tag,
				(int)event->value.size,
				(const char *)event->value.data);
		} else {
			printf("%" PRIu64 "\t%s: %s\n", event->tag,
				event->reason, event->message);
			feed->failed = true;
		}
		break;
	default:
		break;
	}
}

/* Whether all lines are submitted and answered. */
static bool feed_done(const struct feed *feed)
{
	return feed->ended && feed->used == 0 &&
	       wyn_client_in_flight(feed->client) == 0;
}

static void feed_read(struct feed *feed)
{
	ssize_t got = read(STDIN_FILENO, feed->buffer + feed->used,
		sizeof(feed->buffer) - feed->used);

	if (got > 0) {
		feed->used += (size_t)got;
	} else {
		feed->ended = true;
	}
}

/* Returns: 0 when all is done; the connection's error. */
static int feed_run(struct feed *feed)
{
	struct wyn_client_event event;
	struct pollfd fds[2] = {{.events = POLLIN}};
	int got;

	for (;;) {
		while ((got = wyn_client_process(feed->client, &event)) > 0) {
			feed_event(feed, &event);
		}
		if (got == 0) {
			got = feed_submit(feed);
		}
		if (got < 0) {
			return got;
		}
		if (feed_done(feed)) {
			return 0;
		}
		/* One that is -1 is passed over. */
		fds[0].fd = feed->ended || feed->used == sizeof(feed->buffer)
				    ? -1
				    : STDIN_FILENO;
		fds[1].fd = wyn_client_fd(feed->client);
		fds[1].events = (short)wyn_client_events(feed->client);
		if (poll(fds, 2, wyn_client_timeout_ms(feed->client)) < 0) {
			return -errno;
		}
		if (fds[0].fd >= 0 && fds[0].revents != 0) {
			feed_read(feed);
		}
	}
}

/* What may have run, and what did not, when the connection broke. */
static void feed_complain(struct feed *feed)
{
	struct wyn_client_loss loss;

	(void)fprintf(stderr, "client_poll: %s\n",
		wyn_client_error(feed->client)->message);
	if (wyn_client_disconnect(feed->client, &loss) == 0) {
		(void)fprintf(stderr,
			"client_poll: %" PRIu64 " tasks may have run, %" PRIu64
			" did not\n",
			loss.ran_maybe, loss.ran_no);
	}
}

int main(int argc, char **argv)
{
	static struct feed feed = {.line = 1};
	int err;

	if (argc != 3) {
		(void)fprintf(stderr, "usage: client_poll ADDRESS FUNCTION\n");
		return EXIT_FAILURE;
	}
	/* Results are to be seen as they come, through a pipe too. */
	(void)setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
	feed.function = argv[2];
	if (wyn_client_create(NULL, &feed.client) != 0) {
		return EXIT_FAILURE;
	}
	err = wyn_client_connect_start(feed.client, argv[1]);
	if (err == 0) {
		err = feed_run(&feed);
	}
	if (err != 0) {
		feed_complain(&feed);
		feed.failed = true;
	}
	wyn_client_destroy(feed.client);
	return feed.failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

# SPDX-License-Identifier: MIT
"""Clients that take all they can get, and what is left for those beside them.

A neighbour that is served after the attack is over has not been served, so
how far the attack has come is asked when the neighbour has its answer.
"""
import select
import threading
import unittest

from harness import Wynd, main, until
from peer import Peer, counters
from wyn_client import Client, Result

WORKERS = 2
TRAINING = 5000
SLOW = 4000
SLOW_MS = b"200"
# What both workers were at when it showed, then what slow ones may have in the
# executor, and as much again for what is not in step.
SLOW_BEFORE_MAX = 16
HOGS = 20  # take all places for streams, with the defaults


class Misjudged(unittest.TestCase):
    def slow_before_an_echo(self, training):
        """How many slow tasks of another's came before one echo."""
        with Wynd("--workers", WORKERS) as wynd:
            neighbour = Client(wynd.address("unix"))
            with Peer(wynd.address("unix")) as peer:
                if training:
                    peer.submit(1, "sleep_ms", *[b"0"] * training)
                    peer.rows(training)
                peer.submit(training + 1, "sleep_ms", *[SLOW_MS] * SLOW)
                # Behind the Submit of the peer, not beside it.
                peer.send(ping={"token": 1})
                peer.expect("pong")
                neighbour.submit("echo", [b"x"])
                self.assertEqual(neighbour.next().value, b"x")
                done = counters(neighbour)["tasks_ok"]
            neighbour.sock.close()
        return done - training - 1

    def test_a_function_that_was_fast(self):
        self.assertLess(self.slow_before_an_echo(TRAINING), SLOW_BEFORE_MAX)

    def test_a_function_that_nobody_knows(self):
        self.assertLess(self.slow_before_an_echo(0), SLOW_BEFORE_MAX)


class Values(unittest.TestCase):
    MAX_BYTES = 64 << 20
    VALUE = 1 << 21  # beyond a frame, so that it waits for stream credit

    def test_a_client_that_never_grants_stream_credit(self):
        with Wynd("--max-bytes", self.MAX_BYTES,
                  "--max-value", self.MAX_BYTES // 2) as wynd:
            neighbour = Client(wynd.address("unix"))
            with Peer(wynd.address("unix"), stream_bytes=1) as peer:
                peer.submit(1, "size", *[b"0"] * 200)
                peer.rows(200)
                count = 2 * self.MAX_BYTES // self.VALUE
                peer.submit(201, "size", *[b"%d" % self.VALUE] * count)
                # Each that may start has come back, one way or another. What
                # stalled was asked back, and waits for the output to be read.
                until(lambda: counters(neighbour)["output_over_max"] > 0 or
                      counters(neighbour)["tasks_returned"] >= 200 + count,
                      "the pool has met them all")
                for size in 100, self.VALUE:
                    neighbour.submit("size", [b"%d" % size])
                    self.assertEqual(len(neighbour.next().value), size)
            neighbour.sock.close()


class Streams(unittest.TestCase):
    STREAMS = 20  # of each; more than there were spare threads once
    NUMBERS = 20000

    def count_on(self, client):
        """Opens streams and reads them to their ends."""
        seqs = client.submit("count", [b"%d" % self.NUMBERS] * self.STREAMS,
                             stream=True)
        codes = {}
        while len(codes) < len(seqs):
            event = client.next()
            if isinstance(event, Result):
                codes[event.seq] = (event.code, event.detail.message)
        self.assertEqual(set(codes.values()), {(0, "")})

    def test_two_that_read(self):
        with Wynd("--workers", WORKERS) as wynd:
            clients = [Client(wynd.address("unix")) for _ in range(2)]
            readers = [threading.Thread(target=self.count_on, args=(client,))
                       for client in clients[1:]]
            for reader in readers:
                reader.start()
            self.count_on(clients[0])
            for reader in readers:
                reader.join()
            for client in clients:
                self.assertEqual(client.answered, self.STREAMS)
                client.sock.close()

    def test_one_that_never_reads(self):
        with Wynd("--workers", WORKERS) as wynd:
            neighbour = Client(wynd.address("unix"))
            with Peer(wynd.address("unix")) as peer:
                peer.submit(1, "count", *[b"1000000000"] * 64, stream=True)
                # It is full: some wait, and the others do not even start.
                until(lambda: counters(neighbour)["output_over_max"] > 0,
                      "nothing of it is read")
                self.count_on(neighbour)
            neighbour.sock.close()

    def pump(self, clients):
        """Lets each of them answer its Pings; false, for until()."""
        ready = select.select([c.sock for c in clients], [], [], 0)[0]
        for client in clients:
            if client.sock in ready:
                client.receive()
                client.wait(lambda: not client.outgoing)

    def test_many_that_never_grant_stream_credit(self):
        with Wynd("--workers", WORKERS, "--keepalive", "1s") as wynd:
            neighbour = Client(wynd.address("unix"))
            every = [neighbour]

            def filled_up(full):
                self.pump(every)
                return counters(neighbour)["streams_full"] > full

            for _ in range(HOGS):
                full = counters(neighbour)["streams_full"]
                hog = Client(wynd.address("unix"), stream_bytes=1)
                every.append(hog)
                hog.submit("count", [b"1000000"] * 64, stream=True)
                until(lambda: filled_up(full), "it has all it can get")
            neighbour.submit("count", [b"10"], stream=True)
            neighbour.submit("echo", [b"x"])
            until(lambda: self.pump(every) or neighbour.answered == 2,
                  "the neighbour is served")
            codes = [e.code for e in neighbour.events if isinstance(e, Result)]
            self.assertEqual(codes, [0, 0])
            reasons = {e.detail.reason for hog in every[1:]
                       for e in hog.events if isinstance(e, Result)}
            self.assertEqual(reasons, {"STREAM_STALLED"})
            for client in every:
                client.sock.close()


if __name__ == "__main__":
    main()

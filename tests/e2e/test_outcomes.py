# SPDX-License-Identifier: MIT
"""How tasks end when their functions do not do as one would like.

Failing, returning nothing or too much, going on after they were cancelled or
after their time. Over both transports; see WireCase for what is looked at
after each case.
"""
import time
import unittest

from harness import Wynd, main, until
from peer import WireCase, counters
from wyn_client import VALUE, Client, Partial, Result

OK, CANCELLED, DEADLINE_EXCEEDED = 0, 1, 4
RAN_YES = 2
FRAME_MAX, VALUE_MAX = 64 * 1024, 1024 * 1024
# Long enough that a deadline is seen to come before the end.
SPIN_S = 2.0
SPIN = b"%d deaf" % (SPIN_S * 1000000)


class Cases(WireCase):
    flags = ("--max-frame", FRAME_MAX, "--max-value", VALUE_MAX,
             "--max-stream", "4K", "--workers", 2)

    def test_a_function_that_fails(self):
        client = self.client()
        seqs = client.submit("fail", [b"%d m%d" % (i, i)
                                      for i in range(1, 17)])
        results = {}
        while event := client.next():
            results[event.seq] = event
        for code, seq in enumerate(seqs, 1):
            self.assertEqual(results[seq].code, code)
            self.assertEqual(results[seq].detail.message, "m%d" % code)
            self.assertEqual(results[seq].detail.ran, RAN_YES)

    def test_a_function_that_fails_beside_others(self):
        client = self.client()
        seqs = client.submit("sleep_ms", [b"1", b"soon", b"2", b""])
        codes = {r.seq: r.code for r in iter(client.next, None)}
        self.assertEqual([codes[s] for s in seqs], [OK, 3, OK, 3])

    def test_a_value_of_no_bytes(self):
        client = self.client()
        client.submit("echo", [b""] * 3)
        client.submit("size", [b"0"])
        client.submit("noop", [b"x"])
        self.assertEqual([(r.code, r.value) for r in iter(client.next, None)],
                         [(OK, b"")] * 5)

    def test_a_value_around_the_frame_limit(self):
        # Every size at which a frame, its header or a Chunk may be just full.
        for size in [FRAME_MAX + i for i in (-1100, -1024, -64, -1, 0, 1, 64)
                     ] + list(range(FRAME_MAX - 40, FRAME_MAX - 4)):
            peer = self.peer()
            peer.submit(1, "size", b"%d" % size)
            value, kind = b"", None
            while kind != "results":
                kind, message = peer.receive()
                self.assertIn(kind, ("chunk", "results"))
                self.assertLessEqual(peer.body_bytes, FRAME_MAX)
                if kind == "chunk":
                    self.assertEqual(message.stream, VALUE)
                    self.assertEqual(message.offset, len(value))
                    value += message.data
                    self.assertEqual(message.eof, len(value) == size)
            if value:
                self.assertFalse(any(message.value))
            else:
                value = message.value[0]
            self.assertEqual(value, (b"abcdefghijklmnopqrstuvwxyz"
                                     * (size // 26 + 1))[:size])
            peer.sock.close()

    def test_a_value_just_at_and_just_over_its_limit(self):
        client = self.client()
        client.submit("size", [b"%d" % VALUE_MAX, b"%d" % (VALUE_MAX + 1),
                               b"%d" % (1 << 40)])
        results = {r.seq: r for r in iter(client.next, None)}
        self.assertEqual(len(results[1].value), VALUE_MAX)
        for seq in 2, 3:
            self.assertEqual(results[seq].detail.reason, "VALUE_TOO_LARGE")
            self.assertEqual(results[seq].detail.ran, RAN_YES)
            self.assertEqual(results[seq].value, b"")

    def no_more_comes(self, peer):
        """What is sent behind the row comes before the Pong."""
        peer.send(ping={})
        kinds = set()
        while (kind := peer.receive()[0]) != "pong":
            kinds.add(kind)
        self.assertLessEqual(kinds, {"credit"})

    def test_partial_values_after_a_cancel(self):
        peer = self.peer()
        peer.submit(1, "count", b"1000000000", stream=True)
        peer.expect("chunk")
        peer.send(cancel={"seqs": [{"first": 1, "count": 1}]})
        self.assertEqual(peer.rows(1)[1][0], CANCELLED)
        self.no_more_comes(peer)

    def test_partial_values_after_a_timeout(self):
        peer = self.peer()
        peer.submit(1, "count", b"1000000000", stream=True, timeout_ms=30)
        self.assertEqual(
            peer.rows(1), {1: (DEADLINE_EXCEEDED, "RUN_TIMEOUT")})
        self.no_more_comes(peer)

    def test_partial_values_that_nobody_has_credit_for(self):
        client = self.client(stream_bytes=1)
        seq, = client.submit("count", [b"1000000000"], stream=True)
        self.assertEqual(client.next(), Partial(seq, b"1"))
        client.send(cancel={"seqs": [{"first": seq, "count": 1}]})
        # What was emitted before it was cancelled comes before the row.
        client.send(credit={"stream_bytes": 1 << 40})
        *_, result = iter(client.next, None)
        self.assertIsInstance(result, Result)
        self.assertEqual(result.code, CANCELLED)

    def test_a_client_that_is_gone_while_it_is_streamed_to(self):
        peer = self.peer()
        peer.submit(1, "count", *[b"1000000000"] * 4, stream=True)
        peer.expect("chunk")
        peer.reset()


class OverUnix(Cases, unittest.TestCase):
    kind = "unix"


class OverTcp(Cases, unittest.TestCase):
    kind = "tcp"


class PastTheDeadline(unittest.TestCase):
    """A function that does not listen, on the only worker there is."""

    def spins_on(self, reason, **options):
        with Wynd("--workers", 1) as wynd:
            client = Client(wynd.address("unix"))
            begin = time.monotonic()
            client.submit("spin_us", [SPIN], **options)
            result = client.next()
            self.assertLess(time.monotonic() - begin, SPIN_S)
            self.assertEqual(result.code, DEADLINE_EXCEEDED)
            self.assertEqual(result.detail.reason, reason)
            self.assertEqual(result.detail.ran, RAN_YES)
            # Answered, but not gone: the worker is occupied, the task held.
            self.assertEqual(counters(client)["tasks_held"], 1)
            client.submit("noop", [b""])
            self.assertEqual(client.next().code, OK)
            self.assertGreaterEqual(time.monotonic() - begin, SPIN_S)
            until(lambda: counters(client)["tasks_held"] == 0, "it returned")
            client.sock.close()

    def test_with_a_deadline(self):
        self.spins_on("QUEUE_DEADLINE", deadline_ms=100)

    def test_with_a_timeout(self):
        self.spins_on("RUN_TIMEOUT", timeout_ms=100)

    def test_of_tasks_that_still_wait(self):
        with Wynd("--workers", 1) as wynd:
            client = Client(wynd.address("unix"))
            spins, = client.submit("spin_us", [SPIN])
            client.submit("noop", [b""] * 1000, deadline_ms=50)
            results = list(iter(client.next, None))
            self.assertEqual((results[-1].seq, results[-1].code), (spins, OK))
            self.assertEqual(
                {(r.code, r.detail.reason) for r in results[:-1]},
                {(DEADLINE_EXCEEDED, "QUEUE_DEADLINE")})
            client.sock.close()


if __name__ == "__main__":
    main()

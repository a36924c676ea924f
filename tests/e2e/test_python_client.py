# SPDX-License-Identifier: MIT
"""wyn_client.py, the example for client authors, against a real daemon.

Every case runs over a Unix socket and over TCP. What it shows is that
docs/wire.md and wyn.proto are enough to write a client from.
"""
import os
import unittest

import wyn_client
from harness import Wynd, main
from wyn_client import Client, Partial, Result, ServerError

OK, CANCELLED, DEADLINE_EXCEEDED, NOT_FOUND = 0, 1, 4, 5
RAN_NO, RAN_YES = 1, 2
LINES_MAX = 225  # about 200, commands included
PARTIALS = 40


def letters(size):
    """The value of size(N)."""
    alphabet = b"abcdefghijklmnopqrstuvwxyz"
    return (alphabet * (size // 26 + 1))[:size]


def drain(client):
    """Every event up to the last result."""
    events = []
    while event := client.next():
        events.append(event)
    return events


class TheFile(unittest.TestCase):
    def test_is_short(self):
        with open(os.path.splitext(wyn_client.__file__)[0] + ".py") as file:
            self.assertLessEqual(len(file.readlines()), LINES_MAX)


class Cases:
    """Run by the classes below, once per transport."""
    kind = None

    @classmethod
    def setUpClass(cls):
        wynd = Wynd("--workers", 2, listen=("unix:@/s", "tcp:127.0.0.1:0"))
        cls.wynd = cls.enterClassContext(wynd)

    def connect(self, **options):
        client = Client(self.wynd.address(self.kind), **options)
        self.addCleanup(client.sock.close)
        return client

    def test_is_welcomed_with_limits_and_functions(self):
        client = self.connect()
        self.assertEqual(client.limits.max_frame, 1 << 20)
        self.assertIn("echo", client.functions)
        self.assertIn("sha256", client.functions)

    def test_gets_every_value_of_a_batch(self):
        client = self.connect()
        args = [b"%d" % i for i in range(10000)] + [b""]
        seqs = client.submit("echo", args)
        results = drain(client)
        self.assertEqual(len(results), len(args))
        self.assertEqual({r.seq: r.value for r in results},
                         dict(zip(seqs, args)))
        self.assertEqual({r.code for r in results}, {OK})

    def test_submits_more_than_its_credit(self):
        client = self.connect()
        first = client.granted[0]
        client.submit("noop", [b""] * (first + 1000))
        self.assertEqual(len(drain(client)), first + 1000)
        self.assertGreater(client.granted[0], first)

    def test_gets_the_functions_own_error(self):
        client = self.connect()
        client.submit("fail", [b"10 no luck"])
        result = client.next()
        self.assertEqual((result.code, result.detail.message), (10, "no luck"))
        self.assertEqual(result.detail.reason, "FUNCTION_FAILED")
        self.assertEqual(result.detail.ran, RAN_YES)

    def test_gets_the_nearest_name_for_an_unknown_function(self):
        client = self.connect()
        client.submit("ehco", [b"a", b"b"])
        for result in drain(client):
            self.assertEqual(result.code, NOT_FOUND)
            self.assertEqual(result.detail.reason, "FUNCTION_UNKNOWN")
            self.assertIn('"echo"', result.detail.message)
            self.assertEqual(result.detail.ran, RAN_NO)

    def test_streams_partial_values(self):
        client = self.connect()
        seq, = client.submit("count", [b"%d" % PARTIALS], stream=True)
        numbers = [b"%d" % i for i in range(1, PARTIALS + 1)]
        *partials, result = drain(client)
        self.assertEqual(partials, [Partial(seq, n) for n in numbers])
        self.assertEqual(result.value, numbers[-1])

    def test_gets_no_partial_values_unless_it_asks(self):
        client = self.connect()
        client.submit("count", [b"%d" % PARTIALS])
        self.assertEqual([type(e) for e in drain(client)], [Result])

    def test_gets_no_more_partial_values_than_it_granted(self):
        step = 10
        client = self.connect(stream_bytes=step)
        client.submit("count", [b"%d" % PARTIALS], stream=True)
        granted, got, text = step, 0, b""
        while isinstance(event := client.next(), Partial):
            got += len(event.data)
            text += event.data
            self.assertLessEqual(got, granted)
            # The next one has at most two digits.
            if granted - got < 2:
                granted += step
                client.send(credit={"stream_bytes": granted})
        self.assertEqual(event.code, OK)
        self.assertEqual(
            text, b"".join(b"%d" % i for i in range(1, PARTIALS + 1)))

    def test_sends_an_argument_in_chunks(self):
        client = self.connect()
        large = os.urandom(3 * 1000 * 1000)
        for arg, chunk in (large, 65536), (large, 65521), (b"", 9), (b"x", 9):
            seq = client.submit_in_chunks("echo", arg, chunk)
            self.assertEqual(client.next()[:3], (seq, OK, arg))

    def test_mixes_large_and_small_arguments(self):
        client = self.connect()
        args = [b"a", letters(2 << 20), b"b", letters(1 << 20), b""]
        seqs = client.submit("echo", args)
        self.assertEqual({r.seq: r.value for r in drain(client)},
                         dict(zip(seqs, args)))

    def test_gets_a_value_in_chunks(self):
        client = self.connect()
        sizes = [0, 1, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 5000000]
        seqs = client.submit("size", [b"%d" % n for n in sizes])
        values = {r.seq: r.value for r in drain(client)}
        for seq, size in zip(seqs, sizes):
            self.assertEqual(values[seq], letters(size))

    def test_cancels_by_seq(self):
        client = self.connect()
        seqs = client.submit("sleep_ms", [b"60000"] * 20)
        client.send(cancel={"seqs": [
            {"first": seqs[0], "count": 5}, {"first": seqs[5], "count": 99}]})
        results = drain(client)
        self.assertEqual(sorted(r.seq for r in results), list(seqs))
        self.assertEqual({r.code for r in results}, {CANCELLED})

    def test_cancels_one_that_runs(self):
        client = self.connect()
        seq, = client.submit("count", [b"1000000000"], stream=True)
        self.assertIsInstance(client.next(), Partial)
        client.send(cancel={"seqs": [{"first": seq, "count": 1}]})
        result = drain(client)[-1]
        self.assertEqual((result.seq, result.code), (seq, CANCELLED))
        self.assertEqual(result.detail.ran, RAN_YES)

    def test_cancels_by_id(self):
        client = self.connect()
        seqs = client.submit("sleep_ms", [b"60000"] * 3, accept=True)
        client.wait(lambda: client.others)
        (kind, accepted), = client.others
        self.assertEqual(kind, "accepted")
        (run,) = accepted.ranges
        self.assertEqual((run.first_seq, run.count), (seqs[0], 3))
        client.send(cancel={"ids": range(run.first_id, run.first_id + 3)})
        self.assertEqual({r.code for r in drain(client)}, {CANCELLED})

    def test_cancels_what_is_not_there(self):
        client = self.connect()
        client.submit("noop", [b""])
        drain(client)
        client.send(cancel={"seqs": [{"first": 1, "count": 1 << 63}],
                            "ids": [1, 2, 3]})
        client.submit("echo", [b"alive"])
        self.assertEqual(client.next().value, b"alive")

    def test_counts_quiet_tasks(self):
        client = self.connect()
        client.submit("echo", [b"x"] * 1000, quiet=True)
        client.submit("fail", [b"9"] * 3, quiet=True)
        self.assertEqual([r.code for r in drain(client)], [9] * 3)
        self.assertEqual(client.quiet_done, 1000)

    def test_gives_a_deadline(self):
        client = self.connect()
        client.submit("sleep_ms", [b"60000"], deadline_ms=20)
        client.submit("sleep_ms", [b"60000"], timeout_ms=20)
        reasons = {r.seq: (r.code, r.detail.reason) for r in drain(client)}
        self.assertEqual(reasons, {
            1: (DEADLINE_EXCEEDED, "QUEUE_DEADLINE"),
            2: (DEADLINE_EXCEEDED, "RUN_TIMEOUT")})

    def test_lists_functions_page_by_page(self):
        client = self.connect()
        names, after, more = [], "", True
        while more:
            page = client.call(functions={"after": after, "limit": 3})
            names += [f.name for f in page.functions.functions]
            after, more = names[-1], page.functions.more
        self.assertEqual(names, sorted(client.functions))

    def test_reads_counters(self):
        counters = self.connect().call(stats={}).stats.counters
        named = {c.name: c.value for c in counters}
        self.assertEqual(named["workers"], 2)
        self.assertGreater(named["rss_peak_bytes"], 0)

    def test_hears_of_a_call_that_is_unknown(self):
        reply = self.connect().call()
        self.assertEqual((reply.code, reply.reason), (12, "CALL_UNKNOWN"))

    def test_pings(self):
        client = self.connect()
        client.send(ping={"token": 1 << 63})
        client.wait(lambda: client.others)
        (kind, pong), = client.others
        self.assertEqual((kind, pong.token), ("pong", 1 << 63))

    def test_reads_its_results_after_finish_up_to_the_end(self):
        client = self.connect()
        client.submit("sleep_ms", [b"20"] * 10)
        client.submit("size", [b"3000000"])
        client.finish()
        self.assertEqual(len(drain(client)), 11)
        with self.assertRaises(ConnectionError):
            client.wait(lambda: False)

    def test_hears_why_the_connection_ends(self):
        client = self.connect()
        client.send(hello={"version_min": 1, "version_max": 1})
        with self.assertRaises(ServerError) as caught:
            client.wait(lambda: False)
        self.assertEqual(caught.exception.args[0], "HELLO_REPEATED")


class OverUnix(Cases, unittest.TestCase):
    kind = "unix"


class OverTcp(Cases, unittest.TestCase):
    kind = "tcp"


if __name__ == "__main__":
    main()

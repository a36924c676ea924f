# SPDX-License-Identifier: MIT
"""Clients that misbehave on purpose, and the neighbour beside them.

Each case runs a misdeed of misbehave.py against a daemon of its own, while a
neighbour makes its calls. Those must all be answered while the misdeed goes
on, which the daemon's counters tell and not the time; latencies are printed.
How far the misbehaver can get between two turns of the loop, which serve
everybody, is bounded, and so is memory; afterwards all is as it was.

CONNECTIONS is how many are opened and dropped.
"""
import json
import os
import time
import unittest

from harness import SANITIZED, Program, Wynd, main, until
from peer import counters
from wyn_client import Client

KIB, MIB = 1 << 10, 1 << 20
CONNECTIONS = int(os.environ.get(
    "CONNECTIONS", "10000" if SANITIZED else "100000"))
CUTS = 5000
CALLS = 100
BOTH = ("unix:@/s", "tcp:127.0.0.1:0")
# Of the allocator, and of what is made once: spare threads, arenas.
SLACK_BYTES = 8 * MIB
# ASan puts space around all that is allocated, and keeps this much of what was
# freed.
QUARANTINE_BYTES = 256 * MIB
# WYN_CONN_WORK_MAX, of which a Ping takes WYN_UNPACK_LOOKS; once when it has
# rested and once when more is read, each time with the one that passes it.
TURN_PINGS_MAX = 2 * (16384 // 4 + 1)
SPREAD, SIPPERS, CROWD = 200, 20, 4  # of misbehave.py
HELD = "tasks_held", "tasks_held_bytes", "values_held_bytes"
# The neighbour's CALLS and their answers, and those to who asks for counters.
OWN_BYTES = 64 * KIB
# WYN_SEGMENT_BYTES: that with the answer to who asks, at most.
OWN_BUFFER_BYTES = 32 * KIB


class Neighbour:
    """Well-behaved: one call after the other, every value looked at."""

    def __init__(self, wynd):
        self.client = Client(wynd.address("unix"))
        self.took, self.made = [], 0

    def call(self):
        self.made += 1
        begin = time.monotonic()
        self.client.submit("echo", [b"%d" % self.made])
        result = self.client.next()
        self.took.append(time.monotonic() - begin)
        if result.value != b"%d" % self.made:
            raise AssertionError("wrong: %s" % (result,))

    def calls(self, count):
        """Makes so many calls; their latencies, for people."""
        self.took = []
        for _ in range(count):
            self.call()
        return self.latency()

    def latency(self):
        took = sorted(self.took)
        return "p50 %.0f, p99 %.0f us" % tuple(
            1e6 * took[len(took) * p // 100] for p in (50, 99))

    def counters(self):
        return counters(self.client)


class Case(unittest.TestCase):
    def setUp(self):
        self.wynd = self.neighbour = None

    def start(self, *flags):
        self.wynd = self.enterContext(Wynd(*flags, listen=BOTH))
        self.neighbour = Neighbour(self.wynd)
        self.addCleanup(self.neighbour.client.sock.close)
        self.alone = self.neighbour.calls(CALLS)
        self.fds = self.wynd.open_fds()
        self.memory = self.wynd.memory()

    def misbehaver(self, kind, *misdeed):
        return self.enterContext(Program(
            "misbehave.py", self.wynd.address(kind), *misdeed))

    def beside(self, bad, count=CALLS):
        """Makes calls while the misdeed goes on; what it did meanwhile is
        the difference of the counters that this returns."""
        before = self.neighbour.counters()
        latency = self.neighbour.calls(count)
        self.assertFalse(bad.is_over(), "the misdeed ended too early")
        after = self.neighbour.counters()
        self.say(latency)
        return {name: after[name] - before[name] for name in after}

    def say(self, latency):
        print("neighbour: alone %s, now %s" % (self.alone, latency))

    def is_as_before(self):
        now = self.neighbour.counters()
        return (not any(now[name] for name in HELD) and
                now["buffers_held_bytes"] <= OWN_BUFFER_BYTES and
                self.wynd.open_fds() == self.fds)

    def ends_as_before(self, bad, grows):
        """What the misdeed was; memory is bounded all the while, and nothing
        of it stays."""
        did = bad.end()
        until(self.is_as_before, "the daemon is as before")
        peak = self.wynd.memory("VmHWM") - self.memory
        bound = grows + SLACK_BYTES
        if SANITIZED:
            bound = 3 * bound + QUARANTINE_BYTES
        print("%s; RSS up to %.1f MiB more, bound %.1f MiB" % (
            json.dumps(did), peak / MIB, bound / MIB))
        self.assertLess(peak, bound)
        self.neighbour.call()
        now = self.neighbour.counters()
        self.assertEqual(
            now["tasks_accepted"],
            sum(now["tasks_" + end] for end in (
                "ok", "failed", "cancelled", "expired", "discarded")))
        return did


class Drops(Case):
    """Connections that come only to go."""

    def drops(self, kind, misdeed, count):
        self.start()
        bad = self.misbehaver(kind, misdeed, count)
        self.neighbour.took = []
        while not bad.is_over():
            self.neighbour.call()
        self.say(self.neighbour.latency())
        # Nothing stays of any, so it does not matter how many they were.
        did = self.ends_as_before(bad, 0)
        self.assertEqual(did["connections"], count)
        now = self.neighbour.counters()
        self.assertEqual(now["connections_accepted"] - 1, count)
        self.assertEqual(now["connections_failed"], 0)

    def test_many_over_unix(self):
        self.drops("unix", "drop", CONNECTIONS)

    def test_many_over_tcp(self):
        self.drops("tcp", "drop", CONNECTIONS)

    def test_at_each_byte_over_unix(self):
        self.drops("unix", "cut", CUTS)

    def test_at_each_byte_over_tcp(self):
        self.drops("tcp", "cut", CUTS)


class Slow(Case):
    """Connections that keep everybody waiting, if somebody waits for them."""
    # What is kept of a connection, and of a frame of which little came.
    CONNECTION_BYTES_MAX = 16 * KIB
    OUTPUT_MAX = MIB

    def loris(self, kind, *flags):
        self.start(*flags)
        bad = self.misbehaver(kind, "loris")
        self.beside(bad)
        # In a frame it may be as slow as it likes: it costs what came of it.
        held = self.neighbour.counters()["buffers_held_bytes"]
        self.assertGreater(held, 0)
        self.assertLess(held, SPREAD * self.CONNECTION_BYTES_MAX)
        return bad

    def loris_ends(self, bad):
        did = self.ends_as_before(bad, SPREAD * self.CONNECTION_BYTES_MAX)
        self.assertGreaterEqual(did["bytes"], SPREAD)

    def test_writes_over_unix(self):
        bad = self.loris("unix", "--hello-timeout", "2s")
        until(lambda: self.neighbour.call() or self.neighbour.counters()[
            "connections_failed"] == SPREAD // 2,
            "who begins with Hello and does not end is gone")
        self.loris_ends(bad)

    def test_writes_over_tcp(self):
        self.loris_ends(self.loris("tcp"))

    def sip(self, kind):
        self.start("--max-output", self.OUTPUT_MAX)
        bad = self.misbehaver(kind, "sip")
        until(lambda: self.neighbour.counters()["output_over_max"]
              >= SIPPERS, "each has more than it reads")
        self.beside(bad)
        # Beside the output, the values of what is in the executor already.
        did = self.ends_as_before(bad, 2 * SIPPERS * self.OUTPUT_MAX)
        self.assertGreater(did["bytes"], SIPPERS)

    def test_reads_over_unix(self):
        self.sip("unix")

    def test_reads_over_tcp(self):
        self.sip("tcp")


class Floods(Case):
    """As much as can be, at full speed."""
    OUTPUT_MAX, FRAME_MAX, BYTES_MAX = MIB, 256 * KIB, 16 * MIB
    TASKS_MAX = 4000
    # What the daemon keeps of a task beside its argument and its value.
    TASK_BYTES_MAX = 512
    GROWS = BYTES_MAX + CROWD * (
        OUTPUT_MAX + FRAME_MAX + TASKS_MAX * TASK_BYTES_MAX)
    FLAGS = ("--max-output", OUTPUT_MAX, "--max-frame", FRAME_MAX,
             "--max-argument", FRAME_MAX, "--max-value", FRAME_MAX,
             "--credit-bytes", MIB, "--max-bytes", BYTES_MAX,
             "--credit-tasks", TASKS_MAX)

    def pings(self, kind):
        self.start(*self.FLAGS)
        bad = self.misbehaver(kind, "pings")
        more = self.beside(bad)
        self.assertGreater(more["received_bytes"], 0)
        self.assertLessEqual(
            more["frames_received"],
            more["turns"] * CROWD * TURN_PINGS_MAX)
        did = self.ends_as_before(bad, self.GROWS)
        self.assertGreater(did["read_bytes"], 0)

    def test_pings_over_unix(self):
        self.pings("unix")

    def test_pings_over_tcp(self):
        self.pings("tcp")

    def test_lists(self):
        self.start(*self.FLAGS)
        bad = self.misbehaver("unix", "lists")
        until(lambda: self.neighbour.counters()["calls_over_max"] > 0,
              "it asks for more than it may")
        self.assertGreater(self.beside(bad)["received_bytes"], 0)
        did = self.ends_as_before(bad, self.GROWS)
        self.assertGreater(did["read_bytes"], 0)

    def test_lists_never_read(self):
        self.never_read("unix", "deaf_lists")

    def is_full(self):
        """Nothing more is read of the misdeed and nothing goes to it, though
        everybody has his turns."""
        before = self.neighbour.counters()
        self.neighbour.calls(CALLS)
        after = self.neighbour.counters()
        return all(after[name] - before[name] < OWN_BYTES
                   for name in ("received_bytes", "sent_bytes"))

    def never_read(self, kind, misdeed):
        self.start(*self.FLAGS)
        bad = self.misbehaver(kind, misdeed)
        until(lambda: self.neighbour.counters()["output_over_max"] >= CROWD,
              "each has more than it reads")
        until(self.is_full, "it has all that it can get")
        self.assertLess(self.beside(bad)["received_bytes"], OWN_BYTES)
        self.ends_as_before(bad, self.GROWS)

    def test_pings_that_read_no_pong(self):
        self.never_read("unix", "deaf_pings")

    def test_small_values_never_read(self):
        self.never_read("unix", "swallow_small_values")

    def test_small_values_never_read_over_tcp(self):
        self.never_read("tcp", "swallow_small_values")

    def test_large_values_never_read(self):
        self.never_read("unix", "swallow_large_values")

    def test_large_arguments_never_read(self):
        self.never_read("unix", "swallow_large_arguments")

    def test_refusals_never_read(self):
        self.never_read("unix", "swallow_refusals")

    def test_partial_values_never_read(self):
        self.never_read("unix", "swallow_partial_values")


class Demands(Case):
    """More than anybody may have, and all of it taken back."""
    CREDIT_TASKS, OVERDRAWN = 1000, 500000

    def test_submits_beyond_credit(self):
        self.start("--credit-tasks", self.CREDIT_TASKS)
        bad = self.misbehaver("unix", "overdraw", self.OVERDRAWN)
        held = 0
        while not bad.is_over():
            self.neighbour.call()
            held = max(held, self.neighbour.counters()["tasks_held"])
        self.assertLessEqual(held, self.CREDIT_TASKS)
        did = self.ends_as_before(bad, 4 * MIB)
        # Each has its row. A Submit of it has five times the credit.
        self.assertEqual(did["code_0"] + did["code_8"], self.OVERDRAWN)
        self.assertGreaterEqual(did["code_8"], self.OVERDRAWN * 4 // 5)
        self.assertEqual(
            self.neighbour.counters()["tasks_over_credit"], did["code_8"])

    def test_cancels_of_everything(self):
        self.start()
        bad = self.misbehaver("unix", "cancel", 1 << 30)
        self.beside(bad)
        until(lambda: self.neighbour.counters()["tasks_cancelled_by_client"],
              "a Cancel was met")
        did = self.ends_as_before(bad, 4 * MIB)
        ends = {code: did[code] for code in did if code.startswith("code_")}
        self.assertLessEqual(set(ends), {"code_0", "code_1", "code_5"})
        self.assertGreater(did["code_1"], 0)


if __name__ == "__main__":
    main()

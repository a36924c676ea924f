# SPDX-License-Identifier: MIT
"""Many tasks and many connections.

Sizes are such that all of it takes seconds in CI; LOAD=N multiplies them by N.
Rates are printed. RATE_MIN, tasks per second, fails the run when the daemon is
slower: it means something on a known machine only.
"""
import json
import os
import resource
import select
import signal
import subprocess
import time
import unittest

import harness
from harness import (
    PATIENCE, PREFACE, SANITIZED, WYNCTL, Wynd, main, until)
from peer import HELLO, counters
from wyn_client import HEADER, Client, Frame, encode

LOAD = int(os.environ.get("LOAD", "1"))
RATE_MIN = int(os.environ.get("RATE_MIN", "0"))
KIB, MIB = 1 << 10, 1 << 20
SLOWER = 10 if SANITIZED else 1
TASKS = 100000 * LOAD // SLOWER
ECHO_TASKS = 1000000 * LOAD // SLOWER
CONNECTIONS, CALLS = 1000, 100 * LOAD // SLOWER
IDLE, IDLE_BYTES_MAX = 10000, 8 * KIB
# The bell, the listeners and the signals: loop 0 has the most.
LOOP_OWN_FDS = 8
BOTH = ("unix:@/s", "tcp:127.0.0.1:0")
KINDS = "unix", "tcp"
GROWTH_BYTES_MAX = 4 * MIB
FAILED_PRECONDITION = 9


def say(*args):
    print(*args, flush=True)


def raise_descriptor_limit(count):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < count:
        resource.setrlimit(
            resource.RLIMIT_NOFILE, (min(max(count, soft), hard), hard))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0] >= count


class Ends(unittest.TestCase):
    def sigterm(self, kind):
        """In the middle of TASKS: all are answered, later ones refused."""
        with Wynd("--credit-tasks", TASKS + 1, "--max-batch", TASKS,
                  listen=BOTH) as wynd:
            client = Client(wynd.address(kind))
            seqs = client.submit("spin_us", [b"10"] * TASKS)
            codes = {client.next().seq: 0}
            wynd.signal(signal.SIGTERM)
            client.wait(lambda: [m for k, m in client.others
                                 if k == "go_away"])
            (_, go_away), = client.others
            self.assertEqual(go_away.last_seq, seqs[-1])
            late, = client.submit("noop", [b""])
            while event := client.next():
                self.assertNotIn(event.seq, codes)
                codes[event.seq] = event.code
            self.assertEqual(codes.pop(late), FAILED_PRECONDITION)
            self.assertEqual(sorted(codes), list(seqs))
            self.assertEqual(set(codes.values()), {0})
            with self.assertRaises(ConnectionError):
                client.wait(lambda: False)
            client.sock.close()
            self.assertEqual(wynd.wait(), 0, wynd.log())

    def test_sigterm_over_unix(self):
        self.sigterm("unix")

    def test_sigterm_over_tcp(self):
        self.sigterm("tcp")

    def test_sigterm_under_wynctl(self):
        with Wynd("--workers", 1) as wynd:
            client = Client(wynd.address("unix"))
            process = subprocess.Popen(
                [WYNCTL, "-c", wynd.address("unix"), "--json", "repeat",
                 "echo", str(1 << 29)], stdout=subprocess.PIPE,
                stderr=subprocess.PIPE)
            until(lambda: counters(client)["tasks_ok"] > 1000, "it runs")
            client.sock.close()
            wynd.signal(signal.SIGTERM)
            out, err = process.communicate(timeout=PATIENCE)
            done = json.loads(out)
            self.assertGreater(done["tasks"], 1000)
            self.assertEqual(done["wrong"], 0, err)
            # Refused behind the GoAway, or sent when the end was near.
            self.assertIn(process.returncode, (69, 75), err)
            self.assertEqual(wynd.wait(), 0, wynd.log())

    def test_sigkill_of_a_client(self):
        with Wynd("--credit-tasks", TASKS, listen=BOTH) as wynd:
            neighbour = Client(wynd.address("unix"))
            fds = wynd.open_fds()
            for kind in KINDS:
                process = subprocess.Popen(
                    [WYNCTL, "-c", wynd.address(kind), "map", "-j",
                     str(TASKS), "sleep_ms"], stdin=subprocess.PIPE,
                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                process.stdin.write(b"60000\n" * (TASKS // 2))
                process.stdin.flush()
                until(lambda: counters(neighbour)["tasks_held"] > TASKS // 4,
                      "tasks are under way")
                process.kill()
                process.wait()
                process.stdin.close()
                until(lambda: counters(neighbour)["tasks_held"] == 0,
                      "its tasks ended")
                until(lambda: wynd.open_fds() == fds, "descriptors are back")
                neighbour.submit("echo", [b"x"])
                self.assertEqual(neighbour.next().value, b"x")
            neighbour.sock.close()


class Caller:
    """One of many connections: a call, its answer, the next call."""

    def __init__(self, address, number):
        self.sock = harness.connect(address)
        self.number, self.seq, self.incoming = number, 0, b""
        self.sock.sendall(PREFACE + encode(hello=HELLO))
        self.next()

    def argument(self):
        return b"%d of %d" % (self.seq, self.number)

    def next(self):
        self.seq += 1
        self.sock.sendall(encode(submit={
            "first_seq": self.seq, "function": "echo",
            "args": [self.argument()]}))

    def receive(self):
        """Takes what came. True when all its calls are answered."""
        data = self.sock.recv(65536)
        if not data:
            raise AssertionError("closed after %d calls" % self.seq)
        self.incoming += data
        while len(self.incoming) >= HEADER.size:
            end = HEADER.size + HEADER.unpack_from(self.incoming)[1]
            if len(self.incoming) < end:
                break
            frame = Frame.FromString(self.incoming[HEADER.size:end])
            self.incoming = self.incoming[end:]
            if frame.WhichOneof("body") != "results":
                continue
            if (list(frame.results.seq) != [self.seq] or
                    list(frame.results.value) != [self.argument()]):
                raise AssertionError("wrong: %s" % frame)
            if self.seq == CALLS:
                return True
            self.next()
        return False


class Connections(unittest.TestCase):
    def crowd(self, kind, *flags):
        if not raise_descriptor_limit(CONNECTIONS + 100):
            self.skipTest("the hard limit of descriptors is too low")
        with Wynd(*flags, listen=BOTH) as wynd:
            neighbour = Client(wynd.address("unix"))
            fds = wynd.open_fds()
            poll = select.epoll()
            begin = time.monotonic()
            callers = {}
            for i in range(CONNECTIONS):
                caller = Caller(wynd.address(kind), i)
                callers[caller.sock.fileno()] = caller
                poll.register(caller.sock, select.EPOLLIN)
            until(lambda: counters(neighbour)["connections_open"]
                  == CONNECTIONS + 1, "all are connected")
            left = CONNECTIONS
            while left > 0:
                ready = poll.poll(PATIENCE)
                self.assertTrue(ready, "%d callers are stuck" % left)
                left -= sum(callers[fd].receive() for fd, _ in ready)
            took = time.monotonic() - begin
            say("%s: %d connections x %d calls, %.0f calls/s" % (
                kind, CONNECTIONS, CALLS, CONNECTIONS * CALLS / took))
            poll.close()
            for caller in callers.values():
                caller.sock.close()
            until(lambda: wynd.open_fds() == fds, "descriptors are back")
            self.assertEqual(counters(neighbour)["tasks_held"], 0)
            neighbour.sock.close()

    def test_a_thousand_over_unix(self):
        self.crowd("unix")

    def test_a_thousand_over_tcp(self):
        self.crowd("tcp")

    def test_a_thousand_on_two_loops(self):
        self.crowd("unix", "--loops", 2)


class Idle(unittest.TestCase):
    """Connections on which nothing happens, in what they cost and where."""

    def setUp(self):
        if not raise_descriptor_limit(IDLE + 100):
            self.skipTest("the hard limit of descriptors is too low")
        self.clients = []

    def tearDown(self):
        for sock in self.clients:
            sock.close()

    def greet(self, wynd, kind, count):
        """So many more that were welcomed, 100 at a time."""
        for _ in range(count // 100):
            some = [harness.connect(wynd.address(kind)) for _ in range(100)]
            for sock in some:
                sock.sendall(PREFACE + encode(hello=HELLO))
            for sock in some:
                harness.receive_frame(sock)
            self.clients += some

    @unittest.skipIf(SANITIZED, "sizes mean nothing")
    def test_their_memory(self):
        for kind in KINDS:
            with Wynd(listen=BOTH) as wynd:
                before = wynd.memory()
                self.greet(wynd, kind, IDLE)
                each = (wynd.memory() - before) / IDLE
                say("%s: %d bytes for each of %d" % (kind, each, IDLE))
                self.assertLess(each, IDLE_BYTES_MAX)
                self.tearDown()
                self.clients = []

    @staticmethod
    def sockets_per_loop(wynd):
        """What each loop's epoll watches, beside what it has of its own."""
        counts = []
        for fd in os.listdir("/proc/%d/fd" % wynd.pid):
            if os.readlink("/proc/%d/fd/%s" % (wynd.pid, fd)).endswith(
                    "[eventpoll]"):
                with open("/proc/%d/fdinfo/%s" % (wynd.pid, fd)) as info:
                    counts.append(info.read().count("tfd:"))
        return counts

    def await_even(self, wynd, loops, count):
        """All are there, and no loop has more than its part and a few."""
        def even():
            counts = self.sockets_per_loop(wynd)
            return (len(counts) == loops and sum(counts) >= count and
                    max(counts) - min(counts) <= LOOP_OWN_FDS)
        until(even, "%d sockets are spread evenly" % count)

    def test_they_are_spread_over_the_loops(self):
        with Wynd("--loops", 4) as wynd:
            fds = wynd.open_fds()
            self.greet(wynd, "unix", CONNECTIONS)
            self.await_even(wynd, 4, CONNECTIONS)
            # Loops took turns, so that two of them lose all of theirs.
            for sock in self.clients[::2]:
                sock.close()
            until(lambda: wynd.open_fds() == fds + CONNECTIONS // 2,
                  "half of them are closed")
            del self.clients[::2]
            self.greet(wynd, "unix", CONNECTIONS // 2)
            self.await_even(wynd, 4, CONNECTIONS)


class Echo(unittest.TestCase):
    def repeat(self, wynd, kind, count):
        done = subprocess.run(
            [WYNCTL, "-c", wynd.address(kind), "--json", "repeat", "echo",
             str(count)], capture_output=True, timeout=PATIENCE * LOAD,
            check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        out = json.loads(done.stdout)
        self.assertEqual(
            (out["tasks"], out["failed"], out["wrong"]), (count, 0, 0))
        return out["per_second"]

    def million(self, kind):
        with Wynd(listen=BOTH) as wynd:
            client = Client(wynd.address("unix"))
            self.repeat(wynd, kind, ECHO_TASKS // 10)
            small = counters(client)["rss_peak_bytes"]
            rate = self.repeat(wynd, kind, ECHO_TASKS)
            self.assertEqual(counters(client)["tasks_ok"],
                             ECHO_TASKS + ECHO_TASKS // 10)
            large = counters(client)["rss_peak_bytes"]
            say("%s: %d echo tasks, every result checked: %.0f/s; peak RSS "
                "%.1f MiB, for a tenth of them %.1f MiB" % (
                    kind, ECHO_TASKS, rate, large / MIB, small / MIB))
            if not SANITIZED:
                self.assertLessEqual(large - small, GROWTH_BYTES_MAX)
                self.assertGreaterEqual(rate, RATE_MIN)
            client.sock.close()

    def test_a_million_over_unix(self):
        self.million("unix")

    def test_a_million_over_tcp(self):
        self.million("tcp")


if __name__ == "__main__":
    main()

#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A client that does all that clients do, one thing after the other.

    mixed_load.py SEED ADDRESS...

Prints "begun", goes on until its standard input ends, and then prints as one
line of JSON how often it did what, and how many tasks that were. What it
submits as a client that behaves is answered exactly once, with the right code
and value, or this ends with a traceback. SEED repeats all choices.
"""
import collections
import json
import random
import select
import socket
import struct
import subprocess
import sys

from harness import PATIENCE, WYNCTL
from wyn_client import ARGUMENT, HEADER, Client, Partial, encode

OK, CANCELLED, INVALID_ARGUMENT, DEADLINE_EXCEEDED, NOT_FOUND = 0, 1, 3, 4, 5
RESOURCE_EXHAUSTED = 8
KIB, MIB = 1 << 10, 1 << 20
LARGE_MAX = 8 * MIB
WINDOW = 2 * MIB  # of stream credit: a frame more than what was taken


class Session(Client):
    """Counts what comes: one answer for each task, and nothing more."""

    def submit_one_by_one(self, function, args, **options):
        return [self.submit(function, [arg], **options)[0] for arg in args]

    def collect(self, window=0):
        """({seq: Result}, {seq: partial values}) of all that is open. With a
        window, stream credit is granted for what was taken."""
        results, partials, taken = {}, collections.defaultdict(list), 0
        while event := self.next():
            if isinstance(event, Partial):
                partials[event.seq].append(event.data)
                taken += len(event.data)
                if window:
                    self.send(credit={"stream_bytes": taken + window})
                continue
            expect(event.seq not in results, "a second row")
            results[event.seq] = event
        # What is too much comes before the Pong.
        self.send(ping={"token": 1})
        self.wait(lambda: any(kind == "pong" for kind, _ in self.others))
        self.others.clear()
        expect(not self.events, "a row too many")
        expect(self.answered == self.next_seq - 1, "not one row for each")
        return results, partials

    def reset(self):
        self.sock.setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()


def expect(condition, what):
    if not condition:
        raise AssertionError(what)


def pattern(size):
    """What the function size gives."""
    return (b"abcdefghijklmnopqrstuvwxyz" * (size // 26 + 1))[:size]


class Load:
    def __init__(self, seed, addresses):
        self.rng, self.addresses = random.Random(seed), addresses
        self.did = collections.Counter()
        self.stays = self.session()

    def address(self):
        return self.rng.choice(self.addresses)

    def session(self, **options):
        return Session(self.address(), patience=PATIENCE, **options)

    def run(self):
        """One thing, over a connection that stays or one of its own."""
        act = self.rng.choice(ACTS)
        self.did[act.__name__] += 1
        if self.rng.randrange(3) == 0:
            act(self, self.stays)
            return
        session = self.session()
        act(self, session)
        self.count(session)
        session.sock.close()

    def count(self, session):
        self.did["tasks"] += session.next_seq - 1

    def texts(self, count, size_max):
        return [self.rng.randbytes(self.rng.randrange(size_max + 1))
                for _ in range(count)]

    def codes(self, session, seqs, codes):
        """All of these end with one of these codes."""
        results, _ = session.collect()
        expect(set(results) == set(seqs), "other rows than tasks")
        for result in results.values():
            expect(result.code in codes, "wrong code: %s" % (result,))
        return results

    # Clients that behave

    def echo(self, session):
        options = {"priority": self.rng.randrange(4),
                   "accept": self.rng.random() < 0.5}
        args = self.texts(self.rng.randrange(1, 2000), 200)
        seqs = session.submit("echo", args, **options)
        args += (more := self.texts(20, 20))
        seqs = list(seqs) + session.submit_one_by_one("echo", more)
        results = self.codes(session, seqs, {OK})
        for seq, arg in zip(seqs, args):
            expect(results[seq].value == arg, "not the argument")

    def large(self, session):
        sizes = [int(64 * KIB * (LARGE_MAX / (64 * KIB)) ** self.rng.random())
                 for _ in range(3)]
        args = [self.rng.randbytes(64) * (size // 64) for size in sizes]
        echoes = session.submit("echo", args)
        made = session.submit("size", [b"%d" % size for size in sizes])
        results = self.codes(session, [*echoes, *made], {OK})
        values = [results[seq].value for seq in [*echoes, *made]]
        expect(values == args + [pattern(size) for size in sizes],
               "not the value")

    def stream(self, _):
        window = self.rng.choice((0, WINDOW))
        session = self.session(stream_bytes=window)
        counts = [self.rng.randrange(1000) for _ in range(5)]
        seqs = session.submit("count", [b"%d" % n for n in counts],
                              stream=True)
        results, partials = session.collect(window)
        for seq, n in zip(seqs, counts):
            expect(results[seq].value == b"%d" % n, "wrong value")
            expect(partials[seq] == [b"%d" % i for i in range(1, n + 1)],
                   "wrong partial values")
        self.count(session)
        session.sock.close()

    def cancel(self, session):
        seqs = session.submit("sleep_ms", [b"600000"] * 500)
        seqs = [*seqs, *session.submit("count", [b"1000000000"] * 5,
                                       stream=True)]
        first = self.rng.randrange(seqs[0], seqs[-1])
        for begin in first, seqs[0]:
            session.send(cancel={"seqs": [
                {"first": begin, "count": seqs[-1] + 1 - begin}]})
        self.codes(session, seqs, {CANCELLED})

    def too_late(self, session):
        which = self.rng.choice(("timeout_ms", "deadline_ms"))
        seqs = session.submit("sleep_ms", [b"600000"] * 4,
                              **{which: self.rng.randrange(1, 20)})
        self.codes(session, seqs, {DEADLINE_EXCEEDED})

    def bad(self, session):
        code = self.rng.randrange(1, 17)
        expected = {}
        for function, arg, ends, options in (
                ("nonesuch", b"", NOT_FOUND, {}),
                ("sleep_ms", b"soon", INVALID_ARGUMENT, {}),
                ("fail", b"%d so" % code, code, {}),
                ("echo", b"", INVALID_ARGUMENT, {"on_disconnect": 9}),
                ("echo", b"", INVALID_ARGUMENT, {"priority": 9}),
                ("echo", b"", OK, {})):
            for seq in session.submit(function, [arg] * 3, **options):
                expected[seq] = ends
        results, _ = session.collect()
        expect({seq: results[seq].code for seq in results} == expected,
               "wrong codes")

    def quiet(self, session):
        before = session.quiet_done
        good = session.submit("echo", self.texts(1000, 20), quiet=True)
        bad = session.submit("fail", [b"7"] * 10, quiet=True)
        self.codes(session, bad, {7})
        expect(session.quiet_done - before == len(good), "wrong count")

    def finish(self, _):
        session = self.session()
        seqs = session.submit("sleep_ms", [b"1"] * 10)
        seqs = [*seqs, *session.submit("size", [b"70000"] * 10)]
        session.finish()
        results = {result.seq for result in iter(session.next, None)}
        expect(results == set(seqs), "other rows than tasks")
        self.count(session)
        session.sock.close()

    def overdraw(self, session):
        count = min(session.limits.max_batch,
                    session.granted[0] + 100 - session.next_seq)
        first = session.announce("noop", {}, args=[b""] * count)
        self.codes(session, range(first, first + count),
                   {OK, RESOURCE_EXHAUSTED})

    def wynctl(self, _):
        count = self.rng.randrange(1, 20000)
        done = subprocess.run(
            [WYNCTL, "-c", self.address(), "--json", "repeat", "echo",
             str(count)], capture_output=True, timeout=PATIENCE, check=False)
        expect(done.returncode == 0, done.stderr)
        out = json.loads(done.stdout)
        expect((out["tasks"], out["failed"], out["wrong"]) == (count, 0, 0),
               "wrong: %s" % out)
        self.did["tasks"] += count

    # Clients that do not

    def kill(self, _):
        process = subprocess.Popen(
            [WYNCTL, "-c", self.address(), "map", "echo"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        process.stdin.write(b"one\n")
        process.stdin.flush()
        expect(process.stdout.readline() == b"one\n", "not the argument")
        process.stdin.write(b"two\n" * 1000)
        process.stdin.flush()
        process.kill()
        process.communicate()

    def reset(self, _):
        session = self.session()
        session.submit("sleep_ms", [b"600000"] * 100)
        session.submit("size", [b"100000"] * 20)
        session.outgoing += HEADER.pack(0, 60000) + b"x" * 1000
        session.wait(lambda: not session.outgoing)
        session.reset()

    def vanish(self, _):
        session = self.session()
        session.submit("count", [b"1000000000"] * 4, stream=True)
        session.wait(lambda: session.events)
        session.sock.close()

    def half_an_argument(self, session):
        seq = session.announce("echo", {}, arg_sizes=[MIB])
        session.send(chunk={"seq": seq, "stream": ARGUMENT,
                            "data": bytes(100 * KIB)})
        if session is self.stays:
            session.send(cancel={"seqs": [{"first": seq, "count": 1}]})
            self.codes(session, [seq], {CANCELLED})

    def half_a_frame(self, _):
        session = self.session()
        session.sock.send(encode(ping={"token": 1})[:3])
        session.sock.close()


ACTS = (Load.echo, Load.large, Load.stream, Load.cancel, Load.too_late,
        Load.bad, Load.quiet, Load.finish, Load.overdraw, Load.wynctl,
        Load.kill, Load.reset, Load.vanish, Load.half_an_argument,
        Load.half_a_frame)


def main():
    load = Load(sys.argv[1], sys.argv[2:])
    print("begun", flush=True)
    while not select.select([sys.stdin], [], [], 0)[0]:
        load.run()
    load.count(load.stays)
    print(json.dumps(load.did), flush=True)


if __name__ == "__main__":
    main()

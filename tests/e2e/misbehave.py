#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A client that misbehaves on purpose.

    misbehave.py ADDRESS MISDEED [COUNT]

ADDRESS is as wynd writes it; `misbehave.py` alone lists the misdeeds. Prints
"begun" when it is at it, goes on until it has done it COUNT times or its
standard input ends, and then prints as one line of JSON what it did.

Nothing here waits for time to pass. What is slow on purpose does one byte for
each round trip of a connection that behaves: as slow as can be while the
daemon works, and no slower than it must be.
"""
import collections
import json
import select
import socket
import struct
import sys

from harness import (
    HELLO, PREFACE, connect, field, fields, frame, greet, receive_frame,
    submit, unpack)

PING = frame(field(11, field(1, 1)))
LIST = frame(field(7, field(1, 1) + field(5, b"")))
CANCEL_ALL = frame(field(6, field(1, field(1, 1) + field(2, (1 << 64) - 1))))
ALL_OF_A_FRAME = 1 << 20  # the default of max-frame
HELLO_BYTES_MAX = 4096
STREAM = field(4, 1)  # of Options
SPREAD = 200  # connections that cost next to nothing
SIPPERS = 20  # that read slowly
CROWD = 4  # and that do all they can
READ_BYTES = 1 << 18


class Pacer:
    """A connection that behaves, for its round trips."""

    def __init__(self, address):
        self.sock = connect(address)
        greet(self.sock)

    def round_trip(self):
        self.sock.sendall(PING)
        while receive_frame(self.sock)[1][:1] != b"\x62":
            pass  # until the Pong


def connect_from(address, number):
    """As connect(), with as much patience as it takes; over TCP from one of
    many addresses, or ports run out."""
    if not address.startswith("tcp:"):
        sock = socket.socket(socket.AF_UNIX)
        sock.connect(address.partition(":")[2])
        return sock
    host, _, port = address[4:].rpartition(":")
    sock = socket.socket()
    # Not bound to a port before it connects, so that it is the pair of both
    # ends that has to be free.
    sock.setsockopt(socket.IPPROTO_IP, 24, 1)  # IP_BIND_ADDRESS_NO_PORT
    sock.bind(("127.%d.%d.1" % (1 + number // 200 % 100, number % 200), 0))
    sock.connect((host, int(port)))
    return sock


def reset(sock):
    """Over TCP by a RST; over Unix sockets what is unread has that effect."""
    sock.setsockopt(
        socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def drop(address, did, count):
    """opens connections and drops them, every other one by a reset"""
    for i in range(count):
        sock = connect_from(address, i)
        if i % 2:
            reset(sock)
        else:
            sock.close()
        did["connections"] += 1
        yield


def cut(address, did, count):
    """resets at each byte of an exchange, tasks waiting and answers unread"""
    hello = PREFACE + HELLO
    whole = hello + submit(1, "echo", *[b"x" * 100] * 3) + submit(
        4, "sleep_ms", *[b"600000"] * 3) + submit(7, "echo", b"y" * 100)
    for i in range(count):
        sock = connect_from(address, i)
        end = i % (len(whole) + 1)
        sock.sendall(whole[:end])
        if end >= len(hello):
            sock.recv(1)  # so the rest of the Welcome is unread
        reset(sock)
        did["connections"] += 1
        yield


def loris(address, did, count):
    """begins Hellos and frames, and goes on with a byte now and then"""
    pacer = Pacer(address)
    slow = []
    for i in range(SPREAD):
        sock = connect_from(address, i)
        slow.append(sock)
        if i % 2:
            greet(sock)
            size = ALL_OF_A_FRAME
        else:
            # Beginning with the preface: it is the time of Hello that counts.
            sock.sendall(PREFACE)
            size = HELLO_BYTES_MAX
        sock.sendall(struct.pack(">BI", 0, size))
    did["connections"] = SPREAD
    for _ in range(count):
        for sock in slow[:]:
            try:
                sock.send(b"\x4a")
                did["bytes"] += 1
            except ConnectionError:
                slow.remove(sock)
                did["closed"] += 1
        pacer.round_trip()
        yield


def sip(address, did, count):
    """asks for much, and reads a byte now and then"""
    pacer = Pacer(address)
    slow = []
    for i in range(SIPPERS):
        sock = connect_from(address, i)
        greet(sock)
        sock.sendall(submit(1, "size", *[b"60000"] * 200))
        slow.append(sock)
    for _ in range(count):
        for sock in slow:
            did["bytes"] += len(sock.recv(1))
        pacer.round_trip()
        yield


def batch(seq, count, function, argument, options=b""):
    """As submit(), and fast."""
    return frame(field(1, field(1, seq) + field(2, function) +
                       field(3, options) + field(4, argument) * count))


def swallow(count, *what):
    """A misdeed that submits so many tasks at once, and again, whatever its
    credit, and never reads."""
    def swallows(address, did, rounds):
        return at_full_speed(address, did, rounds, lambda seqs: batch(
            seqs(count), count, *what), reads=False)
    return swallows


def pings(address, did, count):
    """sends Pings on and on, and reads the Pongs"""
    return flood(address, did, count, True)


def deaf_pings(address, did, count):
    """sends Pings on and on, and reads no Pong"""
    return flood(address, did, count, False)


def lists(address, did, count):
    """asks for lists on and on, and reads them"""
    return flood(address, did, count, True, LIST)


def deaf_lists(address, did, count):
    """asks for lists on and on, and reads none"""
    return flood(address, did, count, False, LIST)


def flood(address, did, count, reads, message=PING):
    return at_full_speed(address, did, count, lambda _: message * 10000,
                         reads)


class Writer:
    """A connection that is written to for as long as it takes something.

    more(seqs) gives the next bytes; seqs(n) the first of n new seqs."""

    def __init__(self, sock, more, reads):
        self.sock, self.more, self.reads, self.left = sock, more, reads, b""
        self.next_seq = 1
        greet(sock)
        sock.setblocking(False)

    def seqs(self, count):
        first, self.next_seq = self.next_seq, self.next_seq + count
        return first

    def write(self, did):
        self.left = self.left or memoryview(self.more(self.seqs))
        sent = self.sock.send(self.left)
        self.left = self.left[sent:]
        did["sent_bytes"] += sent

    def read(self, did):
        did["read_bytes"] += len(self.sock.recv(READ_BYTES))


def at_full_speed(address, did, count, more, reads):
    writers = [Writer(connect_from(address, i), more, reads)
               for i in range(CROWD)]
    by_sock = {writer.sock: writer for writer in writers}
    readers = list(by_sock) if reads else []
    for _ in range(count):
        ready = select.select(readers + [sys.stdin], list(by_sock), [])
        for sock in ready[0]:
            if sock in by_sock:
                by_sock[sock].read(did)
        for sock in ready[1]:
            by_sock[sock].write(did)
        yield


class Rows:
    """What a connection got: each seq must come once."""

    def __init__(self, sock, did):
        self.sock, self.did, self.seen, self.quiet = sock, did, set(), 0

    def receive(self):
        got = receive_frame(self.sock)
        if got is None:
            raise AssertionError("closed after %d rows" % len(self.seen))
        (kind, body), = fields(got[1])
        if kind == 15:
            raise AssertionError("an Error: %r" % body)
        if kind != 2:
            return
        columns = fields(body)
        seqs = [n for c, v in columns if c == 1 for n in unpack(v)]
        codes = [n for c, v in columns if c == 2 for n in unpack(v)]
        if not self.seen.isdisjoint(seqs) or len(set(seqs)) < len(seqs):
            raise AssertionError("a second row for a task")
        self.seen.update(seqs)
        for code in codes or [0] * len(seqs):
            self.did["code_%d" % code] += 1


def overdraw(address, did, count):
    """submits so many tasks without a look at its credit; reads the rows"""
    sock = connect(address)
    greet(sock)
    rows = Rows(sock, did)
    at = 1
    sending = b""
    sock.setblocking(False)
    while at <= count or sending:
        if not sending:
            n = min(5000, count + 1 - at)
            sending = memoryview(batch(at, n, "echo", b"x"))
            at += n
            did["tasks"] += n
        reading, writing, _ = select.select([sock], [sock], [])
        if writing:
            sending = sending[sock.send(sending):]
        if reading:
            sock.setblocking(True)
            rows.receive()
            sock.setblocking(False)
        yield
    sock.setblocking(True)
    while len(rows.seen) < count:
        rows.receive()
        yield


def cancel(address, did, count):
    """fills every queue, and then cancels all that it ever sent, at once"""
    sock = connect(address)
    greet(sock)
    rows = Rows(sock, did)
    at = 1
    for _ in range(count):
        begin = at
        data = b""
        for function, argument, n in (
                ("sleep_ms", b"600000", 2000), ("echo", b"x", 2000),
                ("nonesuch", b"", 10), ("count", b"1000000000", 20)):
            data += batch(at, n, function, argument)
            at += n
        # Arguments that are announced, and of which nothing ever comes.
        data += frame(field(1, field(1, at) + field(2, "echo") +
                            field(5, 100) * 20))
        at += 20
        sock.sendall(data + CANCEL_ALL)
        while len(rows.seen) < at - begin:
            rows.receive()
        rows.seen.clear()
        did["tasks"] += at - begin
        yield


MISDEEDS = {f.__name__: f for f in (
    drop, cut, loris, sip, pings, deaf_pings, lists, deaf_lists, overdraw,
    cancel)}
# Each fills its connection's output with something else.
MISDEEDS.update({
    "swallow_" + name: swallow(*what) for name, what in (
        ("small_values", (1000, "echo", b"x" * 16)),
        ("large_values", (100, "size", b"100000")),
        ("large_arguments", (10, "echo", b"x" * 20000)),
        ("refusals", (5000, "ehco", b"")),
        ("partial_values", (4, "count", b"1000000000", STREAM)))})


def main():
    if len(sys.argv) not in (3, 4) or sys.argv[2] not in MISDEEDS:
        print("usage: misbehave.py ADDRESS MISDEED [COUNT]\n")
        for name, misdeed in MISDEEDS.items():
            print("  %-24s %s" % (name, misdeed.__doc__ or
                                  "submits them on and on, and never reads"))
        sys.exit(64)
    did = collections.Counter()
    count = int(sys.argv[3]) if len(sys.argv) > 3 else 1 << 60
    for i, _ in enumerate(MISDEEDS[sys.argv[2]](sys.argv[1], did, count)):
        if i == 0:
            print("begun", flush=True)
        if select.select([sys.stdin], [], [], 0)[0]:
            break
    print(json.dumps(did), flush=True)


if __name__ == "__main__":
    main()

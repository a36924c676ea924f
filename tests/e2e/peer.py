# SPDX-License-Identifier: MIT
"""A peer that may break every rule, and a case that watches the daemon.

`Peer` is a socket that sends what it is told to and reads frames, no more.
`WireCase` runs a daemon per class. After each case a neighbour must still be
served, and the daemon must be as it was: no task, no byte, no descriptor more.
"""
import struct

import harness
from harness import PREFACE, Wynd, until
from wyn_client import Client, Frame, encode

HELLO = {"version_min": 1, "version_max": 1}


class Peer:
    def __init__(self, address, greet=True, **hello):
        self.sock = harness.connect(address)
        self.credit = None  # the last one that came after Welcome
        self.body_bytes = 0  # of the last frame
        if greet:
            self.raw(PREFACE)
            self.send(hello={**HELLO, **hello})
            self.welcome = self.expect("welcome")

    def raw(self, data):
        """Sends bytes; the other side may have closed already."""
        try:
            self.sock.sendall(data)
        except ConnectionError:
            pass

    def send(self, flags=0, **body):
        self.raw(encode(flags, **body))

    def submit(self, seq, function, *args, **options):
        self.send(submit={"first_seq": seq, "function": function,
                          "args": args, "options": options})

    def receive(self):
        """(kind, message); (None, None) at the end of the stream."""
        try:
            got = harness.receive_frame(self.sock)
        except ConnectionError:
            got = None
        if got is None:
            return None, None
        self.body_bytes = len(got[1])
        frame = Frame.FromString(got[1])
        kind = frame.WhichOneof("body")
        message = getattr(frame, kind)
        if kind == "credit":
            self.credit = message
        return kind, message

    def expect(self, *kinds):
        """The next message of these kinds; what comes before is skipped."""
        while True:
            kind, message = self.receive()
            if kind in kinds:
                return message
            if kind in (None, "error"):
                raise AssertionError("%s instead of %s: %s" % (
                    kind or "the end", " or ".join(kinds), message))

    def rows(self, count):
        """{seq: (code, reason)} of the next `count` rows."""
        rows = {}
        while len(rows) < count:
            results = self.expect("results")
            details = {d.index: d for d in results.details}
            for i, seq in enumerate(results.seq):
                assert seq not in rows, "a second row for %d" % seq
                reason = details[i].reason if i in details else ""
                rows[seq] = (results.code[i] if results.code else 0, reason)
        return rows

    def ends(self):
        """True when the stream ends with nothing more in it."""
        return harness.receive_end(self.sock) == b""

    def reset(self):
        """Closes so that the other side gets a reset, where there is one."""
        self.sock.setsockopt(harness.socket.SOL_SOCKET,
                             harness.socket.SO_LINGER,
                             struct.pack("ii", 1, 0))
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()


def counters(client):
    """What `stats` says, as a dictionary."""
    return {c.name: c.value for c in client.call(stats={}).stats.counters}


class WireCase:
    """Subclasses say which transport and which flags."""
    kind = "unix"
    flags = ()

    @classmethod
    def setUpClass(cls):
        wynd = Wynd(*cls.flags, listen=("unix:@/s", "tcp:127.0.0.1:0"))
        cls.wynd = cls.enterClassContext(wynd)
        cls.neighbour = Client(cls.wynd.address("unix"))
        cls.addClassCleanup(cls.neighbour.sock.close)
        cls.fds = cls.wynd.open_fds()

    def setUp(self):
        # Registered first, it runs last: all peers are closed by then.
        self.addCleanup(self.check_others)

    def check_others(self):
        """Neighbours are served, and what this case used is given back."""
        seq, = self.neighbour.submit("echo", [b"still here"])
        result = self.neighbour.next()
        self.assertEqual(result[:3], (seq, 0, b"still here"))
        until(self.is_as_before, "the daemon is as before")

    def is_as_before(self):
        now = counters(self.neighbour)
        held = (now["tasks_held"], now["tasks_held_bytes"],
                now["values_held_bytes"])
        return held == (0, 0, 0) and self.wynd.open_fds() == self.fds

    def counter(self, name):
        return counters(self.neighbour)[name]

    def peer(self, greet=True, **hello):
        peer = Peer(self.wynd.address(self.kind), greet, **hello)
        self.addCleanup(peer.sock.close)
        return peer

    def client(self, **options):
        client = Client(self.wynd.address(self.kind), **options)
        self.addCleanup(client.sock.close)
        return client

    def fails(self, peer, reason):
        """The peer is told that reason, and then the stream ends."""
        error = peer.expect("error")
        self.assertEqual(error.reason, reason)
        self.assertNotEqual(error.code, 0)
        self.assertTrue(peer.ends())
        peer.sock.close()

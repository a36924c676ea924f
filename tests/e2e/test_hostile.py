# SPDX-License-Identifier: MIT
"""Clients that cost as much as they can, and the neighbours who notice.

What is bounded is told by memory, and by how long a neighbour waits beside how
long the whole attack takes: without the bounds they are as good as the same.
"""
import threading
import time
import unittest

from harness import (
    SANITIZED, Wynd, field, frame, greet, main, receive_frame, submit, varint)
from wyn_client import Client, encode

MIB = 1 << 20
WAITING = 4000 if SANITIZED else 60000
CANCELS = 1000
SLACK_S = 0.1  # of a machine that does other things too
SIZES = 65536  # as many as a Submit may have


def ping_times(address, begun, stop):
    """How long each Ping took, until `stop` is set."""
    client, times = Client(address), []
    while not stop.is_set():
        begun.set()
        start = time.monotonic()
        client.send(ping={"token": 1})
        client.wait(lambda: client.others)
        client.others.clear()
        times.append(time.monotonic() - start)
    client.sock.close()
    return times


class Costs(unittest.TestCase):
    def delays_nobody(self, address, attack):
        """Runs the attack while a neighbour pings."""
        begun, stop, times = threading.Event(), threading.Event(), []
        neighbour = threading.Thread(target=lambda: times.extend(
            ping_times(address, begun, stop)))
        neighbour.start()
        begun.wait()
        start = time.monotonic()
        try:
            attack()
        finally:
            took = time.monotonic() - start
            stop.set()
            neighbour.join()
        self.assertLess(max(times), took / 4 + SLACK_S)

    def test_cancels_of_nothing_among_many_tasks(self):
        """A few bytes each, and each a look at all that waits."""
        cancel = frame(field(6, field(1, field(1, 1) + field(2, 1))))
        with Wynd() as wynd:
            sock = wynd.connect()
            greet(sock)
            sock.sendall(b"".join(submit(2 + 2 * i, "sleep_ms", b"100000")
                                  for i in range(WAITING)))

            def attack():
                sock.sendall(cancel * CANCELS + encode(ping={"token": 7}))
                while receive_frame(sock)[1][:1] != b"\x62":
                    pass  # until the Pong behind them

            self.delays_nobody(wynd.address("unix"), attack)
            sock.close()

    def test_stats_asked_without_end(self):
        call = frame(field(7, field(1, 1) + field(3, b"")))
        with Wynd() as wynd:
            sock = wynd.connect()
            greet(sock)

            def attack():
                sock.sendall(call * 1000)
                for _ in range(1000):
                    receive_frame(sock)

            self.delays_nobody(wynd.address("unix"), attack)
            sock.close()

    @unittest.skipIf(SANITIZED, "freed memory is kept back")
    def test_arguments_announced_and_refused(self):
        """A byte for each: what is refused must not cost hundreds."""
        body = field(1, field(1, 1) + field(2, "echo") +
                     field(5, varint(1) * SIZES))
        with Wynd() as wynd:
            socks = [wynd.connect() for _ in range(8)]
            for sock in socks:
                greet(sock)
            before = wynd.memory()
            for sock in socks:
                sock.sendall(frame(body) + encode(ping={"token": 7}))
                receive_frame(sock)
            self.assertLess(wynd.memory("VmHWM") - before, 24 * MIB)
            for sock in socks:
                sock.close()


if __name__ == "__main__":
    main()

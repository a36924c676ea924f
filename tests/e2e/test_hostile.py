# SPDX-License-Identifier: MIT
"""Clients that cost as much as they can, and the neighbours beside them.

Bounds are told by memory and by the loop's turns: between two of them it
serves everybody, so an attack has to take many.
"""
import threading
import unittest

from harness import (
    SANITIZED, Wynd, field, frame, greet, main, receive_frame, submit, varint)
from peer import counters
from wyn_client import Client, encode

MIB = 1 << 20
WAITING = 4000 if SANITIZED else 60000
CANCELS = 1000
LOOKS_MAX = 16384  # WYN_CONN_WORK_MAX: the message that passes it is the last
SIZES = 65536  # as many as a Submit may have


def ping_on(address, begun, stop, answered):
    """Pings until `stop` is set; a True in `answered` for each Pong."""
    client = Client(address)
    while not stop.is_set():
        client.send(ping={"token": 1})
        client.wait(lambda: client.others)
        client.others.clear()
        answered.append(True)
        begun.set()
    client.sock.close()


class Costs(unittest.TestCase):
    def takes_turns(self, wynd, attack, messages, looks):
        """Runs an attack of so many messages, so many looks each, beside a
        neighbour."""
        begun, stop, answered = threading.Event(), threading.Event(), []
        watcher = Client(wynd.address("unix"))
        neighbour = threading.Thread(target=ping_on, args=(
            wynd.address("unix"), begun, stop, answered))
        neighbour.start()
        begun.wait()
        turns = counters(watcher)["turns"]
        pongs = len(answered)
        try:
            attack()
            pongs = len(answered) - pongs
        finally:
            stop.set()
            neighbour.join()
        turns = counters(watcher)["turns"] - turns
        watcher.sock.close()
        self.assertGreaterEqual(turns, messages * looks // (LOOKS_MAX + looks))
        self.assertGreater(pongs, 0)

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

            self.takes_turns(wynd, attack, CANCELS, WAITING)
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

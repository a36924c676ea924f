# SPDX-License-Identifier: MIT
"""What wynd answers to peers that break the protocol.

Sections in brackets are those of docs/wire.md. Each case runs over a Unix
socket and over TCP; see WireCase for what is looked at after each.
"""
import os
import random
import select
import socket
import unittest

from harness import PREFACE, Wynd, main, until
from peer import HELLO, Peer, WireCase
from wyn_client import (
    ARGUMENT, HEADER, OPTIONAL, VALUE, Client, Frame, encode)

KIB = 1024
FRAME_MAX, BATCH_MAX, ARGUMENT_MAX = 64 * KIB, 100, 128 * KIB
CREDIT_TASKS, CREDIT_BYTES = 64, 256 * KIB
HELLO_BYTES_MAX = 4096
SEED = int(os.environ.get("SEED", "20261124"))
# A TLS 1.2 ClientHello as far as it matters: record, handshake, version.
TLS_HELLO = bytes.fromhex("1603010200010001fc0303") + bytes(range(64))


def varint_field(number, value):
    return bytes([number << 3, value])


def frame(body, flags=0):
    return HEADER.pack(flags, len(body)) + body


class Cases(WireCase):
    flags = ("--max-frame", FRAME_MAX, "--max-batch", BATCH_MAX,
             "--max-argument", ARGUMENT_MAX, "--credit-tasks", CREDIT_TASKS,
             "--credit-bytes", CREDIT_BYTES)

    def refuses(self, reason, data, **hello):
        peer = self.peer(**hello)
        peer.raw(data)
        self.fails(peer, reason)

    def alive(self, peer, seq=1):
        peer.submit(seq, "noop", b"")
        self.assertEqual(peer.rows(1), {seq: (0, "")})

    # Preface and Hello [1.1, 2.1, 2.2]

    def test_a_wrong_preface(self):
        for data in (b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", TLS_HELLO,
                     b"G", b"WYND/2\r\n", b"WYND/1\n\n", b"WYND/1\rX", b"\0"):
            self.refuses("BAD_PREFACE", data, greet=False)

    def test_a_preface_byte_by_byte_that_ends_wrong(self):
        peer = self.peer(greet=False)
        for byte in PREFACE[:-1] + b"\r":
            peer.raw(bytes([byte]))
        self.fails(peer, "BAD_PREFACE")

    def test_anything_before_hello(self):
        for body in ({"submit": {"first_seq": 1, "function": "echo",
                                 "args": [b""]}},
                     {"call": {"call_id": 1, "stats": {}}}, {"finish": {}},
                     {"ping": {"token": 1}}, {"cancel": {"ids": [1]}},
                     {"credit": {"stream_bytes": 1}}, {"pong": {}},
                     {"chunk": {"seq": 1}}, {"results": {}}):
            self.refuses("HELLO_EXPECTED", PREFACE + encode(**body),
                         greet=False)

    def test_a_second_hello(self):
        self.refuses("HELLO_REPEATED", encode(hello=HELLO))

    def test_a_hello_that_is_too_large(self):
        self.refuses("HELLO_TOO_LARGE", PREFACE + HEADER.pack(
            0, HELLO_BYTES_MAX + 1), greet=False)

    def test_a_hello_as_large_as_it_may_be(self):
        name = "x" * (HELLO_BYTES_MAX - len(encode(hello={
            **HELLO, "client_name": "x" * 4000})) + HEADER.size + 4000)
        self.assertEqual(len(encode(hello={**HELLO, "client_name": name})),
                         HELLO_BYTES_MAX + HEADER.size)
        self.alive(self.peer(client_name=name))

    def test_a_version_that_does_not_exist(self):
        self.refuses("VERSION_UNSUPPORTED", PREFACE + encode(
            hello={"version_min": 2, "version_max": 9}), greet=False)

    # Frames [1.2, 1.3]

    def test_a_length_over_the_limit(self):
        for size in FRAME_MAX + 1, 0xFFFFFFFF:
            self.refuses("FRAME_TOO_LARGE", HEADER.pack(0, size))

    def test_a_frame_of_just_the_limit(self):
        peer = self.peer()
        body = {"first_seq": 1, "function": "noop"}
        head = len(encode(submit={**body, "args": [b"x" * 60000]})) - 60000
        arg = b"x" * (FRAME_MAX + HEADER.size - head)
        data = encode(submit={**body, "args": [arg]})
        self.assertEqual(len(data), FRAME_MAX + HEADER.size)
        peer.raw(data)
        self.assertEqual(peer.rows(1), {1: (0, "")})

    def test_flags_that_nobody_knows(self):
        for flags in 0x01, 0x04, 0x80, 0xFF:
            self.refuses("BAD_FLAGS", encode(flags, ping={"token": 1}))

    def test_a_frame_that_is_cut_off(self):
        data = encode(submit={"first_seq": 1, "function": "echo",
                              "args": [b"x" * 1000]})
        for cut in 1, 4, 5, 6, 500, len(data) - 1:
            peer = self.peer()
            peer.raw(data[:cut])
            peer.sock.shutdown(socket.SHUT_WR)
            self.assertTrue(peer.ends())
            peer.sock.close()

    def test_bodies_that_are_malformed(self):
        ping = Frame(ping={"token": 1}).SerializeToString()
        pong = Frame(pong={"token": 1}).SerializeToString()
        for body in (ping + pong, ping + ping, ping[:-1], b"\x5a\x7f",
                     b"\x00\x00", b"\x5b\x5c", b"\x5e", b"\x5f",
                     b"\x5a\x0c\x08" + b"\xff" * 10 + b"\x01",
                     b"\xff" * 11, varint_field(11, 1)):
            self.refuses("MALFORMED_FRAME", frame(body))

    def test_text_that_is_no_utf8(self):
        body = Frame(submit={"first_seq": 1, "function": "echo",
                             "args": [b"x"]}).SerializeToString()
        for bad in b"ec\xffo", b"ec\x00o":
            self.refuses("MALFORMED_FRAME", frame(body.replace(b"echo", bad)))

    def test_submits_that_mean_two_things_or_nothing(self):
        for what in ({"args": [b""], "arg_sizes": [1]}, {},
                     {"args": [b"", b""], "first_seq": (1 << 64) - 1}):
            self.refuses("MALFORMED_FRAME", encode(submit={
                "first_seq": 1, "function": "echo", **what}))

    def test_random_bytes_as_bodies(self):
        print("seed %d" % SEED)
        rng = random.Random(SEED)
        for _ in range(200):
            peer = self.peer()
            peer.raw(frame(rng.randbytes(rng.randrange(1, 200))))
            peer.sock.shutdown(socket.SHUT_WR)
            # By chance a frame may be whole; then the half-close ends it.
            kind = peer.receive()[0]
            while kind not in ("error", None):
                kind = peer.receive()[0]
            peer.sock.close()

    def test_a_body_that_nobody_knows(self):
        self.refuses("UNKNOWN_BODY", frame(b"\xfa\x07\x00"))
        self.refuses("UNKNOWN_BODY", frame(b""))

    def test_a_body_that_nobody_needs_to_know(self):
        peer = self.peer()
        for body in b"\xfa\x07\x00", b"":
            peer.raw(frame(body, OPTIONAL))
        self.alive(peer)

    def test_messages_that_only_servers_send(self):
        for kind in "results", "accepted", "reply", "go_away", "error":
            self.refuses("UNEXPECTED_MESSAGE", encode(**{kind: {}}))

    # Tasks [3.1 to 3.4]

    def test_a_seq_that_goes_backwards(self):
        for first, second in (5, 5), (5, 4), (5, 0), (0, 1):
            peer = self.peer()
            peer.submit(first, "noop", b"")
            peer.submit(second, "noop", b"")
            self.fails(peer, "SEQ_NOT_INCREASING")
        peer = self.peer()
        peer.submit(1, "noop", b"", b"", b"")
        peer.submit(3, "noop", b"")
        self.fails(peer, "SEQ_NOT_INCREASING")

    def test_seqs_with_gaps_up_to_the_last(self):
        peer = self.peer()
        for seq in 7, 1 << 40, (1 << 64) - 2:
            self.alive(peer, seq)

    def test_an_unknown_function(self):
        client = self.client()
        for name, near in ("ehco", "echo"), ("sha265", "sha256"):
            client.submit(name, [b"x"])
            result = client.next()
            self.assertEqual(result.code, 5)
            self.assertEqual(result.detail.reason, "FUNCTION_UNKNOWN")
            self.assertIn('"%s"' % near, result.detail.message)
        client.submit("echo", [b"x"])
        self.assertEqual(client.next().value, b"x")

    def test_an_argument_over_its_limit(self):
        peer = self.peer()
        before = self.counter("arguments_over_max")
        peer.send(submit={"first_seq": 1, "function": "noop", "arg_sizes": [
            0, ARGUMENT_MAX + 1, 3, 1 << 40]})
        peer.send(chunk={"seq": 3, "stream": ARGUMENT, "eof": True,
                         "data": b"abc"})
        too_large = (3, "ARGUMENT_TOO_LARGE")
        self.assertEqual(peer.rows(4), {
            1: (0, ""), 2: too_large, 3: (0, ""), 4: too_large})
        self.assertEqual(self.counter("arguments_over_max"), before + 2)

    def test_a_batch_over_its_limit(self):
        peer = self.peer()
        peer.submit(1, "noop", *[b""] * (BATCH_MAX + 1))
        self.assertEqual(
            set(peer.rows(BATCH_MAX + 1).values()), {(3, "BATCH_TOO_LARGE")})
        self.alive(peer, BATCH_MAX + 2)

    def test_more_tasks_than_credit(self):
        peer = self.peer()
        self.assertEqual(peer.welcome.credit.tasks, CREDIT_TASKS)
        peer.submit(1, "sleep_ms", *[b"20"] * BATCH_MAX)
        rows = peer.rows(BATCH_MAX)
        over = [s for s in rows if rows[s] == (8, "TASKS_OVER_CREDIT")]
        self.assertEqual(over, list(range(CREDIT_TASKS + 1, BATCH_MAX + 1)))
        self.assertEqual({rows[s] for s in range(1, CREDIT_TASKS + 1)},
                         {(0, "")})
        peer.send(ping={})
        peer.expect("pong")
        self.assertGreater(peer.credit.tasks, BATCH_MAX)
        self.alive(peer, BATCH_MAX + 1)

    def test_more_bytes_than_credit(self):
        peer = self.peer()
        peer.submit(1, "sleep_ms", *[b"0" * 60000 + b"20"])
        for seq in range(2, 6):
            peer.submit(seq, "sleep_ms", b"0" * 60000 + b"20")
        rows = peer.rows(5)
        self.assertEqual(rows.pop(5), (8, "BYTES_OVER_CREDIT"))
        self.assertEqual(set(rows.values()), {(0, "")})

    def test_a_refusal_for_now_says_when_to_try_again(self):
        client = self.client()
        client.announce("noop", {}, args=[b""] * (CREDIT_TASKS + 1))
        details = [client.next().detail for _ in range(CREDIT_TASKS + 1)]
        retry, = [d.retry_after_ms for d in details if d.reason]
        self.assertGreater(retry, 0)

    def test_options_that_do_not_exist(self):
        peer = self.peer()
        for seq, option, row in (
                (1, {"label": "x" * 64}, (3, "OPTION_INVALID")),
                (2, {"on_disconnect": 7}, (3, "OPTION_INVALID")),
                (3, {"priority": 4}, (3, "OPTION_INVALID")),
                (4, {"deadline_ms": 1 << 60}, (3, "OPTION_INVALID"))):
            peer.submit(seq, "noop", b"", **option)
            self.assertEqual(peer.rows(1), {seq: row})

    def test_chunks_out_of_order(self):
        for chunk in ({"offset": 1, "data": b"x"},
                      {"data": b"x" * 11, "eof": True},
                      {"data": b"x" * 10}, {"data": b"x", "eof": True}):
            peer = self.peer()
            peer.send(submit={"first_seq": 1, "function": "noop",
                              "arg_sizes": [10]})
            peer.send(chunk={"seq": 1, "stream": ARGUMENT, **chunk})
            self.fails(peer, "CHUNK_OUT_OF_ORDER")

    def test_chunks_of_nothing(self):
        for chunk in ({"seq": 1, "stream": ARGUMENT},
                      {"seq": 2, "stream": ARGUMENT},
                      {"seq": 1, "stream": VALUE}):
            peer = self.peer()
            if chunk["stream"] == VALUE:
                peer.submit(1, "noop", b"")
            peer.send(chunk=chunk)
            self.fails(peer, "UNEXPECTED_MESSAGE")

    def test_chunks_of_a_task_that_ended_are_dropped(self):
        peer = self.peer()
        peer.send(submit={"first_seq": 1, "function": "noop",
                          "arg_sizes": [10]})
        peer.send(cancel={"seqs": [{"first": 1, "count": 1}]})
        peer.send(chunk={"seq": 1, "stream": ARGUMENT, "offset": 5,
                         "data": b"x" * 99})
        self.assertEqual(peer.rows(1), {1: (1, "CANCELLED_BY_CLIENT")})
        self.alive(peer, 2)

    def test_credit_that_goes_down(self):
        peer = self.peer(stream_bytes=100)
        peer.send(credit={"stream_bytes": 100})
        peer.send(credit={"stream_bytes": 99})
        self.fails(peer, "CREDIT_INVALID")

    # The end of a connection [4, 4.1]

    def test_new_work_after_finish(self):
        for body in ({"submit": {"first_seq": 2, "function": "echo",
                                 "args": [b""]}}, {"finish": {}},
                     {"call": {"call_id": 1, "stats": {}}}):
            peer = self.peer()
            peer.submit(1, "sleep_ms", b"60000")
            peer.send(finish={})
            peer.send(**body)
            self.fails(peer, "FINISHED")

    def test_finish_and_a_half_close_get_all_results(self):
        peer = self.peer()
        peer.submit(1, "sleep_ms", *[b"30"] * 30)
        peer.send(submit={"first_seq": 31, "function": "noop",
                          "arg_sizes": [3]})
        peer.send(finish={})
        peer.send(chunk={"seq": 31, "stream": ARGUMENT, "data": b"abc",
                         "eof": True})
        peer.sock.shutdown(socket.SHUT_WR)
        self.assertEqual(set(peer.rows(31).values()), {(0, "")})
        self.assertTrue(peer.ends())

    def test_a_half_close_in_an_argument(self):
        peer = self.peer()
        peer.send(submit={"first_seq": 1, "function": "noop",
                          "arg_sizes": [3]})
        peer.send(finish={})
        peer.sock.shutdown(socket.SHUT_WR)
        self.assertEqual(peer.rows(1), {1: (1, "CANCELLED_BY_CLIENT")})
        self.assertTrue(peer.ends())

    def test_a_half_close_without_finish_gives_the_tasks_up(self):
        peer = self.peer()
        peer.submit(1, "sleep_ms", *[b"60000"] * 50)
        peer.sock.shutdown(socket.SHUT_WR)
        self.assertTrue(peer.ends())

    def test_a_client_that_is_gone_with_tasks_in_flight(self):
        before = self.counter("tasks_discarded")
        peer = self.peer()
        peer.submit(1, "sleep_ms", *[b"60000"] * 50, accept=True)
        peer.expect("accepted")
        peer.sock.close()
        self.check_others()
        self.assertEqual(self.counter("tasks_discarded"), before + 50)

    # What wynd does with many of them at once

    def test_a_crowd_of_them(self):
        peers = [self.peer() for _ in range(50)]
        for i, peer in enumerate(peers):
            peer.submit(1, "sleep_ms", b"60000", b"60000")
            peer.raw((HEADER.pack(0, 0xFFFFFFFF), frame(b"\x00"), b"\x80",
                      encode(hello=HELLO))[i % 4])
        for i, peer in enumerate(peers):
            if i % 4 != 2:
                peer.expect("error")
            else:
                peer.reset()


class OverUnix(Cases, unittest.TestCase):
    kind = "unix"


class OverTcp(Cases, unittest.TestCase):
    kind = "tcp"


class Times(unittest.TestCase):
    """Bounds in time, small ones, each with a daemon of its own."""

    def test_no_hello_in_time(self):
        with Wynd("--hello-timeout", "50ms") as wynd:
            hello = PREFACE + encode(hello=HELLO)
            for sent in b"", PREFACE[:3], PREFACE, hello[:-1]:
                with Peer(wynd.address("unix"), greet=False) as peer:
                    peer.raw(sent)
                    error = peer.expect("error")
                    self.assertEqual(error.reason, "HELLO_TIMEOUT")
                    self.assertTrue(peer.ends())

    def test_bytes_that_trickle_in_do_not_stretch_it(self):
        with Wynd("--hello-timeout", "50ms") as wynd, \
                Peer(wynd.address("unix"), greet=False) as peer:
            peer.raw(PREFACE + HEADER.pack(0, HELLO_BYTES_MAX))
            sent = 0
            while not select.select([peer.sock], [], [], 0.005)[0]:
                peer.raw(b"x")
                sent += 1
                self.assertLess(sent, HELLO_BYTES_MAX)
            self.assertEqual(peer.expect("error").reason, "HELLO_TIMEOUT")

    def test_silence(self):
        with Wynd("--keepalive", "50ms") as wynd, \
                Peer(wynd.address("unix")) as peer:
            self.assertEqual([peer.receive()[0] for _ in range(3)],
                             ["ping", "ping", "error"])
            self.assertTrue(peer.ends())

    def test_pongs_keep_a_connection(self):
        with Wynd("--keepalive", "20ms") as wynd:
            client = Client(wynd.address("unix"))
            # Five times as long as silence would have been borne.
            client.submit("sleep_ms", [b"300"])
            self.assertEqual(client.next().code, 0)
            client.sock.close()

    def test_a_client_that_finished_and_then_is_gone(self):
        with Wynd("--keepalive", "20ms") as wynd:
            before = wynd.open_fds()
            with Peer(wynd.address("unix")) as peer:
                peer.submit(1, "sleep_ms", b"600000")
                peer.send(finish={})
                peer.sock.shutdown(socket.SHUT_WR)
                until(lambda: wynd.open_fds() > before, "it is there")
            until(lambda: wynd.open_fds() == before, "it is let go")

    def test_more_connections_than_it_may_have(self):
        with Wynd("--max-connections", 2) as wynd:
            first, second = (Peer(wynd.address("unix")) for _ in range(2))
            with Peer(wynd.address("unix"), greet=False) as third:
                self.assertEqual(
                    third.expect("error").reason, "CONNECTIONS_MAX")
                self.assertTrue(third.ends())
            first.submit(1, "noop", b"")
            self.assertEqual(first.rows(1), {1: (0, "")})
            first.sock.close()
            second.sock.close()
            self.assertIn("connection-refused max_connections=2", wynd.log())

    def test_what_the_log_says_of_a_connection(self):
        with Wynd("--log-level", "debug") as wynd:
            with Peer(wynd.address("unix"), client_name='some "body"\n'):
                pass
            until(lambda: "connection-closed" in wynd.log(), "it is closed")
            who = "connection=1 uid=%d pid=%d " % (os.getuid(), os.getpid())
            self.assertIn(
                "connection-opened " + who + "kind=unix\n", wynd.log())
            self.assertIn(
                "connection-closed " + who + r'client="some \"body\"\x0a" '
                "reason=gone tasks=0\n", wynd.log())


if __name__ == "__main__":
    main()

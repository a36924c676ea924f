# SPDX-License-Identifier: MIT
"""Tasks that outlive their connection, and who asks for them later."""
import contextlib
import os
import signal
import tempfile
import unittest

from harness import Wynd, main, somebody, until
from peer import counters
from wyn_client import Client

KEEP, ENDED, RUNNING = 2, 6, 4
YES = 2
NOBODY = 65534
WAIT_MS = 30000
COMMANDS = ("--commands", "--command-users", os.geteuid(), "--loops", 2)
AS_ROOT = unittest.skipUnless(
    os.geteuid() == 0, "only root can be somebody else")


@contextlib.contextmanager
def client_of(wynd):
    client = Client(wynd.address("unix"))
    try:
        yield client
    finally:
        client.sock.close()


def accepted(client):
    """The id of what was sent last."""
    client.wait(lambda: [m for k, m in client.others if k == "accepted"])
    ranges, = [m.ranges for k, m in client.others if k == "accepted"]
    client.others.clear()
    return ranges[0].first_id


def keep(client, function, *args, **options):
    client.announce(function, {"on_disconnect": KEEP, "accept": True,
                               **options}, args=args)
    return accepted(client)


def keep_command(client, script, label="", **command):
    client.send(submit=dict(
        first_seq=client.next_seq, args=[b""],
        options={"on_disconnect": KEEP, "accept": True, "label": label},
        command=dict({"argv": [b"/bin/sh", b"-c", script.encode()],
                      "env": [b"PATH=/bin:/usr/bin"]}, **command)))
    client.next_seq += 1
    return accepted(client)


def outcome(client, task):
    """How it ended, for which it waits."""
    while True:
        reply = client.call(outcome={"id": task, "wait_ms": WAIT_MS})
        if reply.code != 0 or reply.outcome.ended:
            return reply.outcome if reply.code == 0 else reply.reason


def follow(client, task):
    """Its output as [(stream, data)], until it has ended."""
    pieces, at, ended = [], 0, False
    while not ended:
        logs = client.call(
            logs={"id": task, "from": at, "wait_ms": WAIT_MS}).logs
        pieces += [(piece.stream, piece.data) for piece in logs.pieces]
        at, ended = logs.next, logs.ended
    return pieces


class Gate:
    """A command that reads the FIFO waits until it is let go."""

    def __enter__(self):
        self.directory = tempfile.TemporaryDirectory(prefix="wynd-test-")
        self.path = os.path.join(self.directory.name, "gate")
        os.mkfifo(self.path)
        return self

    def open(self, data=b"go\n"):
        with open(self.path, "wb") as gate:
            gate.write(data)

    def __exit__(self, *_):
        self.directory.cleanup()


class Keep(unittest.TestCase):
    def test_functions_go_on_without_their_client(self):
        with Wynd("--loops", 2, "--workers", 2) as wynd:
            tasks = []
            for i in range(6):
                with client_of(wynd) as client:
                    tasks.append(keep(client, "sleep_ms", *[b"20"] * 10))
                    tasks.append(keep(client, "echo", b"%d" % i))
            with client_of(wynd) as client:
                for i, task in enumerate(tasks):
                    done = outcome(client, task)
                    self.assertEqual((done.code, done.ran), (0, YES))
                    if i % 2:
                        self.assertEqual(done.value, b"%d" % (i // 2))
                last = outcome(client, tasks[-2] + 9)
                self.assertEqual(last.code, 0)
                until(lambda: counters(client)["tasks_held"] == 0,
                      "all to be released")
                count = counters(client)
                self.assertEqual(count["tasks_kept"], 66)
                self.assertEqual(count["tasks_ok"], 66)
                self.assertEqual(count["tasks_discarded"], 0)
                listed = client.call(list={"state": ENDED}).list.tasks
                self.assertEqual(len(listed), 66)

    def test_a_command_goes_on_and_is_followed(self):
        with Wynd(*COMMANDS) as wynd, Gate() as gate:
            with client_of(wynd) as client:
                task = keep_command(
                    client, "echo out; echo err >&2; cat %s; exit 3"
                    % gate.path, label="nightly")
            with client_of(wynd) as client, client_of(wynd) as other:
                logs = client.call(logs={"id": task, "wait_ms": WAIT_MS}).logs
                self.assertFalse(logs.ended)
                until(lambda: client.call(outcome={"id": task})
                      .outcome.output_bytes == 8, "both to be there")
                listed, = client.call(list={"label": "nightly"}).list.tasks
                self.assertEqual((listed.id, listed.state), (task, RUNNING))
                self.assertFalse(
                    client.call(list={"label": "daily"}).list.tasks)
                gate.open(b"through the gate\n")
                for who in client, other:
                    done = outcome(who, task)
                    self.assertEqual(done.reason, "EXIT_STATUS")
                    self.assertEqual(done.exit_status, 3)
                    self.assertEqual(done.task.label, "nightly")
                    self.assertEqual(done.output_bytes, 8 + 17)
                    pieces = follow(who, task)
                    both = [b"".join(data for stream, data in pieces
                                     if stream == wanted)
                            for wanted in sorted({s for s, _ in pieces})]
                    self.assertEqual(
                        both, [b"out\nthrough the gate\n", b"err\n"])

    def test_input_ends_with_the_client(self):
        with Wynd(*COMMANDS) as wynd:
            with client_of(wynd) as client:
                task = keep_command(client, "cat; echo end",
                                    input_stream=True)
                client.send(chunk={"seq": 1, "stream": 2, "data": b"half a "})
            with client_of(wynd) as client:
                self.assertEqual(outcome(client, task).code, 0)
                self.assertEqual(
                    b"".join(data for _, data in follow(client, task)),
                    b"half a end\n")

    def test_whoever_may_see_it_ends_it(self):
        with Wynd(*COMMANDS) as wynd:
            with client_of(wynd) as client:
                tasks = [keep_command(client, "echo; sleep 1000")
                         for _ in range(2)]
                tasks.append(keep(client, "sleep_ms", b"1000000"))
            with client_of(wynd) as client:
                for task in tasks[:2]:
                    client.call(logs={"id": task, "wait_ms": WAIT_MS})
                for task, number in zip(tasks, (9, 0, 0)):
                    reply = client.call(end={"id": task, "signal": number})
                    self.assertEqual(reply.code, 0)
                self.assertEqual(outcome(client, tasks[0]).signal, 9)
                for task in tasks[1:]:
                    self.assertEqual(outcome(client, task).code, 1)
                self.assertEqual(client.call(end={"id": tasks[1]}).reason,
                                 "TASK_UNKNOWN")

    @AS_ROOT
    def test_nobody_else_sees_it(self):
        with Wynd("--loops", 2, "--socket-mode", "0666") as wynd:
            os.chmod(wynd.directory, 0o755)
            with client_of(wynd) as client:
                mine = keep(client, "echo", b"mine")
            with somebody(NOBODY), client_of(wynd) as client:
                theirs = keep(client, "echo", b"theirs")
            with somebody(NOBODY):
                others = [Client(wynd.address("unix")) for _ in range(4)]
            for other in others:
                self.assertEqual(outcome(other, mine), "TASK_UNKNOWN")
                self.assertEqual(outcome(other, theirs).value, b"theirs")
                for what in ({"logs": {"id": mine}}, {"end": {"id": mine}}):
                    self.assertEqual(
                        other.call(**what).reason, "TASK_UNKNOWN")
                self.assertEqual([task.id for task in other.call(
                    list={}).list.tasks], [theirs])
                other.sock.close()
            with client_of(wynd) as client:
                self.assertEqual(outcome(client, theirs).value, b"theirs")
                self.assertEqual(len(client.call(list={}).list.tasks), 2)

    def test_no_user_is_known_of_tcp(self):
        with Wynd(listen=("tcp:127.0.0.1:0",)) as wynd:
            client = Client(wynd.address("tcp"))
            client.announce("echo", {"on_disconnect": KEEP}, args=[b"x"])
            self.assertEqual(client.next().detail.reason, "KEEP_LOCAL_ONLY")
            self.assertEqual(client.call(outcome={"id": 1}).reason,
                             "TASK_UNKNOWN")
            client.sock.close()

    def test_output_is_the_newest_and_memory_flat(self):
        with Wynd(*COMMANDS, "--keep-output", "64K") as wynd:
            with client_of(wynd) as client:
                task = keep_command(
                    client, "head -c 50000000 /dev/zero; echo the end")
            with client_of(wynd) as client:
                done = outcome(client, task)
                self.assertEqual(done.output_bytes, 50000008)
                pieces = [data for _, data in follow(client, task)]
                self.assertTrue(pieces[-1].endswith(b"the end\n"))
                self.assertLessEqual(sum(map(len, pieces)), 65536)

    def test_as_many_as_may_and_for_as_long(self):
        with Wynd("--keep-tasks", 5, "--loops", 1) as wynd:
            with client_of(wynd) as client:
                client.announce(
                    "echo", {"on_disconnect": KEEP}, args=[b"x"] * 6)
                for _ in range(6):
                    self.assertEqual(
                        client.next().detail.reason, "KEEP_TASKS_MAX")
                first = keep(client, "echo", *[b"x"] * 5)
                outcome(client, first + 4)
                second = keep(client, "echo", b"y")
                self.assertEqual(outcome(client, second).value, b"y")
                self.assertEqual(len(client.call(list={}).list.tasks), 5)
                wynd.configure("keep_time = 0\n")
                self.assertEqual(client.call(reload={}).code, 0)
                until(lambda: outcome(client, second) == "TASK_UNKNOWN",
                      "its time to be over")

    def test_a_drain_waits_for_them(self):
        with Wynd(*COMMANDS) as wynd, Gate() as gate:
            with client_of(wynd) as client:
                keep_command(client, "echo; cat %s" % gate.path)
            with client_of(wynd) as client:
                wynd.signal(signal.SIGTERM)
                client.wait(lambda: [k for k, _ in client.others
                                     if k == "go_away"])
                self.assertIsNone(wynd.process.poll())
            gate.open()
            self.assertEqual(wynd.wait(), 0)

    def test_a_drain_that_takes_too_long_ends_them(self):
        with Wynd(*COMMANDS, "--drain-timeout", "50ms",
                  "--command-grace", "50ms") as wynd:
            with client_of(wynd) as client:
                task = keep_command(client, "trap '' TERM; echo; sleep 1000")
                keep(client, "sleep_ms", b"1000000")
            with client_of(wynd) as client:
                client.call(logs={"id": task, "wait_ms": WAIT_MS})
            wynd.signal(signal.SIGTERM)
            wynd.wait()

    def test_who_waits_is_answered_by_a_drain(self):
        with Wynd(*COMMANDS) as wynd, Gate() as gate:
            with client_of(wynd) as client:
                task = keep_command(client, "echo; cat %s" % gate.path)
            waiting = [Client(wynd.address("unix")) for _ in range(4)]
            for client in waiting:
                client.call(logs={"id": task, "wait_ms": WAIT_MS})
                client.send(call={"call_id": 9, "outcome": {
                    "id": task, "wait_ms": WAIT_MS}})
            wynd.signal(signal.SIGTERM)
            for client in waiting:
                reply = client.wait(lambda: client.replies.get(9))
                self.assertFalse(reply.outcome.ended)
                client.sock.close()
            gate.open()
            self.assertEqual(wynd.wait(), 0)


if __name__ == "__main__":
    main()

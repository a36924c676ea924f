# SPDX-License-Identifier: MIT
"""Commands from outside: many, large ones, bad ones.

COMMANDS is how many are run whose output is known, COPY_BYTES what is copied
through one; both can be larger than in CI.
"""
import hashlib
import os
import signal
import threading

import commands
from commands import (
    ABORTED, CANCELLED, DEADLINE, DENIED, INVALID, NOT_FOUND, OK, PRECONDITION,
    RAN_NO, RAN_YES, UNKNOWN)
from harness import PATIENCE, SANITIZED, main, until

KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30
COMMANDS = int(os.environ.get("COMMANDS", "1000" if SANITIZED else "10000"))
COPY_BYTES = int(os.environ.get(
    "COPY_BYTES", (16 if SANITIZED else 256) * MIB))
UNWANTED_BYTES = (64 * MIB) if SANITIZED else GIB
PIECE_BYTES = 512 * KIB
GRANT_BYTES = 1000  # of output, to begin with
WAY_BYTES = 2 * MIB  # of a copy, that have gone out and not come back
CONNECTIONS, QUEUED = 4, 100
GROWTH_BYTES = 4 * MIB  # of the allocator, and of pipes' buffers
if SANITIZED:
    GROWTH_BYTES = 256 * MIB  # what was freed is kept


class Many(commands.Case):
    flags = ("--max-commands", 8)
    count = COMMANDS

    def submit(self, client, i):
        """What it writes, by which of its outputs, and how it ends, by i."""
        return self.sh(
            client, b'read x; echo "$0 $x"; echo "$1" >&2; exit $2',
            b"out %d" % i, b"error %d" % (i * 7), b"%d" % (i % 256),
            input=b"in %d\n" % (i * 3))

    def check(self, i, outcome):
        row, status = outcome.row, i % 256
        self.assertEqual(
            (UNKNOWN if status else OK, status, 0, RAN_YES,
             b"out %d in %d\n" % (i, i * 3), b"error %d\n" % (i * 7)),
            (row.code, row.detail.exit_status, row.detail.signal,
             row.detail.ran, outcome.output, outcome.error), row)
        usage = row.detail.usage
        self.assertEqual((len(outcome.output), len(outcome.error)),
                         (usage.output_bytes, usage.error_bytes))
        self.assertGreater(usage.wall_ns, 0)
        self.assertLess(usage.user_ns + usage.system_ns, PATIENCE * 1e9)
        self.assertGreater(usage.peak_rss_bytes, 256 * KIB)

    def share(self, client, numbers, failed):
        """Those of one connection, of its own thread."""
        try:
            seqs = {}
            for i in numbers:
                while len(seqs) - len(client.done) > QUEUED:
                    client.take_next()
                seqs[self.submit(client, i)] = i
            outcomes = client.outcomes()
            self.assertEqual(len(seqs), len(outcomes))
            for seq, i in seqs.items():
                self.check(i, outcomes[seq])
        except Exception as error:  # it is raised by who waits for us
            failed.append(error)

    def run_them(self, wynd, numbers):
        failed, threads, clients = [], [], []
        for k in range(CONNECTIONS):
            clients.append(self.client(wynd))
            threads.append(threading.Thread(target=self.share, args=(
                clients[k], numbers[k::CONNECTIONS], failed)))
            threads[k].start()
        for thread in threads:
            thread.join()
        for client in clients:
            client.sock.close()
        if failed:
            raise failed[0]

    def test_all_come_right(self):
        wynd = self.serve()
        fds = wynd.open_fds()
        self.run_them(wynd, range(self.count // 10))
        spawner = commands.spawner(wynd)
        until(lambda: not commands.children(spawner), "all have been waited")
        before = (commands.fds(spawner), commands.rss(spawner), wynd.memory())
        used = wynd.open_fds()
        self.run_them(wynd, range(self.count))
        self.assertEqual(spawner, commands.spawner(wynd))
        # It may not have seen yet, then, that the first clients had gone.
        until(lambda: wynd.open_fds() <= used, "no more of wynd's fds")
        until(lambda: commands.fds(spawner) <= before[0], "nor of spawner's")
        self.assertLess(fds, used + 16)
        self.assertLess(commands.rss(spawner), before[1] + GROWTH_BYTES)
        self.assertLess(wynd.memory(), before[2] + GROWTH_BYTES)
        self.assertEqual([], commands.children(spawner))


class ManyInCgroups(Many):
    cgroup = True
    count = COMMANDS // 5


class Copy(commands.Case):
    def take(self, chunk):
        self.came.update(chunk.data)
        self.size += len(chunk.data)

    def test_is_unchanged_and_memory_stays(self):
        wynd = self.serve()
        client = self.client(wynd)
        self.true(client)
        wynd.forget_peak()
        before = wynd.memory()
        sent, self.came, self.size = hashlib.sha256(), hashlib.sha256(), 0
        piece = os.urandom(PIECE_BYTES)
        seq = client.run(b"cat", env=self.env, input_stream=True,
                         options={"stream": True})
        for at in range(0, COPY_BYTES, PIECE_BYTES):
            data = at.to_bytes(8, "big") + piece[8:]
            sent.update(data)
            client.feed(seq, data, eof=at + PIECE_BYTES >= COPY_BYTES)
            while client.events or client.sent[seq] - self.size > WAY_BYTES:
                self.take(client.next())
        while self.size < COPY_BYTES:
            self.take(client.next())
        row = client.next()
        self.assertEqual((OK, COPY_BYTES), (
            row.code, row.detail.usage.output_bytes), row)
        self.assertEqual(sent.digest(), self.came.digest())
        self.assertLess(wynd.memory("VmHWM"),
                        before + WAY_BYTES + GROWTH_BYTES)


class Bad(commands.Case):
    """One at a time, by a daemon of its own each time."""
    flags = ("--command-drain", "30ms", "--command-grace", "20ms")

    def setUp(self):
        super().setUp()
        self.wynd = self.serve()
        self.me = self.client(self.wynd)

    def file(self, text, mode=0o755):
        path = os.path.join(self.directory, "file%d" % mode)
        with open(path, "w") as file:
            file.write(text)
        os.chmod(path, mode)
        return path.encode()

    def not_started(self, code, word, *argv, reason="NOT_STARTED", **command):
        outcome = self.me.outcome(self.me.run(
            *argv, **{"env": self.env, **command}))
        detail = outcome.row.detail
        self.assertEqual((code, reason, RAN_NO), (
            outcome.row.code, detail.reason, detail.ran), outcome)
        self.assertIn(word, detail.message.encode())
        self.assertFalse(detail.HasField("usage"))

    def refused(self, reason, *argv, **command):
        outcome = self.me.outcome(self.me.run(*argv, **command))
        self.assertEqual((INVALID, reason, RAN_NO), (
            outcome.row.code, outcome.row.detail.reason,
            outcome.row.detail.ran), outcome)

    def ends(self, outcome, code=OK, **detail):
        self.assertEqual(
            (code, detail), (outcome.row.code, {
                name: getattr(outcome.row.detail, name) for name in detail}),
            outcome)
        return outcome

    def cancel(self, seq, grace_ms=0):
        self.me.send(cancel={"seqs": [{"first": seq, "count": 1}],
                             "grace_ms": grace_ms})

    def test_program_that_is_no_program(self):
        missing = self.directory.encode() + b"/missing"
        self.not_started(NOT_FOUND, missing, missing)
        self.not_started(NOT_FOUND, b"missing", b"missing")
        self.not_started(PRECONDITION, b"file493",
                         self.file("") + b"/below")
        self.not_started(DENIED, self.directory.encode(),
                         self.directory.encode())
        path = self.file("#!/bin/sh\n", 0o644)
        self.not_started(DENIED, path, path)
        path = self.file("")
        self.not_started(PRECONDITION, path, path)
        path = self.file("\x7fELF nonsense")
        self.not_started(PRECONDITION, path, path)

    def test_interpreter_that_is_none(self):
        path = self.file("#!/no/such/interpreter -x\n")
        self.not_started(NOT_FOUND, b"/no/such/interpreter", path)
        path = self.file("#!%s\n" % self.directory)
        self.not_started(DENIED, self.directory.encode(), path)

    def test_directory_that_is_none(self):
        gone = os.path.join(self.directory, "gone")
        os.mkdir(gone)
        seq = self.sh(self.me, b"echo up; read x; pwd", cwd=gone.encode(),
                      input_stream=True)
        self.me.wrote(seq, b"up")
        os.rmdir(gone)
        self.me.feed(seq, b"\n", eof=True)
        self.assertIn(gone.encode(),
                      self.ends(self.me.outcome(seq)).output)
        self.not_started(NOT_FOUND, gone.encode(), b"true",
                         cwd=gone.encode(), reason="NOT_PREPARED")
        path = self.file("")
        self.not_started(PRECONDITION, path, b"true", cwd=path,
                         reason="NOT_PREPARED")

    def test_command_that_is_none(self):
        self.refused("COMMAND_INVALID")
        self.refused("COMMAND_INVALID", b"tr\0ue")
        self.refused("COMMAND_INVALID", b"true", b"\0")
        self.refused("COMMAND_INVALID", b"true", env=[b"A=\0"])
        self.refused("COMMAND_INVALID", b"true", env=[b"A"])
        self.refused("COMMAND_INVALID", b"true", cwd=b"/\0")
        self.refused("COMMAND_INVALID", b"true", cwd=b"tmp")

    def test_argv_and_environment_beyond_the_limit(self):
        for size in (128 * KIB, 512 * KIB):
            self.refused("COMMAND_TOO_LARGE", b"true", b"x" * size)
            self.refused("COMMAND_TOO_LARGE", b"true",
                         env=[b"A=" + b"x" * size])
        self.refused("COMMAND_TOO_LARGE", b"true", *[b""] * 16 * KIB)
        self.true(self.me)

    def test_outputs_are_closed_and_it_lives_on(self):
        seq = self.sh(self.me, b'echo up; exec >&- 2>&-; read x; exit "$x"',
                      input_stream=True)
        self.me.wrote(seq, b"up")
        # What comes later is over before.
        for _ in range(3):
            self.true(self.me)
        self.assertNotIn(seq, self.me.done)
        self.me.feed(seq, b"7\n", eof=True)
        self.ends(self.me.outcome(seq), UNKNOWN, exit_status=7)

    def test_it_daemonizes(self):
        seq = self.sh(self.me, b'( setsid "$S" 600 & ) <&- >&- 2>&-; echo up')
        outcome = self.ends(self.me.outcome(seq))
        self.assertEqual(b"up\n", outcome.output)
        self.marked.gone()

    def test_sigterm_is_ignored(self):
        seq = self.sh(self.me, b'trap "" TERM; echo up; exec "$S" 600')
        self.me.wrote(seq, b"up")
        self.cancel(seq)
        self.ends(self.me.outcome(seq), CANCELLED, signal=signal.SIGKILL)

    def test_sigterm_is_obeyed(self):
        seq = self.sh(self.me, b'trap "echo bye; exit 3" TERM; '
                               b'"$S" 600 & echo up; wait')
        self.me.wrote(seq, b"up")
        self.cancel(seq, grace_ms=3600000)
        outcome = self.ends(self.me.outcome(seq), CANCELLED, exit_status=3)
        self.assertEqual(b"up\nbye\n", outcome.output)

    def test_output_that_nobody_wants_is_counted(self):
        seq = self.me.run(b"head", b"-c%d" % UNWANTED_BYTES, b"/dev/zero",
                          env=self.env)
        usage = self.ends(self.me.outcome(seq)).row.detail.usage
        self.assertEqual((UNWANTED_BYTES, 0), (
            usage.output_bytes, usage.error_bytes))

    def test_nothing_is_written(self):
        outcome = self.ends(self.me.outcome(self.me.run(
            b"true", env=self.env, options={"stream": True})))
        usage = outcome.row.detail.usage
        self.assertEqual((b"", b"", 0, 0), (
            outcome.output, outcome.error, usage.output_bytes,
            usage.error_bytes))

    def test_input_never_comes(self):
        self.ends(self.me.outcome(self.sh(self.me, b"exec cat")))
        seq = self.sh(self.me, b"exec cat", input_stream=True,
                      options={"timeout_ms": 30})
        self.ends(self.me.outcome(seq), DEADLINE, reason="RUN_TIMEOUT",
                  signal=signal.SIGTERM)

    def test_input_that_nobody_reads(self):
        seq = self.sh(self.me, b"exec <&-; echo up; exit 5",
                      input_stream=True)
        for _ in range(100):
            self.me.feed(seq, bytes(64 * KIB))
        self.ends(self.me.outcome(seq), UNKNOWN, exit_status=5)
        self.true(self.me)

    def test_stopped_and_then_cancelled(self):
        seq = self.sh(self.me, b'"$S" 600 & echo up; kill -STOP $! $$')
        self.me.wrote(seq, b"up")
        until(lambda: {p.state for p in self.marked.alive()} == {"T"},
              "all are stopped")
        self.cancel(seq)
        self.ends(self.me.outcome(seq), CANCELLED, signal=signal.SIGTERM)

    def test_signal_meets_the_whole_tree(self):
        seq = self.sh(self.me, b'"$S" 600 & echo up; wait; exec "$S" 600')
        self.me.wrote(seq, b"up")
        until(lambda: len(self.marked.alive()) == 2, "both are there")
        self.me.send(signal={"seqs": [{"first": seq, "count": 1}],
                             "number": signal.SIGUSR1})
        self.ends(self.me.outcome(seq), ABORTED, signal=signal.SIGUSR1)

    def test_grandchild_holds_the_pipe(self):
        seq = self.sh(self.me, b'( "$S" 600 & ); echo out; echo err >&2')
        outcome = self.ends(self.me.outcome(seq))
        self.assertEqual((b"out\n", b"err\n"), (
            outcome.output, outcome.error))
        self.marked.gone()
        # And writes, for ever: nothing comes behind the row.
        seq = self.sh(self.me, b"( yes & ); exit 4")
        self.ends(self.me.outcome(seq), UNKNOWN, exit_status=4)
        self.true(self.me)

    def test_client_that_goes(self):
        other = self.client(self.wynd)
        seqs = [self.sh(other, commands.TREE) for _ in range(8)]
        for seq in seqs:
            other.wrote(seq, b"up")
        other.sock.close()
        self.marked.gone()
        self.true(self.me)

    def test_client_that_never_reads(self):
        other = self.client(self.wynd)
        for _ in range(16):
            self.sh(other, b"exec yes")
        until(lambda: self.blocked(16), "all wait at their pipes")
        self.assertLess(self.wynd.memory(), 64 * MIB)
        # It has all places; who waits for one can be told why, and go.
        seq = self.sh(self.me, b"true")
        self.cancel(seq)
        self.ends(self.me.outcome(seq), CANCELLED, ran=RAN_NO)
        other.sock.close()
        self.true(self.me)

    def test_client_that_grants_little(self):
        """Bytes of output, by stream_bytes: only it is held up."""
        other = self.client(self.wynd, stream_bytes=GRANT_BYTES)
        seq = self.sh(other, b"head -c %d /dev/zero; exit 3" % MIB)
        granted = GRANT_BYTES
        while seq not in other.done:
            other.wait(lambda: other.events)
            other.take_next()
            came = len(other.output[seq])
            self.assertLessEqual(came, granted)
            if came == granted:
                other.here()
                self.assertFalse(other.events, "nothing beyond the grant")
                self.true(self.me)
                granted += MIB // 4
                other.send(credit={"stream_bytes": granted})
        outcome = self.ends(other.done[seq], UNKNOWN, exit_status=3)
        self.assertEqual(bytes(MIB), outcome.output)

    def blocked(self, count):
        """So many writers of pipes that are full."""
        there = commands.children(commands.spawner(self.wynd))
        return [p.state for p in there if p.name == "yes"] == ["S"] * count

if __name__ == "__main__":
    main()

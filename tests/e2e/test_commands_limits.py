# SPDX-License-Identifier: MIT
"""Commands where something is short, in cgroups, and beside other tasks: what
is refused, what is told, and who has his turn."""
import os
import pwd
import resource
import signal
import subprocess
import unittest

import commands
from commands import (
    ABORTED, CANCELLED, EXHAUSTED, INVALID, OK, RAN_NO, UNKNOWN)
from harness import can_mount, main

KIB = 1 << 10
LOW, NORMAL, HIGH = 1, 2, 3
TURNS = {LOW: 1, NORMAL: 4, HIGH: 16}


def idle_user():
    """One who has no processes, for a limit counts all of a user's."""
    busy = set()
    for process in commands.processes():
        try:
            busy.add(os.stat("/proc/%d" % process.pid).st_uid)
        except OSError:
            pass
    return next(user.pw_name for user in pwd.getpwall()
                if user.pw_uid not in busy)


class Limits(commands.Case):
    def test_kernel_has_less_room_for_argv(self):
        def small_stack():
            self.preexec()
            resource.setrlimit(resource.RLIMIT_STACK, (512 * KIB, 512 * KIB))
        wynd = self.serve("--max-command", "2M", preexec=small_stack)
        client = self.client(wynd)
        for argv in ([b"x" * 100 * KIB] * 2, [b"x" * 128 * KIB]):
            row = client.outcome(client.run(
                b"/bin/true", *argv, env=self.env)).row
            self.assertEqual((INVALID, "NOT_STARTED"), (
                row.code, row.detail.reason), row)
            self.assertIn("/bin/true", row.detail.message)
            self.assertIn("too long", row.detail.message)
        self.true(client)

    def test_there_are_few_descriptors(self):
        def few():
            self.preexec()
            resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
        wynd = self.serve("--max-commands", 40, "--command-files", 64,
                          preexec=few)
        client = self.client(wynd)
        seqs = [self.sh(client, b"echo up; read x", input_stream=True)
                for _ in range(40)]
        # As many as there may be run, and the others are told why not.
        refused = [seq for seq in seqs if self.is_refused(client, seq)]
        self.assertTrue(0 < len(refused) < 40, refused)
        for seq in set(seqs) - set(refused):
            client.feed(seq, b"\n", eof=True)
            self.assertEqual(OK, client.outcome(seq).row.code)
        self.true(client)

    def is_refused(self, client, seq):
        while seq not in client.done and not client.output[seq]:
            client.take_next()
        if seq not in client.done:
            return False
        row = client.done[seq].row
        self.assertEqual((EXHAUSTED, "NOT_PREPARED", RAN_NO), (
            row.code, row.detail.reason, row.detail.ran), row)
        return True

    @unittest.skipUnless(os.geteuid() == 0, "needs a mount of its own")
    def test_private_tmp_goes_with_it(self):
        if not can_mount():
            self.skipTest("nothing can be mounted here")
        wynd = self.serve("--command-private-tmp")
        client = self.client(wynd)
        mark = "/tmp/" + self.marked.prefix
        for _ in range(2):
            outcome = client.outcome(self.sh(
                client, b'ls /tmp; echo x >"$0"; cat "$0"', mark.encode(),
                env=[b"PATH=/usr/bin:/bin"], program=b"/bin/sh"))
            self.assertEqual((OK, b"x\n"), (
                outcome.row.code, outcome.output), outcome)
            self.assertFalse(os.path.exists(mark))

    @unittest.skipUnless(os.geteuid() == 0, "root's table of users")
    def test_it_forks_until_the_limit(self):
        somebody = idle_user()
        wynd = self.serve("--command-run-as", "0=" + somebody,
                          "--command-env", "S")
        for path in (self.directory, self.place):
            os.chmod(path, 0o755)
        client = self.client(wynd)
        seq = self.sh(
            client, b'trap "" TERM; n=0; while "$S" 600 & do n=$((n + 1)); '
            b'echo $n; done; exec "$S" 600', run_as=somebody,
            limits={"processes": 20}, options={"timeout_ms": 60000})
        outcome = client.outcome(seq)
        self.assertNotEqual("NOT_PREPARED", outcome.row.detail.reason, outcome)
        # dash ends when it cannot fork, and what it left is killed.
        self.assertEqual(UNKNOWN, outcome.row.code, outcome)
        self.assertIn(b"fork", outcome.error)
        self.assertEqual(list(range(1, 20)),
                         list(map(int, outcome.output.split())))
        self.marked.gone()
        self.true(client)

    def test_no_room_for_the_ledger(self):
        full = os.path.join(self.directory, "full")
        os.mkdir(full)
        if os.geteuid() or subprocess.run(
                ["mount", "-t", "tmpfs", "-o", "size=64k", "none", full],
                check=False, stderr=subprocess.DEVNULL).returncode:
            self.skipTest("no file system of our own")
        self.addCleanup(subprocess.run, ["umount", "-l", full], check=True)
        wynd = self.serve(directory=full)
        with open(full + "/filler", "wb", buffering=0) as filler:
            with self.assertRaises(OSError):
                while True:
                    filler.write(bytes(4 * KIB))
        client = self.client(wynd)
        self.true(client)
        self.assertIn("spawner-limited", wynd.log())
        self.assertIn("No space left", wynd.log())


class InCgroups(commands.Case):
    cgroup = True
    flags = ("--max-commands", 1)

    def test_it_kills_its_own_cgroup(self):
        wynd = self.serve()
        client = self.client(wynd)
        for _ in range(3):
            seq = self.sh(client, b"""
                mount=$1 at=$(grep ^0:: /proc/self/cgroup)
                "$S" 600 & echo 1 >"$mount${at#0::}/cgroup.kill"
                exec "$S" 600""", b"sh", self.mount.encode())
            outcome = client.outcome(seq)
            self.assertEqual((ABORTED, signal.SIGKILL), (
                outcome.row.code, outcome.row.detail.signal), outcome)
            self.true(client)

    def test_daemon_of_no_environment_is_not_left(self):
        client = self.client(self.serve())
        seq = self.sh(client, b'( setsid env -i "$S" 600 & ) >&- 2>&-')
        self.assertEqual(OK, client.outcome(seq).row.code)
        self.marked.gone()
        self.true(client)


class Beside(commands.Case):
    """Two kinds of tasks, and two that ask."""

    def held(self, client):
        """A command that runs until it is fed."""
        seq = self.sh(client, b"echo up; read x; echo end",
                      input_stream=True)
        client.wrote(seq, b"up")
        return seq

    def test_commands_hold_up_no_functions(self):
        wynd = self.serve("--max-commands", 2, "--workers", 1)
        client = self.client(wynd)
        held = [self.held(client), self.held(client)]
        waiting = [self.sh(client, b"true") for _ in range(100)]
        values = client.submit("echo", [b"%d" % i for i in range(1000)])
        for seq in values:
            self.assertEqual(OK, client.outcome(seq).row.code)
        self.assertFalse(client.done.keys() & {*held, *waiting})
        for seq in held:
            client.feed(seq, b"\n", eof=True)
        for seq in held + waiting:
            self.assertEqual(OK, client.outcome(seq).row.code)

    def test_all_that_wait_are_cancelled_at_once(self):
        wynd = self.serve("--max-commands", 1)
        client = self.client(wynd)
        held = self.held(client)
        waiting = [self.sh(client, b"true") for _ in range(2000)]
        client.send(cancel={"seqs": [
            {"first": waiting[0], "count": len(waiting)}]})
        for seq in waiting:
            row = client.outcome(seq).row
            self.assertEqual((CANCELLED, RAN_NO), (row.code, row.detail.ran))
        client.feed(held, b"\n", eof=True)
        self.assertEqual(b"up\nend\n", client.outcome(held).output)

    def test_functions_hold_up_no_commands(self):
        wynd = self.serve("--workers", 1)
        client = self.client(wynd)
        busy = client.submit("sleep_ms", [b"86400000"] * 100)
        for _ in range(20):
            self.true(client)
        client.send(cancel={"seqs": [
            {"first": busy[0], "count": len(busy)}]})
        for seq in busy:
            self.assertEqual(CANCELLED, client.outcome(seq).row.code)

    def test_higher_priority_has_more_turns(self):
        """By the turns of daemon/engine/ready.h, so that none is starved."""
        wynd = self.serve("--max-commands", 1)
        client = self.client(wynd)
        held = self.held(client)
        log = os.path.join(self.directory, "log")
        for level in (LOW, NORMAL, HIGH):
            for _ in range(3 * TURNS[level]):
                self.sh(client, b'echo "$1" >>"$0"', log.encode(),
                        b"%d" % level, options={"priority": level})
        client.feed(held, b"\n", eof=True)
        client.outcomes()
        with open(log) as file:
            levels = list(map(int, file))
        round_of = sum(TURNS.values())
        self.assertEqual(3 * round_of, len(levels))
        for level, turns in TURNS.items():
            self.assertEqual(
                2 * turns, levels[:2 * round_of].count(level), levels)

    def test_connections_take_turns(self):
        wynd = self.serve("--max-commands", 1)
        many, few = self.client(wynd), self.client(wynd)
        held = self.held(many)
        log = os.path.join(self.directory, "log")
        for client, name, count in ((many, b"many", 40), (few, b"few", 4)):
            for _ in range(count):
                self.sh(client, b'echo "$1" >>"$0"', log.encode(), name)
            client.here()
        many.feed(held, b"\n", eof=True)
        few.outcomes()
        many.outcomes()
        with open(log) as file:
            names = file.read().split()
        self.assertEqual((40, 4), (names.count("many"), names.count("few")))
        last = max(i for i, name in enumerate(names) if name == "few")
        self.assertLess(last, 12, names)


if __name__ == "__main__":
    main()

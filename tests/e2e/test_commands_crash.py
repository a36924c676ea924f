# SPDX-License-Identifier: MIT
"""Commands of a wynd, a spawner, or both that are killed by SIGKILL.

KILLS is how often each of the two is; both at once, and what is rarer, are a
fifth of that. Under load means that trees of processes run (commands.TREE),
others begin and end, and more wait.
"""
import os
import re
import signal
import socket
import subprocess

import commands
from commands import DEADLINE, OK, RAN_MAYBE, TREE, UNAVAILABLE
from harness import SANITIZED, WYND, main, until

KILLS = int(os.environ.get("KILLS", "6" if SANITIZED else "50"))
TREES, WAITING = 4, 20


class Crash:
    kills = KILLS
    flags = ("--max-commands", 8, "--command-grace", "5ms")

    def load(self, client):
        """Returns when the trees are there, and others have come and gone."""
        trees = [self.sh(client, TREE) for _ in range(TREES)]
        for i in range(WAITING):
            self.sh(client, b'"$S" 0.00%d; echo end' % (i % 10))
        for seq in trees:
            client.wrote(seq, b"up")

    def spawner(self, wynd):
        return until(lambda: commands.spawner(wynd), "there is a spawner")

    def kill_spawner(self, wynd):
        os.kill(self.spawner(wynd), signal.SIGKILL)

    def crash(self, wynd, both):
        """Kills it, and perhaps the spawner before it. Whom it leaves."""
        left = {(p.pid, p.start) for p in self.marked.alive()}
        if both:
            self.kill_spawner(wynd)
        wynd.process.kill()
        wynd.wait()
        return left

    def survivors(self, left):
        return [p for p in self.marked.alive() if (p.pid, p.start) in left]

    def none_survives(self, left, wynd):
        self.assertEqual([], self.survivors(left), wynd.log())

    def state(self, wynd):
        return (wynd.open_fds(), sorted(os.listdir(self.place)),
                os.listdir(self.temporary))

    def begun(self, wynd):
        """As it is after one command."""
        return self.state(wynd), commands.fds(self.spawner(wynd))

    def starts_clean(self, left, before, *flags):
        """The next one; when its first command is over nobody of the earlier
        ones is there."""
        wynd = self.start(*flags)
        self.assertTrue(wynd.ready, wynd.log())
        client = self.client(wynd)
        self.true(client)
        self.none_survives(left, wynd)
        self.assertNotIn("spawner-limited", wynd.log())
        if before:
            self.assertEqual(before, self.begun(wynd))
        return wynd, client

    def end(self, wynd, client):
        client.sock.close()
        self.marked.gone()
        self.ends_well(wynd)

    def kill_and_start(self, kills, both):
        wynd, client = self.starts_clean((), None)
        before = self.begun(wynd)
        for _ in range(kills):
            self.load(client)
            left = self.crash(wynd, both)
            client.sock.close()
            wynd, client = self.starts_clean(left, before)
        self.end(wynd, client)

    def test_daemon_is_killed(self):
        self.kill_and_start(self.kills, False)

    def test_both_are_killed(self):
        self.kill_and_start(self.kills // 5, True)

    def test_daemon_is_ended(self):
        """By SIGTERM: what may not end by itself does not outlive it."""
        wynd, client = self.starts_clean((), None, "--drain-timeout", "50ms")
        self.load(client)
        before = os.listdir(self.temporary)
        self.assertEqual(0, wynd.stop(), wynd.log())
        client.outcomes()
        reasons = {outcome.row.detail.reason or "OK"
                   for outcome in client.done.values()}
        self.assertLessEqual(reasons, {"OK", "DRAIN_TIMEOUT"})
        self.assertIn("DRAIN_TIMEOUT", reasons)
        self.assertEqual(len(client.done), client.next_seq - 1)
        self.marked.gone()
        self.assertEqual(before, os.listdir(self.temporary))
        self.assertEqual([], [name for name in os.listdir(self.place)
                              if "commands" not in name])
        if self.cgroup:
            self.assertEqual([], next(os.walk(self.base))[1])

    def test_spawner_is_killed_while_it_begins(self):
        """What waits is started by the one that comes after."""
        wynd, client = self.starts_clean((), None)
        for _ in range(self.kills // 5):
            self.true(client)
            seqs = [self.sh(client, b'exec "$S" 600') for _ in range(WAITING)]
            client.here()
            for _ in range(2):
                last = self.spawner(wynd)
                self.kill_spawner(wynd)
                until(lambda: self.spawner(wynd) != last, "there is another")
            client.send(cancel={"seqs": [
                {"first": seqs[0], "count": len(seqs)}]})
            for seq in seqs:
                self.assertIn(client.outcome(seq).row.detail.reason,
                              ("SPAWNER_LOST", "CANCELLED_BY_CLIENT"))
        self.true(client)
        self.end(wynd, client)

    def test_spawner_is_killed(self):
        wynd, client = self.starts_clean((), None)
        before, sent, lost = self.state(wynd), {}, 0
        for _ in range(self.kills):
            # All is answered here, so those that end ran by the new one.
            client.outcomes()
            killed = len(client.done) + WAITING // 3
            for i in range(WAITING):
                options = {"timeout_ms": 30} if i % 4 == 0 else {}
                text = TREE if options else b'"$S" 0.00%d; echo end' % (i % 10)
                sent[self.sh(client, text, options=options)] = bool(options)
            while len(client.done) < killed:
                client.take_next()
            self.kill_spawner(wynd)
        client.outcomes()
        for seq, tree in sent.items():
            outcome = client.done[seq]
            row = outcome.row
            if row.detail.reason == "SPAWNER_LOST":
                lost += 1
                self.assertEqual((UNAVAILABLE, RAN_MAYBE),
                                 (row.code, row.detail.ran), row)
            elif tree:
                self.assertEqual((DEADLINE, "RUN_TIMEOUT"),
                                 (row.code, row.detail.reason), row)
            else:
                self.assertEqual((OK, b"end\n"),
                                 (row.code, outcome.output), outcome)
        self.assertGreater(lost, 0)
        # Nothing comes behind them, and it goes on.
        client.here()
        self.true(client)
        self.assertEqual(len(sent) + 2, len(client.done))
        self.marked.gone()
        until(lambda: self.state(wynd) == before, "it is as before")
        self.end(wynd, client)
        # A line for each, or in the sum of those that were held back.
        lines = wynd.log().count(" spawner-lost ")
        lines += wynd.log().count(" spawner-started ")
        held = re.findall(r" suppressed=(\d+)", wynd.log())
        self.assertEqual(2 * self.kills + 1, lines + sum(map(int, held)),
                         wynd.log())


class ByLedger(Crash, commands.Case):
    pass


class ByCgroup(Crash, commands.Case):
    cgroup = True


class ByService(Crash, commands.Case):
    """The spawner is not wynd's, and is started again by us."""
    kills = max(KILLS // 5, 5)

    def setUp(self):
        super().setUp()
        self.path = os.path.join(self.directory, "spawner")
        self.listening = self.enterContext(
            socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET))
        self.listening.bind(self.path)
        self.listening.listen()
        self.addCleanup(lambda: self.service.wait())
        self.addCleanup(lambda: self.service.kill())
        self.start_service()

    def passed(self):
        """In the child: what a service manager does."""
        os.dup2(self.listening.fileno(), 3)
        os.set_inheritable(3, True)
        os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()))

    def start_service(self):
        self.service = subprocess.Popen(
            [os.path.join(os.path.dirname(WYND), "wynd-spawner")],
            close_fds=False, preexec_fn=self.passed,
            stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def start(self, *flags, **options):
        return super().start("--spawner", self.path, *flags, **options)

    def spawner(self, wynd):
        return self.service.pid

    def kill_spawner(self, wynd):
        self.service.kill()
        self.service.wait()
        self.start_service()

    def none_survives(self, left, wynd):
        """Those of a link that is closed die beside the next one."""
        until(lambda: not self.survivors(left), "none survives")


if __name__ == "__main__":
    main()

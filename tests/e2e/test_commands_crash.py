# SPDX-License-Identifier: MIT
"""Commands of a wynd, a spawner, or both that are killed by SIGKILL.

KILLS is how often each of the two is; both at once are a fifth of that. Under
load means that trees of processes run (commands.TREE), others begin and end,
and more wait.
"""
import os
import re
import signal

import commands
from commands import (
    DEADLINE, OK, RAN_MAYBE, TREE, UNAVAILABLE)
from harness import SANITIZED, main, until

KILLS = int(os.environ.get("KILLS", "6" if SANITIZED else "50"))
TREES, WAITING = 4, 20


class Crash:
    flags = ("--max-commands", 8, "--command-grace", "5ms")

    def load(self, client):
        """Returns when the trees are there, and others have come and gone."""
        trees = [self.sh(client, TREE) for _ in range(TREES)]
        for i in range(WAITING):
            self.sh(client, b'"$S" 0.00%d; echo end' % (i % 10))
        for seq in trees:
            client.wrote(seq, b"up")

    def crash(self, wynd, also=()):
        """Kills it, and perhaps others before it. Whom it leaves."""
        left = {(p.pid, p.start) for p in self.marked.alive()}
        for pid in also:
            os.kill(pid, signal.SIGKILL)
        wynd.process.kill()
        wynd.wait()
        return left

    def survivors(self, left):
        return [p for p in self.marked.alive() if (p.pid, p.start) in left]

    def state(self, wynd):
        return (wynd.open_fds(), sorted(os.listdir(self.place)),
                os.listdir(self.temporary))

    def begun(self, wynd):
        """As it is after one command."""
        return self.state(wynd), commands.fds(commands.spawner(wynd))

    def starts_clean(self, left, before, *flags):
        """The next one; when its first command is over nobody of the earlier
        ones is there."""
        wynd = self.start(*flags)
        self.assertTrue(wynd.ready, wynd.log())
        client = self.client(wynd)
        self.true(client)
        self.assertEqual([], self.survivors(left), wynd.log())
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
            also = [commands.spawner(wynd)] if both else []
            left = self.crash(wynd, also)
            client.sock.close()
            wynd, client = self.starts_clean(left, before)
        self.end(wynd, client)

    def test_daemon_is_killed(self):
        self.kill_and_start(KILLS, False)

    def test_both_are_killed(self):
        self.kill_and_start(KILLS // 5, True)

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
        """Again and again, before it has told that it is there, or just then:
        what waits is started by a later one, or told that there is none."""
        wynd, client = self.starts_clean((), None)
        for _ in range(KILLS // 5):
            seqs = [self.sh(client, b"echo end") for _ in range(WAITING)]
            last = None
            for _ in range(2):
                last = until(lambda: self.other_spawner(wynd, last),
                             "there is another spawner")
                os.kill(last, signal.SIGKILL)
            for seq in seqs:
                row = client.outcome(seq).row
                self.assertIn(row.detail.reason, (
                    "", "SPAWNER_LOST", "SPAWNER_MISSING"), row)
        self.true(client)
        self.end(wynd, client)

    def other_spawner(self, wynd, last):
        now = commands.spawner(wynd)
        return now if now != last else None

    def test_spawner_is_killed(self):
        wynd, client = self.starts_clean((), None)
        before, sent, lost = self.state(wynd), {}, 0
        for _ in range(KILLS):
            # All is answered here, so those that end ran by the new one.
            client.outcomes()
            killed = len(client.done) + WAITING // 3
            for i in range(WAITING):
                options = {"timeout_ms": 30} if i % 4 == 0 else {}
                text = TREE if options else b'"$S" 0.00%d; echo end' % (i % 10)
                sent[self.sh(client, text, options=options)] = bool(options)
            while len(client.done) < killed:
                client.take_next()
            os.kill(commands.spawner(wynd), signal.SIGKILL)
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
        self.assertEqual(2 * KILLS + 1, lines + sum(map(int, held)),
                         wynd.log())


class ByLedger(Crash, commands.Case):
    pass


class ByCgroup(Crash, commands.Case):
    cgroup = True


if __name__ == "__main__":
    main()

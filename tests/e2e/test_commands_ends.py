# SPDX-License-Identifier: MIT
"""Trees of processes that are cancelled or timed out: nothing of them is left.

Each tree has children, orphans and a session of its own, and is deaf to
SIGTERM. TREES is how many there are, with cgroups and without.
"""
import os

import commands
from commands import CANCELLED, DEADLINE, RAN_YES, TREE
from harness import SANITIZED, main, until

TREES = int(os.environ.get("TREES", "60" if SANITIZED else "1000"))
AT_ONCE = 16
# One forks the next and ends: in its session, as often as a function of dash
# may call itself; and in a new one each, for ever.
HOPPERS = (b"""
trap "" TERM
hop() { ( hop & ); exit; }
echo up
( hop & )
exec "$S" 600
""", b"""
trap "" TERM
export H='setsid "$M" -c "$H" & exit'
echo up
( eval "$H" & )
exec "$S" 600
""")
HOPPERS_EACH = 10
AT_UP, AT_UP_AT_ONCE, UNSEEN, TIMEOUT = range(4)  # how it is ended


class Trees:
    flags = ("--max-commands", 8, "--command-grace", "5ms")

    def submit(self, client, i):
        """Those that are not seen may be queued yet, or fork still."""
        kind = i % 4
        options = {"timeout_ms": 5 + i % 16} if kind == TIMEOUT else {}
        seq = self.sh(client, TREE, options=options)
        if kind == UNSEEN:
            self.cancel(client, seq)
        return seq, kind

    def cancel(self, client, seq, grace_ms=0):
        client.send(cancel={"seqs": [{"first": seq, "count": 1}],
                            "grace_ms": grace_ms})

    def go_on(self, client, kinds):
        event = client.take_next()
        kind = kinds.get(event.seq) if event else None
        if kind in (AT_UP, AT_UP_AT_ONCE) and event.seq not in client.done:
            self.cancel(client, event.seq, kind == AT_UP_AT_ONCE)
        return event

    def state(self, wynd):
        spawner = commands.spawner(wynd)
        cgroups = next(os.walk(self.base))[1] if self.cgroup else []
        # Empty cgroups are kept for the next command, with two descriptors.
        return (spawner, commands.children(spawner), wynd.open_fds(),
                commands.fds(spawner) - 2 * len(cgroups),
                sorted(os.listdir(self.place)),
                [name for name in cgroups
                 if commands.populated(os.path.join(self.base, name))])

    def test_nothing_is_left(self):
        wynd = self.serve()
        client = self.client(wynd)
        for _ in range(AT_ONCE):
            self.true(client)
        before, kinds, started = self.state(wynd), {}, len(client.done)
        for i in range(TREES):
            while len(kinds) - len(client.done) + started >= AT_ONCE:
                self.go_on(client, kinds)
            seq, kind = self.submit(client, i)
            kinds[seq] = kind
        while self.go_on(client, kinds):
            pass
        self.assertEqual(TREES, len(kinds))
        for seq, kind in kinds.items():
            row = client.done[seq].row
            self.assertEqual(
                (DEADLINE, "RUN_TIMEOUT") if kind == TIMEOUT else
                (CANCELLED, "CANCELLED_BY_CLIENT"),
                (row.code, row.detail.reason), row)
            if kind != UNSEEN:
                self.assertEqual(RAN_YES, row.detail.ran)
        self.marked.gone()
        until(lambda: self.state(wynd) == before, "it is as before")


    def test_those_who_fork_on_are_caught(self):
        wynd = self.serve()
        client = self.client(wynd)
        self.true(client)
        before = self.state(wynd)
        env = self.env + [b"M=" + self.marked.sh.encode()]
        for text in HOPPERS * HOPPERS_EACH:
            seq = self.sh(client, text, env=env)
            client.wrote(seq, b"up")
            self.cancel(client, seq)
            row = client.outcome(seq).row
            self.assertEqual("CANCELLED_BY_CLIENT", row.detail.reason, row)
            self.marked.gone()
        until(lambda: self.state(wynd) == before, "it is as before")


class ByHunt(Trees, commands.Case):
    pass


class ByCgroup(Trees, commands.Case):
    cgroup = True


if __name__ == "__main__":
    main()

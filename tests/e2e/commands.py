# SPDX-License-Identifier: MIT
"""What tests of commands share: trees of processes, who of them is there, and
cgroups to run them in.

Processes are found by the name of their program: `Marked` copies sh and sleep
to names that nobody else has. A zombie has its name still, and an environment
that was cleared does not matter.
"""
import collections
import os
import shutil
import signal
import tempfile
import unittest

from harness import Timeout, Wynd, until
from wyn_client import OUTPUT, Client, Partial

OK, CANCELLED, UNKNOWN, INVALID, DEADLINE, NOT_FOUND = 0, 1, 2, 3, 4, 5
DENIED, EXHAUSTED, PRECONDITION, ABORTED, UNAVAILABLE = 7, 8, 9, 10, 14
RAN_NO, RAN_YES, RAN_MAYBE = 1, 2, 3

# A child, one that is forked twice, one in a session of its own, all deaf to
# SIGTERM; none ends by itself.
TREE = b"""
trap "" TERM
"$S" 600 &
( "$S" 600 & )
( setsid "$S" 600 & )
echo up
exec "$S" 600
"""

Process = collections.namedtuple("Process", "pid start state parent name")
Outcome = collections.namedtuple("Outcome", "row output error")


def processes():
    """All of the machine."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/stat" % pid) as file:
                text = file.read()
        except OSError:
            continue
        name = text[text.index("(") + 1:text.rindex(")")]
        rest = text[text.rindex(")") + 2:].split()
        found.append(Process(int(pid), int(rest[19]), rest[0], int(rest[1]),
                             name))
    return found


class Marked:
    """Programs of our own, in a directory of ours."""

    def __init__(self, directory):
        self.prefix = os.path.basename(
            tempfile.mktemp(prefix="w", dir=directory))[:9]
        self.sh = os.path.join(directory, self.prefix + "s")
        self.sleep = os.path.join(directory, self.prefix + "z")
        shutil.copy("/bin/sh", self.sh)
        shutil.copy("/bin/sleep", self.sleep)

    def alive(self):
        """A zombie counts for those who had to wait for it, and for init when
        they are dead: then it is none of ours."""
        there = {p.pid: p for p in processes()}
        ours = (self.prefix, "wynd")
        return [p for p in there.values() if p.name.startswith(self.prefix)
                and (p.state != "Z" or p.parent in there and
                     there[p.parent].name.startswith(ours))]

    def gone(self, what="no process is left"):
        try:
            until(lambda: not self.alive(), what)
        except Timeout as error:
            raise Timeout("%s: %s" % (error, self.alive()[:9])) from None

    def kill(self):
        for process in self.alive():
            try:
                os.kill(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass


def children(pid):
    return [p for p in processes() if p.parent == pid]


def spawner(wynd):
    """The process that starts its commands; None: there is none."""
    for process in children(wynd.pid):
        if process.name.startswith("wynd-spawner") and process.state != "Z":
            return process.pid
    return None


def fds(pid):
    return len(os.listdir("/proc/%d/fd" % pid))


def rss(pid):
    with open("/proc/%d/statm" % pid) as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")


def cgroup_make():
    """A cgroup (version 2) of ours, and where they are mounted; skips the test
    where we may have none."""
    with open("/proc/self/mountinfo") as mounts:
        at = [line.split()[4] for line in mounts if " - cgroup2 " in line]
    if not at:
        raise unittest.SkipTest("no cgroup2 is mounted")
    try:
        return tempfile.mkdtemp(prefix="wynd-test-", dir=at[0]), at[0]
    except OSError as error:
        raise unittest.SkipTest("no cgroup of our own: %s" % error) from None


def cgroup_remove(path):
    """With those below it, and whom a test that failed has left there."""
    with open(path + "/cgroup.kill", "w") as file:
        file.write("1")
    for name, _, _ in os.walk(path, topdown=False):
        until(lambda name=name: not populated(name), "it is empty: " + name)
        os.rmdir(name)


def populated(path):
    """False also when it is gone."""
    try:
        with open(path + "/cgroup.events") as file:
            return "populated 1" in file.read()
    except FileNotFoundError:
        return False


class Commander(Client):
    """A client that keeps what came of each command."""

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.output = collections.defaultdict(bytearray)
        self.error = collections.defaultdict(bytearray)
        self.done = {}

    def take_next(self):
        """The next event, and it is kept; None: every task is answered."""
        event = self.next()
        if event is None:
            return None
        if event.seq in self.done:
            raise AssertionError("after its row: %s" % (event,))
        if isinstance(event, Partial):
            streams = self.output if event.stream == OUTPUT else self.error
            streams[event.seq] += event.data
        else:
            self.done[event.seq] = Outcome(
                event, bytes(self.output.pop(event.seq, b"")),
                bytes(self.error.pop(event.seq, b"")))
        return event

    def outcome(self, seq):
        """Of that one; what comes before is kept."""
        while seq not in self.done:
            if self.take_next() is None:
                raise AssertionError("no row of %d" % seq)
        return self.done[seq]

    def outcomes(self):
        """Of all that were submitted."""
        while self.take_next():
            pass
        return self.done

    def wrote(self, seq, text):
        """Waits until the output of that one has the text."""
        while text not in self.output[seq]:
            if seq in self.done:
                raise AssertionError("over: %s" % (self.done[seq],))
            self.take_next()

    def here(self):
        """A call and its answer: what was sent before it has been read."""
        return self.call(functions={})


class Case(unittest.TestCase):
    flags = ()
    cgroup = False

    def setUp(self):
        self.directory = self.enterContext(tempfile.TemporaryDirectory())
        # What is opened for a while would be here, and stay.
        self.temporary = os.path.join(self.directory, "tmp")
        self.place = os.path.join(self.directory, "run")
        os.mkdir(self.temporary)
        os.mkdir(self.place)
        self.marked = Marked(self.directory)
        self.addCleanup(self.marked.kill)
        self.base = "none"
        if self.cgroup:
            self.base, self.mount = cgroup_make()
            self.addCleanup(cgroup_remove, self.base)
        self.env = [b"PATH=/usr/bin:/bin", b"S=" + self.marked.sleep.encode()]

    def preexec(self):
        os.environ["TMPDIR"] = self.temporary

    def start(self, *flags, directory=None, preexec=None, **options):
        """A wynd that is not entered: it may be killed."""
        wynd = Wynd("--commands", "--command-cgroup", self.base, *self.flags,
                    *flags, directory=directory or self.place,
                    preexec=preexec or self.preexec, **options)
        self.addCleanup(wynd.destroy)
        return wynd

    def serve(self, *flags, **options):
        """One that has to end well when the test is over."""
        wynd = self.start(*flags, **options)
        self.assertTrue(wynd.ready, wynd.log())
        self.addCleanup(self.ends_well, wynd)
        return wynd

    def ends_well(self, wynd):
        self.assertEqual(0, wynd.stop(), wynd.log())
        self.marked.gone()
        self.assertEqual([], os.listdir(self.temporary))
        if self.cgroup:
            self.assertEqual([], next(os.walk(self.base))[1])

    def client(self, wynd, **options):
        client = Commander(wynd.address("unix"), **options)
        self.addCleanup(client.sock.close)
        return client

    def sh(self, client, text, *args, stream=True, **more):
        """Runs a script, by the shell that is ours."""
        options = {"stream": stream, **more.pop("options", {})}
        return client.run(
            more.pop("program", self.marked.sh.encode()), b"-c", text, *args,
            options=options, **{"env": self.env, **more})

    def true(self, client):
        """One that runs and ends well: by then the spawner is there."""
        outcome = client.outcome(self.sh(client, b"echo true"))
        self.assertEqual((OK, b"true\n"), (
            outcome.row.code, outcome.output), outcome)

# SPDX-License-Identifier: MIT
"""wynctl and what its standard streams are: closed, stuck, a terminal."""
import json
import os
import re
import select
import signal
import subprocess
import tempfile

from harness import (PATIENCE, WYNCTL, Wynd, greet, main, receive_end,
                     until)
from test_wynctl import (FAILED, INTERRUPTED, OK, Case, environment,
                         start_wynctl)


class Cases(Case):
    @classmethod
    def setUpClass(cls):
        cls.wynd = cls.enterClassContext(Wynd())
        cls.address = cls.wynd.address("unix")

    def shell(self, line, **options):
        """Runs a line of sh, in which $W is wynctl with its address."""
        return subprocess.run(
            ["sh", "-c", line.replace("$W", "%s -c %s" % (
                WYNCTL, self.address))],
            env=environment(), capture_output=True, timeout=PATIENCE,
            check=False, **options)

    def stats(self):
        return json.loads(self.ends(self.shell("$W stats --json"), OK))

    def started(self, *args, **options):
        return start_wynctl(self, "-c", self.address, *args, **options)

    def interrupt(self, process):
        """SIGINT, and waits until it has got it. Two at once would be one."""
        def delivered():
            with open("/proc/%d/status" % process.pid) as status:
                pending = re.search(r"^ShdPnd:\s*(\S+)$", status.read(), re.M)
            return not int(pending[1], 16) >> signal.SIGINT - 1 & 1
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            until(lambda: process.poll() is not None or delivered(),
                  "SIGINT is let in")

    def ends_when_interrupted(self, process):
        """By the second one at the latest."""
        for _ in range(2):
            self.interrupt(process)
        self.assertEqual(process.wait(PATIENCE), INTERRUPTED)

    def stuck(self, *args, **options):
        """Started, and the pipe of its output is full."""
        output, end = os.pipe()
        process = self.started(*args, stdout=end, **options)
        process.stdout = os.fdopen(output, "rb")
        try:
            until(lambda: not select.select([], [end], [], 0)[1],
                  "its output is full")
        finally:
            os.close(end)
        return process

    def numbers(self, count):
        """A file of so many lines."""
        file = self.enterContext(tempfile.TemporaryFile())
        file.write(b"".join(b"%099d\n" % i for i in range(count)))
        file.seek(0)
        return file


class Closed(Cases):
    def test_no_standard_input(self):
        for command in "map echo", "call echo -":
            done = self.shell("$W %s <&-" % command)
            self.assertEqual(self.ends(done, FAILED, [b"input"]), b"")

    def test_no_standard_input_that_is_wanted(self):
        self.assertEqual(
            self.ends(self.shell("$W call echo x <&-"), OK), b"x\n")

    def test_no_standard_output(self):
        self.ends(self.shell("$W call echo hi >&-"), FAILED,
                  [b"cannot write to standard output"])

    def test_no_standard_error(self):
        failed = self.stats()["connections_failed"]
        for streams in "2>&-", "<&- 2>&-", "<&- >&- 2>&-":
            done = self.shell("$W call ecko hi " + streams)
            self.assertEqual(
                (done.returncode, done.stdout, done.stderr),
                (FAILED, b"", b""))
        self.assertEqual(self.stats()["connections_failed"], failed)


class Interrupted(Cases):
    def test_interrupts_while_it_reads_a_file(self):
        directory = self.enterContext(tempfile.TemporaryDirectory())
        name = directory + "/fifo"
        os.mkfifo(name)
        process = self.started("map", "--files", "sha256", name)
        def opened():
            try:
                return os.open(name, os.O_WRONLY | os.O_NONBLOCK)
            except OSError:
                return None
        self.addCleanup(os.close, until(opened, "wynctl reads the file"))
        self.ends_when_interrupted(process)

    def test_interrupts_while_nobody_reads_its_output(self):
        process = self.stuck("map", "echo", stdin=self.numbers(200000))
        self.ends_when_interrupted(process)


class Stuck(Cases):
    """Nobody reads the output for longer than the daemon waits for a client
    that says nothing; one that never answers it tells when that is over."""

    @classmethod
    def setUpClass(cls):
        cls.wynd = cls.enterClassContext(Wynd("--keepalive", "1s"))
        cls.address = cls.wynd.address("unix")

    def survives(self, process):
        with self.wynd.connect() as silent:
            greet(silent)
            receive_end(silent)
        self.assertIsNone(process.poll())

    def test_map_goes_on(self):
        lines = self.numbers(200000)
        process = self.stuck("map", "echo", stdin=lines)
        self.survives(process)
        self.assertLess(self.stats()["tasks_ok"], 100000)
        out = process.communicate(timeout=PATIENCE)[0]
        lines.seek(0)
        self.assertTrue(out == lines.read())
        self.assertEqual(process.returncode, OK)

    def test_call_goes_on(self):
        process = self.stuck("call", "--stream", "count", "900000")
        self.survives(process)
        out = process.communicate(timeout=PATIENCE)[0].split()
        self.assertTrue(
            out == [b"%d" % (i + 1) for i in range(900000)] + [b"900000"])
        self.assertEqual(process.returncode, OK)


class Terminal(Cases):
    def shows(self, what, *args):
        ours, theirs = os.openpty()
        self.addCleanup(os.close, ours)
        process = subprocess.Popen(
            [WYNCTL, "-c", self.address, *args], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=theirs, env=environment())
        os.close(theirs)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        seen = b""
        while what not in seen:
            self.assertTrue(select.select([ours], [], [], PATIENCE)[0], seen)
            seen += os.read(ours, 4096)

    def test_progress_of_few_tasks_that_are_slow(self):
        self.shows(b" 1/2,", "map", "sleep_ms", "0", "600000")
        self.shows(b" 1/2,", "map", "sleep_ms", "wrong", "600000")
        self.shows(b" 0/3,", "map", "-u", "sleep_ms", *["600000"] * 3)


if __name__ == "__main__":
    main()

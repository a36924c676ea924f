# SPDX-License-Identifier: MIT
"""wynctl list, explain, module, reload and stats --watch, with real daemons.

One worker and three loops: a slow task holds the worker, and what comes behind
it waits where a list shows it.
"""
import json
import os
import pty
import shutil
import signal
import subprocess
import tempfile

from harness import (PATIENCE, WYNCTL, Wynd, field, frame, greet, main,
                     submit, until)
from test_wynctl import (FAILED, OK, PERMISSION, TRY_AGAIN, USAGE, Case,
                         environment, wynctl)

SLOW = b"600000"  # ms; sleep_ms ends when its client goes
NOBODY = 65534


class Lists(Case):
    def setUp(self):
        self.wynd = self.enterContext(Wynd(
            "--loops", 3, "--workers", 1, "--socket-mode", "0666",
            listen=("unix:@/s", "tcp:127.0.0.1:0")))
        self.address = self.wynd.address("unix")

    def ctl(self, *args, address=None, **options):
        return wynctl("-c", address or self.address, *args, **options)

    def prints(self, *args, **options):
        return self.ends(self.ctl(*args, **options), OK).decode()

    def rows(self, *args, **options):
        lines = self.prints("list", "--json", *args, **options).splitlines()
        return [json.loads(line) for line in lines]

    def client(self, kind="unix"):
        sock = self.wynd.connect(kind)
        self.addCleanup(sock.close)
        greet(sock)
        return sock

    def busy(self, count=6, sock=None):
        """So many slow tasks, of which one runs."""
        sock = sock or self.client()
        sock.sendall(submit(1, "sleep_ms", *[SLOW] * count))
        until(lambda: len(self.rows()) == count and
              "running" in [row["state"] for row in self.rows()],
              "one task runs and the others wait")
        return sock

    def test_list_shows_what_waits_behind_a_slow_task(self):
        self.busy(6)
        rows = self.rows()
        self.assertEqual([row["seq"] for row in rows], list("123456"))
        self.assertEqual([row["state"] for row in rows].count("running"), 1)
        self.assertEqual(rows[0]["state"], "running")
        self.assertGreater(rows[0]["run_ns"], 0)
        self.assertIsNone(rows[5]["run_ns"])
        self.assertEqual(rows[5]["state"], "queued")
        for row in rows:
            self.assertEqual(row["function"], "sleep_ms")
            self.assertEqual(row["argument_bytes"], len(SLOW))
            self.assertEqual(row["priority"], "normal")
        lines = self.prints("list").splitlines()
        self.assertEqual(lines[0].split()[:4], ["ID", "CONN", "SEQ", "STATE"])
        self.assertEqual([line.split()[0] for line in lines[1:]],
                         [row["id"] for row in rows])

    def test_list_gathers_from_every_loop(self):
        socks = [self.client() for _ in range(6)]
        for sock in socks:
            sock.sendall(submit(1, "sleep_ms", SLOW, SLOW, SLOW))
        rows = until(lambda: len(self.rows()) == 18 and self.rows(),
                     "all are listed")
        self.assertEqual({row["loop"] for row in rows}, {0, 1, 2})
        self.assertEqual(len({row["connection"] for row in rows}), 6)
        ids = [int(row["id"]) for row in rows]
        self.assertEqual(ids, sorted(set(ids)))

    def test_list_has_pages_and_a_limit(self):
        count = 1000  # a page has 256
        self.busy(count)
        rows = self.rows()
        self.assertEqual(len({row["id"] for row in rows}), count)
        part = self.rows("--after", rows[299]["id"], "--limit", 300)
        self.assertEqual([row["id"] for row in part],
                         [row["id"] for row in rows[300:600]])

    def test_list_is_filtered(self):
        self.busy(4)
        other = self.client()
        other.sendall(submit(1, "echo", b"x"))
        until(lambda: len(self.rows()) == 5, "all are listed")
        echo, = self.rows("--function", "echo")
        self.assertEqual(echo["state"], "next")
        same, = self.rows("--connection", echo["connection"])
        self.assertEqual(same["id"], echo["id"])
        self.assertEqual(len(self.rows("--state", "running")), 1)
        self.assertEqual(self.rows("--state", "uploading"), [])
        self.assertEqual(self.rows("--function", "noop"), [])

    def test_explain_says_what_a_task_waits_for(self):
        self.busy(6)
        first, *_, last = self.rows()

        def explain(*args):
            return json.loads(self.prints("explain", "--json", *args))

        told = explain(last["id"])
        self.assertEqual(told["why"], "executor-full")
        self.assertEqual(told["state"], "queued")
        self.assertEqual(told["ahead"], 3)
        self.assertEqual(told["executor_tasks"], 2)
        told = explain("6", "--connection", last["connection"])
        self.assertEqual(told["id"], last["id"])
        self.assertEqual(explain(first["id"])["why"], "function")
        self.assertEqual(explain("2", "--connection",
                                 first["connection"])["why"], "workers")
        self.assertIn("the workers are busy",
                      self.prints("explain", last["id"]))
        self.assertIn("running: a worker runs it, for ",
                      self.prints("explain", first["id"]))
        self.ends(self.ctl("explain", "1"), FAILED,
                  [b"no task", b"if it is a seq, give --connection"])

    def test_explain_tells_the_times_that_are_left(self):
        sock = self.client()
        options = field(2, 500000) + field(3, 900000)
        body = field(1, 1) + field(2, "sleep_ms") + field(3, options)
        sock.sendall(frame(field(1, body + field(4, SLOW) + field(4, SLOW))))
        until(lambda: self.rows("--state", "running"), "one runs")
        running = self.rows()[0]
        self.assertEqual(running["timeout_ms"], 500000)
        self.assertEqual(running["deadline_ms"], 900000)
        told = self.prints("explain", running["id"])
        self.assertRegex(told, r"timeout 8\.3m, [0-9.]+m left")
        self.assertRegex(told, r"deadline 15\.0m, [0-9.]+m left")
        self.assertIn("timeout 8.3m from when it begins",
                      self.prints("explain", self.rows()[1]["id"]))

    def test_others_see_what_is_theirs(self):
        self.busy(3)
        tcp = self.wynd.address("tcp")
        self.assertEqual(self.rows(address=tcp), [])
        ours, = self.rows("--limit", 1)
        self.ends(self.ctl("explain", ours["id"], address=tcp), FAILED,
                  [b"no task", b"if it is a seq"])
        for command in "reload", "drain":
            self.ends(self.ctl(command, address=tcp), PERMISSION,
                      [b"only root"])

    def test_another_user_sees_the_tasks_of_that_user(self):
        if os.geteuid() != 0 or not shutil.which("setpriv"):
            self.skipTest("needs root, to become somebody else")
        self.busy(3)
        with tempfile.TemporaryDirectory() as directory:
            # Where that user may look, wherever the build tree is.
            os.chmod(directory, 0o755)
            os.chmod(self.wynd.directory, 0o755)
            program = shutil.copy(WYNCTL, directory)
            command = ["setpriv", "--reuid", str(NOBODY), "--regid",
                       str(NOBODY), "--clear-groups", program, "-c",
                       self.address]
            run = {"env": environment(), "capture_output": True,
                   "timeout": PATIENCE, "check": False, "cwd": "/"}
            done = subprocess.run(command + ["list", "--json"], **run)
            self.assertEqual(self.ends(done, OK), b"")
            done = subprocess.run(command + ["reload"], **run)
            self.ends(done, PERMISSION, [b"only root"])
            with subprocess.Popen(
                    command + ["call", "sleep_ms", SLOW.decode()],
                    env=environment(), cwd="/", stderr=subprocess.PIPE,
                    stdout=subprocess.PIPE) as call:
                until(lambda: len(self.rows()) == 4, "it is there")
                done = subprocess.run(command + ["list", "--json"], **run)
                theirs = json.loads(self.ends(done, OK))
                self.assertEqual(theirs["client"], "wynctl")
                call.kill()

    def test_module_list(self):
        rows = [json.loads(line) for line in
                self.prints("module", "list", "--json").splitlines()]
        self.assertEqual([row["name"] for row in rows],
                         sorted(row["name"] for row in rows))
        digest, = (row for row in rows if row["name"] == "digest")
        self.assertEqual(digest["functions"], 3)
        self.assertEqual(digest["file"], "digest.so")
        self.assertRegex(self.prints("module", "list"),
                         r"(?m)^digest +\S+ +3 functions +digest.so$")

    def test_usage(self):
        for args in (["list", "x"], ["list", "--state", "busy"],
                     ["explain"], ["explain", "x"], ["explain", "0"],
                     ["module"], ["module", "lost"], ["stats", "1s"],
                     ["stats", "--count", "2"], ["stats", "--watch", "x"],
                     ["call", "--limit", "3", "echo"]):
            with self.subTest(args):
                self.ends(self.ctl(*args), USAGE)

    def test_watch_prints_a_line_each_time(self):
        told = self.prints("stats", "--watch", "5ms", "-n", "3")
        lines = told.splitlines()
        self.assertEqual(len(lines), 3)
        for line in lines:
            self.assertRegex(line, r"^uptime_s=[0-9.]+ connections_open=1 "
                             r"tasks_held=0 .* turns/s=[1-9]")
        lines = self.prints(
            "stats", "--watch", "5ms", "-n", "2", "--json").splitlines()
        for row in map(json.loads, lines):
            self.assertGreater(row["rates"]["turns"], 0)
            self.assertEqual(row["loops"], 3)

    def test_watch_ends_well_by_sigint(self):
        with subprocess.Popen(
                [WYNCTL, "-c", self.address, "stats", "--watch", "10ms"],
                stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                env=environment()) as watch:
            self.assertIn(b"uptime_s=", watch.stdout.readline())
            watch.send_signal(signal.SIGINT)
            _, said = watch.communicate(timeout=PATIENCE)
            self.assertEqual((watch.returncode, said), (OK, b""))

    def test_watch_fills_a_terminal(self):
        ours, theirs = pty.openpty()
        self.addCleanup(os.close, ours)
        with subprocess.Popen(
                [WYNCTL, "-c", self.address, "stats", "--watch", "5ms", "-n",
                 "1"], stdout=theirs, env=environment()) as watch:
            os.close(theirs)
            told = b""
            try:
                while more := os.read(ours, 65536):
                    told += more
            except OSError:  # nobody is left at the other end
                pass
            self.assertEqual(watch.wait(PATIENCE), OK)
        self.assertTrue(told.startswith(b"\x1b[H\x1b[2J"))
        self.assertRegex(told, rb"\nturns +[0-9]+ +[0-9]+/s")

    def test_watch_says_when_the_daemon_ends(self):
        with subprocess.Popen(
                [WYNCTL, "-c", self.address, "stats", "--watch", "10ms"],
                stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                env=environment()) as watch:
            watch.stdout.readline()
            self.assertEqual(self.wynd.stop(), 0)
            _, said = watch.communicate(timeout=PATIENCE)
            self.assertEqual(watch.returncode, TRY_AGAIN, said)
            self.assertIn(b"wynctl: ", said)


if __name__ == "__main__":
    main()

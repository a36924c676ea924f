# SPDX-License-Identifier: MIT
"""Tasks that wynctl leaves behind: run and call --detach, and who asks later.

With real daemons. Commands wait at a FIFO for as long as a test wants them to.
"""
import hashlib
import os
import shutil
import signal
import subprocess
import tempfile

from harness import PATIENCE, WYNCTL, Wynd, main, until
from test_wynctl import (FAILED, OK, PERMISSION, USAGE, Case, environment,
                         start_wynctl, wynctl)
from wynctl_json import rows_of

NOBODY = 65534
LOST = 125  # as run: wynctl or wynd failed
UNKNOWN = "1"  # no id begins so low


class KeepCase(Case):
    flags = ("--commands", "--loops", 2, "--socket-mode", "0666",
             "--command-users", os.geteuid(), "--command-users", NOBODY)
    listen = ("unix:@/s", "tcp:127.0.0.1:0")

    def setUp(self):
        self.wynd = self.enterContext(Wynd(*self.flags, listen=self.listen))
        self.address = self.wynd.address("unix")
        self.directory = self.enterContext(tempfile.TemporaryDirectory())
        self.gate = self.directory + "/gate"
        os.mkfifo(self.gate)

    def ctl(self, *args, **options):
        return wynctl("-c", self.address, *args, **options)

    def prints(self, *args, **options):
        return self.ends(self.ctl(*args, **options), OK)

    def rows(self, command, *args, code=OK):
        """What it prints with --json, as the schema says."""
        done = self.ctl("--json", command, *args)
        self.assertEqual(done.returncode, code, done)
        return rows_of(command, done.stdout)

    def detach(self, *args):
        """The id of a shell's task that was left behind."""
        *options, script = args
        return self.id_of(self.prints(
            "run", "--detach", *options, "sh", "-c", script))

    def id_of(self, printed):
        self.assertRegex(printed, rb"\A[0-9]+\n\Z")
        return printed.decode().strip()

    def started(self, *args):
        return start_wynctl(self, "-c", self.address, *args)

    def held(self, script="", before=""):
        """One that waits at the gate, and then goes on with the script."""
        return self.detach("%s read word <%s; %s" % (
            before and before + ";", self.gate, script))

    def let_go(self):
        """Blocks until it is there."""
        with open(self.gate, "w") as gate:
            gate.write("go\n")

    def state(self, task):
        row, = self.rows("show", task)
        return row["state"]


class Detached(KeepCase):
    def test_detach_prints_the_id_and_waits_for_nothing(self):
        with subprocess.Popen(
                [WYNCTL, "-c", self.address, "run", "--detach", "sh", "-c",
                 "cat; echo end"], stdin=subprocess.PIPE,
                stdout=subprocess.PIPE, env=environment()) as process:
            # An input that never ends is not what it reads.
            printed = process.stdout.read()
            self.assertEqual(process.wait(PATIENCE), OK)
            task = self.id_of(printed)
            self.assertEqual(self.prints("logs", "-f", task), b"end\n")
        row, = self.rows("run", "--detach", "true")
        self.prints("wait", row["id"])

    def test_another_wynctl_waits(self):
        task = self.held("exit 7")
        wait = self.started("wait", task)
        self.assertIn(self.state(task), ("queued", "next", "running"))
        self.let_go()
        self.assertEqual(wait.communicate(timeout=PATIENCE), (b"", b""))
        self.assertEqual(wait.returncode, 7)
        # And later as well.
        self.assertEqual(self.ctl("wait", task).returncode, 7)

    def test_wait_ends_as_the_last_one(self):
        seven, eight = self.detach("exit 7"), self.detach("exit 8")
        killed = self.detach("kill -9 $$")
        self.assertEqual(self.ctl("wait", seven, eight).returncode, 8)
        self.assertEqual(self.ctl("wait", eight, seven).returncode, 7)
        self.assertEqual(self.ctl("wait", seven, killed).returncode, 137)
        done = self.ctl("wait", UNKNOWN, seven)
        self.assertEqual((done.returncode, done.stderr.count(b"\n")), (7, 1))
        self.ends(self.ctl("wait", seven, UNKNOWN), LOST, [b"no task"])
        rows = self.rows("wait", seven, killed, UNKNOWN, code=LOST)
        self.assertEqual(
            [(row.get("exit_status"), row.get("signal")) for row in rows],
            [(7, None), (None, 9), (None, None)])
        self.assertEqual(rows[2]["reason"], "TASK_UNKNOWN")

    def test_wait_says_what_run_would(self):
        task = self.id_of(self.prints("run", "--detach", "/nowhere/program"))
        self.ends(self.ctl("wait", task), 127, [b"/nowhere/program"])
        task = self.id_of(self.prints(
            "run", "--detach", "--timeout", "10ms", "sleep", "600"))
        self.assertEqual(self.ctl("wait", task).returncode, 124)

    def test_a_client_that_is_killed_takes_nothing_along(self):
        task = self.held("echo done", before="echo begun")
        follower = self.started("logs", "-f", task)
        self.assertEqual(follower.stdout.readline(), b"begun\n")
        with_client = self.started("run", "--label", "mine", "sleep", "600")
        until(lambda: self.rows("list", "--label", "mine"), "it is there")
        for process in follower, with_client:
            process.kill()
            process.wait(PATIENCE)
        until(lambda: not self.rows("list", "--label", "mine"), "it ended")
        self.let_go()
        self.prints("wait", task)
        self.assertEqual(self.prints("logs", task), b"begun\ndone\n")

    def test_refusals(self):
        with Wynd() as wynd:
            done = wynctl("-c", wynd.address("unix"), "run", "--detach",
                          "true")
            self.ends(done, LOST, [b"true: "])
        self.ends(self.ctl("call", "--detach", "no_such_function"), FAILED,
                  [b"no_such_function: "])
        done = wynctl("-c", self.wynd.address("tcp"), "call", "--detach",
                      "echo")
        self.ends(done, PERMISSION, [b"Unix socket"])
        done = wynctl("-c", "unix:/nowhere", "run", "--detach", "true")
        self.ends(done, LOST)

    def test_usage(self):
        for args, code in ((["wait"], LOST), (["wait", "x"], LOST),
                           (["logs", "1", "2"], USAGE), (["show"], USAGE),
                           (["cancel", "0"], USAGE), (["signal", "1"], USAGE),
                           (["signal", "NONE", "1"], USAGE),
                           (["signal", "65", "1"], USAGE),
                           (["map", "--detach", "echo", "x"], USAGE),
                           (["call", "--detach", "--stream", "count"], USAGE),
                           (["call", "--label", "x" * 64, "echo"], USAGE),
                           (["run", "-l", "x" * 64, "true"], LOST)):
            with self.subTest(args):
                self.ends(self.ctl(*args), code)


class Logs(KeepCase):
    def test_streams_go_where_they_went(self):
        task = self.detach("echo out; echo err >&2; echo more")
        self.prints("wait", task)
        for flag in (), ("-f",):
            done = self.ctl("logs", *flag, task)
            self.assertEqual(
                (done.returncode, done.stdout, done.stderr),
                (OK, b"out\nmore\n", b"err\n"))
        rows = self.rows("logs", task)
        self.assertEqual("".join(row.get("stdout", "") for row in rows),
                         "out\nmore\n")
        self.assertEqual("".join(row.get("stderr", "") for row in rows),
                         "err\n")
        self.ends(self.ctl("logs", UNKNOWN), FAILED, [b"no task"])

    def test_follow_goes_on_until_the_end(self):
        task = self.held("echo second", before="echo first")
        follower = self.started("logs", "--follow", task)
        self.assertEqual(follower.stdout.readline(), b"first\n")
        # Without it what there is is all.
        self.assertEqual(self.prints("logs", task), b"first\n")
        self.let_go()
        self.assertEqual(follower.communicate(timeout=PATIENCE),
                         (b"second\n", b""))
        self.assertEqual(follower.returncode, OK)

    def test_output_is_unchanged_and_bounded(self):
        data = os.urandom(3 << 20)
        path = self.directory + "/data"
        with open(path, "wb") as file:
            file.write(data)
        task = self.detach("head -c 500000 " + path)
        self.prints("wait", task)
        self.assertEqual(self.prints("logs", task), data[:500000])
        task = self.detach("cat " + path)
        self.prints("wait", task)
        done = self.ctl("logs", task)
        self.assertEqual(done.returncode, OK)
        self.assertIn(b"bytes are no longer kept", done.stderr)
        self.assertGreater(len(done.stdout), 0)
        self.assertTrue(data.endswith(done.stdout))
        gone = int(done.stderr.split()[1])
        self.assertEqual(gone + len(done.stdout), len(data))

    def test_a_reader_that_has_gone_ends_it(self):
        task = self.detach("head -c 900000 /dev/zero")
        self.prints("wait", task)
        logs = self.started("logs", task)
        logs.stdout.close()
        self.assertEqual(logs.wait(PATIENCE), FAILED)
        logs.stdout = None

    def test_value_of_a_function(self):
        task = self.id_of(self.prints("call", "--detach", "echo", "hello"))
        self.prints("wait", task)
        self.assertEqual(self.prints("logs", task), b"hello\n")
        self.assertEqual(self.prints("logs", "-f", "--raw", task), b"hello")
        row, = self.rows("logs", task)
        self.assertEqual(row, {"value": "hello"})
        task = self.id_of(self.prints("call", "--detach", "count", "3"))
        self.assertEqual(self.prints("logs", "-f", task), b"1\n2\n3\n3\n")

    def test_argument_and_value_larger_than_a_frame(self):
        data = os.urandom(3 << 20)
        for function, value in (("echo", data), (
                "sha256", hashlib.sha256(data).hexdigest().encode())):
            task = self.id_of(self.prints(
                "call", "--detach", function, "-", stdin=data))
            self.prints("wait", task)
            self.assertEqual(self.prints("logs", "--raw", task), value)

    def test_program_that_is_not_there_is_named_once(self):
        task = self.id_of(self.prints("run", "--detach", "/no/such"))
        done = self.ctl("wait", task)
        self.assertEqual(done.returncode, 127, done)
        self.assertEqual(done.stderr.count(b"/no/such"), 1, done)

    def test_function_that_fails(self):
        task = self.id_of(self.prints(
            "call", "--detach", "fail", "10 why it did"))
        self.ends(self.ctl("wait", task), FAILED, [b"fail: why it did"])
        done = self.ctl("logs", task)
        self.assertEqual((done.returncode, done.stdout), (OK, b""))
        self.assertIn(b"fail: why it did", done.stderr)
        row, = self.rows("show", task)
        self.assertEqual((row["status"], row["exit_status"], row["usage"]),
                         ("ABORTED", None, None))


class Looks(KeepCase):
    def test_show(self):
        task = self.held("echo 1234; exit 3")
        until(lambda: self.state(task) == "running", "it runs")
        row, = self.rows("show", task)
        self.assertEqual((row["kept"], row["why"], row["status"]),
                         (True, "command", None))
        self.assertIn(b"running: ", self.prints("show", task))
        self.let_go()
        self.ctl("wait", task)
        row, = self.rows("show", task)
        self.assertEqual(
            (row["state"], row["exit_status"], row["output_bytes"],
             row["usage"]["stdout_bytes"]), ("ended", 3, 5, 5))
        self.assertGreater(row["left_ns"], 0)
        told = self.prints("show", task).decode()
        self.assertIn("ended: exit status 3", told)
        self.assertIn("wrote 5 bytes to standard output", told)
        self.assertRegex(told, "kept for [0-9.]+m more")
        self.ends(self.ctl("show", UNKNOWN), FAILED, [b"no task"])

    def test_show_one_that_ends_with_its_client(self):
        self.started("call", "sleep_ms", "600000")
        row, = until(lambda: self.rows("list", "--state", "running"), "it runs")
        told, = self.rows("show", row["id"])
        self.assertEqual((told["kept"], told["why"]), (False, "function"))
        self.assertIn(b"ends with its connection", self.prints(
            "show", row["id"]))

    def test_list_by_label_and_state(self):
        ended = self.detach("--label", "a b", "exit 3")
        self.ctl("wait", ended)
        held = self.held()
        task = self.id_of(self.prints(
            "call", "--detach", "--label", "a b", "echo", "x"))
        self.prints("wait", task)
        rows = self.rows("list", "--label", "a b")
        self.assertEqual({row["id"] for row in rows}, {ended, task})
        rows = {row["id"]: row for row in self.rows("list")}
        self.assertEqual(
            [(rows[i]["state"] == "ended", rows[i]["exit_status"],
              rows[i]["status"], rows[i]["label"])
             for i in (ended, task, held)],
            [(True, 3, "UNKNOWN", "a b"), (True, None, "OK", "a b"),
             (False, None, None, None)])
        self.assertEqual(
            {row["id"] for row in self.rows("list", "--state", "ended")},
            {ended, task})
        told = self.prints("list").decode()
        self.assertRegex(told, r"(?m)^%s .* ended +3 .* a b$" % ended)
        self.assertRegex(told, r"(?m)^%s .* -  " % held)
        self.let_go()

    def test_another_user_sees_nothing(self):
        if os.geteuid() != 0 or not shutil.which("setpriv"):
            self.skipTest("needs root, to become somebody else")
        os.chmod(self.wynd.directory, 0o755)
        os.chmod(self.directory, 0o755)
        program = shutil.copy(WYNCTL, self.directory)

        def nobody(*args):
            return subprocess.run(
                ["setpriv", "--reuid", str(NOBODY), "--regid", str(NOBODY),
                 "--clear-groups", program, "-c", self.address, *args],
                env=environment(), capture_output=True, timeout=PATIENCE,
                check=False, cwd="/", stdin=subprocess.DEVNULL)
        held = self.held("echo secret")
        for command in "show", "logs", "cancel":
            self.ends(nobody(command, held), FAILED, [b"no task"])
        self.ends(nobody("signal", "KILL", held), FAILED, [b"no task"])
        self.ends(nobody("wait", held), LOST, [b"no task"])
        self.assertEqual(self.ends(nobody("--json", "list"), OK), b"")
        self.let_go()
        self.prints("wait", held)
        self.ends(nobody("logs", held), FAILED, [b"no task"])
        self.assertEqual(self.ends(nobody("--json", "list"), OK), b"")
        # Root sees what is his.
        theirs = self.id_of(self.ends(nobody(
            "run", "--detach", "sh", "-c", "id -u"), OK))
        self.prints("wait", theirs)
        self.assertEqual(self.prints("logs", theirs), b"%d\n" % NOBODY)
        self.assertEqual(self.ends(nobody("logs", theirs), OK),
                         b"%d\n" % NOBODY)


class Ends(KeepCase):
    def test_cancel(self):
        tasks = [self.held(), self.held()]
        self.assertEqual(self.prints("cancel", *tasks), b"")
        for task in tasks:
            self.assertEqual(self.ctl("wait", task).returncode, 143)
        done = self.ctl("cancel", UNKNOWN, tasks[0])
        self.assertEqual((done.returncode, done.stderr.count(b"no task")),
                         (FAILED, 2), done)
        rows = self.rows("cancel", self.held(), UNKNOWN, code=FAILED)
        self.assertEqual([row["status"] for row in rows], ["OK", "NOT_FOUND"])
        # A function that looks whether it is cancelled.
        task = self.id_of(self.prints("call", "--detach", "sleep_ms",
                                      "600000"))
        self.prints("cancel", task)
        self.ends(self.ctl("wait", task), FAILED)

    def test_cancel_with_grace(self):
        task = self.detach("trap '' TERM; echo begun; while :; do sleep 600; "
                           "done")
        logs = self.started("logs", "-f", task)
        self.assertEqual(logs.stdout.readline(), b"begun\n")
        self.prints("cancel", "--grace", "10ms", task)
        self.assertEqual(self.ctl("wait", task).returncode, 143)
        row, = self.rows("wait", task, code=143)
        self.assertEqual(row["signal"], signal.SIGKILL)

    def test_signal_by_name_and_number(self):
        for name in "USR1", "sigusr1", str(int(signal.SIGUSR1)):
            task = self.detach("trap 'exit 5' USR1; echo begun; "
                               "while :; do read word <%s; done" % self.gate)
            logs = self.started("logs", "-f", task)
            self.assertEqual(logs.stdout.readline(), b"begun\n")
            self.assertEqual(self.prints("signal", name, task), b"")
            self.assertEqual(self.ctl("wait", task).returncode, 5)
        row, = self.rows("signal", "TERM", UNKNOWN, code=FAILED)
        self.assertEqual(row["reason"], "TASK_UNKNOWN")

    def test_drain_finishes_what_was_left_behind(self):
        mark = self.directory + "/mark"
        task = self.held("echo done >" + mark)
        function = self.id_of(self.prints(
            "call", "--detach", "sleep_ms", "1"))
        wait = self.started("wait", task)
        follower = self.started("logs", "-f", task)
        self.prints("wait", function)
        until(lambda: self.state(task) == "running", "it runs")
        # Whether that has ended by then does not matter: wynd ends well.
        self.prints("call", "--detach", "sleep_ms", "200")
        self.assertRegex(self.prints("drain"), rb"[12] tasks? unfinished")
        for process in wait, follower:
            _, said = process.communicate(timeout=PATIENCE)
            self.assertIn(b"wynctl: ", said)
            self.assertNotEqual(process.returncode, OK)
        self.assertEqual(wait.returncode, LOST)
        self.let_go()
        self.assertEqual(self.wynd.wait(), 0)
        with open(mark) as file:
            self.assertEqual(file.read(), "done\n")

    def test_a_daemon_that_dies_is_no_end(self):
        with Wynd(*self.flags) as wynd:
            self.address = wynd.address("unix")
            task = self.held()
            wait = self.started("wait", task)
            until(lambda: self.state(task) == "running", "it runs")
            wynd.process.kill()
            _, said = wait.communicate(timeout=PATIENCE)
            self.assertEqual(wait.returncode, LOST)
            self.assertIn(b"wynctl: ", said)
            wynd.process.wait(PATIENCE)
            wynd.stop = lambda: 0


if __name__ == "__main__":
    main()

# SPDX-License-Identifier: MIT
"""wynctl run and real commands: as if they were run here.

What a command does that is bad, and what becomes of it, as its user sees it.
"""
import hashlib
import json
import os
import select
import signal
import subprocess
import tempfile
import unittest

from harness import PATIENCE, SANITIZED, WYNCTL, Wynd, main, until
from test_wynctl import environment, start_wynctl
from wynctl_json import rows_of

# Of what is copied through; sanitizers are slow.
COPY_BYTES = (16 if SANITIZED else 256) << 20


def processes(mark):
    """Those whose command line has that word."""
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/cmdline" % name, "rb") as file:
                words = file.read().split(b"\0")
        except OSError:
            continue
        if mark.encode() in words:
            found.append(int(name))
    return found


class RunCase(unittest.TestCase):
    flags = ("--commands",)

    @classmethod
    def setUpClass(cls):
        cls.wynd = cls.enterClassContext(Wynd(*cls.flags))
        cls.address = cls.wynd.address("unix")

    def setUp(self):
        self.directory = self.enterContext(tempfile.TemporaryDirectory())

    def run_it(self, *args, stdin=b"", env=None, wynd=None, **options):
        address = (wynd or self.wynd).address("unix")
        if "stdin_file" in options:
            options["stdin"] = options.pop("stdin_file")
        else:
            options["input"] = stdin
        return subprocess.run(
            [WYNCTL, "-c", address, "run", *args], capture_output=True,
            env=env or environment(), timeout=PATIENCE, check=False,
            **options)

    def ends(self, done, code, out=b"", err=b""):
        self.assertEqual((code, out, err), (
            done.returncode, done.stdout, done.stderr))

    def complains(self, done, code, *words):
        self.assertEqual((code, b""), (done.returncode, done.stdout), done)
        self.assertTrue(done.stderr.startswith(b"wynctl: "), done.stderr)
        self.assertEqual(1, done.stderr.count(b"\n"), done.stderr)
        for word in words:
            self.assertIn(word, done.stderr)

    def started(self, *args, **options):
        return start_wynctl(self, "-c", self.address, "run", *args, **options)

    def ready(self, process):
        self.assertEqual(b"ready\n", process.stdout.readline())
        return process

    def stats(self):
        done = subprocess.run(
            [WYNCTL, "-c", self.address, "--json", "stats"],
            capture_output=True, env=environment(), check=True)
        return json.loads(done.stdout)["counters"]

    def script(self, text, name="script", mode=0o755):
        path = os.path.join(self.directory, name)
        with open(path, "w") as file:
            file.write(text)
        os.chmod(path, mode)
        return path


class Run(RunCase):
    def test_outputs_and_status(self):
        self.ends(self.run_it("--", "sh", "-c", "echo out; echo err >&2"),
                  0, b"out\n", b"err\n")
        self.ends(self.run_it("sh", "-c", "exit 7"), 7)
        self.ends(self.run_it("sh", "-c", "exit 255"), 255)
        self.ends(self.run_it("true"), 0)

    def test_signal_is_told_apart_from_a_status(self):
        for number in (9, 11, 15):
            self.ends(self.run_it("sh", "-c", "kill -%d $$" % number),
                      128 + number)
        row = json.loads(self.run_it(
            "--json", "sh", "-c", "exit 137").stdout)
        self.assertEqual((137, None), (row["exit_status"], row["signal"]))
        row = json.loads(self.run_it(
            "--json", "sh", "-c", "kill -9 $$").stdout)
        self.assertEqual((None, 9), (row["exit_status"], row["signal"]))

    def test_it_is_where_the_caller_is(self):
        self.ends(self.run_it("pwd", cwd=self.directory), 0,
                  os.path.realpath(self.directory).encode() + b"\n")
        self.ends(self.run_it("--cwd", "/usr", "pwd"), 0, b"/usr\n")
        os.mkdir(self.directory + "/sub")
        self.ends(self.run_it("--cwd", "sub", "pwd", cwd=self.directory), 0,
                  os.path.realpath(self.directory).encode() + b"/sub\n")

    def test_environment(self):
        done = self.run_it(
            "-e", "A=1 2", "-e", "B", "env", env={
                "HOME": "/h", "PATH": "/usr/bin:/bin", "TERM": "t",
                "USER": "u", "LANG": "C", "LC_ALL": "C", "TZ": "UTC",
                "B": "b", "SECRET": "x"})
        told = dict(line.split("=", 1)
                    for line in done.stdout.decode().splitlines())
        told.pop("WYND_TASK", None)
        self.assertEqual(
            {"HOME": "/h", "PATH": "/usr/bin:/bin", "TERM": "t", "USER": "u",
             "LANG": "C", "LC_ALL": "C", "TZ": "UTC", "A": "1 2", "B": "b"},
            told)

    def test_program_is_looked_for_in_the_callers_path(self):
        self.script("#!/bin/sh\necho mine\n", "only-here")
        self.ends(self.run_it("only-here", env=environment(
            PATH=self.directory)), 0, b"mine\n")
        self.ends(self.run_it("./only-here", cwd=self.directory), 0,
                  b"mine\n")

    def test_what_cannot_be_started(self):
        empty = self.directory + "/none"
        self.complains(self.run_it(empty), 127, empty.encode())
        self.complains(self.run_it("no-such-program"), 127,
                       b"no-such-program")
        self.complains(self.run_it(self.directory), 126)
        self.complains(self.run_it("/etc/passwd/x"), 126, b"Not a directory")
        self.complains(self.run_it(self.script("x", mode=0o644)), 126)
        self.complains(self.run_it(self.script("echo x\n", "bare")), 126,
                       b"begins with #!")
        self.complains(self.run_it(
            self.script("#!/nonexistent/sh\n", "bad")), 127)
        self.complains(self.run_it(self.script("\x7fELFgarbage", "elf")), 126)
        self.complains(self.run_it(""), 125)

    def test_program_is_named_once(self):
        with Wynd("--commands", "--command-programs", "/bin/true") as wynd:
            done = self.run_it("/bin/false", wynd=wynd)
            self.complains(done, 126, b"not in the list")
            self.assertEqual(1, done.stderr.count(b"/bin/false"), done)

    def test_directory_that_is_not_there(self):
        done = self.run_it("--cwd", self.directory + "/gone", "true")
        self.complains(done, 125, b"/gone: no such directory")
        done = self.run_it("--cwd", "/etc/passwd", "true")
        self.complains(done, 125, b"/etc/passwd: Not a directory")
        gone = self.directory + "/gone"
        done = self.run_it("true", preexec_fn=lambda: (
            os.mkdir(gone), os.chdir(gone), os.rmdir(gone)))
        self.complains(done, 125, b"current directory")

    def test_command_is_too_large(self):
        done = self.run_it("true", *["x" * 100000] * 3)
        self.complains(done, 126, b"max-command")
        done = self.run_it(*["-e", "X=" + "x" * 100000,
                             "-e", "Y=" + "x" * 100000], "true")
        self.complains(done, 126, b"max-command")

    def test_words_are_many(self):
        with Wynd("--commands", "--max-command", "1M") as wynd:
            words = ["x"] * 64900
            done = self.run_it("sh", "-c", "echo $#", *words, wynd=wynd)
            self.ends(done, 0, b"64899\n")
            done = self.run_it("true", *words, *words, wynd=wynd)
            self.complains(done, 126, b"and may have 65000")

    def test_arguments_are_bytes(self):
        words = [b"\xff\xfe", b"", b" ", b"-n", b"\n", b"*"]
        done = self.run_it("--", "printf", "[%s]", *words)
        self.ends(done, 0, b"".join(b"[%s]" % word for word in words))

    def test_both_outputs_in_one(self):
        self.ends(self.run_it(
            "--merge", "sh", "-c", "echo a; echo b >&2; echo c"), 0,
            b"a\nb\nc\n")

    def test_input_is_copied_as_it_is(self):
        data = bytes(range(256)) * 5000
        self.ends(self.run_it("cat", stdin=data), 0, data)

    def test_much_is_copied_and_memory_stays(self):
        self.wynd.forget_peak()
        before = self.wynd.memory()
        block = os.urandom(1 << 20)
        path = self.directory + "/big"
        with open(path, "wb") as file:
            for _ in range(COPY_BYTES >> 20):
                file.write(block)
        with open(path, "rb") as source, \
                open(path + ".copy", "wb") as target:
            process = self.started("cat", stdin=source, stdout=target)
            self.assertEqual(0, process.wait(PATIENCE))

        def digest(name):
            with open(name, "rb") as file:
                return hashlib.file_digest(file, "sha256").digest()
        self.assertEqual(digest(path), digest(path + ".copy"))
        if not SANITIZED:
            self.assertLess(self.wynd.memory("VmHWM") - before, 64 << 20)

    def test_input_that_is_not_read(self):
        data = b"x" * (3 << 20)
        self.ends(self.run_it("true", stdin=data), 0)
        self.ends(self.run_it("head", "-c", "3", stdin=data), 0, b"xxx")

    def test_input_that_cannot_be_read(self):
        directory = os.open(self.directory, os.O_RDONLY)
        self.addCleanup(os.close, directory)
        done = self.run_it("cat", stdin_file=directory)
        self.complains(done, 125, b"standard input: Is a directory")

    def test_no_input(self):
        with open("/dev/null", "rb") as null:
            self.ends(self.run_it("cat", stdin_file=null), 0)
        done = self.started("cat", stdin=None,
                            preexec_fn=lambda: os.close(0))
        self.assertEqual((b"", b""), done.communicate(timeout=PATIENCE))
        self.assertEqual(0, done.returncode)

    def test_input_that_never_comes_is_waited_for(self):
        process = self.started("cat", stdin=subprocess.PIPE)
        process.stdin.write(b"one")
        process.stdin.flush()
        self.assertEqual(b"one", os.read(process.stdout.fileno(), 9))
        self.assertIsNone(process.poll())
        out, err = process.communicate(b"two", timeout=PATIENCE)
        self.assertEqual((0, b"two", b""), (process.returncode, out, err))

    def test_output_comes_as_it_is_written(self):
        process = self.started("sh", "-c", "printf a; read x; printf b",
                               stdin=subprocess.PIPE)
        self.assertEqual(b"a", os.read(process.stdout.fileno(), 9))
        process.stdin.write(b"\n")
        process.stdin.flush()
        self.assertEqual(b"b", os.read(process.stdout.fileno(), 9))
        self.assertEqual(0, process.wait(PATIENCE))

    def test_reader_that_goes_ends_the_pipeline(self):
        done = subprocess.run(
            ["bash", "-c", '"$0" -c "$1" run yes | head -1; '
             'echo ${PIPESTATUS[*]}', WYNCTL, self.address],
            stdin=subprocess.DEVNULL, capture_output=True,
            env=environment(), timeout=PATIENCE, check=False)
        self.assertEqual((b"y\n141 0\n", b""), (done.stdout, done.stderr))

    def test_slow_reader_holds_it_up(self):
        """It writes as far as pipes and credit go, and then it waits."""
        path = self.directory + "/count"
        process = self.started(
            "python3", "-c", "import os\n"
            "f = os.open('%s', os.O_CREAT | os.O_WRONLY, 0o600)\n"
            "for i in range(1, 65537):\n"
            "    os.write(1, b'x' * 4096)\n"
            "    os.pwrite(f, b'%%9d' %% i, 0)\n" % path)

        def written():
            try:
                with open(path) as file:
                    return int(file.read() or 0) * 4096
            except OSError:
                return 0
        until(written, "it has begun")
        seen = [0, 0]

        def stands():
            """The same for as long as 100 looks take."""
            now = written()
            seen[:] = [now, seen[1] + 1 if now == seen[0] else 0]
            return seen[1] > 100
        until(stands, "it is held up")
        self.assertLess(written(), 32 << 20)
        if not SANITIZED:
            with open("/proc/%d/status" % process.pid) as status:
                held, = (int(line.split()[1]) << 10 for line in status
                         if line.startswith("VmRSS:"))
            self.assertLess(held, 24 << 20)
        self.assertEqual(65536 * 4096, len(process.communicate(
            timeout=PATIENCE)[0]))
        self.assertEqual(0, process.returncode)

    def test_timeout(self):
        self.ends(self.run_it("-t", "100ms", "sleep", "600"), 124)
        self.ends(self.run_it("-t", "100ms", "sh", "-c",
                              "echo early; exec sleep 600"), 124, b"early\n")

    def test_timeout_ends_the_whole_tree(self):
        mark = "6%d.25" % os.getpid()
        done = self.run_it("-t", "300ms", "sh", "-c",
                           "(setsid sleep %s &) ; sleep %s & sleep %s" % (
                               mark, mark, mark))
        self.ends(done, 124)
        self.assertEqual([], processes(mark))

    def test_signals_meet_the_command(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP,
                       signal.SIGQUIT):
            process = self.ready(self.started(
                "sh", "-c", "echo ready; exec sleep 600"))
            process.send_signal(number)
            self.assertEqual(128 + number, process.wait(PATIENCE))
            self.assertEqual(b"", process.stderr.read())
            process = self.ready(self.started(
                "sh", "-c", "trap 'echo got; exit 5' %d; echo ready; "
                "while :; do sleep 0.01; done" % number))
            process.send_signal(number)
            self.assertEqual(5, process.wait(PATIENCE))
            self.assertEqual(b"got\n", process.stdout.read())

    def test_interrupts_of_a_command_that_minds_none(self):
        process = self.ready(self.started(
            "--grace", "100ms", "sh", "-c",
            "trap '' INT TERM; echo ready; while :; do sleep 0.01; done"))
        def gone():
            process.send_signal(signal.SIGINT)
            return process.poll() is not None
        until(gone, "two in a second cancel it, and SIGKILL ends it")
        # When the command is over another one is for wynctl itself.
        self.assertIn(process.returncode, (130, -signal.SIGINT))

    def test_queued_command_is_cancelled_by_a_signal(self):
        with Wynd("--commands", "--max-commands", 1) as wynd:
            address = wynd.address("unix")
            first, second = (
                start_wynctl(self, "-c", address, "run", "sh", "-c",
                             "echo ready; exec sleep 600")
                for _ in range(2))
            ready, _, _ = select.select(
                [first.stdout, second.stdout], [], [], PATIENCE)
            if second.stdout in ready:
                first, second = second, first

            def queued():
                done = subprocess.run(
                    [WYNCTL, "-c", address, "--json", "list", "--state",
                     "queued"], capture_output=True, env=environment())
                return done.stdout.count(b"\n") == 1
            until(queued, "the second waits")
            second.send_signal(signal.SIGTERM)
            self.assertEqual(143, second.wait(PATIENCE))
            first.send_signal(signal.SIGTERM)
            self.assertEqual(143, first.wait(PATIENCE))

    def test_caller_that_goes_takes_the_command_along(self):
        mark = "6%d.5" % os.getpid()
        process = self.ready(self.started(
            "sh", "-c", "echo ready; exec sleep %s" % mark))
        until(lambda: len(processes(mark)) == 1, "sh has become sleep")
        process.kill()
        until(lambda: not processes(mark), "the command is gone")

    def test_command_that_closes_its_outputs_and_lives_on(self):
        self.ends(self.run_it(
            "sh", "-c", "exec >&- 2>&-; sleep 0.1; exit 3"), 3)

    def test_command_that_writes_nothing(self):
        self.ends(self.run_it("sleep", "0.05"), 0)

    def test_daemonized_descendant_is_not_left(self):
        mark = "6%d.75" % os.getpid()
        done = self.run_it(
            "sh", "-c", "(setsid sleep %s >/dev/null 2>&1 </dev/null &); "
            "echo done" % mark)
        self.ends(done, 0, b"done\n")
        until(lambda: not processes(mark), "nothing is left behind")

    def test_grandchild_that_holds_the_pipe(self):
        with Wynd("--commands", "--command-drain", "100ms") as wynd:
            mark = "6%d.875" % os.getpid()
            done = self.run_it(
                "sh", "-c", "echo a; sleep %s & exit 4" % mark, wynd=wynd)
            self.ends(done, 4, b"a\n")
            until(lambda: not processes(mark), "nothing is left behind")

    def test_command_that_ignores_sigterm(self):
        with Wynd("--commands", "--command-grace", "100ms") as wynd:
            self.ends(self.run_it(
                "-t", "100ms", "sh", "-c",
                "trap '' TERM; while :; do sleep 0.01; done", wynd=wynd), 124)

    def test_closed_outputs(self):
        def shell(line):
            return subprocess.run(
                ["sh", "-c", line.replace("$W", "%s -c %s run" % (
                    WYNCTL, self.address))], stdin=subprocess.DEVNULL,
                capture_output=True, env=environment(), timeout=PATIENCE,
                check=False)
        self.ends(shell("$W true >&-"), 0)
        self.complains(shell("$W echo x >&-"), 125, b"Bad file descriptor")
        self.ends(shell("$W sh -c 'echo x; echo y >&2' 2>&-"), 0, b"x\n")
        self.complains(shell("$W yes >/dev/full"), 125, b"No space")

    def test_stopped_command_is_ended(self):
        self.ends(self.run_it("-t", "200ms", "sh", "-c", "kill -STOP $$"),
                  124)

    def test_json(self):
        for args in (("true",), ("false",), ("/nonexistent",),
                     ("sh", "-c", "kill -9 $$"),
                     ("-t", "50ms", "sleep", "600"),
                     ("sh", "-c", "echo out; printf '\\377' >&2")):
            done = self.run_it("--json", *args)
            rows = rows_of("run", done.stdout)
            self.assertIn("status", rows[-1])
        self.assertEqual({"stdout": "out\n"}, next(
            row for row in rows if "stdout" in row))
        self.assertGreater(rows[-1]["usage"]["wall_ns"], 0)
        self.assertEqual(4, rows[-1]["usage"]["stdout_bytes"])

    def test_usage_is_of_the_command(self):
        done = self.run_it(
            "--json", "python3", "-c", "import time\n"
            "x = bytearray(64 << 20)\n"
            "while time.process_time() < 0.1: pass\n")
        usage = json.loads(done.stdout)["usage"]
        self.assertGreater(usage["user_ns"] + usage["system_ns"], 10**8)
        self.assertGreater(usage["peak_rss_bytes"], 64 << 20)

    def test_lists_show_it(self):
        process = self.ready(self.started(
            "sh", "-c", "echo ready; exec sleep 600"))
        done = subprocess.run(
            [WYNCTL, "-c", self.address, "--json", "list"],
            capture_output=True, env=environment(), check=True)
        row, = map(json.loads, done.stdout.splitlines())
        self.assertEqual(("running", "", "sh -c echo ready; exec sleep 600"),
                         (row["state"], row["function"], row["command"]))
        done = subprocess.run(
            [WYNCTL, "-c", self.address, "explain", row["id"]],
            capture_output=True, env=environment(), check=True)
        self.assertIn(b"sh -c echo ready", done.stdout)
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE)

    def test_many_at_a_time_all_come_right(self):
        def one(i):
            return self.started(
                "sh", "-c", "echo %d; echo %d >&2; exit %d" % (
                    i, i + 1, i % 100))
        for start in range(0, 200, 20):
            batch = [(i, one(i)) for i in range(start, start + 20)]
            for i, process in batch:
                out, err = process.communicate(timeout=PATIENCE)
                self.assertEqual(
                    (i % 100, b"%d\n" % i, b"%d\n" % (i + 1)),
                    (process.returncode, out, err))


class Refused(RunCase):
    flags = ()

    def test_commands_are_off(self):
        self.complains(self.run_it("true"), 125, b"commands = yes")

    def test_over_tcp(self):
        with Wynd("--commands", listen=("tcp:127.0.0.1:0",)) as wynd:
            done = subprocess.run(
                [WYNCTL, "-c", wynd.address("tcp"), "run", "true"],
                capture_output=True, env=environment(), timeout=PATIENCE,
                stdin=subprocess.DEVNULL, check=False)
            self.complains(done, 125, b"Unix socket")


class Broken(RunCase):
    def asleep(self, wynd, mark):
        """One whose command has begun."""
        return self.ready(start_wynctl(
            self, "-c", wynd.address("unix"), "run", "sh", "-c",
            "echo ready; exec sleep %s" % mark))

    def test_daemon_is_killed(self):
        with Wynd("--commands") as wynd:
            mark = "6%d.375" % os.getpid()
            process = self.asleep(wynd, mark)
            wynd.signal(signal.SIGKILL)
            wynd.wait()
            wynd.stop = lambda: 0
            _, err = process.communicate(timeout=PATIENCE)
            self.assertEqual(125, process.returncode, err)
            self.assertIn(b"may have run", err)
            until(lambda: not processes(mark), "the command is gone")

    def test_daemon_ends_while_it_runs(self):
        with Wynd("--commands", "--drain-timeout", "100ms",
                  "--command-grace", "100ms") as wynd:
            mark = "6%d.625" % os.getpid()
            process = self.asleep(wynd, mark)
            wynd.signal(signal.SIGTERM)
            _, err = process.communicate(timeout=PATIENCE)
            self.assertEqual(125, process.returncode, err)
            self.assertTrue(err.startswith(b"wynctl: sh: "), err)
            wynd.wait()
            wynd.stop = lambda: 0
            until(lambda: not processes(mark), "the command is gone")

    def spawner(self):
        for task in os.listdir("/proc/%d/task" % self.wynd.pid):
            path = "/proc/%d/task/%s/children" % (self.wynd.pid, task)
            with open(path) as file:
                for pid in map(int, file.read().split()):
                    with open("/proc/%d/comm" % pid) as comm:
                        if comm.read().startswith("wynd-spawner"):
                            return pid
        return None

    def test_spawner_is_killed(self):
        process = self.started("sh", "-c", "echo ready; exec sleep 600")
        self.assertEqual(b"ready\n", process.stdout.readline())
        os.kill(until(self.spawner, "there is a spawner"), signal.SIGKILL)
        _, err = process.communicate(timeout=PATIENCE)
        self.assertEqual(125, process.returncode, err)
        self.assertTrue(err.startswith(b"wynctl: sh: "), err)
        self.ends(self.run_it("echo", "again"), 0, b"again\n")


if __name__ == "__main__":
    main()

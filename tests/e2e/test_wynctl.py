# SPDX-License-Identifier: MIT
"""Every command and exit code of wynctl, with a real daemon.

Most cases run over a Unix socket and over TCP. What `map --files` prints is
compared with what sha256sum(1) prints of the same files.
"""
import hashlib
import json
import os
import re
import select
import signal
import socket
import subprocess
import tempfile
import unittest

from harness import PATIENCE, WYNCTL, Wynd, main, until

OK, FAILED, USAGE, UNAVAILABLE, TRY_AGAIN = 0, 1, 64, 69, 75
PERMISSION, TIMED_OUT, INTERRUPTED = 77, 124, 130
MIB = 1 << 20
LINES = 5000
ODD_NAMES = ["plain", "with blank", "back\\slash", "new\nline", "cr\rhere",
             "\\leading", "ünïcödé", "-", "--help", "tab\t", "*", "'q\""]


def environment(**variables):
    """Ours, without what would let wynctl find another daemon."""
    env = {k: v for k, v in os.environ.items()
           if k not in ("WYN_CONNECT", "XDG_RUNTIME_DIR")}
    return {**env, **variables}


def wynctl(*args, stdin=b"", env=None, **options):
    return subprocess.run(
        [os.path.abspath(WYNCTL), *map(str, args)], input=stdin,
        env=env or environment(), capture_output=True, timeout=PATIENCE,
        check=False, **options)


def start_wynctl(case, *args, **options):
    """One that runs beside the case, and ends with it."""
    process = subprocess.Popen(
        [os.path.abspath(WYNCTL), *map(str, args)],
        **{"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE,
           "stderr": subprocess.PIPE, "env": environment(), **options})
    case.addCleanup(process.communicate)
    case.addCleanup(process.kill)
    return process


def sha256(data):
    return hashlib.sha256(data).hexdigest().encode()


class Case(unittest.TestCase):
    def ends(self, done, code, stderr=()):
        self.assertEqual(done.returncode, code, done.stderr)
        for words in stderr:
            self.assertIn(words, done.stderr)
        # One line says what is wrong, nothing when all is well.
        if code == OK:
            self.assertEqual(done.stderr, b"")
        else:
            self.assertIn(b"wynctl: ", done.stderr)
        return done.stdout


class Cases:
    kind = None

    @classmethod
    def setUpClass(cls):
        wynd = Wynd(listen=("unix:@/s", "tcp:127.0.0.1:0"))
        cls.wynd = cls.enterClassContext(wynd)
        cls.address = cls.wynd.address(cls.kind)
        cls.fds = cls.wynd.open_fds()

    def setUp(self):
        self.addCleanup(until, lambda: self.wynd.open_fds() == self.fds,
                        "wynd's descriptors are as before")
        self.directory = self.enterContext(tempfile.TemporaryDirectory())

    def ctl(self, *args, **options):
        return wynctl("--connect", self.address, *args, **options)

    def prints(self, *args, **options):
        return self.ends(self.ctl(*args, **options), OK)

    def started(self, *args, **options):
        return start_wynctl(self, "--connect", self.address, *args,
                            stdin=subprocess.PIPE, **options)

    def readable(self, pipe):
        ready = select.select([pipe], [], [], PATIENCE)[0]
        self.assertTrue(ready, "nothing was printed")

    def file(self, name, data):
        with open(os.path.join(self.directory, name), "wb") as file:
            file.write(data)

    # call

    def test_call_prints_the_value(self):
        self.assertEqual(self.prints("call", "echo", "hello"), b"hello\n")
        self.assertEqual(self.prints("call", "echo"), b"\n")
        self.assertEqual(self.prints("call", "-r", "echo", "a b"), b"a b")
        self.assertEqual(self.prints("call", "sha256", "x"),
                         sha256(b"x") + b"\n")

    def test_call_reads_its_argument(self):
        for size in 0, 1, 65536, 3 * MIB + 1:
            data = os.urandom(size)
            self.assertEqual(self.prints("call", "-r", "echo", "-",
                                         stdin=data), data)

    def test_call_reads_a_file_as_standard_input(self):
        data = os.urandom(5 * MIB + 7)
        self.file("data", b"skipped" + data)
        with open(self.directory + "/data", "rb", buffering=0) as file:
            file.seek(len("skipped"))
            done = subprocess.run(
                [WYNCTL, "-c", self.address, "call", "sha256", "-"],
                stdin=file, capture_output=True, timeout=PATIENCE, check=True)
        self.assertEqual(done.stdout, sha256(data) + b"\n")

    def test_call_streams_partial_values(self):
        self.assertEqual(self.prints("call", "--stream", "count", "3"),
                         b"1\n2\n3\n3\n")

    def test_call_in_json(self):
        for args, count in (("echo", "x"), 1), (("-s", "count", "2"), 3):
            lines = self.prints("--json", "call", *args).splitlines()
            self.assertEqual(len(list(map(json.loads, lines))), count)
        done = self.ctl("call", "--json", "fail", "9 not now")
        self.ends(done, TRY_AGAIN, [b"not now"])
        self.assertEqual(json.loads(done.stdout)["message"], "not now")

    def test_call_ends_as_its_task_does(self):
        for code, exit_code in ((3, FAILED), (4, TIMED_OUT), (5, FAILED),
                                (7, PERMISSION), (8, TRY_AGAIN),
                                (14, UNAVAILABLE), (16, PERMISSION)):
            done = self.ctl("call", "fail", "%d so be it" % code)
            self.assertEqual(
                self.ends(done, exit_code, [b"fail: so be it"]), b"")

    def test_call_names_the_nearest_function(self):
        self.ends(self.ctl("call", "ecoh"), FAILED, [b'"echo"'])

    def test_call_has_a_deadline_and_a_timeout(self):
        for flag in "--deadline", "--timeout":
            self.ends(self.ctl("call", flag, "50ms", "sleep_ms", "60000"),
                      TIMED_OUT)

    def test_call_is_cancelled_by_an_interrupt(self):
        process = self.started("call", "--stream", "count", "1000000000")
        self.assertEqual(process.stdout.readline(), b"1\n")
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=PATIENCE)
        self.assertEqual(process.returncode, INTERRUPTED)

    # map

    def test_map_keeps_the_order_of_lines(self):
        lines = b"".join(b"%d\n" % i for i in range(LINES))
        for flags in (), ("--jobs", 1), ("-j", 7):
            self.assertEqual(self.prints("map", *flags, "echo", stdin=lines),
                             lines)

    def test_map_unordered_prints_each_once(self):
        lines = [b"%d" % i for i in range(LINES)]
        out = self.prints("map", "-u", "echo", stdin=b"\n".join(lines))
        self.assertEqual(sorted(out.splitlines()), sorted(lines))

    def test_map_unordered_prints_as_they_come(self):
        process = self.started("map", "-u", "sleep_ms", "60000", "0", "bad")
        self.readable(process.stdout)
        self.assertEqual(process.stdout.readline(), b"\n")
        self.assertIn(b"operand 3", process.stderr.readline())

    def test_map_prints_while_its_input_is_open(self):
        process = self.started("map", "echo")
        for word in b"one\n", b"two\n":
            process.stdin.write(word)
            process.stdin.flush()
            self.readable(process.stdout)
            self.assertEqual(process.stdout.readline(), word)

    def test_map_of_nothing_empty_lines_and_a_last_line_without_end(self):
        for data in b"", b"\n", b"\n\na\n\n", b"a\nb":
            self.assertEqual(self.prints("map", "echo", stdin=data).rstrip(
                b"\n"), data.rstrip(b"\n"))
            self.assertEqual(
                len(self.prints("map", "echo", stdin=data).splitlines()),
                len(data.splitlines()))

    def test_map_takes_operands_and_nul(self):
        self.assertEqual(self.prints("map", "echo", "a", "b c"), b"a\nb c\n")
        self.assertEqual(self.prints("map", "-0", "echo", stdin=b"a\0b\nc\0"),
                         b"a\nb\nc\n")

    def test_map_of_lines_that_fail(self):
        lines = [b"1", b"x", b"0", b"", b"2"]
        done = self.ctl("map", "sleep_ms", stdin=b"\n".join(lines))
        self.assertEqual(self.ends(done, FAILED), b"\n\n\n")
        said = [line.split(b": ")[1] for line in done.stderr.splitlines()]
        self.assertEqual(sorted(said), [b"line 2", b"line 4"])

    def test_map_of_an_unknown_function(self):
        done = self.ctl("map", "ecoh", stdin=b"a\nb\n")
        self.assertEqual(self.ends(done, FAILED, [b"line 1", b"line 2",
                                                  b'"echo"']), b"")

    def test_map_in_json(self):
        out = self.prints("--json", "map", "echo", stdin=b"a\n\xff\n")
        first, second = map(json.loads, out.splitlines())
        self.assertEqual((first["line"], second["line"]), (1, 2))
        self.assertEqual(first["value"], "a")
        self.assertEqual(second["value_base64"], "/w==")

    def test_map_files_in_json(self):
        self.file("plain", b"x")
        with open(os.fsencode(self.directory) + b"/\xff", "wb"):
            pass
        out = self.prints("--json", "map", "-f", "echo", cwd=self.directory,
                          stdin=b"plain\n\xff\n")
        first, second = map(json.loads, out.splitlines())
        self.assertEqual(first, {"line": 1, "name": "plain", "value": "x"})
        self.assertEqual(second["name_base64"], "/w==")
        self.assertNotIn("name", second)

    def test_map_passes_over_a_line_that_is_too_long(self):
        for more, out in (b"\nok\n", b"one\nok\n"), (b"", b"one\n"):
            done = self.ctl("map", "echo",
                            stdin=b"one\n" + bytes(150 * MIB) + more)
            self.assertEqual(self.ends(done, FAILED, [b"line 2: longer"]), out)

    def test_map_files_prints_what_sha256sum_does(self):
        rng = b"0123456789abcdef" * 4096
        for i, name in enumerate(ODD_NAMES):
            self.file(name, rng[:i * 5003])
        self.file("empty", b"")
        for size in MIB - 1, MIB, MIB + 1, 3 * MIB + 5:
            self.file("large %d" % size, os.urandom(size))
        names = sorted(os.listdir(self.directory))
        expected = subprocess.run(
            ["sha256sum", "--", *["./" + n for n in names]],
            cwd=self.directory, capture_output=True, check=True).stdout
        operands = ["./" + n for n in names]
        listed = "\0".join(operands).encode()
        for flags in ((), operands, b""), (("-0",), (), listed):
            out = self.prints("map", "--files", *flags[0], "sha256",
                              *flags[1], stdin=flags[2], cwd=self.directory)
            self.assertEqual(out, expected)
        out = self.prints("map", "-fu0j3", "sha256", stdin=listed,
                          cwd=self.directory)
        self.assertEqual(sorted(out.splitlines()),
                         sorted(expected.splitlines()))
        self.assertEqual(subprocess.run(
            ["sha256sum", "--check", "--status"], input=out,
            cwd=self.directory, check=False).returncode, 0)

    def test_map_files_by_lines_against_hashlib(self):
        names = ["f%d" % i for i in range(300)]
        for name in names:
            self.file(name, name.encode() * 1000)
        out = self.prints("map", "-f", "sha256", cwd=self.directory,
                          stdin="\n".join(names).encode())
        self.assertEqual(out, b"".join(b"%s  %s\n" % (
            sha256(n.encode() * 1000), n.encode()) for n in names))

    def test_map_files_that_cannot_be_read(self):
        self.file("good", b"x")
        os.mkdir(self.directory + "/directory")
        os.symlink("nowhere", self.directory + "/dangling")
        done = self.ctl("map", "--files", "sha256", "missing", "good",
                        "directory", "dangling", "", cwd=self.directory)
        out = self.ends(done, FAILED, [
            b"operand 1: missing: No such file",
            b"operand 3: directory: Is a directory", b"operand 4", b"operand 5"
        ])
        self.assertEqual(out, sha256(b"x") + b"  good\n")
        self.assertEqual(len(done.stderr.splitlines()), 4)

    def test_map_files_without_a_size(self):
        done = self.prints("map", "-f", "sha256", "/proc/self/mounts",
                           "/dev/null")
        self.assertEqual(len(done.splitlines()), 2)

    def test_map_is_interrupted(self):
        process = self.started("map", "-u", "sleep_ms", "60000", "60000")
        until(lambda: self.stats()["tasks_held"] > 0, "tasks are under way")
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=PATIENCE)
        self.assertEqual(process.returncode, INTERRUPTED)
        until(lambda: self.stats()["tasks_held"] == 0, "they were cancelled")

    # The others

    def stats(self):
        return json.loads(self.prints("stats", "--json"))

    def test_stats(self):
        before = self.stats()
        self.prints("call", "noop")
        after = self.stats()
        self.assertEqual(after["tasks_ok"], before["tasks_ok"] + 1)
        self.assertGreater(after["rss_peak_bytes"], 0)
        self.assertRegex(self.prints("stats"),
                         rb"(?m)^latency_p99 +[0-9.]+ .?s$")

    def test_stats_name_each_counter_once(self):
        lines = self.prints("stats").decode().splitlines()
        self.assertEqual([line.split()[0] for line in lines],
                         [name.removesuffix("_ns").removesuffix("_us")
                          for name in self.stats()])
        # The values end in one column.
        self.assertTrue(all(line[40].isdigit() for line in lines), lines)

    def test_functions(self):
        self.assertIn(b"\nsha256 ", self.prints("functions"))
        lines = self.prints("functions", "--json").splitlines()
        found = {f["name"]: f for f in map(json.loads, lines)}
        self.assertEqual(found["echo"]["module"], "diag")
        self.assertTrue(found["echo"]["summary"])

    def test_ping(self):
        self.assertTrue(self.prints("ping").startswith(b"4 round trips"))
        times = json.loads(self.prints("--json", "ping", "-n", "9"))
        self.assertEqual(times["count"], 9)
        self.assertLessEqual(times["min_ns"], times["max_ns"])

    def test_version(self):
        self.assertRegex(self.prints("version"),
                         rb"^wynctl \d.*\nserver wynd/\d.*, protocol 1\n$")
        self.assertEqual(
            json.loads(self.prints("version", "--json"))["protocol"], 1)

    def test_repeat(self):
        for args in (), ("--batch", "1"), ("--jobs", "1"), ("--batch", "300"):
            out = json.loads(self.prints("--json", "repeat", *args, "echo",
                                         "2000"))
            self.assertEqual(
                (out["tasks"], out["failed"], out["wrong"]), (2000, 0, 0))
        self.assertIn(b"per second", self.prints("repeat", "noop", "10"))

    def test_repeat_of_tasks_that_fail(self):
        done = self.ctl("repeat", "--json", "sleep_ms", "20")
        out = self.ends(done, FAILED)
        self.assertEqual(json.loads(out)["failed"], 20)
        # The first ten to end are named, whichever those are.
        named = {int(number) for number in re.findall(
            rb"^wynctl: task (\d+): ", done.stderr, re.MULTILINE)}
        self.assertEqual(len(named), 10, done.stderr)
        self.assertLess(max(named), 20)

    def test_no_output_can_be_written(self):
        for args in (("call", "echo", "x"), ("stats",), ("version",),
                     ("--help",), ("map", "echo", "a")):
            with open("/dev/full", "wb") as full:
                done = subprocess.run(
                    [WYNCTL, "-c", self.address, *args], stdout=full,
                    stdin=subprocess.DEVNULL, stderr=subprocess.PIPE,
                    timeout=PATIENCE, check=False)
            self.assertEqual(done.returncode, FAILED, args)
            self.assertIn(b"cannot write to standard output", done.stderr)

    def test_output_that_nobody_reads_any_more(self):
        process = self.started("map", "echo")
        process.stdout.close()
        process.stdout = None
        try:
            process.stdin.write(b"x" * 100 + b"\n" * 200000)
            process.stdin.close()
        except BrokenPipeError:
            pass  # it ended before it read all
        process.wait(PATIENCE)
        self.assertEqual(process.returncode, FAILED)

    def test_address_from_the_environment(self):
        done = wynctl("call", "echo", "x",
                      env=environment(WYN_CONNECT=self.address))
        self.assertEqual(self.ends(done, OK), b"x\n")

    def test_option_before_environment(self):
        done = wynctl("-c", self.address, "call", "echo", "x",
                      env=environment(WYN_CONNECT="unix:/nowhere"))
        self.assertEqual(self.ends(done, OK), b"x\n")


class OverUnix(Cases, Case):
    kind = "unix"


class OverTcp(Cases, Case):
    kind = "tcp"

    def test_drain_is_not_for_tcp(self):
        self.ends(self.ctl("drain"), PERMISSION)


# Hides the machine's own daemon, in a mount namespace that ends with wynctl.
ALONE = ("unshare", "--user", "--map-root-user", "--mount", "sh", "-c",
         'mount -t tmpfs none /run/wynd && exec "$@"', "sh")


class Addresses(Case):
    def alone(self, *args, **variables):
        """wynctl where no daemon listens at the system's address."""
        hide = ALONE if os.path.exists("/run/wynd/wynd.sock") else ()
        if hide and subprocess.run([*hide, "true"], capture_output=True,
                                   check=False).returncode != 0:
            self.skipTest("a wynd runs here, and namespaces are not allowed")
        return subprocess.run(
            [*hide, os.path.abspath(WYNCTL), *args],
            stdin=subprocess.DEVNULL, env=environment(**variables),
            capture_output=True, timeout=PATIENCE, check=False)

    def test_default_is_in_the_runtime_directory(self):
        with Wynd(listen=("unix:@/wynd.sock",)) as wynd:
            done = self.alone("call", "echo", "x",
                              XDG_RUNTIME_DIR=wynd.directory)
            self.assertEqual(self.ends(done, OK), b"x\n")

    def test_nobody_is_at_the_defaults(self):
        with tempfile.TemporaryDirectory() as d:
            self.ends(self.alone("ping", XDG_RUNTIME_DIR=d), UNAVAILABLE,
                      [d.encode() + b"/wynd.sock: ", b"/run/wynd/wynd.sock: "])

    def both(self, command, *prefix):
        """wynctl where the system's daemon is one that a test started, and
        the user's is or is not there: (exit code, output) of `command`."""
        with Wynd(listen=("unix:@/wynd.sock",)) as system:
            script = ('mount -t tmpfs none /run && mkdir "$0" && '
                      'mount --bind "$1" "$0" && shift && exec "$@"')
            done = subprocess.run(
                ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c",
                 script, "/run/wynd", system.directory,
                 os.path.abspath(WYNCTL), *command],
                stdin=subprocess.DEVNULL, env=environment(**dict(prefix)),
                capture_output=True, timeout=PATIENCE, check=False)
            if b"unshare" in done.stderr or b"mount:" in done.stderr:
                self.skipTest("namespaces are not allowed here")
            return done

    def served(self, wynd):
        return int(json.loads(wynctl(
            "-c", wynd.addresses[0], "stats", "--json").stdout)
            ["tasks_accepted"])

    def test_user_is_preferred_if_it_answers(self):
        with Wynd(listen=("unix:@/wynd.sock",)) as own:
            done = self.both(("call", "echo", "x"),
                             ("XDG_RUNTIME_DIR", own.directory))
            self.assertEqual(self.ends(done, OK), b"x\n")
            self.assertEqual(self.served(own), 1)

    def test_system_is_used_if_the_user_does_not_answer(self):
        with tempfile.TemporaryDirectory() as d:
            with socket.socket(socket.AF_UNIX) as stale:
                stale.bind(d + "/wynd.sock")
            done = self.both(("call", "echo", "x"), ("XDG_RUNTIME_DIR", d))
            self.assertEqual(self.ends(done, OK), b"x\n")

    def test_ipv6(self):
        with Wynd(listen=("tcp:[::1]:0",)) as wynd:
            done = wynctl("-c", wynd.addresses[0], "call", "echo", "x")
            self.assertEqual(self.ends(done, OK), b"x\n")

    def test_nobody_is_there(self):
        with tempfile.TemporaryDirectory() as d:
            for args in ("call", "echo"), ("map", "echo"), ("stats",):
                self.ends(wynctl("-c", "unix:%s/s" % d, *args), UNAVAILABLE,
                          [d.encode(), b"WYN_CONNECT"])
            done = wynctl("-c", "unix:%s/s" % d, "version")
            self.assertTrue(self.ends(done, UNAVAILABLE).startswith(
                b"wynctl "))

    def test_somebody_else_is_there(self):
        with Wynd() as wynd:
            wynd.signal(signal.SIGKILL)
            wynd.wait()
            self.ends(wynctl("-c", wynd.address("unix"), "ping"), UNAVAILABLE)
            # It must not be asked to end once more.
            wynd.stop = lambda: 0

    def test_drain_ends_the_daemon(self):
        with Wynd() as wynd:
            out = self.ends(wynctl("-c", wynd.address("unix"), "--json",
                                   "drain"), OK)
            self.assertEqual(json.loads(out), {"unfinished": 0})
            self.assertEqual(wynd.wait(), 0)


class LittleCredit(Case):
    """What waits for credit goes on when there is some, and not before the
    last result has come nor after it."""

    def started(self, wynd, *args):
        return start_wynctl(self, "-c", wynd.address("unix"), *args)

    def test_every_line_has_its_result(self):
        lines = b"".join(b"%d\n" % i for i in range(300))
        for credit in 1, 3, 100:
            with Wynd("--credit-tasks", credit) as wynd:
                for flags in (), ("-u",):
                    done = wynctl("-c", wynd.address("unix"), "map", *flags,
                                  "echo", stdin=lines)
                    out = self.ends(done, OK)
                    self.assertEqual(sorted(out.split()),
                                     sorted(lines.split()))
                done = wynctl("-c", wynd.address("unix"), "--json", "repeat",
                              "echo", "2000")
                out = json.loads(self.ends(done, OK))
                self.assertEqual((out["tasks"], out["wrong"]), (2000, 0))

    def test_large_files_wait_for_bytes(self):
        with Wynd("--credit-bytes", 5 * MIB, "--max-argument",
                  4 * MIB) as wynd, \
                tempfile.NamedTemporaryFile() as file:
            file.write(os.urandom(4 * MIB))
            file.flush()
            done = wynctl("-c", wynd.address("unix"), "map", "--files",
                          "sha256", *[file.name] * 12)
            self.assertEqual(len(self.ends(done, OK).splitlines()), 12)

    def test_a_slow_task_keeps_its_credit_and_no_more(self):
        with Wynd("--credit-tasks", 2) as wynd:
            process = self.started(wynd, "map", "-u", "sleep_ms", "600000",
                                   *["1"] * 10)
            for _ in range(10):
                process.stdout.readline()
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=PATIENCE)
            self.assertEqual(process.returncode, INTERRUPTED)


class CommandLine(Case):
    def test_what_is_wrong_with_it(self):
        for args, words in (
                ((), b"no command"), (("cal", "echo"), b'"call"'),
                (("call",), b"usage: wynctl call"),
                (("call", "a", "b", "c"), b"usage"),
                (("--jsn", "ping"), b"--json"), (("-x",), b"-x"),
                (("ping", "--jobs", "3"), b"--jobs"),
                (("map", "-j", "0", "echo"), b"--jobs 0"),
                (("map", "-j", "x", "echo"), b"--jobs x"),
                (("call", "-t"), b"-t"), (("call", "-t", "5q", "f"), b"5q"),
                (("call", "-p", "urgent", "f"), b"low, normal or high"),
                (("repeat", "echo", "none"), b"none"),
                (("call", "count", "-1"), b"put -- before it"),
                (("functions", "x"), b"usage: wynctl functions\n"),
                (("help", "cal"), b'"call"'),
                (("-c", "nonsense", "ping"), b"--connect: bad"),
                (("-c", "tcp:127.0.0.1:0", "ping"), b"port 0"),
                (("-c", "tcp:localhost", "ping"), b"tcp:localhost")):
            done = wynctl(*args)
            self.assertEqual(self.ends(done, USAGE, [words]), b"", args)

    def test_says_where_a_bad_address_is_from(self):
        self.ends(wynctl("ping", env=environment(WYN_CONNECT="bogus")), USAGE,
                  [b"WYN_CONNECT: bad address"])

    def test_help_and_version(self):
        for args in ("--help",), ("-h",), ("call", "--help"), ("help",), \
                ("help", "ping"):
            out = self.ends(wynctl(*args), OK)
            self.assertNotIn(b" \n", out)
            self.assertIn(b"usage: wynctl", out)
            self.assertIn(b"Exit codes", out)
        self.assertRegex(self.ends(wynctl("--version"), OK), rb"^wynctl \d")


if __name__ == "__main__":
    main()

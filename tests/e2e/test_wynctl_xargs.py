# SPDX-License-Identifier: MIT
"""wynctl xargs and real commands: what GNU parallel's users expect of it.

Among them a batch as people have them: every file of a tree is compressed, and
what comes of it is compared byte by byte with what the shell's own way does.
"""
import hashlib
import os
import random
import shutil
import signal
import subprocess
import tempfile
import unittest

from harness import PATIENCE, SANITIZED, WYNCTL, Wynd, main, until
from test_wynctl import environment, start_wynctl
from test_wynctl_run import processes

OTHER = 255
FILES = 40 if SANITIZED else 200
COMMANDS = 200 if SANITIZED else 2000
LARGE = (8 if SANITIZED else 48) << 20
NAMES = ["plain", "with blank", "-n", "new\nline", "ünïcödé", "a.tar", ".dot",
         "$(touch x)", "'q\"", "back\\slash", "*", "tab\tbed", ";", "{}"]


def make_tree(root):
    """Files of all sizes, with names that a shell would trip over."""
    rng = random.Random(1)
    words = [b"%x\n" % rng.getrandbits(32) for _ in range(500)]
    for number in range(FILES):
        where = root
        for _ in range(rng.randrange(3)):
            where += "/d " + rng.choice(NAMES[:6])
        os.makedirs(where, exist_ok=True)
        size = rng.choice([0, 1, 100, 4096, 70000, 300000])
        data = b"".join(rng.choice(words) for _ in range(size // 8))
        name = "%s/%d %s" % (where, number, rng.choice(NAMES))
        with open(name, "wb") as file:
            file.write(data)


def tree(root):
    """{name: digest} of all of it."""
    found = {}
    for where, _, names in os.walk(root):
        for name in names:
            path = os.path.join(where, name)
            with open(path, "rb") as file:
                found[os.path.relpath(path, root)] = hashlib.sha256(
                    file.read()).digest()
    return found


class XargsCase(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.wynd = cls.enterClassContext(Wynd("--commands"))
        cls.address = cls.wynd.address("unix")

    def setUp(self):
        self.directory = self.enterContext(tempfile.TemporaryDirectory())

    def xargs(self, *args, stdin=b"", cwd=None, **options):
        return subprocess.run(
            [os.path.abspath(WYNCTL), "-c", self.address, "xargs", *args],
            input=stdin, capture_output=True, env=environment(),
            timeout=PATIENCE, cwd=cwd or self.directory, check=False,
            **options)

    def shell(self, line, cwd):
        return subprocess.run(
            ["sh", "-c", line], check=True, cwd=cwd, timeout=PATIENCE,
            stdout=subprocess.PIPE).stdout

    def ends(self, done, code, out=b"", err=b""):
        self.assertEqual((code, out, err), (
            done.returncode, done.stdout, done.stderr))

    def started(self, *args, lines=b""):
        process = start_wynctl(self, "-c", self.address, "xargs", *args,
                               stdin=subprocess.PIPE)
        process.stdin.write(lines)
        process.stdin.close()
        process.stdin = None
        return process


class Batch(XargsCase):
    def trees(self, *names):
        """The same tree once for each name."""
        roots = [self.directory + "/" + name for name in names]
        make_tree(roots[0])
        for root in roots[1:]:
            shutil.copytree(roots[0], root)
        return roots

    def test_every_file_of_a_tree_is_compressed(self):
        ours, theirs = self.trees("ours", "theirs")
        names = self.shell("find . -type f -print0", ours)
        self.assertEqual(FILES, names.count(b"\0"))
        self.shell("find . -type f -print0 | xargs -0 -n1 gzip -9n", theirs)
        self.ends(self.xargs("-0", "gzip", "-9n", stdin=names, cwd=ours), 0)
        compressed = tree(ours)
        self.assertEqual(tree(theirs), compressed)
        self.assertEqual(FILES, len(compressed))
        self.assertTrue(all(name.endswith(".gz") for name in compressed))

    def test_what_is_printed_is_as_in_order(self):
        ours, = self.trees("ours")
        names = self.shell("find . -type f -print0", ours)
        for ours_words, shell_words in (
                (("gzip", "-9nc"), "gzip -9nc"),
                (("sha256sum",), "sha256sum"),
                (("sh", "-c", 'xz -0c "$1"', "sh", "{}"), "xz -0c")):
            with self.subTest(shell_words):
                done = self.xargs("-0", "-k", "-j4", "--", *ours_words,
                                  stdin=names, cwd=ours)
                expected = subprocess.run(
                    ["xargs", "-0", "-n1", *shell_words.split()],
                    input=names, cwd=ours, timeout=PATIENCE, check=True,
                    stdout=subprocess.PIPE).stdout
                self.assertEqual((0, b""), (done.returncode, done.stderr))
                self.assertEqual(hashlib.sha256(expected).digest(),
                                 hashlib.sha256(done.stdout).digest())

    def test_names_are_made_of_names(self):
        ours, = self.trees("ours")
        names = self.shell("find . -type f -print0", ours)
        before = tree(ours)
        self.ends(self.xargs("-0", "mv", "{}", "{//}/{/}.new", stdin=names,
                             cwd=ours), 0)
        self.assertEqual({name + ".new": data for name, data
                          in before.items()}, tree(ours))


class Many(XargsCase):
    def test_all_outputs_and_statuses_are_right(self):
        lines = b"".join(b"%d\n" % i for i in range(COMMANDS))
        log = self.directory + "/log"
        done = self.xargs(
            "-j8", "--joblog", log, "--", "sh", "-c",
            'echo "out $1"; echo "err $1" >&2; exit $(($1 % 4))', "sh", "{}",
            stdin=lines)
        self.assertEqual(101, done.returncode)
        for stream, word in (done.stdout, b"out"), (done.stderr, b"err"):
            self.assertEqual(
                sorted(b"%s %d" % (word, i) for i in range(COMMANDS)),
                sorted(stream.splitlines()))
        with open(log) as file:
            rows = [line.split("\t") for line in file][1:]
        self.assertEqual({i + 1: i % 4 for i in range(COMMANDS)},
                         {int(row[0]): int(row[6]) for row in rows})
        self.assertEqual(COMMANDS, len(rows))

    def test_large_outputs_are_whole(self):
        line = b"%063d\n"
        count = LARGE // 64
        done = self.xargs(
            "-k", "-j2", "--", "sh", "-c",
            'seq -f "%%063.0f" %d; echo "$1" >&2' % count, "sh",
            stdin=b"a\nb\n")
        self.assertEqual((0, b"a\nb\n"), (done.returncode, done.stderr))
        expected = hashlib.sha256()
        for _ in range(2):
            for first in range(1, count + 1, 4096):
                expected.update(b"".join(
                    line % i for i in range(first, min(first + 4096,
                                                       count + 1))))
        self.assertEqual(expected.digest(),
                         hashlib.sha256(done.stdout).digest())

    def test_three_run_side_by_side(self):
        # Each waits until all three are there.
        done = self.xargs(
            "-j3", "--", "sh", "-c",
            ': >"$1"; until [ -e 1 ] && [ -e 2 ] && [ -e 3 ]; do :; done',
            "sh", stdin=b"1\n2\n3\n")
        self.ends(done, 0)

    def test_input_is_empty_for_a_command(self):
        self.ends(self.xargs("-k", "--", "sh", "-c", "cat; echo $1", "sh",
                             stdin=b"a\nb\n"), 0, b"a\nb\n")

    def test_nothing_runs_without_lines(self):
        self.ends(self.xargs("touch", "{}"), 0)
        self.assertEqual([], os.listdir(self.directory))


class Ends(XargsCase):
    def test_failures_are_counted(self):
        self.assertEqual(3, self.xargs(
            "--", "sh", "-c", "exit $1", "sh",
            stdin=b"0\n1\n2\n0\n255\n").returncode)

    def test_program_that_is_not_there(self):
        done = self.xargs("--joblog", "log", "no such program",
                          stdin=b"a\n")
        self.assertEqual((1, b""), (done.returncode, done.stdout))
        self.assertIn(b"wynctl: command 1: ", done.stderr)
        with open(self.directory + "/log") as file:
            self.assertEqual("127", file.readlines()[1].split("\t")[6])

    def test_program_that_cannot_be_executed_is_only_one(self):
        path = os.path.join(self.directory, "bare")
        with open(path, "w") as file:
            file.write("echo x\n")
        os.chmod(path, 0o755)
        done = self.xargs("-j1", "{}", stdin=b"./bare\ntrue\n./bare/x\nfalse")
        self.assertEqual(3, done.returncode, done)
        self.assertIn(b"command 3: ./bare/x: Not a directory", done.stderr)

    def test_time_is_up(self):
        done = self.xargs(
            "-t", "100ms", "--joblog", "log", "--", "sh", "-c",
            '[ "$1" = a ] || sleep 3600', "sh", stdin=b"a\nb\n")
        self.assertEqual(1, done.returncode)
        with open(self.directory + "/log") as file:
            rows = [line.split("\t") for line in file][1:]
        self.assertEqual([["1", "0", "0"], ["2", "-1", "15"]], [
            [row[0], row[6], row[7]] for row in rows])

    def test_halt_leaves_nothing_behind(self):
        mark = self.directory + "/halt"
        done = self.xargs(
            "-j3", "--halt", "now,fail=1", "--", "sh", "-c",
            'if [ "$1" = 2 ]; then until [ -e 1 ] && [ -e 3 ]; do :; done\n'
            'exit 7; fi; : >"$1"; sleep 3600 & wait', "sh", "{}", mark,
            stdin=b"1\n2\n3\n4\n")
        self.assertEqual(7, done.returncode, done.stderr)
        self.assertFalse(os.path.exists(self.directory + "/4"))
        until(lambda: not processes(mark), "no process is left")

    def interrupted(self, number, code):
        mark = "%s/%d" % (self.directory, number)
        process = self.started(
            "-j2", "--", "sh", "-c", 'echo "$1"; sleep 3600 & wait', "sh",
            "{}", mark, lines=b"a\nb\nc\n")
        until(lambda: len(processes(mark)) >= 2, "two run")
        process.send_signal(number)
        process.wait(PATIENCE)
        self.assertEqual(code, process.returncode)
        until(lambda: not processes(mark), "no process is left")

    def test_sigint(self):
        self.interrupted(signal.SIGINT, 130)

    def test_sigterm(self):
        self.interrupted(signal.SIGTERM, 143)

    def test_sigkill(self):
        self.interrupted(signal.SIGKILL, -signal.SIGKILL)

    def test_resumed_runs_what_is_missing(self):
        command = ("--joblog", "log", "--", "sh", "-c",
                   'echo "$1" >>ran; exit $(($1 == 3))', "sh", "{}")
        self.assertEqual(1, self.xargs(
            "--halt", "now,fail=1", "-j1", *command,
            stdin=b"1\n2\n3\n4\n5\n").returncode)
        self.ends(self.xargs("--resume", *command,
                             stdin=b"1\n2\n3\n4\n5\n"), 0)
        with open(self.directory + "/ran") as file:
            self.assertEqual("1 2 3 4 5".split(),
                             sorted(file.read().split()))

    def test_server_that_runs_no_commands(self):
        with Wynd() as wynd:
            done = subprocess.run(
                [WYNCTL, "-c", wynd.address("unix"), "xargs", "true"],
                input=b"a\nb\n", capture_output=True, timeout=PATIENCE,
                env=environment(), check=False)
        self.assertEqual((OTHER, b""), (done.returncode, done.stdout))
        self.assertEqual(1, done.stderr.count(b"command 1: "), done.stderr)


if __name__ == "__main__":
    main()

# SPDX-License-Identifier: MIT
"""README.md shows what the programs do.

Its blocks of `console` are run in their order: the first one, which starts
wynd, in a shell of its own, the others in a second one. What the programs print
must be what is shown there. Only what cannot be the same twice may differ:
times, rates, counts of a run, processes, users, ids. An id that is shown stands,
from there on, for the one that was printed in its place.

What a shell says of its jobs is not shown. Commands that only look are run again
until they find what is shown: that the task has begun, that it is gone.
"""
import os
import re
import select
import shutil
import subprocess
import tempfile
import time
import unittest

from harness import MODULES, PATIENCE, WYNCTL, WYND, Timeout

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
README = os.path.join(ROOT, "README.md")
MARK = "end of the command"
LOOKS = re.compile(r"wynctl (list|explain|stats|functions)\b")
ID = re.compile(r"\b\d{19}\b")

# What differs from run to run, and what stands for it.
LOOSE = (
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", "TIME"),
    (r"\b(version|pid|uid|workers)=[\d.]+ ", r"\1=N "),
    (ID.pattern + r" +\d+", "ID CONNECTION"),
    (ID.pattern, "ID"),
    (r"\bconnection \d+", "connection N"),
    (r"\b(\d+\.\d+ ?|\d+ )(ns|us|ms|s)\b", "DURATION"),
    (r"\b\d+ per second", "N per second"),
    (r" +\d+/s$", ""),
    (r"^([a-z]+_[a-z_0-9]+) +\d{4,}$", r"\1 N"),
    (r" +", " "),
)


def blocks(kind):
    """The text of each block of that kind."""
    with open(README) as readme:
        return re.findall(r"^```%s\n(.*?)^```$" % kind, readme.read(),
                          re.MULTILINE | re.DOTALL)


def commands(block):
    """[(command, [line of its output])]."""
    found = []
    for line in block.splitlines():
        if line.startswith("$ "):
            found.append((line[2:], []))
        else:
            found[-1][1].append(line)
    return found


def loose(lines):
    for pattern, put in LOOSE:
        lines = [re.sub(pattern, put, line) for line in lines]
    return lines


class Shell:
    """A terminal: what is typed, and what comes of it."""

    def __init__(self, directory):
        environment = {name: value for name, value in os.environ.items()
                       if name not in ("WYN_CONNECT", "JOURNAL_STREAM")}
        environment["LC_ALL"] = "C"
        self.process = subprocess.Popen(
            ["bash", "--norc", "--noprofile"], cwd=directory, env=environment,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, bufsize=0)
        self.left = b""

    def type(self, text):
        self.process.stdin.write(text.encode() + b"\n")

    def line(self):
        """The next one; None at the end."""
        end = time.monotonic() + PATIENCE
        while b"\n" not in self.left:
            wait = max(0, end - time.monotonic())
            if not select.select([self.process.stdout], [], [], wait)[0]:
                raise Timeout("nothing is printed after %r" % self.left)
            more = self.process.stdout.read(65536)
            if not more:
                return None
            self.left += more
        line, self.left = self.left.split(b"\n", 1)
        return line.decode(errors="replace")

    def run(self, command):
        """Its lines, without those that are the shell's own.

        What is typed next is no input of it, though it were there already."""
        self.type("{ %s\n} </dev/null" % command)
        self.type("echo '%s'" % MARK)
        lines = []
        while (line := self.line()) != MARK:
            if line is None:
                raise AssertionError("the shell ended in " + command)
            if not line.startswith("bash: line "):
                lines.append(line)
        return lines

    def end(self):
        """Its exit code, which is that of its last command."""
        self.process.stdin.close()
        return self.process.wait(PATIENCE)

    def destroy(self):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


class Readme(unittest.TestCase):
    def setUp(self):
        """A tree that looks like a clone after `make`."""
        self.directory = tempfile.mkdtemp(prefix="wynd-readme-")
        self.addCleanup(shutil.rmtree, self.directory)
        for name in ("include", "examples"):
            shutil.copytree(os.path.join(ROOT, name),
                            os.path.join(self.directory, name))
        build = os.path.join(self.directory, "build/release")
        os.makedirs(os.path.join(build, "modules"))
        for path in (WYND, WYNCTL):
            os.symlink(os.path.abspath(path),
                       os.path.join(build, os.path.basename(path)))
        for name in os.listdir(MODULES):
            if name.endswith(".so"):
                shutil.copy(os.path.join(MODULES, name),
                            os.path.join(build, "modules"))
        self.ids = {}

    def shell(self):
        shell = Shell(self.directory)
        self.addCleanup(shell.destroy)
        return shell

    def learn(self, shown, printed):
        """Which id is meant by the one that is shown."""
        for a, b in zip(ID.findall("\n".join(shown)),
                        ID.findall("\n".join(printed))):
            self.ids.setdefault(a, b)

    def check(self, shell, command, shown):
        really = ID.sub(lambda found: self.ids.get(found[0], found[0]), command)
        printed = shell.run(really)
        end = time.monotonic() + PATIENCE
        while LOOKS.match(command) and loose(printed) != loose(shown) and \
                time.monotonic() < end:
            printed = shell.run(really)
        self.assertEqual(loose(printed), loose(shown), "$ " + command)
        self.learn(shown, printed)

    def test_tour_prints_what_is_shown(self):
        first, *others = map(commands, blocks("console"))
        *before, (start, log) = first
        daemon, terminal = self.shell(), self.shell()
        for command, shown in before:
            self.check(daemon, command, shown)
        daemon.type("exec " + start)
        printed = [daemon.line() for _ in log]
        self.assertEqual(loose(printed), loose(log), "$ " + start)
        for command, shown in sum(others, []):
            self.check(terminal, command, shown)
        self.assertEqual(terminal.end(), 0)
        while daemon.line() is not None:
            pass
        self.assertEqual(daemon.end(), 0)

    def test_configuration_is_one(self):
        for text in blocks("conf"):
            path = os.path.join(self.directory, "wynd.conf")
            with open(path, "w") as config:
                config.write(text)
            printed = subprocess.run(
                [WYND, "--config", path, "--check-config"], text=True,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            self.assertEqual(printed.returncode, 0, printed.stdout)
            said = [line.partition(" # ")[0]
                    for line in printed.stdout.splitlines()
                    if not line.startswith("#")]
            self.assertEqual(sorted(said), sorted(text.splitlines()))

    def test_module_is_the_example(self):
        shown, = blocks("c")
        with open(os.path.join(ROOT, "examples/module/hello.c")) as example:
            code = example.read().partition("*/\n")[2]
        self.assertEqual(shown, code)

    def test_links_lead_somewhere(self):
        with open(README) as readme:
            links = re.findall(r"\]\(([^)#]+)\)", readme.read())
        self.assertGreater(len(links), 10)
        for link in links:
            with self.subTest(link=link):
                self.assertTrue(os.path.exists(os.path.join(ROOT, link)))

    def test_manuals_are_linked(self):
        with open(README) as readme:
            text = readme.read()
        for name in os.listdir(os.path.join(ROOT, "docs")):
            if name.endswith(".scd"):
                with self.subTest(name=name):
                    self.assertIn("docs/" + name, text)


if __name__ == "__main__":
    unittest.main()

# SPDX-License-Identifier: MIT
"""Commands through wynd-spawner.service, and by a spawner that wynd.service has
started: by the lines of the units and with what they leave, as root, who alone
can start them so."""
import os
import re
import shutil
import socket
import subprocess
import tempfile
import unittest

from harness import BUILD_DIR, PATIENCE, SANITIZED, Wynd, main, until
from test_units import Filter

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
DAEMON = 65534  # whom wynd runs as here, for there may be no user wynd
SOMEBODY = 54321  # who asks, and is in no list of the system's
TOOLS = ("systemd-socket-activate", "setpriv")


# What of root's rights a test may find here, by the numbers of the kernel.
RIGHTS = {"CAP_DAC_READ_SEARCH": 2, "CAP_KILL": 5, "CAP_SETGID": 6,
          "CAP_SETUID": 7, "CAP_SYS_PTRACE": 19, "CAP_SYS_ADMIN": 21,
          "CAP_SYS_RESOURCE": 24}
ACCEPTS = 0x10000  # a flag of /proc/net/unix: __SO_ACCEPTCON


def status(text):
    """Fields of /proc/PID/status that are numbers of base 16."""
    return {name: int(value, 16) for name, value in re.findall(
        r"^(Cap\w+|NoNewPrivs):\s*([0-9a-f]+)$", text, re.M)}


def listens(path):
    with open("/proc/net/unix") as file:
        return any(words[-1] == path and int(words[3], 16) & ACCEPTS
                   for words in map(str.split, file) if len(words) == 8)


def become(uid):
    """In a child, before it becomes another program."""
    def change():
        os.setgroups([])
        os.setgid(uid)
        os.setuid(uid)
    return change


class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.prefix = tempfile.mkdtemp(prefix="wyn-service-")
        cls.addClassCleanup(shutil.rmtree, cls.prefix)
        # DESTDIR is not empty, so that it leaves the host's cache alone.
        subprocess.run(
            ["scripts/install", "install"], cwd=ROOT, check=True,
            stdout=subprocess.DEVNULL, timeout=PATIENCE, env=dict(
                os.environ, B=os.path.abspath(BUILD_DIR), DESTDIR="/",
                PREFIX=cls.prefix, LIBDIR=cls.prefix + "/lib",
                VERSION="1.2.3", SONAME="libwyn.so.0"))
        os.chmod(cls.prefix, 0o755)

    def settings(self, unit, name):
        with open("%s/lib/systemd/system/%s" % (self.prefix, unit)) as file:
            return re.findall("^%s=(.*)$" % name, file.read(), re.M)

    def wynd(self, spawner, preexec):
        directory = tempfile.mkdtemp(dir=self.prefix)
        os.chown(directory, DAEMON, DAEMON)
        os.chmod(directory, 0o755)
        return Wynd("--commands", "--spawner", spawner, "--socket-mode", "0666",
                    "--command-users", "0", "--command-users", str(SOMEBODY),
                    modules=self.prefix + "/lib/wynd/modules",
                    directory=directory, preexec=preexec,
                    program=self.prefix + "/bin/wynd")

    def run_as(self, uid, wynd, *command):
        done = subprocess.run(
            [self.prefix + "/bin/wynctl", "-c", wynd.address("unix"), "run",
             "--", *command], stdin=subprocess.DEVNULL, capture_output=True,
            cwd="/", text=True, timeout=PATIENCE, check=False,
            preexec_fn=become(uid))
        self.assertEqual((0, ""), (done.returncode, done.stderr))
        return done.stdout


@unittest.skipUnless(os.geteuid() == 0, "only root can become somebody else")
@unittest.skipIf(SANITIZED, "sanitizers make calls of their own")
class InWyndsUnit(Case):
    def test_commands_run_under_its_filter(self):
        """Which ends here what calls in vain there: so nothing is."""
        refused = Filter(self.settings("wynd.service", "SystemCallFilter"),
                         True)

        def preexec():
            become(DAEMON)()
            refused.apply()
        program = self.prefix + "/libexec/wynd/wynd-spawner"
        with self.wynd(program, preexec) as wynd:
            for uid in (SOMEBODY, 0):
                self.assertEqual("%d\n" % DAEMON,
                                 self.run_as(uid, wynd, "id", "-u"))
            self.assertEqual("a\n", self.run_as(
                0, wynd, "sh", "-c", "sleep 1000 & echo a"))


@unittest.skipUnless(os.geteuid() == 0, "only root can become somebody else")
@unittest.skipUnless(all(map(shutil.which, TOOLS)), "needs " + str(TOOLS))
class Service(Case):
    def setting(self, kind, name):
        value, = self.settings("wynd-spawner." + kind, name)
        return value

    def spawner(self):
        """As the service manager would start it; the path of its socket."""
        directory = tempfile.mkdtemp(dir=self.prefix)
        os.chmod(directory, 0o755)
        os.mkdir(directory + "/wynd", 0o755)
        path = self.setting("socket", "ListenSequentialPacket").replace(
            "%t", directory)
        kept = self.setting("service", "CapabilityBoundingSet").lower()
        program, *words = self.setting("service", "ExecStart").split()
        words[words.index("wynd")] = "nobody"
        process = subprocess.Popen(
            ["systemd-socket-activate", "--seqpacket", "-l", path, "setpriv",
             "--no-new-privs", "--bounding-set=-all," + ",".join(
                 "+" + word.removeprefix("cap_") for word in kept.split()),
             program, *words],
            stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        until(lambda: listens(path), "somebody listens")
        os.chown(path, DAEMON, DAEMON)
        os.chmod(path, int(self.setting("socket", "SocketMode"), 8))
        return path

    def test_each_runs_as_who_asks(self):
        with self.wynd(self.spawner(), become(DAEMON)) as wynd:
            for uid in (SOMEBODY, 0):
                self.assertEqual("%d\n" % uid,
                                 self.run_as(uid, wynd, "id", "-u"))

    def test_nobody_has_more_rights_than_the_unit_leaves(self):
        with open("/proc/self/status") as file:
            here = status(file.read())["CapBnd"]
        left = sum(1 << RIGHTS[word] for word in self.setting(
            "service", "CapabilityBoundingSet").split())
        with self.wynd(self.spawner(), become(DAEMON)) as wynd:
            roots, theirs = (status(self.run_as(
                uid, wynd, "cat", "/proc/self/status"))
                for uid in (0, SOMEBODY))
        self.assertEqual((left & here, 1),
                         (roots["CapEff"], roots["NoNewPrivs"]))
        self.assertEqual((0, 1), (theirs["CapEff"], theirs["NoNewPrivs"]))

    def test_strangers_get_no_link(self):
        path = self.spawner()
        os.chmod(path, 0o666)
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                become(SOMEBODY)()
                with socket.socket(socket.AF_UNIX,
                                   socket.SOCK_SEQPACKET) as sock:
                    sock.settimeout(PATIENCE)
                    sock.connect(path)
                    code = 0 if sock.recv(1) == b"" else 2
            finally:
                os._exit(code)
        self.assertEqual(0, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))


if __name__ == "__main__":
    main()

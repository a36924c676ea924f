# SPDX-License-Identifier: MIT
"""The units that `make install` puts in place: what systemd says of them, and
that wynd runs under the filter of system calls that they name."""
import ctypes
import glob
import hashlib
import os
import re
import shutil
import signal
import struct
import subprocess
import tempfile
import unittest

from harness import BUILD_DIR, PATIENCE, SANITIZED, WYNCTL, Wynd, main, until
from test_install import ROOT, run

EXPOSURE_MAX = {"wynd.service": 2.0, "wynd-spawner.service": 8.0}
# Commands are under what wynd-spawner.service has, and may need any of these.
NOT_FOR_COMMANDS = (
    "ProtectHome", "PrivateTmp", "PrivateDevices", "PrivateNetwork",
    "PrivateUsers", "RestrictAddressFamilies", "RestrictNamespaces",
    "ProtectProc", "ProcSubset", "ProtectControlGroups", "DeviceAllow",
    "ProtectClock", "MemoryDenyWriteExecute", "SystemCallFilter",
    "SystemCallArchitectures", "NoExecPaths", "IPAddressDeny", "DynamicUser")
# What the settings that wynd's units have mean to prctl(2) and seccomp(2).
PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS, SECCOMP_MODE_FILTER = 22, 38, 2
ALLOW, KILL = 0x7FFF0000, 0x80000000
LOAD, JUMP_IF_EQUAL, JUMP_IF_SET, AND, RETURN = 0x20, 0x15, 0x45, 0x54, 0x06
PROT_WRITE_EXEC, PROT_EXEC = 6, 4


class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.prefix = tempfile.mkdtemp(prefix="wyn-units-")
        cls.addClassCleanup(shutil.rmtree, cls.prefix)
        # DESTDIR is not empty, so that it leaves the host's cache alone.
        run("scripts/install", "install", cwd=ROOT, env=dict(
            os.environ, B=os.path.abspath(BUILD_DIR), DESTDIR="/",
            PREFIX=cls.prefix, LIBDIR=cls.prefix + "/lib", VERSION="1.2.3",
            SONAME="libwyn.so.0"))

    def units(self, whose, name="wynd"):
        found = sorted(glob.glob(
            "%s/lib/systemd/%s/%s.*" % (self.prefix, whose, name)))
        self.assertEqual([os.path.basename(path) for path in found],
                         [name + ".service", name + ".socket"])
        return found

    def settings(self, whose, unit, name):
        """The values of one setting, in order."""
        with open("%s/lib/systemd/%s/%s" % (self.prefix, whose, unit)) as file:
            return re.findall("^%s=(.*)$" % name, file.read(), re.M)


class Analyze(Case):
    def analyze(self, *words):
        # A user's manager wants a directory to be for.
        return run("systemd-analyze", *words, env=dict(
            os.environ, XDG_RUNTIME_DIR=self.prefix, NO_COLOR="1"))

    def test_system_units_verify(self):
        self.assertEqual("", self.analyze(
            "verify", "--man=no", *self.units("system"),
            *self.units("system", "wynd-spawner")))

    def test_user_units_verify(self):
        self.assertEqual("", self.analyze(
            "--user", "verify", "--man=no", *self.units("user")))

    def test_a_wrong_unit_does_not(self):
        path = self.prefix + "/wrong.service"
        with open(path, "w") as file:
            file.write("[Service]\nExecStart=/bin/true\nProtectSytem=yes\n")
        self.assertIn("ProtectSytem", self.analyze(
            "verify", "--man=no", path))

    def test_exposure(self):
        for service, most in EXPOSURE_MAX.items():
            said = self.analyze(
                "security", "--offline=true", "--no-pager",
                "--threshold=%d" % (most * 10),
                "%s/lib/systemd/system/%s" % (self.prefix, service))
            level = re.search(
                r"exposure level for %s: ([\d.]+)" % service, said)
            self.assertLessEqual(float(level.group(1)), most)

    def test_every_setting_is_explained(self):
        """Each run of settings follows a comment, in a service's own part."""
        for path in (self.units("system")[0], self.units("user")[0],
                     *self.units("system", "wynd-spawner")):
            with open(path) as file:
                text = re.split(r"\[(?:Service|Socket)\]\n", file.read())[1]
            for part in re.split(r"\n\n", text.split("\n[")[0]):
                self.assertTrue(part.startswith("#"), part)

    def test_sockets_are_where_clients_look(self):
        self.assertEqual(self.settings("system", "wynd.socket",
                                       "ListenStream"), ["%t/wynd/wynd.sock"])
        self.assertEqual(self.settings("user", "wynd.socket", "ListenStream"),
                         ["%t/wynd.sock"])
        # It is there before the service, and stays when that ends.
        self.assertEqual(
            self.settings("system", "wynd.service",
                          "RuntimeDirectoryPreserve"), ["yes"])

    def spawner(self, kind, name):
        return self.settings("system", "wynd-spawner." + kind, name)

    def test_spawner_is_for_wynd_alone(self):
        self.assertEqual(self.spawner("socket", "ListenSequentialPacket"),
                         ["%t/wynd/spawner.sock"])
        self.assertEqual(self.spawner("socket", "ListenStream"), [])
        user, = self.settings("system", "wynd.service", "User")
        self.assertEqual([user, "0600"], self.spawner("socket", "SocketUser") +
                         self.spawner("socket", "SocketMode"))
        command, = self.spawner("service", "ExecStart")
        self.assertTrue(os.access(command.split()[0], os.X_OK), command)
        self.assertEqual(command.split()[1:], ["--user", user])

    def test_spawner_keeps_no_command_from_what_its_user_may(self):
        for name in NOT_FOR_COMMANDS:
            self.assertEqual(self.spawner("service", name), [], name)
        # Its cgroup is its own, and one command's end is not everybody's.
        self.assertEqual(["yes", "continue"],
                         self.spawner("service", "Delegate") +
                         self.spawner("service", "OOMPolicy"))

    def test_wynd_outlives_a_command_that_took_all_memory(self):
        """Whose spawner wynd has started, so that it is of the same unit."""
        for whose in ("system", "user"):
            self.assertEqual(["continue"], self.settings(
                whose, "wynd.service", "OOMPolicy"))

    def test_spawner_of_wynd_can_tell_which_boot_it_is(self):
        """By /proc/sys, or there is no ledger of what it starts."""
        self.assertEqual([], self.settings(
            "system", "wynd.service", "ProcSubset"))

    def test_wynd_ends_before_the_spawner(self):
        for kind in ("service", "socket"):
            self.assertEqual(["wynd.service"], self.spawner(kind, "Before"))

    @unittest.skipUnless(os.geteuid() == 0, "only root can give files away")
    def test_user_and_directory_are_made(self):
        with tempfile.TemporaryDirectory() as root:
            shutil.copytree(self.prefix + "/lib", root + "/usr/lib",
                            symlinks=True)
            os.mkdir(root + "/etc")
            run("systemd-sysusers", "--root=" + root)
            with open(root + "/etc/passwd") as file:
                self.assertRegex(file.read(), r"(?m)^wynd:x:\d+:")
            run("systemd-tmpfiles", "--root=" + root, "--create",
                "--prefix=/run/wynd")
            made = os.stat(root + "/run/wynd")
            with open(root + "/etc/passwd") as file:
                uid = re.search(r"(?m)^wynd:x:(\d+):", file.read()).group(1)
            self.assertEqual((made.st_mode & 0o7777, made.st_uid),
                             (0o755, int(uid)))


class Installed(Case):
    def test_first_call_of_a_user_starts_it(self):
        """By the lines of the units, and with what was installed."""
        runtime = tempfile.mkdtemp(dir=self.prefix)
        listen, = self.settings("user", "wynd.socket", "ListenStream")
        command, = self.settings("user", "wynd.service", "ExecStart")
        environment = {**os.environ, "XDG_RUNTIME_DIR": runtime}
        environment.pop("WYN_CONNECT", None)

        def ctl(*words):
            return subprocess.run(
                [self.prefix + "/bin/wynctl", *words], env=environment,
                stdin=subprocess.DEVNULL, capture_output=True, text=True,
                timeout=PATIENCE, check=False)

        # Where modules are is compiled in, and this is elsewhere.
        process = subprocess.Popen(
            ["systemd-socket-activate", "-l", listen.replace("%t", runtime),
             *command.split(), "--modules", self.prefix + "/lib/wynd/modules"],
            stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            until(lambda: ctl("ping", "-n", "1").returncode == 0,
                  "somebody listens")
            done = ctl("call", "sha256", "hello")
            self.assertEqual(done.stdout.strip(), hashlib.sha256(
                b"hello").hexdigest(), done.stderr)
            ctl("drain")
            self.assertEqual(process.wait(PATIENCE), 0)
        finally:
            process.kill()
            process.wait()


class Filter:
    """SystemCallFilter= and MemoryDenyWriteExecute=, but that what is refused
    there ends the process here, so that nothing is tried in vain."""

    def __init__(self, lines, protect_memory):
        self.numbers = self.all_numbers()
        allowed = set()
        for line in lines:
            names = set()
            for word in line.lstrip("~").split():
                names |= self.expand(word)
            allowed = allowed - names if line[0] == "~" else allowed | names
        self.code = []
        if protect_memory:
            self.refuse("mmap", PROT_WRITE_EXEC, PROT_WRITE_EXEC)
            for name in ("mprotect", "pkey_mprotect"):
                self.refuse(name, PROT_EXEC, PROT_EXEC)
        self.add(LOAD, 0)
        for name in sorted(allowed & set(self.numbers)):
            self.add(JUMP_IF_EQUAL, self.numbers[name], 0, 1)
            self.add(RETURN, ALLOW)
        self.add(RETURN, KILL)

    @staticmethod
    def all_numbers():
        said = subprocess.run(
            [os.environ.get("CC", "gcc"), "-E", "-dM", "-"],
            input="#include <sys/syscall.h>\n", capture_output=True,
            text=True, check=True).stdout
        return {name: int(number) for name, number in re.findall(
            r"^#define __NR_(\w+) (\d+)$", said, re.M)}

    @classmethod
    def expand(cls, word):
        if word[0] != "@":
            return {word}
        names = set()
        for line in run("systemd-analyze", "--no-pager", "syscall-filter",
                        word).splitlines()[1:]:
            line = line.strip()
            if line and line[0] != "#":
                names |= cls.expand(line)
        return names

    def add(self, code, k, yes=0, no=0):
        self.code.append(struct.pack("=HBBI", code, yes, no, k))

    def refuse(self, name, mask, wanted):
        """That call, when these bits of its third argument are set."""
        self.add(LOAD, 0)
        self.add(JUMP_IF_EQUAL, self.numbers[name], 0, 4)
        self.add(LOAD, 32)
        self.add(AND, mask)
        self.add(JUMP_IF_EQUAL, wanted, 0, 1)
        self.add(RETURN, KILL)

    def apply(self):
        """In a child, before it becomes another program."""
        libc = ctypes.CDLL(None, use_errno=True)
        code = b"".join(self.code)
        buffer = ctypes.create_string_buffer(code, len(code))
        program = ctypes.create_string_buffer(struct.pack(
            "@HP", len(self.code), ctypes.addressof(buffer)))
        for words in ((PR_SET_NO_NEW_PRIVS, 1, 0),
                      (PR_SET_SECCOMP, SECCOMP_MODE_FILTER, program)):
            if libc.prctl(words[0], ctypes.c_ulong(words[1]), words[2],
                          0, 0) != 0:
                raise OSError(ctypes.get_errno(), "prctl")


@unittest.skipIf(SANITIZED, "sanitizers make calls of their own")
class Filtered(Case):
    def filter(self, whose):
        self.assertEqual(["yes"], self.settings(
            whose, "wynd.service", "MemoryDenyWriteExecute"))
        return Filter(self.settings(
            whose, "wynd.service", "SystemCallFilter"), True)

    def ended(self, filter_, code):
        return subprocess.run(
            ["/usr/bin/python3", "-c", code], preexec_fn=filter_.apply,
            stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            timeout=PATIENCE, check=False).returncode

    def test_filter_refuses(self):
        refused = self.filter("system")
        self.assertEqual(0, self.ended(refused, "import mmap\n"
                                       "mmap.mmap(-1, 4096, prot=3)"))
        for code in ("import os; os.chroot('/')",
                     "import os; os.nice(1)",
                     "import mmap; mmap.mmap(-1, 4096, prot=7)"):
            self.assertEqual(-signal.SIGSYS, self.ended(refused, code), code)

    def test_wynd_runs_under_it(self):
        for whose in ("system", "user"):
            with Wynd("--loops", 2, listen=("unix:@/s", "tcp:127.0.0.1:0"),
                      preexec=self.filter(whose).apply) as wynd:
                for address in wynd.addresses:
                    def ctl(*words):
                        return run(WYNCTL, "-c", address, *words)
                    self.assertEqual("hi\n", ctl("call", "echo", "hi"))
                    self.assertEqual(64, len(ctl(
                        "call", "sha256", "hi").strip()))
                    ctl("repeat", "echo", "1000")
                    ctl("call", "sleep_ms", "1")
                    ctl("stats")
                run(WYNCTL, "-c", wynd.addresses[0], "drain")
                self.assertEqual(0, wynd.wait())


if __name__ == "__main__":
    main()

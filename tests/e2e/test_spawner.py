# SPDX-License-Identifier: MIT
"""wynd-spawner as a program: its flags, the socket that it begins with, as wynd
and as a service manager start it."""
import signal
import socket
import subprocess
import tempfile
import unittest

from harness import BUILD_DIR, PATIENCE, field, fields, main

SPAWNER = BUILD_DIR + "/wynd-spawner"

# As a service manager does it: the socket is 3, and for this process.
PASS = "export LISTEN_PID=$$ LISTEN_FDS=1; exec \"$@\" 3<&0 0</dev/null"


def configure():
    """Configure of version 1, of one command, without cgroups."""
    return b"\0" + field(1, field(1, 1) + field(2, 1) + field(7, b"none"))


def run(*flags):
    return subprocess.run(
        (SPAWNER,) + flags, stdin=subprocess.DEVNULL, capture_output=True,
        timeout=PATIENCE, text=True)


class Flags(unittest.TestCase):
    def test_help_and_version_are_printed(self):
        for flag in ("--help", "-h"):
            done = run(flag)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertTrue(done.stdout.startswith("usage: wynd-spawner "))
        done = run("--version")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertRegex(done.stdout, r"^wynd-spawner \d+\.\d+\.\d+\n$")

    def test_wrong_flags_are_usage(self):
        for flags, why in (
                ((), "wynd-spawner: needs --link FD"),
                (("--lnik", "3"), "did you mean --link?"),
                (("--link", "x"), "--link x: must be"),
                (("--link", "0"), "not a connected SOCK_SEQPACKET socket"),
                (("--link", "99"), "not a connected SOCK_SEQPACKET socket"),
                (("more",), "more: wynd-spawner takes flags alone")):
            done = run(*flags)
            self.assertEqual(done.returncode, 64, flags)
            self.assertIn(why, done.stderr)
            self.assertEqual(done.stdout, "")


class Links(unittest.TestCase):
    def start(self, *command, **options):
        process = subprocess.Popen(command, **options)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def ready(self, link):
        link.settimeout(PATIENCE)
        link.send(configure())
        packet = link.recv(1 << 15)
        self.assertEqual(packet[0], 0)
        ready = dict(fields(dict(fields(packet[1:]))[1]))
        self.assertEqual(ready[1], 1)
        return ready[2]

    def test_spawner_ends_with_the_link_that_it_inherits(self):
        ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        fd = its.fileno()
        with its:
            process = self.start(SPAWNER, "--link", str(fd), pass_fds=(fd,))
        with ours:
            self.assertEqual(self.ready(ours), process.pid)
            process.send_signal(signal.SIGTERM)
            process.send_signal(signal.SIGINT)
            self.assertEqual(self.ready(ours), process.pid)
        self.assertEqual(process.wait(PATIENCE), 0)

    def test_service_takes_links_and_ends_by_sigterm(self):
        with tempfile.TemporaryDirectory(prefix="wynd-test-") as directory:
            with socket.socket(
                    socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
                listener.bind(directory + "/s")
                listener.listen()
                process = self.start(
                    "bash", "-c", PASS, "-", SPAWNER, stdin=listener)
            links = []
            for _ in range(3):
                link = socket.socket(
                    socket.AF_UNIX, socket.SOCK_SEQPACKET)
                self.addCleanup(link.close)
                link.connect(directory + "/s")
                self.assertEqual(self.ready(link), process.pid)
                links.append(link)
            links.pop().close()
            self.assertEqual(self.ready(links[0]), process.pid)
            process.send_signal(signal.SIGTERM)
            self.assertEqual(process.wait(PATIENCE), 0)
            for link in links:
                self.assertEqual(link.recv(1), b"")

    def test_passed_sockets_of_another_kind_are_refused(self):
        for kind, listens in (
                (socket.SOCK_STREAM, True), (socket.SOCK_SEQPACKET, False)):
            with tempfile.TemporaryDirectory() as directory, socket.socket(
                    socket.AF_UNIX, kind) as passed:
                passed.bind(directory + "/s")
                if listens:
                    passed.listen()
                done = subprocess.run(
                    ("bash", "-c", PASS, "-", SPAWNER), stdin=passed,
                    capture_output=True, timeout=PATIENCE)
                self.assertEqual(done.returncode, 64)


if __name__ == "__main__":
    main()

# SPDX-License-Identifier: MIT
"""A wynctl that runs commands, and the other end of its connection: a server
that says what a test has it say."""
import socket
import subprocess
import tempfile
import unittest

from harness import PATIENCE, WYNCTL
from test_wynctl import environment
from wyn_client import encode


class WynctlPeer:
    """`command` is wynctl's own, such as run."""

    def __init__(self, case, command, *args, **options):
        self.directory = case.enterContext(tempfile.TemporaryDirectory())
        listener = case.enterContext(socket.socket(socket.AF_UNIX))
        listener.bind(self.directory + "/s")
        listener.listen()
        options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE,
                   "env": environment(), **options}
        self.process = subprocess.Popen(
            [WYNCTL, "-c", "unix:%s/s" % self.directory, command, *args],
            **options)
        case.addCleanup(self.end)
        listener.settimeout(PATIENCE)
        self.sock = case.enterContext(listener.accept()[0])
        self.sock.settimeout(PATIENCE)

    def end(self):
        self.process.kill()
        for stream in (self.process.stdin, self.process.stdout,
                       self.process.stderr):
            if stream is not None:
                stream.close()
        self.process.wait()

    def send(self, **body):
        self.sock.sendall(encode(**body))

    def send_welcome(self, tasks, argument_bytes):
        self.send(welcome={
            "version": 1, "server_name": "script",
            "limits": {"max_frame": 1 << 20, "max_batch": 100,
                       "max_argument": 1 << 26, "max_value": 1 << 26},
            "credit": {"tasks": tasks, "argument_bytes": argument_bytes}})

    def finish(self):
        out, err = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, out, err


class PeerCase(unittest.TestCase):
    def ends(self, daemon, code, out=b"", err=b""):
        """It does, with that code, and those outputs."""
        got = daemon.finish()
        self.assertEqual((code, out), got[:2], got)
        if err == b"":
            self.assertEqual(err, got[2])
        else:
            self.assertRegex(got[2], err)

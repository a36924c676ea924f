#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What wynd's log says in each form, and what becomes of it when it cannot be
written: nobody waits for it, and nothing is torn."""
import json
import os
import signal
import socket
import subprocess
import tempfile
import unittest

from harness import Wynd, main, refused, until
from peer import Peer


def onto(fd, **environment):
    """Makes a descriptor the standard error of what is started."""
    def preexec():
        os.dup2(fd, 2)
        os.environ.update(environment)
    return preexec


def read_all(fd):
    """What is there now."""
    os.set_blocking(fd, False)
    data = b""
    try:
        while more := os.read(fd, 65536):
            data += more
    except BlockingIOError:
        pass
    return data.decode()


def events(log, name):
    return [e for e in map(json.loads, log.splitlines()) if e["event"] == name]


def break_rules(wynd):
    """A connection that is closed with an Error."""
    with Peer(wynd.address("unix"), greet=False) as peer:
        peer.raw(b"GET / HTTP/1.1\r\n\r\n")
        assert peer.expect("error").reason == "BAD_PREFACE"


def serves(wynd):
    with Peer(wynd.address("unix")) as peer:
        peer.submit(1, "echo", b"x")
        return peer.rows(1) == {1: (0, "")}


class Forms(unittest.TestCase):
    def test_json_tells_of_a_life(self):
        with Wynd("--log-format", "json", "--log-level", "debug",
                  listen=("unix:@/s", "tcp:127.0.0.1:0")) as wynd:
            with Peer(wynd.address("tcp"), client_name='\u20ac"\n') as peer:
                peer.submit(1, "echo", b"secret")
                peer.submit(2, "nothing", b"secret")
                peer.rows(2)
                peer.send(finish={})
                self.assertTrue(peer.ends())
                port = peer.sock.getsockname()[1]
            until(lambda: "connection-closed" in wynd.log(), "it is closed")
            wynd.signal(signal.SIGTERM)
            self.assertEqual(wynd.wait(), 0)
            log = wynd.log()
            for line in log.splitlines():
                self.assertEqual(list(json.loads(line))[:3],
                                 ["time", "level", "event"])
            self.assertNotIn("secret", log)
            started, = events(log, "started")
            self.assertEqual(started["pid"], wynd.pid)
            self.assertEqual(len(events(log, "listening")), 2)
            loaded = events(log, "module-loaded")
            self.assertEqual(len(loaded), started["modules"])
            self.assertEqual(sum(m["functions"] for m in loaded),
                             started["functions"])
            closed, = events(log, "connection-closed")
            self.assertEqual(closed["address"], "127.0.0.1:%d" % port)
            self.assertEqual(closed["client"], '\u20ac"\n')
            self.assertEqual(closed["reason"], "finished")
            ended, = events(log, "ended")
            self.assertEqual(
                [ended[key] for key in ("exit_code", "connections", "tasks_ok",
                                        "tasks_refused", "failed")],
                [0, 1, 1, 1, 0])
            self.assertEqual(json.loads(log.splitlines()[-1]), ended)

    def test_the_journals_when_standard_error_is_its(self):
        ours, theirs = socket.socketpair()
        with ours, theirs:
            status = os.fstat(theirs.fileno())
            stream = "%d:%d" % (status.st_dev, status.st_ino)
            with Wynd(preexec=onto(theirs.fileno(), JOURNAL_STREAM=stream)):
                pass
            log = read_all(ours.fileno())
            self.assertRegex(log, r"(?m)\A(<6>[a-z-]+( [a-z_]+=\S+)*\n)+\Z")
            self.assertIn("<6>ended exit_code=0 ", log)

    def test_text_when_the_journal_is_another(self):
        with Wynd(preexec=lambda: os.environ.update(JOURNAL_STREAM="1:2")) \
                as wynd:
            self.assertRegex(wynd.log(), r"Z info started version=")

    def test_a_start_that_fails(self):
        code, log = refused("--log-format", "json", "--socket-group", "?")
        failed, = events(log, "failed")
        self.assertEqual(failed["exit_code"], code)
        self.assertIn("no such group", failed["error"])
        code, log = refused("--log-format", "xml")
        self.assertEqual((code, log.splitlines()),
                         (64, ["wynd: --log-format xml: must be auto, text, "
                               "journal or json"]))


class Hostile(unittest.TestCase):
    def test_peers_that_break_the_rules_are_counted(self):
        with Wynd("--log-format", "json") as wynd:
            for _ in range(100):
                break_rules(wynd)
            wynd.signal(signal.SIGTERM)
            self.assertEqual(wynd.wait(), 0)
            wrong = events(wynd.log(), "peer-wrong")
            self.assertEqual(
                {(w["reason"], w["uid"], w["pid"]) for w in wrong},
                {("BAD_PREFACE", os.getuid(), os.getpid())})
            # Five for each window that has passed meanwhile.
            self.assertLess(len(wrong), 100)
            told = wrong + [e for e in events(wynd.log(), "suppressed")
                            if e["of"] == "peer-wrong"]
            self.assertEqual(
                len(wrong) + sum(e.get("suppressed", 0) for e in told), 100)

    def test_refusals_are_one_line(self):
        with Wynd("--log-format", "json") as wynd:
            with Peer(wynd.address("unix")) as peer:
                for seq in range(1, 1001):
                    peer.submit(seq, "nothing", b"")
                peer.rows(1000)
            told = events(wynd.log(), "tasks-refused")
            # One for each window; what came after the last is in the totals.
            self.assertLess(len(told), 10)
            for line in told:
                self.assertEqual(line["tasks"], line["functions_unknown"])

    def test_who_is_silent(self):
        with Wynd("--hello-timeout", "20ms") as wynd:
            with Peer(wynd.address("unix"), greet=False) as peer:
                peer.expect("error")
            until(lambda: "peer-silent" in wynd.log(), "it is told")
            self.assertRegex(wynd.log(), " info peer-silent uid=.*"
                             " reason=HELLO_TIMEOUT tasks=0\n")


class Lost(unittest.TestCase):
    def test_on_a_disk_that_is_full(self):
        with open("/dev/full", "wb") as full:
            with Wynd("--log-level", "debug",
                      preexec=onto(full.fileno())) as wynd:
                self.assertTrue(serves(wynd))

    def test_in_a_pipe_that_nobody_reads(self):
        reader, writer = os.pipe()
        try:
            with Wynd("--log-level", "debug", preexec=onto(writer)) as wynd:
                # A few hundred bytes each, of 64 KiB.
                for _ in range(400):
                    self.assertTrue(serves(wynd))
                log = read_all(reader)
                self.assertTrue(os.get_blocking(writer))
            log += read_all(reader)
        finally:
            os.close(reader)
            os.close(writer)
        for line in log.splitlines():
            self.assertRegex(line, r"\A\d{4}-\S+Z [a-z]+ [a-z-]+( |\Z)")
        self.assertRegex(log, r" lost=\d+\n")
        self.assertIn(" ended exit_code=0 ", log)

    def test_in_a_pipe_whose_reader_is_gone(self):
        reader, writer = os.pipe()
        with Wynd(preexec=onto(writer)) as wynd:
            os.close(writer)
            os.close(reader)
            break_rules(wynd)
            self.assertTrue(serves(wynd))

    @unittest.skipIf(os.getuid() != 0, "only root may mount")
    def test_until_the_disk_has_room_again(self):
        with tempfile.TemporaryDirectory() as directory:
            if subprocess.run(
                    ["mount", "-t", "tmpfs", "-o", "size=64k", "wynd-test",
                     directory], stderr=subprocess.DEVNULL).returncode:
                self.skipTest("it may not mount here")
            try:
                self.fill_and_free(directory)
            finally:
                subprocess.run(["umount", directory], check=True)

    def fill_and_free(self, directory):
        # All but one page, so that the log is torn in the middle of a line.
        with open(directory + "/ballast", "wb") as ballast:
            ballast.write(b"x" * (60 << 10))
        with open(directory + "/log", "wb") as log:
            with Wynd("--log-level", "debug", "--log-format", "json",
                      preexec=onto(log.fileno())) as wynd:
                for _ in range(60):
                    self.assertTrue(serves(wynd))
                os.unlink(directory + "/ballast")
                self.assertTrue(serves(wynd))
        with open(directory + "/log") as log:
            lines = [json.loads(line) for line in log]
        self.assertEqual(lines[-1]["event"], "ended")
        self.assertGreater(sum(line.get("lost", 0) for line in lines), 10)


if __name__ == "__main__":
    main()

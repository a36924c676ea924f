# SPDX-License-Identifier: MIT
"""How wynctl ends when the other side does: one cause, one exit code."""
import signal
import socket
import subprocess
import tempfile
import threading

from harness import (PATIENCE, PREFACE, WYNCTL, Wynd, main, receive,
                     receive_frame, until)
from test_wynctl import (FAILED, OK, TRY_AGAIN, UNAVAILABLE, USAGE, Case,
                         environment, start_wynctl, wynctl)
from wyn_client import encode


class Ends(Case):
    def under_way(self, wynd, tasks):
        def held():
            done = wynctl("-c", wynd.address("unix"), "--json", "stats")
            return b'"tasks_held":%d,' % tasks in self.ends(done, OK)
        until(held, "its tasks are under way")

    def test_daemon_is_killed(self):
        for args, tasks in ((("map", "sleep_ms", *["600000"] * 3), 3),
                            (("map", "-j2", "sleep_ms", *["600000"] * 9), 2)):
            with Wynd() as wynd:
                process = start_wynctl(
                    self, "-c", wynd.address("unix"), *args)
                self.under_way(wynd, tasks)
                wynd.signal(signal.SIGKILL)
                wynd.wait()
                wynd.stop = lambda: 0
                process.communicate(timeout=PATIENCE)
                self.assertEqual(process.returncode, UNAVAILABLE, args)

    def test_daemon_drains_while_map_has_nothing_to_do(self):
        wynd = self.enterContext(Wynd())
        process = start_wynctl(
            self, "-c", wynd.address("unix"), "map", "echo",
            stdin=subprocess.PIPE)
        process.stdin.write(b"one\n")
        process.stdin.flush()
        self.assertEqual(process.stdout.readline(), b"one\n")
        self.assertEqual(wynd.stop(), 0)
        _, err = process.communicate(timeout=PATIENCE)
        self.assertEqual(process.returncode, TRY_AGAIN, err)

    def against(self, server, *args):
        """wynctl, while that function serves its one connection."""
        with tempfile.TemporaryDirectory() as directory, \
                socket.socket(socket.AF_UNIX) as listener:
            listener.bind(directory + "/s")
            listener.listen()

            def serve():
                with listener.accept()[0] as peer:
                    server(peer)
            thread = threading.Thread(target=serve)
            thread.start()
            done = wynctl("-c", "unix:%s/s" % directory, *args)
            thread.join()
            return done

    def test_peer_is_no_wynd(self):
        for said in b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"SSH-2.0-x\r\n":
            def server(peer):
                peer.recv(65536)
                peer.sendall(said)
            self.ends(self.against(server, "ping"), UNAVAILABLE,
                      [b"is it wynd"])

    def test_connection_is_lost_with_all_submitted(self):
        def server(peer):
            receive(peer, len(PREFACE))
            receive_frame(peer)
            peer.sendall(encode(0, welcome={
                "version": 1, "credit": {"tasks": 9, "argument_bytes": 999}}))
            receive_frame(peer)
        for args in ("repeat", "echo", "3"), ("map", "echo", "a", "b"), \
                ("call", "echo"):
            self.ends(self.against(server, *args), UNAVAILABLE, [b"closed"])

    def test_names_that_no_function_has(self):
        for name in "", "x" * 256, b"caf\xe9":
            for args in ("call", name), ("map", name), ("repeat", name, "1"):
                done = subprocess.run(
                    [WYNCTL, *args], stdin=subprocess.DEVNULL,
                    env=environment(), capture_output=True, check=False)
                self.ends(done, USAGE, [b"name of a function"])

    def test_one_line_for_all_that_was_not_done(self):
        lines = self.enterContext(tempfile.TemporaryFile())
        lines.write(b"x" * 100 + b"\n" * 200000)
        with Wynd() as wynd, open("/dev/full", "wb") as full:
            for _ in range(2):
                lines.seek(0)
                done = subprocess.run(
                    [WYNCTL, "-c", wynd.address("unix"), "map", "sha256"],
                    stdin=lines, stdout=full, stderr=subprocess.PIPE,
                    timeout=PATIENCE, check=False)
                self.assertEqual(done.returncode, FAILED)
                self.assertLessEqual(
                    len(done.stderr.splitlines()), 2, done.stderr)


if __name__ == "__main__":
    main()

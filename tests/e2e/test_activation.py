# SPDX-License-Identifier: MIT
"""wynd under a service manager: sockets that it passes, what it is told.

systemd-socket-activate listens and starts wynd with the first connection; where
that cannot be the one that is needed, a shell puts sockets of the test's own in
place. The notify socket is the test's. A message that must come is awaited; one
that must not is looked for when whatever could send it is stopped or gone."""
import fcntl
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import unittest

from harness import (
    MODULES, PATIENCE, WYNCTL, WYND, connect, field, fields, frame, greet,
    main, receive_frame, results, submit, until)

ACTIVATE = "systemd-socket-activate"
# The descriptors come from 50 on, where nothing of Python's is.
PASS = r"""
export LISTEN_PID=$$ LISTEN_FDS=$1; shift
for ((i = 0; i < LISTEN_FDS; i++)); do
	eval "exec $((3 + i))<&$((50 + i)) $((50 + i))<&-"
done
exec "$@"
"""


class Case(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="wynd-test-")
        self.addCleanup(shutil.rmtree, self.directory)
        self.notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notify.settimeout(PATIENCE)
        self.notify.bind(self.path("n"))
        self.addCleanup(self.notify.close)
        self.log_path = self.path("log")

    def path(self, name):
        return self.directory + "/" + name

    def log(self):
        with open(self.log_path, errors="replace") as log:
            return log.read()

    def start(self, *command, **options):
        with open(self.log_path, "ab") as log:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                **options)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def activate(self, *listen, flags=(), more=()):
        """A wynd that waits for its first connection."""
        words = [word for address in listen for word in ("-l", address)]
        return self.start(
            ACTIVATE, *words, *more, "-E", "NOTIFY_SOCKET=" + self.path("n"),
            WYND, "--modules", MODULES, *flags)

    def hand(self, *given, flags=(), **environment):
        """A wynd to which these sockets or files are passed."""
        taken = []
        for i, one in enumerate(given):
            taken.append(fcntl.fcntl(one.fileno(), fcntl.F_DUPFD, 50 + i))
            self.assertEqual(taken[-1], 50 + i)
        try:
            return self.start(
                "bash", "-c", PASS, "pass", str(len(given)), WYND,
                "--modules", MODULES, *flags, pass_fds=taken,
                env=dict(os.environ, NOTIFY_SOCKET=self.path("n"),
                         **environment))
        finally:
            for fd in taken:
                os.close(fd)

    def listen(self, name):
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        sock.bind(self.path(name))
        sock.listen()
        self.addCleanup(sock.close)
        return sock

    def hear(self, begins):
        """The first message that begins so."""
        while True:
            try:
                message = self.notify.recv(4096).decode()
            except TimeoutError:
                raise AssertionError(
                    "%s did not come\n%s" % (begins, self.log())) from None
            if message.startswith(begins):
                return message

    def heard(self):
        """What is there already."""
        messages = []
        self.notify.setblocking(False)
        try:
            while True:
                messages.append(self.notify.recv(4096).decode())
        except BlockingIOError:
            return messages
        finally:
            self.notify.settimeout(PATIENCE)

    def ctl(self, address, *args):
        done = subprocess.run(
            [WYNCTL, "-c", address, *args], stdin=subprocess.DEVNULL,
            capture_output=True, timeout=PATIENCE, check=False)
        self.assertEqual(done.returncode, 0, done.stderr.decode() + self.log())
        return done.stdout

    def bound(self, process, act, what):
        """What act() returns, as soon as its socket is there."""
        def attempt():
            self.assertIsNone(process.poll(), self.log())
            try:
                return act()
            except (ConnectionRefusedError, FileNotFoundError):
                return None
        return until(attempt, what)

    def connected(self, address, process):
        """The first connection, as soon as somebody listens."""
        return self.bound(process, lambda: connect(address),
                          "somebody listens at " + address)

    def ended(self, process, code):
        self.assertEqual(process.wait(PATIENCE), code, self.log())


class SocketActivate(Case):
    def test_first_connection_over_unix_starts_it(self):
        process = self.activate(self.path("s"))
        address = "unix:" + self.path("s")
        with self.connected(address, process) as sock:
            greet(sock)
            sock.sendall(submit(1, "echo", "x"))
            self.assertEqual(results(sock, 1), {1: 0})
        self.assertEqual(self.ctl(address, "call", "echo", "hi"), b"hi\n")
        self.hear("READY=1\nSTATUS=")
        self.ctl(address, "drain")
        self.ended(process, 0)
        # The file is the service manager's, and there is no lock.
        self.assertEqual(
            sorted(os.listdir(self.directory)), ["log", "n", "s"])
        self.assertNotIn("/run/wynd/wynd.sock", self.log())

    def over_tcp(self, host, flags=()):
        """A port that nobody else takes meanwhile, or another one."""
        while True:
            with socket.create_server(("127.0.0.1", 0)) as probe:
                port = probe.getsockname()[1]
            process = self.activate("%s:%d" % (host, port), flags=flags)
            until(lambda: "Listening on" in self.log() or
                  process.poll() is not None, "it listens")
            if process.poll() is None:
                return process, "tcp:127.0.0.1:%d" % port

    def test_first_connection_over_tcp_starts_it(self):
        process, address = self.over_tcp("127.0.0.1")
        with self.connected(address, process) as sock:
            greet(sock)
        self.assertEqual(self.ctl(address, "call", "echo", "hi"), b"hi\n")
        self.hear("READY=1")
        process.send_signal(signal.SIGTERM)
        self.ended(process, 0)

    def test_tcp_beyond_loopback_is_refused(self):
        process, address = self.over_tcp("0.0.0.0")
        self.connected(address, process).close()
        self.ended(process, 78)
        self.assertRegex(
            self.log(), r"\nwynd: descriptor 3 .* --allow-plaintext\n")

    def test_tcp_beyond_loopback_is_taken_if_that_is_allowed(self):
        process, address = self.over_tcp(
            "0.0.0.0", flags=("--allow-plaintext",))
        with self.connected(address, process) as sock:
            greet(sock)
        process.send_signal(signal.SIGTERM)
        self.ended(process, 0)

    def test_flags_are_listened_on_beside_it(self):
        process = self.activate(
            self.path("a"), self.path("b"),
            flags=("--listen", "unix:" + self.path("c"),
                   "--listen", "unix:" + self.path("a")))
        self.connected("unix:" + self.path("b"), process).close()
        self.hear("READY=1")
        for name in "abc":
            self.ctl("unix:" + self.path(name), "ping")
        process.send_signal(signal.SIGTERM)
        self.ended(process, 0)
        self.assertEqual(
            sorted(os.listdir(self.directory)), ["a", "b", "log", "n"])

    def test_datagrams_are_refused(self):
        process = self.activate(
            self.path("s"), more=("--datagram", "--fdname", "odd"))
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            self.bound(process, lambda: sock.sendto(b"x", self.path("s")),
                       "it is bound")
        self.ended(process, 78)
        self.assertIn("wynd: descriptor 3 (odd) of the service manager: is "
                      "not a stream socket;", self.log())


class Passed(Case):
    def test_what_is_not_a_listening_socket_is_refused(self):
        one, other = socket.socketpair()
        with one, other, open("/dev/null") as null:
            for given, why in ((one, "does not listen"),
                               (null, "is not a socket")):
                self.ended(self.hand(self.listen(why[:4]), given), 78)
                self.assertIn("wynd: descriptor 4 (unknown) of the service "
                              "manager: " + why, self.log())
        # It was never ready, and no file is gone.
        self.assertEqual(self.heard(), [])
        self.assertIn("does", os.listdir(self.directory))

    def test_one_that_is_not_there_is_refused(self):
        process = self.start(
            "bash", "-c", 'LISTEN_PID=$$ LISTEN_FDS=2 exec "$@" 3>&- 4>&-',
            "pass", WYND, "--modules", MODULES)
        self.ended(process, 78)
        self.assertIn("LISTEN_FDS", self.log())

    def test_one_is_not_the_ready_fd_too(self):
        process = self.hand(self.listen("s"), flags=("--ready-fd", "3"))
        self.ended(process, 64)
        self.assertIn("--ready-fd 3: is a socket", self.log())

    def test_those_of_another_process_are_left(self):
        process = self.start(
            WYND, "--modules", MODULES, "--listen", "unix:" + self.path("s"),
            env=dict(os.environ, NOTIFY_SOCKET=self.path("n"), LISTEN_PID="1",
                     LISTEN_FDS="1"))
        self.hear("READY=1")
        process.send_signal(signal.SIGTERM)
        self.ended(process, 0)

    def test_a_reload_leaves_it_and_counts_it(self):
        config = self.path("c")

        def reload(*names):
            with open(config, "w") as file:
                file.write("listen = {%s}\n" % ", ".join(
                    '"unix:%s"' % self.path(name) for name in names))
            return subprocess.run(
                [WYNCTL, "-c", "unix:" + self.path("s"), "reload"],
                stdin=subprocess.DEVNULL, capture_output=True, text=True,
                timeout=PATIENCE, check=False)

        with open(config, "w"):
            pass
        process = self.hand(self.listen("s"), flags=("--config", config))
        self.hear("READY=1")
        # As at the start, it is there already; and it stays when another is
        # asked for beside it.
        self.assertEqual(reload("s").returncode, 0)
        self.assertEqual(reload("s", "t").returncode, 0)
        self.assertEqual(reload("t").returncode, 0)
        connect("unix:" + self.path("s")).close()
        many = ["t%d" % i for i in range(16)]
        done = reload(*many)
        self.assertEqual(done.returncode, 78)
        self.assertIn("16 sockets at most", done.stderr)
        self.assertFalse(os.path.exists(self.path("t0")))
        self.assertEqual(reload(*many[1:]).returncode, 0)
        process.send_signal(signal.SIGTERM)
        self.ended(process, 0)

    def test_nobody_is_refused_while_it_is_restarted(self):
        sock = self.listen("s")
        first = self.hand(sock)
        self.hear("READY=1")
        first.send_signal(signal.SIGTERM)
        self.ended(first, 0)
        with connect("unix:" + self.path("s")) as client:
            second = self.hand(sock)
            greet(client)
            client.sendall(submit(1, "echo", "x"))
            self.assertEqual(results(client, 1), {1: 0})
        second.send_signal(signal.SIGTERM)
        self.ended(second, 0)

    @unittest.skipUnless(os.geteuid() == 0, "only root can be somebody else")
    def test_peers_are_known_by_the_kernel(self):
        process = self.hand(self.listen("s"))
        self.hear("READY=1")
        os.chmod(self.directory, 0o755)
        os.chmod(self.path("s"), 0o666)
        os.seteuid(65534)
        try:
            stranger = connect("unix:" + self.path("s"))
        finally:
            os.seteuid(0)
        drain = frame(field(7, field(1, 1) + field(4, b"")))
        with stranger:
            greet(stranger)
            stranger.sendall(drain)
            (_, reply), = fields(receive_frame(stranger)[1])
            self.assertIn((2, 7), fields(reply))  # PERMISSION_DENIED
        self.ctl("unix:" + self.path("s"), "drain")
        self.ended(process, 0)


class Told(Case):
    def state(self, process):
        with open("/proc/%d/stat" % process.pid) as file:
            return file.read().rpartition(")")[2].split()[0]

    def test_ready_status_and_stopping(self):
        process = self.hand(self.listen("s"))
        self.assertEqual(self.hear("READY=1"),
                         "READY=1\nSTATUS=0 connections, 0 tasks held")
        with connect("unix:" + self.path("s")) as sock:
            greet(sock)
            self.assertEqual(
                self.hear("STATUS="), "STATUS=1 connection, 0 tasks held")
            sock.sendall(submit(1, "sleep_ms", "60000"))
            self.assertEqual(
                self.hear("STATUS="), "STATUS=1 connection, 1 task held")
            process.send_signal(signal.SIGTERM)
            self.assertEqual(
                self.hear("STOPPING=1"), "STOPPING=1\nSTATUS=draining: "
                "1 connection, 1 task held")
        self.ended(process, 0)
        self.assertEqual(
            [m for m in self.heard() if not m.startswith("STATUS=")], [])

    def test_watchdog_is_fed_unless_it_is_stopped(self):
        process = self.hand(
            self.listen("s"), flags=("--loops", "3"), WATCHDOG_USEC="200000")
        for _ in range(3):
            self.hear("WATCHDOG=1")
        process.send_signal(signal.SIGSTOP)
        until(lambda: self.state(process) == "T", "it is stopped")
        self.heard()
        self.assertEqual(self.heard(), [])
        process.send_signal(signal.SIGCONT)
        self.hear("WATCHDOG=1")
        # A task that takes long is no reason to end.
        with connect("unix:" + self.path("s")) as sock:
            greet(sock)
            sock.sendall(submit(1, "sleep_ms", "60000"))
            for _ in range(10):
                self.hear("WATCHDOG=1")
        process.send_signal(signal.SIGTERM)
        self.hear("STOPPING=1")
        self.ended(process, 0)

    def fill(self):
        """Until the service manager takes no more."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            sock.setblocking(False)
            try:
                while True:
                    sock.sendto(b"filler", self.path("n"))
            except BlockingIOError:
                pass

    def test_manager_that_does_not_read_holds_nobody_up(self):
        self.fill()
        address = "unix:" + self.path("s")
        process = self.hand(self.listen("s"), WATCHDOG_USEC="20000")
        self.assertEqual(self.ctl(address, "call", "echo", "hi"), b"hi\n")
        self.hear("READY=1")
        self.hear("WATCHDOG=1")
        self.fill()
        self.assertEqual(self.ctl(address, "call", "echo", "hi"), b"hi\n")
        process.send_signal(signal.SIGTERM)
        self.ended(process, 0)

    def test_watchdog_of_another_process_is_not_fed(self):
        process = self.hand(
            self.listen("s"), WATCHDOG_USEC="2000", WATCHDOG_PID="1")
        self.hear("READY=1")
        self.ctl("unix:" + self.path("s"), "call", "sleep_ms", "100")
        process.send_signal(signal.SIGTERM)
        self.ended(process, 0)
        self.assertNotIn("WATCHDOG=1", self.heard())


if __name__ == "__main__":
    main()

# SPDX-License-Identifier: MIT
"""wynctl run against a server that does what each case says.

What it sends, and what it makes of what comes back, without any command being
run: each case plays the daemon's part itself.
"""
import os
import pty
import select
import signal
import socket
import subprocess
import tempfile

from harness import PATIENCE, PREFACE, WYNCTL, main, receive_frame
from test_wynctl import environment
from wyn_client import Frame
from wynctl_json import rows_of
from wynctl_peer import PeerCase, WynctlPeer

INPUT, OUTPUT, ERROR = 2, 3, 4
OK, CANCELLED, UNKNOWN, INVALID, DEADLINE, NOT_FOUND, DENIED, EXHAUSTED, \
    ABORTED, UNAVAILABLE = 0, 1, 2, 3, 4, 5, 7, 8, 10, 14
QUEUED, RUNNING = 2, 4
WINDOW = 1 << 20  # of input on its way
FLOOD = 256 << 10


class Daemon(WynctlPeer):
    """One wynctl run, and the other end of its connection."""
    command = "run"

    def __init__(self, case, *args, greet=True, credit=1 << 27, **options):
        super().__init__(case, self.command, *args,
                         **{"stdin": subprocess.DEVNULL, **options})
        self.credit = credit
        self.granted = self.sent = 0
        self.offsets = {}
        if greet:
            self.greet()

    def greet(self):
        assert self.sock.recv(len(PREFACE)) == PREFACE
        self.hello = self.expect("hello")
        self.granted = self.hello.stream_bytes
        self.welcome()
        self.submit = self.expect("submit")

    def welcome(self):
        self.send_welcome(10, self.credit)

    def receive(self):
        got = receive_frame(self.sock)
        if got is None:
            return None, None
        frame = Frame.FromString(got[1])
        kind = frame.WhichOneof("body")
        if kind == "credit":
            self.granted = frame.credit.stream_bytes
        return kind, getattr(frame, kind)

    def expect(self, wanted):
        while True:
            kind, message = self.receive()
            if kind == wanted:
                return message
            assert kind == "credit", "%s, not %s" % (kind, wanted)

    def says_nothing(self):
        """All that wynctl had to say has come: it answers a Ping."""
        self.send(ping={"token": 7})
        return self.expect("pong").token == 7

    def chunk(self, stream, data):
        offset = self.offsets.get(stream, 0)
        self.offsets[stream] = offset + len(data)
        self.sent += len(data)
        self.send(chunk={"seq": 1, "stream": stream, "offset": offset,
                         "data": data})

    def row(self, code=OK, reason="", **detail):
        details = [dict(detail, index=0, reason=reason)] if reason else []
        self.send(results={"seq": [1], "code": [code], "details": details})

    def explain(self, state):
        """Answers the question what the command does."""
        call = self.expect("call")
        assert call.explain.seq == 1
        self.send(reply={"call_id": call.call_id, "explain": {
            "task": {"id": 5, "seq": 1, "state": state}}})


class RunOfPeer(PeerCase):
    def test_one_write_has_it_all(self):
        daemon = Daemon(self, "--", "ls", "-l", "--json", "\udcff",
                        greet=False)
        first = daemon.sock.recv(1 << 16)
        self.assertTrue(first.startswith(PREFACE))
        at, kinds = len(PREFACE), []
        while at < len(first):
            size = int.from_bytes(first[at + 1:at + 5], "big")
            frame = Frame.FromString(first[at + 5:at + 5 + size])
            kinds.append(frame.WhichOneof("body"))
            at += 5 + size
        self.assertEqual(["hello", "submit"], kinds)
        command = frame.submit.command
        self.assertEqual([b"ls", b"-l", b"--json", b"\xff"],
                         list(command.argv))
        self.assertEqual(os.fsencode(os.getcwd()), command.cwd)
        self.assertTrue(frame.submit.options.stream)
        self.assertFalse(command.input_stream)
        self.assertEqual([b""], list(frame.submit.args))
        daemon.welcome()
        daemon.row()
        self.ends(daemon, 0)

    def test_large_command_waits_for_the_welcome(self):
        daemon = Daemon(self, "echo", "x" * 10000, greet=False)
        self.assertEqual(PREFACE, daemon.sock.recv(len(PREFACE)))
        daemon.expect("hello")
        daemon.welcome()
        self.assertEqual(
            10000, len(daemon.expect("submit").command.argv[1]))
        daemon.row()
        self.ends(daemon, 0)

    def test_command_larger_than_a_frame(self):
        daemon = Daemon(self, "echo", *["x" * 100000] * 11, greet=False)
        daemon.sock.recv(len(PREFACE))
        daemon.expect("hello")
        daemon.welcome()
        self.ends(daemon, 126, err=b"wynctl: .*larger than a frame")

    def test_options_reach_the_command(self):
        daemon = Daemon(
            self, "--timeout", "2s", "--deadline", "3s", "--memory", "1M",
            "--cpu", "150", "--processes", "7", "--user", "joe", "--merge",
            "--priority", "high", "--cwd", "/usr", "x")
        options, command = daemon.submit.options, daemon.submit.command
        self.assertEqual((2000, 3000, 3), (
            options.timeout_ms, options.deadline_ms, options.priority))
        self.assertEqual((1 << 20, 150, 7), (
            command.limits.memory_bytes, command.limits.cpu_percent,
            command.limits.processes))
        self.assertEqual(("joe", True, b"/usr"), (
            command.run_as, command.merge_stderr, command.cwd))

    def test_relative_directory_is_of_here(self):
        daemon = Daemon(self, "--cwd", "sub", "x", cwd="/usr")
        self.assertEqual(b"/usr/sub", daemon.submit.command.cwd)

    def test_environment(self):
        daemon = Daemon(
            self, "-e", "A=1", "-e", "B", "-e", "NONE", "-e", "A=2",
            "-e", "TERM=new", "-e", "EMPTY=", "env",
            env={"HOME": "/h", "PATH": "/p", "TERM": "old", "LC_ALL": "C",
                 "TZ": "UTC", "SECRET": "s", "B": "b=b", "NON": "e"})
        self.assertEqual(
            {b"HOME=/h", b"PATH=/p", b"TERM=new", b"LC_ALL=C", b"TZ=UTC",
             b"A=2", b"B=b=b", b"EMPTY="}, set(daemon.submit.command.env))
        self.assertEqual(8, len(daemon.submit.command.env))

    def test_outputs_are_told_apart(self):
        daemon = Daemon(self, "x")
        data = bytes(range(256)) * 100
        daemon.chunk(OUTPUT, data)
        daemon.chunk(ERROR, b"error\xff")
        daemon.chunk(OUTPUT, b"end")
        daemon.row(UNKNOWN, "EXIT_STATUS", exit_status=7)
        self.assertEqual((7, data + b"end", b"error\xff"), daemon.finish())

    def test_order_of_both_outputs_is_kept_in_one_file(self):
        daemon = Daemon(self, "x", stderr=subprocess.STDOUT)
        for i in range(300):
            daemon.chunk(OUTPUT, b"o%d " % i)
            daemon.chunk(ERROR, b"e%d " % i)
        daemon.row()
        self.assertEqual(b"".join(b"o%d e%d " % (i, i) for i in range(300)),
                         daemon.finish()[1])

    def test_output_comes_at_once(self):
        daemon = Daemon(self, "x")
        for text in (b"no newline", b"\n"):
            daemon.chunk(OUTPUT, text)
            self.assertEqual(text, os.read(daemon.process.stdout.fileno(), 99))
        daemon.row()
        self.ends(daemon, 0)

    def test_exit_codes(self):
        for code, row, err in (
                (0, (OK,), b""),
                (255, (UNKNOWN, "EXIT_STATUS", {"exit_status": 255}), b""),
                (139, (ABORTED, "SIGNALLED", {"signal": 11}), b""),
                (137, (EXHAUSTED, "OUT_OF_MEMORY", {"signal": 9}), b"x: "),
                (137, (EXHAUSTED, "OUT_OF_MEMORY", {}), b"x: "),
                (124, (DEADLINE, "RUN_TIMEOUT", {"signal": 15}), b""),
                (124, (DEADLINE, "QUEUE_DEADLINE", {}), b"x: "),
                (127, (NOT_FOUND, "NOT_STARTED", {"message": "/x: no"}),
                 b"^wynctl: /x: no\n$"),
                (126, (DENIED, "NOT_STARTED", {}), b"x: "),
                (126, (INVALID, "NOT_STARTED", {}), b"x: "),
                (125, (NOT_FOUND, "NOT_PREPARED", {"message": "/d: no"}),
                 b"^wynctl: x: /d: no\n$"),
                (126, (DENIED, "PROGRAM_NOT_LISTED", {}), b"x: "),
                (125, (DENIED, "COMMANDS_OFF", {}), b"x: "),
                (125, (UNAVAILABLE, "SPAWNER_LOST", {}), b"x: "),
                (125, (CANCELLED, "DRAIN_TIMEOUT", {}), b"x: "),
                (143, (CANCELLED, "CANCELLED_BY_CLIENT", {}), b"")):
            daemon = Daemon(self, "x")
            daemon.row(*row[:2], **row[2] if len(row) > 2 else {})
            self.ends(daemon, code, err=err)

    def test_no_daemon(self):
        done = subprocess.run(
            [WYNCTL, "-c", "unix:/nonexistent/s", "run", "true"],
            capture_output=True, env=environment(), timeout=PATIENCE)
        self.assertEqual(125, done.returncode, done)
        self.assertIn(b"--connect ADDR", done.stderr)

    def test_bad_command_line(self):
        for args in (["run"], ["run", "--nonsense", "x"], ["run", "-e", "=",
                     "x"], ["run", "--memory", "0", "x"],
                     ["run", "--jobs", "3", "x"]):
            done = subprocess.run([WYNCTL, *args], capture_output=True,
                                  env=environment(), timeout=PATIENCE)
            self.assertEqual(125, done.returncode, done)

    def test_connection_is_lost(self):
        daemon = Daemon(self, "x")
        daemon.chunk(OUTPUT, b"out")
        daemon.sock.close()
        self.ends(daemon, 125, b"out", b"^wynctl: x: .*closed")

    def test_peer_is_no_wynd(self):
        daemon = Daemon(self, "x", greet=False)
        daemon.sock.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        self.ends(daemon, 125, err=b"is it wynd")

    def test_input_comes_with_its_end(self):
        daemon = Daemon(self, "cat", stdin=subprocess.PIPE)
        self.assertTrue(daemon.submit.command.input_stream)
        for text in (b"one\n", b"\x00\xff"):
            daemon.process.stdin.write(text)
            daemon.process.stdin.flush()
            chunk = daemon.expect("chunk")
            self.assertEqual((1, INPUT, text, False), (
                chunk.seq, chunk.stream, chunk.data, chunk.eof))
        daemon.process.stdin.close()
        daemon.process.stdin = None
        chunk = daemon.expect("chunk")
        self.assertEqual((6, b"", True),
                         (chunk.offset, chunk.data, chunk.eof))
        daemon.row()
        self.ends(daemon, 0)

    def test_input_goes_no_further_than_is_taken(self):
        with tempfile.TemporaryFile() as file:
            data = os.urandom(3 << 20)
            file.write(data)
            file.seek(0)
            daemon = Daemon(self, "cat", stdin=file)
            got = b""
            while len(got) < WINDOW:
                got += daemon.expect("chunk").data
            self.assertTrue(daemon.says_nothing())
            self.assertEqual(WINDOW, len(got))
            while len(got) < len(data):
                daemon.send(credit={"argument_bytes":
                                    daemon.credit + len(got)})
                got += daemon.expect("chunk").data
            self.assertEqual(data, got)
            self.assertTrue(daemon.expect("chunk").eof)

    def test_input_that_nobody_reads_on_is_no_error(self):
        daemon = Daemon(self, "true", stdin=subprocess.PIPE)
        daemon.process.stdin.write(b"x" * 1000)
        daemon.process.stdin.flush()
        daemon.expect("chunk")
        daemon.row()
        self.assertEqual(0, daemon.process.wait(PATIENCE))

    def test_closed_input_is_none(self):
        daemon = Daemon(self, "x", stdin=None,
                        preexec_fn=lambda: os.close(0))
        self.assertFalse(daemon.submit.command.input_stream)

    def test_signals_are_passed_on(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP,
                       signal.SIGQUIT):
            daemon = Daemon(self, "x")
            daemon.chunk(OUTPUT, b"ready")
            os.read(daemon.process.stdout.fileno(), 99)
            daemon.process.send_signal(number)
            message = daemon.expect("signal")
            self.assertEqual(number, message.number)
            self.assertEqual([(1, 1)],
                             [(r.first, r.count) for r in message.seqs])
            daemon.row(ABORTED, "SIGNALLED", signal=int(number))
            self.ends(daemon, 128 + number)

    def ready(self, daemon):
        """The Welcome was read: a Ping of later was answered."""
        self.assertTrue(daemon.says_nothing())
        return daemon

    def test_signal_reaches_a_command_that_writes_nothing(self):
        daemon = self.ready(Daemon(self, "x"))
        daemon.process.send_signal(signal.SIGTERM)
        daemon.explain(RUNNING)
        self.assertEqual(15, daemon.expect("signal").number)
        daemon.row(OK)
        self.ends(daemon, 0)

    def test_signal_cancels_a_command_that_waits(self):
        daemon = self.ready(Daemon(self, "--grace", "2s", "x"))
        daemon.process.send_signal(signal.SIGTERM)
        daemon.explain(QUEUED)
        self.assertEqual(2000, daemon.expect("cancel").grace_ms)
        daemon.row(CANCELLED, "CANCELLED_BY_CLIENT")
        self.ends(daemon, 143)

    def test_second_interrupt_cancels_and_third_ends(self):
        daemon = Daemon(self, "x")
        daemon.chunk(OUTPUT, b"ready")
        os.read(daemon.process.stdout.fileno(), 99)
        kind = "signal"
        while kind == "signal":  # for as long as we are too slow to be two
            daemon.process.send_signal(signal.SIGINT)
            kind, _ = daemon.receive()
        self.assertEqual("cancel", kind)
        daemon.process.send_signal(signal.SIGINT)
        self.ends(daemon, 130)

    def test_ignored_signal_stays_ignored(self):
        daemon = Daemon(self, "x", preexec_fn=lambda: signal.signal(
            signal.SIGHUP, signal.SIG_IGN))
        daemon.chunk(OUTPUT, b"ready")
        os.read(daemon.process.stdout.fileno(), 99)
        daemon.process.send_signal(signal.SIGHUP)
        self.assertTrue(daemon.says_nothing())
        daemon.row()
        self.ends(daemon, 0)

    def test_signal_before_the_welcome_ends(self):
        daemon = Daemon(self, "x", greet=False)
        daemon.sock.recv(1)
        daemon.process.send_signal(signal.SIGTERM)
        daemon.process.wait(PATIENCE)
        self.assertIn(daemon.process.returncode, (143, -15))

    def flood(self, daemon, stream=OUTPUT):
        """As much as it takes, until a frame that is no Credit comes."""
        daemon.sock.settimeout(PATIENCE)
        while True:
            if select.select([daemon.sock], [], [], 0)[0]:
                kind, message = daemon.receive()
                if kind != "credit":
                    return kind, message
            elif daemon.sent + FLOOD <= daemon.granted:
                daemon.chunk(stream, b"y\n" * (FLOOD // 2))

    def test_reader_that_goes_ends_the_command(self):
        for stream, name in ((OUTPUT, "stdout"), (ERROR, "stderr")):
            daemon = Daemon(self, "yes")
            daemon.chunk(stream, b"y\n")
            pipe = getattr(daemon.process, name)
            self.assertEqual(b"y\n", os.read(pipe.fileno(), 2))
            self.assertTrue(daemon.says_nothing())
            pipe.close()
            setattr(daemon.process, name, None)
            kind, message = self.flood(daemon, stream)
            self.assertEqual(("signal", signal.SIGPIPE),
                             (kind, message.number))
            self.assertEqual("cancel", self.flood(daemon, stream)[0])
            daemon.row(ABORTED, "SIGNALLED", signal=13)
            self.assertEqual(141, daemon.process.wait(PATIENCE))
            if name == "stdout":
                self.assertEqual(b"", daemon.process.stderr.read())

    def test_full_disk_cancels(self):
        with open("/dev/full", "wb") as full:
            daemon = Daemon(self, "yes", stdout=full)
            daemon.chunk(OUTPUT, b"y\n")
            daemon.expect("cancel")
            daemon.row(ABORTED, "SIGNALLED", signal=15)
            got = daemon.finish()
            self.assertEqual(125, got[0])
            self.assertIn(b"standard output: No space", got[2])

    def test_slow_reader_holds_the_command_up(self):
        daemon = Daemon(self, "yes")
        window = daemon.granted
        while daemon.sent + FLOOD <= daemon.granted:
            daemon.chunk(OUTPUT, b"y\n" * (FLOOD // 2))
        self.assertTrue(daemon.says_nothing())
        # A quarter of it may have been granted anew, for what the pipe took.
        self.assertLess(daemon.granted, window * 3 // 2)
        before = daemon.granted
        pipe = daemon.process.stdout.fileno()
        while daemon.granted == before:
            ready = select.select([daemon.sock, pipe], [], [], PATIENCE)[0]
            self.assertTrue(ready)
            if pipe in ready:
                os.read(pipe, 1 << 16)
            if daemon.sock in ready:
                daemon.receive()
        daemon.row()
        rest = daemon.finish()
        self.assertEqual(0, rest[0])

    def test_all_output_goes_out_after_the_end(self):
        daemon = Daemon(self, "x")
        data = os.urandom(2 << 20)
        for at in range(0, len(data), FLOOD):
            daemon.chunk(OUTPUT, data[at:at + FLOOD])
        daemon.row(UNKNOWN, "EXIT_STATUS", exit_status=3)
        self.assertEqual((3, data, b""), daemon.finish())

    def test_json(self):
        usage = {"wall_ns": 5, "user_ns": 4, "system_ns": 3,
                 "peak_rss_bytes": 2, "output_bytes": 1, "error_bytes": 0}
        for row in ((OK, "NONE", {"usage": usage}), (OK,),
                    (UNKNOWN, "EXIT_STATUS",
                     {"exit_status": 3, "usage": usage}),
                    (NOT_FOUND, "NOT_STARTED", {"message": "x"})):
            daemon = Daemon(self, "--json", "x")
            daemon.chunk(OUTPUT, b"out")
            daemon.chunk(ERROR, b"\xff")
            daemon.row(*row[:2], **row[2] if len(row) > 2 else {})
            code, out, _ = daemon.finish()
            rows = rows_of("run", out)
            self.assertEqual([{"stdout": "out"}, {"stderr_base64": "/w=="}],
                             rows[:2])
            self.assertEqual(3, len(rows))
            if code == 3:
                self.assertEqual(3, rows[2]["exit_status"])
                self.assertEqual(5, rows[2]["usage"]["wall_ns"])

    def test_terminal_in_the_background_is_left_alone(self):
        """Its own session, whose terminal belongs to another group at first."""
        master, slave = pty.openpty()
        self.addCleanup(os.close, master)

        # A leader of the session, and wynctl in a group of its own.
        script = (
            "import os, signal, sys\n"
            "signal.signal(signal.SIGTTOU, signal.SIG_IGN)\n"
            "pid = os.fork()\n"
            "if pid == 0:\n"
            "    os.setpgid(0, 0)\n"
            "    signal.signal(signal.SIGTTOU, signal.SIG_DFL)\n"
            "    os.execv(sys.argv[1], sys.argv[1:])\n"
            "os.setpgid(pid, pid) if os.getpgid(pid) != pid else None\n"
            "os.read(3, 1)\n"
            "os.tcsetpgrp(0, pid)\n"
            "sys.exit(os.waitstatus_to_exitcode(\n"
            "    os.waitpid(pid, os.WUNTRACED)[1]))\n")
        told, tell = os.pipe()
        self.addCleanup(os.close, tell)
        with tempfile.TemporaryDirectory() as directory, \
                socket.socket(socket.AF_UNIX) as listener:
            listener.bind(directory + "/s")
            listener.listen()

            def session():
                os.setsid()
                os.close(os.open(os.ttyname(0), os.O_RDWR))  # ours now
                os.dup2(told, 3)
            leader = subprocess.Popen(
                ["/usr/bin/python3", "-c", script, WYNCTL, "-c",
                 "unix:%s/s" % directory, "run", "cat"], stdin=slave,
                stdout=subprocess.PIPE, env=environment(),
                close_fds=False, preexec_fn=session)
            os.close(slave)
            os.close(told)
            self.addCleanup(leader.communicate)
            self.addCleanup(leader.kill)
            daemon = Daemon.__new__(Daemon)
            daemon.sock = self.enterContext(listener.accept()[0])
            daemon.credit, daemon.sent, daemon.offsets = 1 << 20, 0, {}
            daemon.process = leader
            daemon.greet()
            daemon.chunk(OUTPUT, b"out")
            self.assertEqual(b"out", os.read(leader.stdout.fileno(), 9))
            os.write(master, b"hello\n")
            self.assertTrue(daemon.says_nothing())
            os.write(tell, b"x")  # to the leader, who gives way
            data = b""
            while b"hello\n" not in data:
                data += daemon.expect("chunk").data
            daemon.row()
            self.assertEqual(0, leader.wait(PATIENCE))


if __name__ == "__main__":
    main()

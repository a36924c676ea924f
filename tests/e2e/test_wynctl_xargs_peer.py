# SPDX-License-Identifier: MIT
"""wynctl xargs against a server that does what each case says.

When it submits, when it does not, and what it makes of what comes back, in any
order: no command is run, each case plays the daemon's part itself.
"""
import os
import pty
import re
import select
import signal
import subprocess
import tempfile

from harness import PATIENCE, PREFACE, SANITIZED, WYNCTL, main, receive, \
    receive_frame, until
from test_wynctl import environment
from wyn_client import Frame, encode
from wynctl_json import rows_of
from wynctl_peer import PeerCase, WynctlPeer

OUTPUT, ERROR = 3, 4
OK, CANCELLED, DEADLINE, NOT_FOUND, DENIED, ABORTED, UNAVAILABLE = \
    0, 1, 4, 5, 7, 10, 14
MIB = 1 << 20
OTHER = 255  # xargs: anything but commands that failed


class Daemon(WynctlPeer):
    """One wynctl xargs, and the other end of its connection."""

    def __init__(self, case, *args, lines=(), **options):
        if "stdin" not in options:
            file = case.enterContext(tempfile.TemporaryFile())
            file.write(b"".join(b"%s\n" % str(line).encode()
                                for line in lines))
            file.seek(0)
            options["stdin"] = file
        super().__init__(case, "xargs", *args, **options)
        self.offsets = {}
        self.sent = 0
        self.rows = 0
        self.submits = []  # that came while something else was awaited
        self.cancels = []
        assert receive(self.sock, len(PREFACE)) == PREFACE
        self.granted = self.expect("hello").stream_bytes
        self.send_welcome(100, 1 << 27)

    def expect(self, wanted):
        """The next message of that kind; of the others it keeps what counts."""
        if wanted == "submit" and self.submits:
            return self.submits.pop(0)
        while True:
            got = receive_frame(self.sock)
            assert got is not None, "the end, not " + wanted
            frame = Frame.FromString(got[1])
            kind = frame.WhichOneof("body")
            message = getattr(frame, kind)
            if kind == "credit":
                self.granted = message.stream_bytes
            if kind == wanted:
                return message
            if kind == "submit":
                self.submits.append(message)
            if kind == "cancel":
                self.cancels.append(message)

    def barrier(self):
        """What wynctl had to say to all that was sent has come."""
        self.send(ping={"token": 7})
        self.expect("pong")

    def commands(self):
        """The seqs of those that are submitted, and not asked for yet."""
        self.barrier()
        seqs = [submit.first_seq for submit in self.submits]
        self.submits = []
        return seqs

    def write(self, seq, data, stream=OUTPUT):
        offset = self.offsets.get((seq, stream), 0)
        self.offsets[seq, stream] = offset + len(data)
        self.sent += len(data)
        self.send(chunk={"seq": seq, "stream": stream, "offset": offset,
                         "data": data})

    def flood(self, seq, size):
        """So many bytes, as far as they are granted; returns how many."""
        sent = 0
        while sent < size:
            self.barrier()
            piece = min(size - sent, self.granted - self.sent, MIB // 2)
            if piece == 0:
                break
            self.write(seq, bytes(piece))
            sent += piece
        return sent

    def row(self, seq, code=OK, reason="", **detail):
        details = [dict(detail, index=0, reason=reason)] if reason else []
        self.rows += 1
        # In one piece, for the last one may end it.
        self.sock.sendall(encode(
            results={"seq": [seq], "code": [code], "details": details}
        ) + encode(credit={"tasks": 100 + self.rows,
                           "argument_bytes": 1 << 27}))

    def exits(self, seq, status):
        self.row(seq, ABORTED, "EXIT_STATUS", exit_status=status,
                 usage={"wall_ns": 1500000})


class XargsOfPeer(PeerCase):
    def begun(self, *args, count, **options):
        """A wynctl that has submitted so many commands."""
        daemon = Daemon(self, *args, **options)
        self.assertEqual(list(range(1, count + 1)), [
            daemon.expect("submit").first_seq for _ in range(count)])
        self.assertEqual([], daemon.commands())
        return daemon

    def file(self, name="file"):
        return self.enterContext(tempfile.TemporaryDirectory()) + "/" + name


class Submits(XargsOfPeer):
    def test_command_is_what_was_asked_for(self):
        daemon = Daemon(
            self, "-j1", "-e", "A=b", "--cwd", "/tmp", "--memory", "1M",
            "--cpu", "150", "--processes", "7", "--user", "somebody", "-m",
            "-t", "5s", "-d", "60s", "-p", "low", "--", "cc", "-c", "{}",
            "-o{/.}.o", lines=["src/a b;c.c"],
            env={"HOME": "/h", "SECRET": "x"})
        submit = daemon.expect("submit")
        command = submit.command
        self.assertEqual([b"cc", b"-c", b"src/a b;c.c", b"-oa b;c.o"],
                         list(command.argv))
        self.assertEqual([b"HOME=/h", b"A=b"], list(command.env))
        self.assertEqual(b"/tmp", command.cwd)
        self.assertEqual((1 << 20, 7, 150), (
            command.limits.memory_bytes, command.limits.processes,
            command.limits.cpu_percent))
        self.assertEqual("somebody", command.run_as)
        self.assertTrue(command.merge_stderr)
        self.assertFalse(command.input_stream)
        self.assertEqual((5000, 60000, 1, True), (
            submit.options.timeout_ms, submit.options.deadline_ms,
            submit.options.priority, submit.options.stream))
        daemon.row(1)
        self.ends(daemon, 0)

    def test_no_more_than_jobs_at_a_time(self):
        daemon = self.begun("-j3", "true", lines=range(10), count=3)
        daemon.row(2)
        self.assertEqual([4], daemon.commands())
        daemon.row(1)
        daemon.exits(4, 1)
        self.assertEqual([5, 6], daemon.commands())
        for seq in 3, 5, 6:
            daemon.row(seq)
        self.assertEqual([7, 8, 9], daemon.commands())
        for seq in 7, 8, 9:
            daemon.row(seq)
        self.assertEqual([10], daemon.commands())
        daemon.row(10)
        self.ends(daemon, 1)

    def test_as_many_as_possible_when_jobs_is_0(self):
        daemon = self.begun("-j0", "true", lines=range(150), count=100)
        # The server's credit is the bound.
        daemon.row(1)
        self.assertEqual([101], daemon.commands())

    def test_input_is_read_when_it_is_needed(self):
        reader, writer = os.pipe()
        os.set_blocking(writer, False)
        daemon = Daemon(self, "-j1", "true", stdin=reader)
        os.close(reader)
        written = 0

        def stuck():
            nonlocal written
            try:
                while True:
                    written += os.write(writer, b"x\n" * 2048)
            except BlockingIOError:
                return True
        stuck()
        self.assertEqual(1, daemon.expect("submit").first_seq)
        for _ in range(3):
            stuck()
            self.assertEqual([], daemon.commands())
        self.assertLess(written, MIB)
        os.close(writer)

    def test_command_begins_when_its_line_comes(self):
        reader, writer = os.pipe()
        daemon = Daemon(self, "-j4", "echo", stdin=reader)
        os.close(reader)
        for seq in 1, 2:
            os.write(writer, b"line\n")
            self.assertEqual(seq, daemon.expect("submit").first_seq)
            daemon.write(seq, b"%d\n" % seq)
            daemon.row(seq)
            self.assertEqual(b"%d\n" % seq, daemon.process.stdout.readline())
        os.close(writer)
        self.ends(daemon, 0)

    def test_lines_go_together_when_asked_for(self):
        daemon = Daemon(self, "-n3", "-j2", "rm", lines=range(5))
        self.assertEqual([b"rm", b"0", b"1", b"2"],
                         list(daemon.expect("submit").command.argv))
        self.assertEqual([b"rm", b"3", b"4"],
                         list(daemon.expect("submit").command.argv))
        daemon.row(1)
        daemon.row(2)
        self.ends(daemon, 0)

    def test_line_with_nul_is_no_argument(self):
        file = self.file()
        with open(file, "wb") as lines:
            lines.write(b"a\0b\nc\n")
        daemon = self.begun("-j1", "-a", file, "true", count=1)
        daemon.row(1)
        self.ends(daemon, 1, err=rb"command 1: a NUL in its line")


class Outputs(XargsOfPeer):
    def test_outputs_do_not_mix(self):
        daemon = self.begun("-j2", "true", lines="ab", count=2)
        daemon.write(1, b"one")
        daemon.write(2, b"two\n")
        daemon.write(1, b"err\n", ERROR)
        daemon.write(1, b"more\n")
        daemon.row(2)
        daemon.row(1)
        self.ends(daemon, 0, b"two\nonemore\n", b"^err\n$")

    def test_order_is_kept(self):
        daemon = self.begun("-k", "-j4", "true", lines=range(9), count=4)
        for seq in 4, 3, 2:
            daemon.write(seq, b"%d\n" % seq)
            daemon.row(seq)
        # The slow one does not keep others from running.
        self.assertEqual([5, 6, 7], daemon.commands())
        self.assertFalse(select.select([daemon.process.stdout], [], [], 0)[0])
        daemon.write(1, b"1\n")
        daemon.row(1)
        for _ in range(4):
            line = daemon.process.stdout.readline()
            self.assertTrue(line)
        self.assertEqual(b"4\n", line)

    def test_lines_are_whole(self):
        daemon = self.begun("--line-buffer", "--tag", "-j2", "true",
                            lines="ab", count=2)
        daemon.write(1, b"x")
        daemon.write(2, b"y\nz")
        self.assertEqual(b"b\ty\n", daemon.process.stdout.readline())
        daemon.write(1, b"x\n")
        self.assertEqual(b"a\txx\n", daemon.process.stdout.readline())
        daemon.row(1)
        daemon.row(2)
        self.ends(daemon, 0, b"b\tz\n")

    def test_pieces_come_at_once(self):
        daemon = self.begun("-u", "-j2", "true", lines="ab", count=2)
        for seq, data in (1, b"x"), (2, b"y"), (1, b"z"):
            daemon.write(seq, data)
            self.assertEqual(data, daemon.process.stdout.read(1))
        daemon.row(1)
        daemon.row(2)
        self.ends(daemon, 0)

    def test_large_outputs_wait_on_disk(self):
        directory = self.enterContext(tempfile.TemporaryDirectory())
        daemon = self.begun("-j2", "true", lines="ab", count=2,
                            env=environment(TMPDIR=directory))
        size = 64 * MIB
        self.assertEqual(size, daemon.flood(1, size))
        self.assertEqual([], os.listdir(directory))
        fds = "/proc/%d/fd/" % daemon.process.pid
        self.assertTrue([fd for fd in os.listdir(fds) if
                         os.readlink(fds + fd).startswith(directory)])
        if not SANITIZED:
            with open("/proc/%d/status" % daemon.process.pid) as status:
                peak = re.search(r"VmHWM:\s*(\d+) kB", status.read())
            self.assertLess(int(peak[1]), 32 << 10)
        daemon.row(1)
        daemon.write(2, b"end")
        daemon.row(2)
        code, out, err = daemon.finish()
        self.assertEqual((0, b""), (code, err))
        self.assertEqual(bytes(size) + b"end", out)

    def test_no_place_to_wait_ends_it(self):
        daemon = self.begun("-j1", "true", lines="ab", count=1,
                            env=environment(TMPDIR="/nowhere"))
        daemon.write(1, bytes(MIB // 2))
        daemon.expect("cancel")
        daemon.row(1, CANCELLED, "CANCELLED_BY_CLIENT")
        self.ends(daemon, OTHER, err=rb"TMPDIR: No such file")

    def test_slow_reader_holds_commands_up(self):
        daemon = self.begun("-u", "-j1", "true", lines="ab", count=1)
        # Nobody reads: what was granted is all that is.
        sent = daemon.flood(1, 64 * MIB)
        self.assertLess(sent, 16 * MIB)
        read, more = 0, 3 * MIB
        while more > 0:
            read += len(daemon.process.stdout.read(MIB // 4))
            more -= daemon.flood(1, more)
        daemon.row(1)
        daemon.process.stdout.read(daemon.sent - read)
        self.assertEqual(2, daemon.expect("submit").first_seq)
        daemon.row(2)
        self.ends(daemon, 0)

    def test_slow_reader_keeps_commands_from_beginning(self):
        daemon = self.begun("-j2", "true", lines=range(9), count=2)
        daemon.flood(1, 4 * MIB)
        daemon.row(1)
        self.assertEqual([], daemon.commands())
        self.assertEqual(4 * MIB, len(daemon.process.stdout.read(4 * MIB)))
        self.assertEqual(3, daemon.expect("submit").first_seq)

    def test_closed_output_ends_it(self):
        daemon = self.begun("-j1", "true", lines="ab", count=1)
        daemon.process.stdout.close()
        daemon.process.stdout = None
        daemon.write(1, b"x")
        daemon.row(1)
        # The next one has begun, and may take long.
        self.assertEqual(2, daemon.expect("submit").first_seq)
        daemon.expect("cancel")
        daemon.row(2, CANCELLED, "CANCELLED_BY_CLIENT", signal=15)
        _, _, err = daemon.finish()
        self.assertEqual(OTHER, daemon.process.returncode)
        self.assertIn(b"Broken pipe", err)

    def test_closed_output_shows_at_the_end(self):
        daemon = self.begun("-j2", "true", lines="a", count=1)
        daemon.write(1, b"x")
        daemon.barrier()
        daemon.process.stdout.close()
        daemon.process.stdout = None
        daemon.row(1)
        daemon.finish()
        self.assertEqual(OTHER, daemon.process.returncode)

    def test_closed_output_ends_it_while_input_is_awaited(self):
        reader, writer = os.pipe()
        self.addCleanup(os.close, writer)
        daemon = Daemon(self, "true", stdin=reader)
        os.close(reader)
        os.write(writer, b"a\n")
        daemon.expect("submit")
        daemon.process.stdout.close()
        daemon.process.stdout = None
        daemon.write(1, b"x")
        daemon.row(1)
        daemon.finish()
        self.assertEqual(OTHER, daemon.process.returncode)

    def test_json_is_as_its_schema_says(self):
        daemon = self.begun("--json", "-k", "-j2", "echo", "it's",
                            lines="ab", count=2)
        daemon.write(2, b"x")
        daemon.exits(2, 3)
        daemon.write(1, b"\xff", ERROR)
        daemon.row(1, NOT_FOUND, "NOT_STARTED", message="echo: none", ran=1)
        code, out, _ = daemon.finish()
        self.assertEqual(2, code)
        rows = rows_of("xargs", out)
        self.assertEqual([1, 1, 2, 2], [row["number"] for row in rows])
        self.assertEqual({"number": 1, "stderr_base64": "/w=="}, rows[0])
        self.assertEqual("NOT_STARTED", rows[1]["reason"])
        self.assertEqual("x", rows[2]["stdout"])
        self.assertEqual(("echo 'it'\\''s' b", 3),
                         (rows[3]["command"], rows[3]["exit_status"]))

    def test_progress_is_shown_on_a_terminal(self):
        primary, secondary = pty.openpty()
        self.addCleanup(os.close, primary)
        daemon = self.begun("--eta", "-j2", "true", lines=range(4), count=2,
                            stderr=secondary, stdout=subprocess.DEVNULL)
        os.close(secondary)
        daemon.exits(1, 1)
        shown = b""

        def done():
            nonlocal shown
            if select.select([primary], [], [], 0)[0]:
                shown += os.read(primary, 4096)
            return b"25% 1/4, 2 running, 1 failed, ETA " in shown
        until(done, "the bar")
        for seq in 2, 3, 4:
            daemon.row(seq)
        daemon.process.wait(PATIENCE)
        self.assertEqual(1, daemon.process.returncode)


class Ends(XargsOfPeer):
    def test_failures_are_counted(self):
        daemon = self.begun("-j0", "true", lines="abcdef", count=6)
        daemon.row(1)
        daemon.exits(2, 7)
        daemon.row(3, ABORTED, "SIGNALLED", signal=9, message="killed")
        daemon.row(4, NOT_FOUND, "NOT_STARTED", message="true: none", ran=1)
        daemon.row(5, DEADLINE, "RUN_TIMEOUT", signal=15, message="too long")
        daemon.row(6, ABORTED, "OUT_OF_MEMORY", signal=9, message="memory")
        code, out, err = daemon.finish()
        self.assertEqual((5, b""), (code, out))
        # An exit status is no news.
        self.assertEqual([b"3", b"4", b"5", b"6"],
                         re.findall(rb"^wynctl: command (\d):", err, re.M))

    def test_halt_now_ends_what_runs(self):
        daemon = self.begun("-j3", "--halt", "now,fail=1", "--grace", "3s",
                            "true", lines=range(9), count=3)
        daemon.exits(2, 42)
        cancel = daemon.expect("cancel")
        self.assertEqual([(1, 3)], [(r.first, r.count) for r in cancel.seqs])
        self.assertEqual(3000, cancel.grace_ms)
        daemon.row(1, CANCELLED, "CANCELLED_BY_CLIENT", signal=15)
        daemon.row(3)  # it was quicker
        self.assertEqual([], daemon.submits)
        self.ends(daemon, 42, err=b"^wynctl: 1 command was ended before")

    def test_halt_soon_lets_what_runs_go_on(self):
        daemon = self.begun("-j3", "--halt", "soon,fail=2", "true",
                            lines=range(9), count=3)
        daemon.exits(2, 1)
        self.assertEqual([4], daemon.commands())
        daemon.exits(3, 1)
        self.assertEqual([], daemon.commands())
        self.assertEqual([], daemon.cancels)
        daemon.exits(1, 1)
        daemon.row(4)
        self.ends(daemon, 3)

    def test_halt_by_success(self):
        daemon = self.begun("-j2", "--halt", "now,success=1", "true",
                            lines=range(9), count=2)
        daemon.exits(1, 1)
        self.assertEqual([3], daemon.commands())
        daemon.row(3)
        daemon.expect("cancel")
        daemon.row(2, CANCELLED, "CANCELLED_BY_CLIENT", signal=15)
        self.ends(daemon, 0, err=b"1 command was ended")

    def test_halt_by_a_share_of_a_file(self):
        daemon = self.begun("-j1", "--halt", "soon,fail=20%", "true",
                            lines=range(10), count=1)
        daemon.exits(1, 1)
        self.assertEqual([2], daemon.commands())
        daemon.exits(2, 1)
        self.ends(daemon, 20)

    def interrupted(self, number, code):
        log = self.file("log")
        daemon = self.begun("-j2", "--joblog", log, "true", lines=range(9),
                            count=2)
        daemon.write(1, b"so far\n")
        daemon.barrier()
        daemon.process.send_signal(number)
        cancel = daemon.expect("cancel")
        self.assertEqual([(1, 2)], [(r.first, r.count) for r in cancel.seqs])
        self.assertEqual(0, cancel.grace_ms)
        for seq in 1, 2:
            daemon.row(seq, CANCELLED, "CANCELLED_BY_CLIENT", signal=15)
        self.ends(daemon, code, b"so far\n", b"2 commands were ended")
        with open(log) as file:
            self.assertEqual(1, len(file.readlines()))

    def test_sigint(self):
        self.interrupted(signal.SIGINT, 130)

    def test_sigterm(self):
        self.interrupted(signal.SIGTERM, 143)

    def test_second_signal_ends_it_at_once(self):
        daemon = self.begun("-j1", "true", lines="ab", count=1)
        daemon.process.send_signal(signal.SIGINT)
        daemon.expect("cancel")
        daemon.process.send_signal(signal.SIGTERM)
        daemon.process.wait(PATIENCE)
        self.assertEqual(143, daemon.process.returncode)

    def test_lost_connection_is_no_failure_of_commands(self):
        log = self.file("log")
        daemon = self.begun("-j2", "--joblog", log, "true", lines=range(9),
                            count=2)
        daemon.row(1)
        self.assertEqual([3], daemon.commands())
        daemon.sock.close()
        code, _, err = daemon.finish()
        self.assertEqual(OTHER, code, err)
        with open(log) as file:
            self.assertEqual(["Seq", "1"], [line.split("\t")[0]
                                            for line in file])

    def test_refusal_to_one_is_to_all(self):
        daemon = self.begun("-j2", "true", lines=range(9), count=2)
        for seq in 1, 2:
            daemon.row(seq, DENIED, "COMMANDS_OFF", ran=1,
                       message="this server runs no commands")
        code, _, err = daemon.finish()
        self.assertEqual(OTHER, code)
        self.assertEqual(1, err.count(b"this server runs no commands"))

    def test_what_is_missing_to_one_is_to_all(self):
        for code, reason in ((NOT_FOUND, "NOT_PREPARED"),
                             (UNAVAILABLE, "SPAWNER_MISSING")):
            with self.subTest(reason):
                daemon = self.begun("-j1", "true", lines=range(9), count=1)
                daemon.row(1, code, reason, ran=1, message="/d: none")
                ended, _, err = daemon.finish()
                self.assertEqual(OTHER, ended)
                self.assertEqual(1, err.count(b"/d: none"), err)

    def test_program_that_is_not_listed_is_only_one(self):
        daemon = self.begun("-j1", "--", "{}", lines="ab", count=1)
        daemon.row(1, DENIED, "PROGRAM_NOT_LISTED", ran=1, message="a: no")
        self.assertEqual([2], daemon.commands())
        daemon.row(2)
        self.ends(daemon, 1, err=rb"command 1: a: no")

    def test_no_connection(self):
        done = subprocess.run(
            [WYNCTL, "-c", "unix:/nowhere/s", "xargs", "true"],
            stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE,
            env=environment(), check=False)
        self.assertEqual(OTHER, done.returncode)
        self.assertIn(b"cannot connect", done.stderr)


class Logs(XargsOfPeer):
    def test_log_has_all_that_ended(self):
        log = self.file("log")
        daemon = self.begun("-j0", "--joblog", log, "--", "sh", "-c", "{}",
                            lines=["a b", "c", "d", "e"], count=4)
        daemon.write(2, b"12345")
        daemon.row(2, OK, "X", usage={"wall_ns": 12345678901,
                                      "output_bytes": 5})
        daemon.exits(1, 3)
        daemon.row(4, DEADLINE, "RUN_TIMEOUT", signal=9)
        daemon.row(3, ABORTED, "SIGNALLED", signal=11)
        self.assertEqual(3, daemon.finish()[0])
        with open(log) as file:
            rows = [line.rstrip("\n").split("\t") for line in file]
        self.assertEqual(
            "Seq Host Starttime JobRuntime Send Receive Exitval Signal "
            "Command".split(), rows[0])
        self.assertEqual([
            ["2", ":", "0", "5", "0", "0", "sh -c c"],
            ["1", ":", "0", "0", "3", "0", "sh -c 'a b'"],
            ["4", ":", "0", "0", "-1", "9", "sh -c e"],
            ["3", ":", "0", "0", "139", "11", "sh -c d"],
        ], [row[:2] + row[4:] for row in rows[1:]])
        self.assertEqual("12.345", rows[1][3].strip())
        self.assertEqual("0.001", rows[2][3].strip())

    def test_resumed_is_what_is_missing(self):
        log = self.file("log")
        daemon = self.begun("-j3", "--joblog", log, "true", lines=range(5),
                            count=3)
        daemon.exits(3, 1)
        self.assertEqual([4], daemon.commands())
        daemon.row(1)
        self.assertEqual([5], daemon.commands())
        daemon.process.send_signal(signal.SIGINT)
        daemon.expect("cancel")
        for seq in 2, 4, 5:
            daemon.row(seq, CANCELLED, "CANCELLED_BY_CLIENT", signal=15)
        self.assertEqual(130, daemon.finish()[0])
        daemon = Daemon(self, "-j0", "--joblog", log, "--resume", "true",
                        "{#}", "{}", lines=range(5))
        for number in 2, 4, 5:
            self.assertEqual(
                [b"true", b"%d" % number, b"%d" % (number - 1)],
                list(daemon.expect("submit").command.argv))
        for seq in 1, 2, 3:
            daemon.row(seq)
        self.ends(daemon, 0)
        with open(log) as file:
            self.assertEqual(["1", "2", "3", "4", "5", "Seq"], sorted(
                line.split("\t")[0] for line in file))

    def test_log_that_cannot_be_written_ends_it(self):
        done = subprocess.run(
            [WYNCTL, "-c", "unix:/nowhere/s", "xargs", "--joblog",
             "/dev/full", "true"], stdin=subprocess.DEVNULL,
            capture_output=True, timeout=PATIENCE, env=environment(),
            check=False)
        self.assertEqual(OTHER, done.returncode)
        self.assertIn(b"/dev/full: No space left", done.stderr)

    def test_dry_run_needs_no_server(self):
        done = subprocess.run(
            [WYNCTL, "-c", "unix:/nowhere/s", "xargs", "--dry-run", "-n2",
             "mv", "{}", "to"], input=b"a b\nc\nd'\n",
            capture_output=True, timeout=PATIENCE, env=environment(),
            check=False)
        self.assertEqual((0, b"mv 'a b' c to\nmv 'd'\\''' to\n", b""),
                         (done.returncode, done.stdout, done.stderr))


if __name__ == "__main__":
    main()

# SPDX-License-Identifier: MIT
"""How wynd starts, refuses to start, and ends."""
import grp
import os
import resource
import signal
import socket
import stat
import subprocess
import tempfile
import unittest

from harness import (
    WYND, Wynd, connect, field, fields, frame, greet, main, receive_end,
    receive_frame, refused, results, submit, until)


def has_ipv6():
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
        return True
    except OSError:
        return False


def has_names():
    """A root without /etc/hosts may not know even this one."""
    try:
        return bool(socket.getaddrinfo("localhost", 0))
    except socket.gaierror:
        return False


HAS_IPV6 = has_ipv6()
HAS_NAMES = has_names()


class Starts(unittest.TestCase):
    def test_tells_every_bound_address_on_the_ready_fd(self):
        with Wynd(listen=("unix:@/s", "tcp:127.0.0.1:0")) as w:
            self.assertEqual(len(w.addresses), 2)
            self.assertEqual(w.addresses[0], "unix:%s/s" % w.directory)
            self.assertRegex(w.addresses[1], r"^tcp:127\.0\.0\.1:[1-9]\d*$")
            for address in w.addresses:
                with connect(address) as sock:
                    greet(sock)

    @unittest.skipUnless(HAS_IPV6, "there is no ::1 here")
    def test_listens_on_ipv6(self):
        with Wynd(listen=("tcp:[::1]:0",)) as w:
            self.assertRegex(w.addresses[0], r"^tcp:\[::1\]:[1-9]\d*$")
            with w.connect("tcp") as sock:
                greet(sock)

    @unittest.skipUnless(HAS_NAMES, "localhost is no name here")
    def test_resolves_names_at_boot(self):
        with Wynd(listen=("tcp:localhost:0",)) as w:
            with w.connect("tcp") as sock:
                greet(sock)

    def test_serves_on_several_loops(self):
        with Wynd("--loops", 3) as w:
            socks = [w.connect() for _ in range(9)]
            for sock in socks:
                greet(sock)
                sock.sendall(submit(1, "echo", "x"))
            for sock in socks:
                self.assertEqual(results(sock, 1), {1: 0})
            self.assertLessEqual(
                {"wynd", "wyn-loop-0", "wyn-loop-1", "wyn-loop-2"},
                self.thread_names(w))
            for sock in socks:
                sock.close()

    @staticmethod
    def thread_names(w):
        names = set()
        for thread in os.listdir("/proc/%d/task" % w.pid):
            with open("/proc/%d/task/%s/comm" % (w.pid, thread)) as comm:
                names.add(comm.read().strip())
        return names

    def test_gives_the_socket_its_mode(self):
        for flags, mode in ((), 0o660), (("--socket-mode", "0600"), 0o600):
            with Wynd(*flags) as w:
                made = os.stat(w.directory + "/s").st_mode
                self.assertEqual(stat.S_IMODE(made), mode)

    @unittest.skipUnless(os.geteuid() == 0, "only root may give it away")
    def test_gives_the_socket_its_group(self):
        group = grp.getgrgid(65534)
        with Wynd("--socket-group", group.gr_name) as w:
            self.assertEqual(os.stat(w.directory + "/s").st_gid, group.gr_gid)

    def test_raises_the_limit_of_descriptors(self):
        def lower():
            hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
            resource.setrlimit(resource.RLIMIT_NOFILE, (64, hard))

        with Wynd(preexec=lower) as w:
            soft, hard = resource.prlimit(w.pid, resource.RLIMIT_NOFILE)
            self.assertEqual(soft, hard)

    def test_says_when_commands_want_more_descriptors_than_there_are(self):
        def lower():
            resource.setrlimit(resource.RLIMIT_NOFILE, (1024, 1024))

        few = ("--max-connections", 16, "--max-commands", 200)
        with Wynd(*few, preexec=lower) as w:
            self.assertNotIn("few-descriptors", w.log())
        with Wynd(*few, "--commands", preexec=lower) as w:
            self.assertIn("few-descriptors", w.log())
            self.assertIn("max_commands=200", w.log())

    def test_keeps_the_standard_descriptors_taken(self):
        with Wynd(preexec=lambda: os.close(0)) as w:
            self.assertEqual(
                os.readlink("/proc/%d/fd/0" % w.pid), "/dev/null")


class Refuses(unittest.TestCase):
    def check(self, code, words, *flags, **options):
        got, text = refused(*flags, **options)
        self.assertEqual(got, code, text)
        lines = [li for li in text.splitlines() if li.startswith("wynd: ")]
        self.assertEqual(len(lines), 1, text)
        for word in words:
            self.assertIn(word, lines[0])

    def test_a_path_that_another_wynd_holds(self):
        with Wynd() as w:
            self.check(69, ["in use by another wynd", w.directory + "/s"],
                       directory=w.directory)
            with w.connect() as sock:
                greet(sock)

    def test_a_socket_on_which_somebody_answers(self):
        with tempfile.TemporaryDirectory() as d, \
                socket.socket(socket.AF_UNIX) as other:
            other.bind(d + "/s")
            other.listen()
            self.check(69, ["answers", d + "/s"], directory=d)
            connect("unix:" + d + "/s").close()
            self.assertFalse(os.path.exists(d + "/s.lock"))

    def test_a_file_that_is_no_socket(self):
        with tempfile.TemporaryDirectory() as d:
            with open(d + "/s", "w") as file:
                file.write("precious")
            self.check(78, ["not a socket"], directory=d)
            with open(d + "/s") as file:
                self.assertEqual(file.read(), "precious")

    def test_a_path_that_is_too_long(self):
        self.check(78, ["107 bytes", "unix:/"],
                   listen=("unix:/tmp/" + "x" * 108,))

    def test_a_directory_that_is_not_there(self):
        self.check(78, ["/none/s", "directory"], listen=("unix:@/none/s",))

    def test_a_port_in_use(self):
        with socket.create_server(("127.0.0.1", 0)) as other:
            address = "tcp:127.0.0.1:%d" % other.getsockname()[1]
            self.check(69, ["in use", address], listen=(address,))

    def test_tcp_beyond_loopback(self):
        for address in "tcp:0.0.0.0:0", "tcp:[::]:0", "tcp:192.0.2.1:0":
            self.check(78, ["--allow-plaintext", address], listen=(address,))

    def test_a_host_that_does_not_exist(self):
        # An interface that is not there: no name server is asked for it.
        self.check(78, ["no such host"], listen=("tcp:[fe80::1%none]:0",))

    def test_a_group_that_does_not_exist(self):
        self.check(78, ["no-such-group", "groupadd"], "--socket-group", "no-such-group")

    def test_modules_that_are_not_there(self):
        self.check(78, ["/nowhere"], modules="/nowhere")

    def test_wrong_flags(self):
        self.check(64, ["--workers"], "--wokers", "3")
        self.check(64, ["4K to 16M"], "--max-frame", "1")
        self.check(78, ["credit-bytes"], "--credit-bytes", "1M")

    def test_a_ready_fd_that_is_closed(self):
        done = subprocess.run([WYND, "--ready-fd", "99"],
                              capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 64)
        self.assertIn("--ready-fd 99", done.stderr)

    def test_and_leaves_nothing_behind(self):
        with tempfile.TemporaryDirectory() as d:
            self.check(78, ["/none/"], directory=d,
                       listen=("unix:@/s", "unix:@/none/s"))
            self.assertEqual(os.listdir(d), [])


class TakesOver(unittest.TestCase):
    def test_a_socket_on_which_nobody_answers(self):
        with tempfile.TemporaryDirectory() as d:
            first = Wynd(directory=d)
            first.process.kill()
            first.destroy()
            self.assertEqual(sorted(os.listdir(d)), ["s", "s.lock"])
            with Wynd(directory=d) as w, w.connect() as sock:
                greet(sock)
            self.assertEqual(os.listdir(d), [])

    def test_tcp_beyond_loopback_when_allowed(self):
        with Wynd("--allow-plaintext", listen=("tcp:0.0.0.0:0",)) as w:
            port = w.addresses[0].rpartition(":")[2]
            with connect("tcp:127.0.0.1:" + port) as sock:
                greet(sock)


class Ends(unittest.TestCase):
    def test_with_0_on_either_signal_and_removes_its_files(self):
        for number in signal.SIGTERM, signal.SIGINT:
            with Wynd(listen=("unix:@/s", "tcp:127.0.0.1:0")) as w:
                w.signal(number)
                self.assertEqual(w.wait(), 0, w.log())
                self.assertEqual(os.listdir(w.directory), [])

    def test_not_on_a_hangup_that_is_ignored(self):
        def ignore():
            signal.signal(signal.SIGHUP, signal.SIG_IGN)

        with Wynd(preexec=ignore) as w:
            w.signal(signal.SIGHUP)
            with w.connect() as sock:
                greet(sock)
            self.assertNotIn("reloaded", w.log())

    def test_but_leaves_a_socket_that_is_not_its_own(self):
        with Wynd() as w:
            os.unlink(w.directory + "/s")
            with socket.socket(socket.AF_UNIX) as other:
                other.bind(w.directory + "/s")
                self.assertEqual(w.stop(), 0)
                self.assertEqual(os.listdir(w.directory), ["s"])

    def test_idle_connections_with_go_away(self):
        with Wynd("--loops", 2) as w:
            socks = [w.connect() for _ in range(4)]
            for sock in socks:
                greet(sock)
            w.signal(signal.SIGTERM)
            for sock in socks:
                (number, _), = fields(receive_frame(sock)[1])
                self.assertEqual(number, 14)
                self.assertEqual(receive_end(sock), b"")
                sock.close()
            self.assertEqual(w.wait(), 0, w.log())

    def test_after_the_accepted_tasks(self):
        with Wynd() as w, w.connect() as sock:
            greet(sock)
            sock.sendall(submit(1, "sleep_ms", *["300"] * 8))
            until(lambda: w.memory() and self.running(w), "a task runs")
            w.signal(signal.SIGTERM)
            codes = results(sock, 8)
            self.assertEqual(set(codes.values()), {0})
            sock.close()
            self.assertEqual(w.wait(), 0, w.log())

    @staticmethod
    def running(w):
        """A Call for the counters tells whether tasks are held."""
        with w.connect() as sock:
            greet(sock)
            sock.sendall(frame(field(7, field(1, 1) + field(3, b""))))
            _, body = receive_frame(sock)
            (_, reply), = fields(body)
            counters = {}
            for number, stats in fields(reply):
                for _, counter in fields(stats) if number == 6 else ():
                    name, *value = (v for _, v in fields(counter))
                    counters[name.decode()] = value[0] if value else 0
            return counters["tasks_held"] > 0

    def test_cancels_what_the_drain_timeout_cuts_off(self):
        with Wynd("--drain-timeout", "50ms", "--workers", 1) as w, \
                w.connect() as sock:
            greet(sock)
            sock.sendall(submit(1, "sleep_ms", "60000", "60000"))
            until(lambda: self.running(w), "a task runs")
            w.signal(signal.SIGTERM)
            self.assertEqual(set(results(sock, 2).values()), {1})
            sock.close()
            self.assertEqual(w.wait(), 0, w.log())
            self.assertIn("drain-timeout", w.log())

    def test_with_124_when_a_task_does_not_end(self):
        w = Wynd("--drain-timeout", "50ms")
        try:
            with w.connect() as sock:
                greet(sock)
                sock.sendall(submit(1, "spin_us", "30000000 deaf"))
                until(lambda: self.running(w), "a task runs")
                w.signal(signal.SIGTERM)
                self.assertEqual(w.wait(), 124, w.log())
                self.assertIn("drain-failed", w.log())
                self.assertEqual(os.listdir(w.directory), [])
        finally:
            w.destroy()

    def test_with_124_when_a_client_never_reads_its_results(self):
        w = Wynd("--drain-timeout", "50ms")
        try:
            with w.connect() as sock:
                greet(sock)
                for seq in range(64):
                    sock.sendall(submit(1 + seq, "echo", b"x" * 65536))
                w.signal(signal.SIGTERM)
                self.assertEqual(w.wait(), 124, w.log())
                self.assertIn("drain-aborted", w.log())
                self.assertIn("ended exit_code=124", w.log())
        finally:
            w.destroy()

    def test_at_once_on_a_second_signal(self):
        w = Wynd()
        try:
            with w.connect() as sock:
                greet(sock)
                sock.sendall(submit(1, "sleep_ms", "60000"))
                until(lambda: self.running(w), "a task runs")
                w.signal(signal.SIGTERM)
                until(lambda: "draining" in w.log(), "the drain begins")
                w.signal(signal.SIGTERM)
                self.assertEqual(w.wait(), 1, w.log())
                self.assertEqual(os.listdir(w.directory), [])
        finally:
            w.destroy()

    def test_by_the_call_of_an_administrator(self):
        with Wynd("--loops", 2) as w:
            with w.connect() as sock:
                greet(sock)
                sock.sendall(frame(field(7, field(1, 1) + field(4, b""))))
                receive_end(sock)
            self.assertEqual(w.wait(), 0, w.log())

    def test_not_by_a_call_over_tcp(self):
        with Wynd(listen=("tcp:127.0.0.1:0",)) as w:
            with w.connect("tcp") as sock:
                greet(sock)
                sock.sendall(frame(field(7, field(1, 1) + field(4, b""))))
                (_, reply), = fields(receive_frame(sock)[1])
                self.assertIn((2, 7), fields(reply))


class Survives(unittest.TestCase):
    def test_many_connections_on_many_loops(self):
        with Wynd("--loops", 3, listen=("unix:@/s", "tcp:127.0.0.1:0")) as w:
            socks = [w.connect(("unix", "tcp")[i % 2]) for i in range(300)]
            for sock in socks:
                greet(sock)
            for turn in range(10):
                for sock in socks:
                    sock.sendall(submit(1 + 4 * turn, "echo", *"abcd"))
            for sock in socks:
                self.assertEqual(
                    results(sock, 40), {seq: 0 for seq in range(1, 41)})
                sock.close()

    def test_more_at_once_than_one_turn_takes(self):
        """64 on each of 8 listeners, all of them there when it looks."""
        addresses = ["unix:@/%d" % i for i in range(8)]
        with Wynd(listen=addresses) as w:
            w.signal(signal.SIGSTOP)
            try:
                until(lambda: self.state(w) == "T", "it is stopped")
                socks = [connect(a) for a in w.addresses for _ in range(64)]
            finally:
                w.signal(signal.SIGCONT)
            for sock in socks:
                greet(sock)
                sock.close()
            self.assertNotIn("accept-paused", w.log())

    @staticmethod
    def state(w):
        with open("/proc/%d/stat" % w.pid) as file:
            return file.read().rpartition(")")[2].split()[0]

    def test_running_out_of_descriptors(self):
        def lower():
            resource.setrlimit(resource.RLIMIT_NOFILE, (48, 48))

        with Wynd(preexec=lower) as w:
            socks = [w.connect() for _ in range(64)]
            until(lambda: "accept-paused" in w.log(), "it runs out")
            for sock in socks[:40]:
                sock.close()
            for sock in socks[40:]:
                greet(sock)
                sock.close()
            self.assertIn("few-descriptors", w.log())

    def test_connections_that_come_and_go_without_keeping_descriptors(self):
        with Wynd("--loops", 2, listen=("unix:@/s", "tcp:127.0.0.1:0")) as w:
            before = w.open_fds()
            for i in range(200):
                with w.connect(("unix", "tcp")[i % 2]) as sock:
                    if i % 3:
                        greet(sock)
                    if i % 3 == 2:
                        sock.sendall(submit(1, "sleep_ms", "1"))
            until(lambda: w.open_fds() == before, "all are closed again")


if __name__ == "__main__":
    main()

# SPDX-License-Identifier: MIT
"""`wynctl bench`: that it counts right, says what it did, and always ends.

No figure of speed is checked: timing decides nothing here.
"""
import json
import os
import pty
import signal
import subprocess
import unittest

from harness import PATIENCE, WYNCTL, Wynd, main, until
from peer import counters
from wyn_client import Client

BOTH = ("unix:@/s", "tcp:127.0.0.1:0")
KEYS = {
    "loop", "function", "connections", "in_flight", "rate", "batch",
    "argument_bytes", "complete", "seconds", "tasks", "ok", "errors",
    "submitted", "unanswered", "missed", "per_second",
    "argument_bytes_per_second", "value_bytes_per_second", "latency_ns", "cpu",
    "connection_tasks"}
LATENCY = ["min", "p50", "p90", "p99", "p999", "max"]
# Far over what any machine does.
TOO_FAST = "1000000000"


def run(address, *args):
    return subprocess.run(
        [WYNCTL, "-c", address, "bench", *map(str, args)],
        capture_output=True, timeout=PATIENCE, check=False)


def stopped(pid):
    """Each of its threads: the signal takes its time."""
    for task in os.listdir("/proc/%d/task" % pid):
        with open("/proc/%d/task/%s/stat" % (pid, task)) as stat:
            if stat.read().rpartition(") ")[2][0] != "T":
                return False
    return True


class Bench(unittest.TestCase):
    def bench(self, wynd, *args, code=0, kind="unix"):
        """What it printed as JSON, whose sums must be right."""
        done = run(wynd.address(kind), "--json", *args)
        self.assertEqual(done.returncode, code, done.stderr)
        self.assertEqual(done.stderr, b"")
        return self.check(done.stdout)

    def check(self, printed):
        out = json.loads(printed)
        self.assertEqual(set(out), KEYS)
        self.assertEqual(
            out["tasks"], out["ok"] + sum(e["count"] for e in out["errors"]))
        self.assertLessEqual(out["tasks"], out["submitted"])
        latency = out["latency_ns"]
        self.assertEqual(set(latency), {*LATENCY, "mean", "bucket_width"})
        self.assertEqual([latency[k] for k in LATENCY],
                         sorted(latency[k] for k in LATENCY))
        self.assertLessEqual(latency["min"], latency["mean"])
        self.assertLessEqual(latency["mean"], latency["max"])
        lanes = out["connection_tasks"]
        self.assertAlmostEqual(
            lanes["mean"] * out["connections"], out["tasks"], places=3)
        self.assertLessEqual(lanes["min"], lanes["mean"])
        self.assertLessEqual(lanes["mean"], lanes["max"])
        if out["tasks"] > 0:
            rate = out["tasks"] / out["seconds"]
            self.assertAlmostEqual(out["per_second"] / rate, 1, places=6)
            self.assertAlmostEqual(out["argument_bytes_per_second"],
                                   rate * out["argument_bytes"], delta=1)
        return out


class Counts(Bench):
    def agree(self, kind, *args, tasks, warm=False, **expected):
        with Wynd(listen=BOTH) as wynd:
            client = Client(wynd.address("unix"))
            out = self.bench(wynd, "echo", *args, kind=kind)
            done = counters(client)
            self.assertEqual(out["tasks"], tasks)
            self.assertEqual(out["ok"], tasks)
            self.assertEqual(out["errors"], [])
            self.assertTrue(out["complete"])
            self.assertEqual(out["unanswered"], 0)
            if not warm:
                self.assertEqual(out["submitted"], tasks)
            self.assertEqual(done["tasks_ok"], out["submitted"])
            self.assertEqual(done["tasks_accepted"], out["submitted"])
            for key, value in expected.items():
                self.assertEqual(out[key], value)
            client.sock.close()
            return out

    def test_closed(self):
        self.agree("unix", "-n", 10007, tasks=10007, loop="closed", batch=1,
                   connections=1, in_flight=4096, rate=None, missed=None,
                   function="echo", argument_bytes=16)

    def test_closed_in_batches_over_connections(self):
        self.agree("tcp", "-n", 10007, "--batch", 100, "--connections", 7,
                   "--in-flight", 1000, tasks=10007, batch=100, connections=7,
                   in_flight=1000)

    def test_closed_after_a_warmup(self):
        self.agree("unix", "-n", 1003, "--warmup", "20ms", tasks=1003,
                   warm=True)

    def test_one_at_a_time(self):
        self.agree("unix", "-n", 50, "-j", 1, tasks=50, in_flight=1)

    def test_open(self):
        self.agree("unix", "-n", 1003, "--rate", 20000, "--batch", 10,
                   "--connections", 3, tasks=1003, loop="open", rate=20000,
                   in_flight=None, missed=0)

    def test_open_after_a_warmup(self):
        out = self.agree("unix", "-n", 1003, "--rate", 20000, "--batch", 10,
                         "--warmup", "50ms", tasks=1003, warm=True)
        self.assertEqual(out["submitted"], 1003 + 1000)

    def test_open_for_a_time(self):
        self.agree("tcp", "--rate", 1000, "--duration", "200ms", "--warmup",
                   "100ms", tasks=200, warm=True, missed=0)

    def test_many_connections(self):
        out = self.agree("unix", "-n", 20000, "--connections", 300,
                         tasks=20000)
        self.assertGreater(out["connection_tasks"]["min"], 0)

    def test_large_arguments(self):
        with Wynd(listen=BOTH) as wynd:
            for size, batch in ("1M", 1), ("3M", 2), ("64K", 3), ("0", 5):
                out = self.bench(wynd, "echo", "-n", 20, "--size", size,
                                 "--batch", batch, "-j", 6)
                self.assertEqual(out["ok"], 20)
                self.assertAlmostEqual(out["value_bytes_per_second"],
                                       out["argument_bytes_per_second"], delta=1)

    def test_closed_for_a_time(self):
        with Wynd() as wynd:
            client = Client(wynd.address("unix"))
            out = self.bench(wynd, "echo", "--duration", "100ms", "--warmup",
                             "50ms", "--batch", 16)
            self.assertGreaterEqual(out["seconds"], 0.1)
            self.assertGreater(out["tasks"], 0)
            # Those of the warm-up and of the end do not count.
            self.assertGreater(out["submitted"], out["tasks"])
            self.assertEqual(counters(client)["tasks_ok"], out["submitted"])
            client.sock.close()

    def test_options_reach_the_tasks(self):
        with Wynd("--workers", 1) as wynd:
            out = self.bench(wynd, "spin_us", "60000000", "-n", 2, "--timeout",
                             "10ms", "--priority", "high", code=1)
            self.assertEqual(out["errors"], [{
                "code": "DEADLINE_EXCEEDED", "reason": "RUN_TIMEOUT",
                "message": "the task ran longer than its timeout", "count": 2}])
            out = self.bench(wynd, "spin_us", "60000000", "-n", 2,
                             "--deadline", "10ms", code=1)
            self.assertEqual({e["code"] for e in out["errors"]},
                             {"DEADLINE_EXCEEDED"})

    def test_cpu_of_both(self):
        with Wynd(listen=BOTH) as wynd:
            for kind in "unix", "tcp":
                cpu = self.bench(wynd, "echo", "-n", 200000, "--batch", 256,
                                 kind=kind)["cpu"]
                self.assertGreater(
                    cpu["client_user_us"] + cpu["client_system_us"], 0)
                self.assertGreater(
                    cpu["server_user_us"] + cpu["server_system_us"], 0)


class Errors(Bench):
    def test_by_code(self):
        with Wynd() as wynd:
            out = self.bench(wynd, "fail", "5 hello", "-n", 300, code=1)
            self.assertEqual(
                [(e["code"], e["count"]) for e in out["errors"]],
                [("NOT_FOUND", 300)])
            out = self.bench(wynd, "sleep_ms", "x", "-n", 30, "--rate", 1000,
                             code=1)
            self.assertEqual(
                [(e["code"], e["count"]) for e in out["errors"]],
                [("INVALID_ARGUMENT", 30)])

    def test_message_of_the_first(self):
        with Wynd() as wynd:
            for said, told, printed in (
                    ("hello", "hello", "hello"),
                    ("a\033[2Jb\nc", "a\033[2Jb\nc", "a?[2Jb?c"),
                    ("\u20ac" * 200, "\u20ac" * 85, "\u20ac" * 85)):
                args = "fail", "10 " + said, "-n", 30
                self.assertEqual(
                    self.bench(wynd, *args, code=1)["errors"], [{
                        "code": "ABORTED", "reason": "FUNCTION_FAILED",
                        "message": told, "count": 30}])
                done = run(wynd.address("unix"), *args)
                line = "failed: 30 ABORTED FUNCTION_FAILED, first: %s\n"
                self.assertIn((line % printed).encode(), done.stdout)

    def test_unknown_function_ends_it_at_once(self):
        message = 'no function "ehco"; did you mean "echo"?'
        with Wynd() as wynd:
            for args in (("-n", 1000000, "--batch", 7),
                         ("--duration", "24h"),
                         ("--duration", "24h", "--warmup", 0),
                         ("--duration", "24h", "--connections", 5),
                         ("--duration", "24h", "--rate", 1000),
                         ("-n", 1000000, "--rate", 1000, "--warmup", 0)):
                done = run(wynd.address("unix"), "--json", "ehco", *args)
                self.assertEqual(done.returncode, 1, args)
                self.assertEqual(done.stderr.decode(),
                                 "wynctl: ehco: %s\n" % message)
                out = self.check(done.stdout)
                self.assertFalse(out["complete"])
                self.assertEqual((out["ok"], out["unanswered"]), (0, 0))
                for error in out["errors"]:
                    self.assertEqual(
                        (error["reason"], error["message"]),
                        ("FUNCTION_UNKNOWN", message))
            out = run(wynd.address("unix"), "ehco", "-n", 3).stdout
            self.assertIn(b", 3 failed; ended early\n", out)
            self.assertIn(b"failed: 3 NOT_FOUND FUNCTION_UNKNOWN, first: " +
                          message.encode(), out)

    def test_too_large_an_argument(self):
        with Wynd("--max-argument", "64K") as wynd:
            done = run(wynd.address("unix"), "echo", "-n", 3, "--size", "65K")
            self.assertNotEqual(done.returncode, 0)
            self.assertIn(b"at most 65536", done.stderr)

    def test_usage(self):
        for args, says in (
                (("echo", "--rate", 5, "--in-flight", 6), b"open loop"),
                (("echo", "-n", 5, "--duration", "1s"), b"--count"),
                (("echo", "x", "--size", 5), b"--size"),
                (("echo", "--batch", 0), b"--batch 0"),
                (("echo", "--duration", "0"), b"--duration 0"),
                (("echo", "--size", "2G"), b"--size 2G"),
                (("echo", "--stream"), b"--stream is no option"),
                ((), b"usage: wynctl bench"),
                (("a", "b", "c"), b"usage: wynctl bench")):
            done = run("unix:/nowhere", *args)
            self.assertEqual(done.returncode, 64, args)
            self.assertIn(says, done.stderr)
            self.assertEqual(done.stdout, b"")

    def test_nobody_there(self):
        done = run("unix:/nowhere/s", "echo")
        self.assertEqual(done.returncode, 69, done.stderr)
        self.assertEqual(done.stdout, b"")

    def test_more_connections_than_descriptors(self):
        with Wynd() as wynd:
            done = subprocess.run(
                ["sh", "-c", "ulimit -n 20; exec \"$@\"", "sh", WYNCTL, "-c",
                 wynd.address("unix"), "bench", "echo", "-n", "5",
                 "--connections", "30"], capture_output=True,
                timeout=PATIENCE, check=False)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn(b"open files", done.stderr)


class Ends(Bench):
    def test_rate_over_capacity(self):
        """It ends, and waiting for credit is in the latency."""
        with Wynd("--credit-tasks", 64, "--workers", 1) as wynd:
            out = self.bench(wynd, "spin_us", "1000", "--rate", 100000,
                             "--duration", "300ms", "--warmup", 0)
            self.assertGreater(out["missed"], 0)
            self.assertEqual(out["tasks"], out["submitted"])
            self.assertGreater(out["tasks"], 64)
            # Due at first and late at last: far beyond the 64 ms of credit.
            self.assertGreater(out["latency_ns"]["max"], 200000000)
            out = self.bench(wynd, "echo", "--rate", TOO_FAST, "--duration",
                             "100ms", "--warmup", "50ms", "--connections", 3,
                             "--batch", 5)
            self.assertGreater(out["missed"], 0)
            # By count nothing is left out.
            out = self.bench(wynd, "echo", "--rate", TOO_FAST, "-n", 20000)
            self.assertEqual((out["tasks"], out["missed"]), (20000, 0))

    def start(self, wynd, *args, stderr=subprocess.PIPE):
        return subprocess.Popen(
            [WYNCTL, "-c", wynd.address("unix"), "--json", "bench", *args],
            stdout=subprocess.PIPE, stderr=stderr)

    def under_way(self, wynd, condition):
        client = Client(wynd.address("unix"))
        until(lambda: condition(counters(client)), "it runs")
        client.sock.close()

    def test_sigint(self):
        for args in (("echo", "-n", "1000000000"),
                     ("echo", "-n", "1000000000", "--rate", "1000"),
                     ("echo", "--duration", "1h", "--warmup", "0")):
            # Behind the credit it must have read most of them.
            with Wynd("--credit-tasks", 64) as wynd:
                process = self.start(wynd, *args)
                self.under_way(wynd, lambda c: c["tasks_ok"] > 200)
                process.send_signal(signal.SIGINT)
                out, err = process.communicate(timeout=PATIENCE)
                self.assertEqual(process.returncode, 130, err)
                out = self.check(out)
                self.assertFalse(out["complete"])
                self.assertGreater(out["tasks"], 0)
                self.assertEqual(out["unanswered"], 0)

    def test_sigint_cancels_what_runs(self):
        with Wynd("--workers", 1) as wynd:
            process = self.start(wynd, "sleep_ms", "3600000", "-n", "10",
                                 "--connections", "3")
            self.under_way(wynd, lambda c: c["tasks_held"] == 10)
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=PATIENCE)
            self.assertEqual(process.returncode, 130, err)
            out = self.check(out)
            self.assertEqual((out["submitted"], out["unanswered"]), (10, 0))

    def test_slow_tasks_are_cancelled_at_the_end(self):
        with Wynd() as wynd:
            out = self.bench(wynd, "sleep_ms", "3600000", "--duration",
                             "10ms", "--warmup", "0", "-j", 10)
            self.assertEqual(
                (out["tasks"], out["submitted"], out["unanswered"]),
                (0, 10, 0))

    def test_drain(self):
        for args in ("-n", "1000000000"), ("--duration", "1h"):
            with Wynd("--workers", 1) as wynd:
                process = self.start(wynd, "echo", "--connections", "4", *args)
                self.under_way(wynd, lambda c: c["tasks_ok"] > 1000)
                wynd.signal(signal.SIGTERM)
                out, err = process.communicate(timeout=PATIENCE)
                # Refused behind the GoAway, or sent when the end was near.
                self.assertIn(process.returncode, (69, 75), err)
                self.assertEqual(err.count(b"\n"), 1)
                out = self.check(out)
                self.assertFalse(out["complete"])
                self.assertEqual(out["unanswered"], 0)
                self.assertEqual(wynd.wait(), 0, wynd.log())

    def test_kill(self):
        with Wynd("--workers", 1) as wynd:
            process = self.start(wynd, "sleep_ms", "3600000", "-n", "100",
                                 "--connections", "4")
            self.under_way(wynd, lambda c: c["tasks_held"] == 100)
            wynd.process.kill()
            out, err = process.communicate(timeout=PATIENCE)
            self.assertEqual(process.returncode, 69, err)
            self.assertEqual(err.count(b"\n"), 1)
            out = self.check(out)
            self.assertFalse(out["complete"])
            self.assertGreater(out["tasks"], 0)
            self.assertEqual({e["code"] for e in out["errors"]},
                             {"UNAVAILABLE"})
            self.assertIsNone(out["cpu"]["server_user_us"])
            wynd.process.wait()
            wynd.process.returncode = 0

    def test_daemon_that_stands_still(self):
        """Nothing comes from it: that ends as well, and is said."""
        with Wynd("--workers", 1) as wynd:
            process = self.start(wynd, "sleep_ms", "3600000", "--duration",
                                 "1h", "--warmup", "0", "-j", "10")
            self.under_way(wynd, lambda c: c["tasks_held"] == 10)
            wynd.signal(signal.SIGSTOP)
            until(lambda: stopped(wynd.pid), "it has stopped")
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=PATIENCE)
            wynd.signal(signal.SIGCONT)
            self.assertEqual(process.returncode, 130, err)
            self.assertIn(b"10 tasks were not answered", err)
            out = self.check(out)
            self.assertFalse(out["complete"])
            self.assertEqual(out["unanswered"], 10)
            self.assertIsNone(out["cpu"]["server_user_us"])

    def test_terminal(self):
        """A line that lives, and none where stderr is no terminal."""
        with Wynd() as wynd:
            ours, theirs = pty.openpty()
            process = self.start(wynd, "echo", "-n", "1000000000",
                                 stderr=theirs)
            os.close(theirs)
            seen = b""
            while b"/s" not in seen:
                seen += os.read(ours, 4096)
            process.send_signal(signal.SIGINT)
            out = process.communicate(timeout=PATIENCE)[0]
            os.close(ours)
            self.check(out)


class Text(Bench):
    def test_names_its_loop(self):
        with Wynd() as wynd:
            for args, first in (
                    (("--rate", 10000), b"open loop: echo, "),
                    (("-j", 64), b"closed loop: echo, ")):
                done = run(wynd.address("unix"), "echo", "-n", 100, *args)
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertTrue(done.stdout.startswith(first))
                for word in (b"100 tasks in ", b"p99.9 ", b"min ", b"mean ",
                             b"CPU time: wynctl ", b", wynd ", b"MiB/s"):
                    self.assertIn(word, done.stdout)

    def test_says_how_even_it_was(self):
        with Wynd() as wynd:
            done = run(wynd.address("unix"), "echo", "-n", 100,
                       "--connections", 2)
            self.assertIn(b"tasks of a connection: ", done.stdout)


if __name__ == "__main__":
    main()

# SPDX-License-Identifier: MIT
"""A daemon that reads its configuration and its modules again as it runs."""
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import unittest

import harness
from harness import Wynd, connect, main, until
from peer import counters
from wyn_client import Client

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
INVALID, EXHAUSTED, PRECONDITION, DENIED = 3, 8, 9, 7

MODULE = """
#include <wyn/module.h>

static int version(struct wyn_context *context, const void *argument,
	size_t bytes)
{
	(void)argument;
	(void)bytes;
	return wyn_value_set(context, "%(version)s", 1);
}

static const struct wyn_function functions[] = {{"%(name)s", "", version}};

WYN_MODULE_EXPORT const struct wyn_module wyn_module = {WYN_MODULE_ABI,
	sizeof(struct wyn_module), "%(name)s", "%(version)s", functions, 1};
"""

# Does not come back from being loaded.
HANGS = """
#include <unistd.h>

__attribute__((constructor)) static void hang(void)
{
	for (;;) {
		pause();
	}
}
"""


def build_module(directory, name, version):
    """DIRECTORY/NAME.so, whose function NAME has the version as its value."""
    path = os.path.join(directory, name + ".so")
    subprocess.run(
        ["gcc", "-shared", "-fPIC", "-I", ROOT + "/include", "-o", path, "-x",
         "c", "-"], input=(MODULE % {"name": name, "version": version}),
        text=True, check=True)
    os.chmod(path, 0o755)
    return path


def reload(client):
    """{what: (old, new, restart)} of a reload that was done."""
    reply = client.call(reload={})
    assert reply.code == 0, reply
    return {c.what: (c.old_value, c.new_value, c.restart)
            for c in reply.reload.changes}


class Settings(unittest.TestCase):
    def test_a_hangup_applies_what_changed(self):
        with Wynd("--loops", 2, config="max_tasks = 4\n") as wynd:
            clients = [Client(wynd.address("unix")) for _ in range(4)]
            wynd.configure("max_tasks = 1000\nmax_frame = 2M\n")
            wynd.signal(signal.SIGHUP)
            until(lambda: "reloaded changes=2" in wynd.log(), "it is done")
            self.assertIn("setting-changed key=max_tasks before=4 after=1000 "
                          "applies=now", wynd.log())
            self.assertIn("setting-changed key=max_frame before=1M after=2M "
                          "applies=restart", wynd.log())
            for client in clients:
                seqs = client.submit("echo", [b"x"] * 100)
                self.assertEqual(
                    [client.next().code for _ in seqs], [0] * 100)
                client.sock.close()

    def test_whoever_asks_is_told_what_changed(self):
        with Wynd("--workers", 1, config="max_tasks = 4\n") as wynd:
            client = Client(wynd.address("unix"))
            self.assertEqual(reload(client), {})
            wynd.configure("max_tasks = 5\nmax_frame = 2M\nworkers = 2\n"
                           "log_level = debug\n")
            # The flag still wins over `workers`.
            self.assertEqual(reload(client), {
                "max_tasks": ("4", "5", False),
                "max_frame": ("1M", "2M", True),
                "log_level": ("info", "debug", False)})
            # What needs a restart is told until there was one.
            self.assertEqual(
                reload(client), {"max_frame": ("1M", "2M", True)})
            client.sock.close()

    def test_a_broken_file_changes_nothing_and_is_told(self):
        listen = "listen = {unix:@/s}\n"
        with Wynd(listen=(), config=listen + "max_tasks = 1\n") as wynd:
            client = Client(wynd.address("unix"))
            for broken, why in (
                    ("max_tasks = 9\nmax_taks = 1\n",
                     ":2: there is no key max_taks"),
                    ("max_tasks = 9\n/* begun", ":2: this comment has no"),
                    ("max_tasks = 9\nmax_bytes = 1M\n", "max-bytes must be"),
                    ("max_tasks = 9\nlisten = {unix:/nonexistent/s}\n",
                     "/nonexistent/s: ")):
                wynd.configure(broken)
                reply = client.call(reload={})
                self.assertEqual(reply.code, PRECONDITION)
                self.assertIn(why, reply.message)
            client.submit("echo", [b"x"] * 2)
            self.assertEqual(
                sorted(client.next().code for _ in range(2)), [0, EXHAUSTED])
            wynd.configure(listen + "max_tasks = 9\n")
            self.assertEqual(
                reload(client), {"max_tasks": ("1", "9", False)})
            client.sock.close()

    def test_bytes_that_are_no_text_are_told_as_such(self):
        with Wynd() as wynd:
            client = Client(wynd.address("unix"))
            with open(wynd.config_path, "wb") as config:
                config.write(b"max_t\xffsks\xc3 = 1\n")
            reply = client.call(reload={})
            self.assertEqual(reply.code, PRECONDITION)
            self.assertIn(":1: there is no key max_t?sks?;", reply.message)
            client.sock.close()

    def test_a_file_that_is_gone_is_told(self):
        with Wynd() as wynd:
            client = Client(wynd.address("unix"))
            os.rename(wynd.config_path, wynd.config_path + ".away")
            reply = client.call(reload={})
            os.rename(wynd.config_path + ".away", wynd.config_path)
            self.assertEqual(reply.code, PRECONDITION)
            self.assertIn("No such file", reply.message)
            client.sock.close()

    def wynctl(self, wynd, *words):
        return subprocess.run(
            [harness.WYNCTL, *words, "-c", wynd.address("unix")],
            capture_output=True, text=True, timeout=60)

    def test_wynctl_prints_it(self):
        with Wynd(config="max_tasks = 4\n") as wynd:
            done = self.wynctl(wynd, "reload")
            self.assertEqual((done.returncode, done.stdout),
                             (0, "nothing has changed\n"))
            wynd.configure("max_tasks = 5\nworkers = 3\n")
            done = self.wynctl(wynd, "reload")
            self.assertEqual((done.returncode, done.stdout), (
                0, "workers: unset -> 3, with the next start\n"
                "max_tasks: 4 -> 5\n"))
            done = self.wynctl(wynd, "reload", "--json")
            self.assertEqual(json.loads(done.stdout), {"changes": [
                {"what": "workers", "before": "unset", "after": "3",
                 "restart": True}]})
            wynd.configure("max_tasks = many\n")
            done = self.wynctl(wynd, "reload")
            self.assertEqual((done.returncode, done.stdout), (78, ""))
            self.assertIn(":1: max_tasks = many: must be", done.stderr)

    def test_only_an_administrator_may_ask(self):
        with Wynd(listen=("tcp:127.0.0.1:0",)) as wynd:
            client = Client(wynd.address("tcp"))
            self.assertEqual(client.call(reload={}).code, DENIED)
            client.sock.close()

    def test_many_ask_at_once(self):
        with Wynd("--loops", 3) as wynd:
            clients = [Client(wynd.address("unix")) for _ in range(12)]
            threads = [threading.Thread(target=reload, args=(client,))
                       for client in clients]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            for client in clients:
                self.assertEqual(client.call(stats={}).code, 0)
                client.sock.close()

    def test_whoever_asked_may_be_gone(self):
        with Wynd() as wynd:
            for _ in range(8):  # half of those that may wait
                client = Client(wynd.address("unix"))
                client.send(call={"call_id": 1, "reload": {}})
                client.sock.close()
            client = Client(wynd.address("unix"))
            reload(client)
            client.sock.close()


class Listeners(unittest.TestCase):
    def test_some_come_and_go_with_clients_on_them(self):
        with Wynd(listen=(), config="listen = {unix:@/a, unix:@/b}\n") as wynd:
            old = Client("unix:%s/b" % wynd.directory)
            wynd.configure("listen = {unix:@/a, unix:@/c}\n")
            changes = reload(old)
            self.assertEqual(list(changes), ["listen"])
            with self.assertRaises(OSError):
                connect("unix:%s/b" % wynd.directory)
            new = Client("unix:%s/c" % wynd.directory)
            for client in (old, new):
                client.submit("echo", [b"x"])
                self.assertEqual(client.next().value, b"x")
            self.assertEqual(sorted(os.listdir(wynd.directory)),
                             ["a", "a.lock", "c", "c.lock"])
            # And back, on the path that was let go.
            wynd.configure("listen = {unix:@/b}\n")
            reload(new)
            again = Client("unix:%s/b" % wynd.directory)
            for client in (old, new, again):
                client.submit("echo", [b"x"])
                self.assertEqual(client.next().value, b"x")
                client.sock.close()

    def test_one_that_is_in_use_elsewhere_changes_nothing(self):
        with socket.create_server(("127.0.0.1", 0)) as other, \
                Wynd(listen=(), config="listen = {unix:@/a}\n") as wynd:
            client = Client("unix:%s/a" % wynd.directory)
            wynd.configure("listen = {unix:@/b, tcp:127.0.0.1:%d}\n" %
                           other.getsockname()[1])
            self.assertEqual(client.call(reload={}).code, PRECONDITION)
            self.assertEqual(
                sorted(os.listdir(wynd.directory)), ["a", "a.lock"])
            connect("unix:%s/a" % wynd.directory).close()
            client.sock.close()

    def test_descriptors_do_not_grow(self):
        with Wynd(listen=(), config="listen = {unix:@/a}\n") as wynd:
            client = Client("unix:%s/a" % wynd.directory)
            before = wynd.open_fds()
            for _ in range(20):
                wynd.configure("listen = {unix:@/a, unix:@/b}\n")
                reload(client)
                wynd.configure("listen = {unix:@/a}\n")
                reload(client)
            until(lambda: wynd.open_fds() == before, "all are closed")
            client.sock.close()


class Modules(unittest.TestCase):
    def setUp(self):
        self.modules = tempfile.mkdtemp(prefix="wynd-modules-")
        self.addCleanup(shutil.rmtree, self.modules)
        for name in os.listdir(harness.MODULES):
            shutil.copy(os.path.join(harness.MODULES, name), self.modules)

    def test_calls_go_on_to_a_new_version(self):
        build_module(self.modules, "ours", "1")
        with Wynd("--loops", 2, modules=self.modules) as wynd:
            client = Client(wynd.address("unix"))
            client.submit("ours", [b""])
            self.assertEqual(client.next().value, b"1")
            # Overwritten in place, as a careless install does.
            build_module(self.modules, "ours", "2")
            changes = reload(client)
            self.assertEqual(list(changes), ["module ours.so"])
            client.submit("ours", [b""])
            self.assertEqual(client.next().value, b"2")
            os.unlink(os.path.join(self.modules, "ours.so"))
            reload(client)
            client.submit("ours", [b""])
            self.assertEqual(client.next().code, 5)
            client.sock.close()

    def test_a_small_frame_has_what_fits(self):
        with Wynd("--max-frame", "4K", modules=self.modules) as wynd:
            client = Client(wynd.address("unix"))
            for i in range(50):
                with open("%s/%02d-%s.so" % (self.modules, i, "x" * 60), "w"):
                    pass
            changes = reload(client)
            self.assertGreater(len(changes), 10)
            self.assertLess(len(changes), 50)
            self.assertEqual(wynd.log().count("module-refused"), 50)
            client.submit("echo", [b"x"])
            self.assertEqual(client.next().value, b"x")
            client.sock.close()

    def test_one_that_hangs_leaves_no_socket_file(self):
        path = os.path.join(self.modules, "hangs.so")
        wynd = Wynd(listen=(), modules=self.modules,
                    config="listen = {unix:@/a}\n")
        self.addCleanup(wynd.destroy)
        subprocess.run(
            ["gcc", "-shared", "-fPIC", "-o", path, "-x", "c", "-"],
            input=HANGS, text=True, check=True)
        os.chmod(path, 0o755)
        wynd.configure("listen = {unix:@/a, unix:@/b}\n")
        wynd.signal(signal.SIGHUP)
        until(lambda: os.path.exists(wynd.directory + "/b"), "it opens")
        self.assertEqual(wynd.stop(), 124)
        self.assertIn("reload-stuck", wynd.log())
        self.assertEqual(os.listdir(wynd.directory), [])

    def load(self, address, tasks, reports):
        """Runs so many tasks over and over, until it is asked to end."""
        while not self.enough.is_set() or not reports:
            done = subprocess.run(
                [harness.WYNCTL, "bench", "-c", address, "--json", "--count",
                 str(tasks), "--warmup", "0", "--batch", "64",
                 "--connections", "4", "ours"], capture_output=True, text=True)
            reports.append((done.returncode, done.stdout + done.stderr))

    @staticmethod
    def mapped(wynd):
        """How many mappings of modules there are."""
        with open("/proc/%d/maps" % wynd.pid) as maps:
            return sum("memfd:" in line for line in maps)

    def test_a_hundred_reloads_under_load_lose_nothing(self):
        module = build_module(self.modules, "ours", "1")
        tasks = 20000 if harness.SANITIZED else 1000000
        reports = []
        self.enough = threading.Event()
        with Wynd("--loops", 2, modules=self.modules) as wynd:
            asker = Client(wynd.address("unix"))
            load = threading.Thread(target=self.load, args=(
                wynd.address("unix"), tasks, reports))
            load.start()
            try:
                until(lambda: counters(asker)["tasks_ok"] > 0, "it has begun")
                for turn in range(100):
                    with open(module, "ab") as other:  # a version of its own
                        other.write(b"\n")
                    wynd.configure("max_uploads = %d\n" % (turn + 1))
                    changes = reload(asker)
                    self.assertEqual(
                        changes["max_uploads"][1], str(turn + 1))
                    self.assertIn("module ours.so", changes)
                    if turn == 9:
                        before = wynd.memory(), wynd.open_fds()
                        mapped = self.mapped(wynd)
            finally:
                self.enough.set()
                load.join()
            for code, report in reports:
                self.assertEqual(code, 0, report)
                self.assertEqual(json.loads(report)["errors"], [])
                self.assertEqual(json.loads(report)["tasks"], tasks)
            asker.submit("ours", [b""])
            self.assertEqual(asker.next().value, b"1")
            # Old versions are let go of once their calls have ended.
            until(lambda: wynd.open_fds() <= before[1], "none is kept")
            until(lambda: self.mapped(wynd) <= mapped, "none is mapped")
            growth = (32 if harness.SANITIZED else 4) << 20
            self.assertLess(wynd.memory(), before[0] + growth)
            asker.sock.close()


if __name__ == "__main__":
    main()

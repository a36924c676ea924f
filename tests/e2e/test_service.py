# SPDX-License-Identifier: MIT
"""A life of the service, as it is installed.

From a staging root: started by its first connection, a module that somebody
wrote is called, replaced under load, and at the end all is drained."""
import glob
import json
import os
import shutil
import socket
import subprocess
import tempfile
import threading
import unittest

from harness import PATIENCE, SANITIZED, main, until
from test_install import CC, ROOT, Tree, run

TASKS = 2000 if SANITIZED else 20000


class Service(Tree, unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="wynd-test-")
        self.addCleanup(shutil.rmtree, self.directory)
        self.address = "unix:%s/s" % self.directory
        self.modules = self.directory + "/modules"
        os.mkdir(self.modules)
        self.notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notify.bind(self.directory + "/n")
        self.notify.settimeout(PATIENCE)
        self.addCleanup(self.notify.close)

    def installed(self, name):
        path, = glob.glob(self.root + "/**/bin/" + name, recursive=True)
        return path

    def wynctl(self, *words):
        return run(self.installed("wynctl"), *words, "-c", self.address)

    def put_module(self, version, greeting):
        """The example, with another version and another word, in place."""
        directory = tempfile.mkdtemp(dir=self.temporary)
        shutil.copytree(ROOT + "/examples/module", directory,
                        dirs_exist_ok=True)
        with open(directory + "/hello.c") as file:
            source = file.read()
        changed = source.replace('"hello", "1"', '"hello", "%s"' % version)
        changed = changed.replace('"hello ", 6',
                                  '"%s ", %d' % (greeting, len(greeting) + 1))
        self.assertIn('"%s", functions' % version, changed)
        with open(directory + "/hello.c", "w") as file:
            file.write(changed)
        run("make", "-s", "-C", directory, "CC=" + CC, env=self.environment)
        shutil.copy(directory + "/hello.so", self.modules)

    def start(self):
        config = self.directory + "/wynd.conf"
        with open(config, "w") as file:
            file.write('modules = "%s"\nloops = 2\n' % self.modules)
        wynd = subprocess.Popen(
            ["systemd-socket-activate", "-l", self.directory + "/s", "-E",
             "NOTIFY_SOCKET=%s/n" % self.directory, self.installed("wynd"),
             "--config", config], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self.addCleanup(wynd.stderr.close)
        self.addCleanup(wynd.wait)
        self.addCleanup(wynd.kill)
        # Its file is there before anybody listens on it.
        self.assertIn("Listening on", wynd.stderr.readline())
        return wynd

    def heard(self, begins):
        while not self.notify.recv(4096).decode().startswith(begins):
            pass

    def load(self, enough, reports):
        """Calls the function over and over, until it is told to end."""
        while not enough.is_set() or not reports:
            reports.append(json.loads(self.wynctl(
                "bench", "hello", "x", "--json", "--count", str(TASKS),
                "--warmup", "0", "--batch", "16", "--connections", "2")))

    def reload_under_load(self):
        enough, reports = threading.Event(), []
        load = threading.Thread(target=self.load, args=(enough, reports))
        load.start()
        try:
            until(lambda: reports, "some calls were made")
            self.put_module(2, "good day")
            said = self.wynctl("reload")
            self.heard("RELOADING=1")
            self.heard("READY=1")
            before = len(reports)
            until(lambda: len(reports) > before + 1, "calls go on")
        finally:
            enough.set()
            load.join()
        self.assertEqual(said, "module hello.so: 1 -> 2\n")
        for report in reports:
            self.assertEqual(report["errors"], [])
            self.assertEqual(report["tasks"], TASKS)

    def test_from_the_first_connection_to_the_last_answer(self):
        self.put_module(1, "hello")
        wynd = self.start()
        self.assertEqual(self.wynctl("call", "hello", "world"),
                         "hello world\n")
        self.heard("READY=1")
        self.reload_under_load()
        self.assertEqual(self.wynctl("call", "hello", "world"),
                         "good day world\n")
        self.wynctl("drain")
        self.heard("STOPPING=1")
        self.assertEqual(wynd.wait(PATIENCE), 0, wynd.stderr.read())


if __name__ == "__main__":
    main()

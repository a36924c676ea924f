# SPDX-License-Identifier: MIT
"""What a configuration file does to a daemon, and what a wrong one is told."""
import os
import subprocess
import tempfile
import unittest

from harness import WYND, Wynd, greet, main


def check_config(text, *flags):
    """wynd --check-config of a file that says this; @ is its path."""
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as config:
        config.write(text)
        config.flush()
        done = subprocess.run(
            [WYND, "--check-config", "--config", config.name, *flags],
            stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=60)
    return done.returncode, done.stdout, done.stderr.replace(config.name, "@")


class Configured(unittest.TestCase):
    def test_a_daemon_does_what_its_file_says(self):
        with Wynd("--loops", 1, listen=(), config="""
                # two addresses, and more loops than the flag leaves
                listen = {"unix:@/a", tcp:127.0.0.1:0}
                loops = 3
                socket_mode = 0600
                """) as wynd:
            self.assertEqual(wynd.addresses[0], "unix:%s/a" % wynd.directory)
            self.assertEqual(os.stat(wynd.directory + "/a").st_mode & 0o777,
                             0o600)
            self.assertEqual(len(wynd.addresses), 2)
            with wynd.connect("tcp") as sock:
                greet(sock)

    def test_a_wrong_file_is_no_start(self):
        code, out, err = check_config("max_tasks = none\n")
        self.assertEqual((code, out), (78, ""))
        self.assertEqual(
            err, "wynd: @:1: max_tasks = none: must be a whole number\n")

    def test_a_file_that_is_not_there_is_no_start(self):
        done = subprocess.run([WYND, "--config", "/nonexistent/wynd.conf"],
                              capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 78)
        self.assertIn("/nonexistent/wynd.conf: cannot be read", done.stderr)

    def test_a_check_prints_each_key_and_where_it_was_said(self):
        code, out, err = check_config("\nmax_tasks = 12\n", "--loops=2")
        lines = out.splitlines()
        self.assertEqual((code, err), (0, ""))
        self.assertIn("loops = 2 # flag", lines)
        self.assertIn("# max_batch = 65536", lines)
        self.assertRegex(out, r"\nmax_tasks = 12 # tmp\w+\.conf:2\n")

    def test_values_that_cannot_be_together(self):
        code, out, err = check_config("max_argument = 1G\n")
        self.assertEqual((code, out), (78, ""))
        self.assertIn("credit-bytes must be at least max-argument", err)

    @unittest.skipUnless(os.geteuid() == 0, "only root can be somebody else")
    def test_a_file_that_may_not_be_read(self):
        with tempfile.NamedTemporaryFile() as config:
            done = subprocess.run(
                ["setpriv", "--reuid=65534", "--clear-groups",
                 "--regid=65534", WYND, "--check-config", "--config",
                 config.name], capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 77)
        self.assertIn("Permission denied", done.stderr)


class Table(unittest.TestCase):
    def test_every_setting_is_a_flag_and_in_the_manual(self):
        table = subprocess.run([WYND, "--list-settings"], capture_output=True,
                               text=True, timeout=60).stdout
        usage = subprocess.run([WYND, "--help"], capture_output=True,
                               text=True, timeout=60).stdout
        rows = [line.split("\t") for line in table.splitlines()]
        self.assertGreater(len(rows), 20)
        for key, *columns in rows:
            self.assertEqual(len(columns), 6)
            self.assertIn(columns[4], ("reload", "restart"))
            self.assertIn("  --" + key.replace("_", "-"), usage)


if __name__ == "__main__":
    main()

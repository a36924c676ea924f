# SPDX-License-Identifier: MIT
"""What a configuration file does to a daemon, and what a wrong one is told."""
import os
import re
import subprocess
import tempfile
import unittest

from harness import WYND, Wynd, greet, main
from wyn_client import Client

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))


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
        self.assertIn("loops = 2 # flag; COUNT, 1 to 64, default 1, restart",
                      lines)
        self.assertIn("# max_batch = 65536 # COUNT, 1 to 1048576, default "
                      "65536, restart", lines)
        self.assertIn("# workers = unset # COUNT, 1 to 512, restart", lines)
        self.assertIn("# drain_timeout = 30s # TIME, 0 to 24h, default 30s, "
                      "reload", lines)
        self.assertRegex(out, r"\nmax_tasks = 12 # tmp\w+\.conf:2; COUNT, ")

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


# A value of each setting that is not its default; of others their least.
VALUES = {
    "listen": "unix:/a", "allow_plaintext": "yes", "socket_mode": "0600",
    "socket_group": "root", "modules": "/nowhere", "loops": "2",
    "log_level": "debug", "log_format": "json", "max_argument": "1M",
    "max_value": "1M", "credit_bytes": "256M", "max_bytes": "2G",
    "hello_timeout": "1m", "keepalive": "1m", "drain_timeout": "1m",
}


class Table(unittest.TestCase):
    def said(self, *words, **options):
        return subprocess.run(words, capture_output=True, text=True,
                              check=True, timeout=60, **options).stdout

    def rows(self):
        """Each: key, unit, default, least, most, what applies it, help."""
        rows = [line.split("\t")
                for line in self.said(WYND, "--list-settings").splitlines()]
        self.assertGreater(len(rows), 20)
        return rows

    def flag(self, key, value):
        return ["--" + key.replace("_", "-")] + (
            [] if key == "allow_plaintext" else [value])

    def test_every_setting_is_a_key_and_a_flag_that_wins(self):
        for key, _, initial, least, *_ in self.rows():
            value = VALUES.get(key, least)
            line = r'(?m)^%s = \{?"?%s"?\}? # ' % (key, re.escape(value))
            with self.subTest(key):
                code, out, err = check_config("%s = %s\n" % (key, value))
                self.assertEqual((code, err), (0, ""))
                self.assertRegex(out, line + r"tmp\w+\.conf:1; ")
                # What the file says is another value than the flag's.
                other = '{"unix:/b"}' if key == "listen" else initial
                text = "" if other in ("-", '""') else "%s = %s\n" % (
                    key, other)
                code, out, err = check_config(text, *self.flag(key, value))
                self.assertEqual((code, err), (0, ""))
                self.assertRegex(out, line + "flag; ")

    def test_every_range_is_named_with_file_and_line(self):
        for key, unit, _, least, most, *_ in self.rows():
            past = {"COUNT": "9999999999999", "BYTES": "2048G",
                    "TIME": "999h"}.get(unit)
            for value in filter(None, (past, "0" if least != "0" else None)):
                if most == "-":
                    continue
                with self.subTest(key, value=value):
                    must = "%s: must be %s to %s\n" % (value, least, most)
                    code, out, err = check_config("\n%s = %s\n" % (key, value))
                    self.assertEqual((code, out), (78, ""))
                    self.assertEqual(err, "wynd: @:2: %s = %s" % (key, must))
                    flag, _ = self.flag(key, value)
                    code, out, err = check_config("", flag, value)
                    self.assertEqual((code, out), (64, ""))
                    self.assertEqual(err, "wynd: %s %s" % (flag, must))

    def test_every_setting_is_reloaded_as_it_says(self):
        told = {"socket_group": '"root"'}
        rows = [row for row in self.rows()
                if row[0] not in ("listen", "modules")]  # flags of the harness
        with Wynd() as wynd:
            client = Client(wynd.address("unix"))
            wynd.configure("".join("%s = %s\n" % (
                row[0], VALUES.get(row[0], row[3])) for row in rows))
            reply = client.call(reload={})
            self.assertEqual(reply.code, 0, reply)
            self.assertEqual(
                {c.what: (c.old_value, c.new_value, c.restart)
                 for c in reply.reload.changes},
                {key: ("unset" if initial == "-" else initial,
                       told.get(key, VALUES.get(key, least)),
                       applies == "restart")
                 for key, _, initial, least, _, applies, _ in rows})
            client.sock.close()

    def test_help_check_and_manual_say_all_of_every_setting(self):
        """Unit, range, default, and whether a reload applies it."""
        usage = self.said(WYND, "--help")
        with open(ROOT + "/docs/wynd.conf.5.scd") as source:
            page = self.said(ROOT + "/scripts/page", WYND, stdin=source)
        code, printed, _ = check_config("")
        self.assertEqual(code, 0)
        for key, unit, initial, least, most, applies, _ in self.rows():
            with self.subTest(key):
                flag, = re.findall(
                    r"^  --%s .*(?:\n      .*)+" % key.replace("_", "-"), usage,
                    re.MULTILINE)
                entry, = re.findall(
                    r"^\*%s\* = .*\n.*" % key, page, re.MULTILINE)
                line, = re.findall(
                    r"^# %s = .* # .*" % key, printed, re.MULTILINE)
                self.assertIn(applies, ("reload", "restart"))
                self.assertIn(applies, flag)
                self.assertIn("A reload applies it" if applies == "reload"
                              else "A change needs a restart", entry)
                self.assertTrue(line.endswith(", " + applies))
                for said in entry, line:
                    self.assertIn(unit, said)
                if most != "-":
                    for said in flag, entry, line:
                        self.assertIn("%s to %s" % (least, most), said)
                if initial not in ("-", '""'):
                    for said in flag, entry, line:
                        self.assertIn("efault", said)


if __name__ == "__main__":
    main()

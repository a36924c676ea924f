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

    def test_a_list_of_a_later_place_takes_that_of_an_earlier_one(self):
        code, out, _ = check_config('command_users = {root, "7"}\n')
        self.assertRegex(out, r'(?m)^command_users = \{"root", "7"\} # tmp')
        code, out, _ = check_config('command_users = {root, "7"}\n',
                                    "--command-users=8", "--command-users=9")
        self.assertRegex(out, r'(?m)^command_users = \{"8", "9"\} # flag')

    def test_what_a_word_of_a_list_may_be(self):
        for key, word, must in (
                ("command_users", "a b", "must be a user's name or number"),
                ("command_users", "*", "must be a user's name or number"),
                ("command_programs", "true", "must be an absolute path"),
                ("command_programs", "/a'b\\t",
                 "must not have quotes, \\, $ or control characters"),
                ("command_env", "A*B",
                 "must be the name of a variable, or its beginning and *"),
                ("command_env", "A=B",
                 "must be the name of a variable, or its beginning and *"),
                ("command_run_as", "root",
                 "must be PEER=USER, each a name or a number"),
                ("command_programs", "/" + "a" * 4100,
                 "the list is longer than 4096 bytes"),
                ("command_cgroup", "a", "must be own, none, or the absolute "
                 "path of a directory"),
                ("spawner", "wynd-spawner", "must be an absolute path")):
            flag = "--" + key.replace("_", "-")
            with self.subTest(key, word=word):
                code, out, err = check_config("", flag, word)
                self.assertEqual((code, out), (
                    78 if len(word) > 4096 else 64, ""))
                self.assertEqual(err, "wynd: %s %.200s: %s\n" % (
                    flag, word, must))

    def test_a_file_that_others_may_write_to_says_nothing_of_commands(self):
        keys = {row.split("\t")[0] for row in subprocess.run(
            [WYND, "--list-settings"], capture_output=True, text=True,
            timeout=60).stdout.splitlines()}
        guarded = {key for key in keys if key.startswith("command")
                   or key == "spawner"} - {"command_grace", "command_drain"}
        self.assertEqual(len(guarded), 11, guarded)
        with tempfile.TemporaryDirectory() as directory:
            path = directory + "/wynd.conf"
            for mode in 0o620, 0o602, 0o644:
                for key in sorted(guarded):
                    with open(path, "w") as config:
                        config.write("max_commands = 3\n%s = %s\n" % (
                            key, LISTS.get(key, VALUES.get(key, 1))))
                    os.chmod(path, mode)
                    done = subprocess.run(
                        [WYND, "--check-config", "--config", path],
                        capture_output=True, text=True, timeout=60)
                    with self.subTest(key, mode=mode):
                        self.assertEqual(done.returncode,
                                         0 if mode == 0o644 else 78)
                        self.assertIn("" if mode == 0o644 else
                                      "wynd.conf:2: %s = " % key, done.stderr)
                        self.assertIn("" if mode == 0o644 else "others may "
                                      "write to this file", done.stderr)

    @unittest.skipUnless(os.geteuid() == 0, "only root can give files away")
    def test_a_file_of_somebody_else_says_nothing_of_commands(self):
        with tempfile.NamedTemporaryFile("w", suffix=".conf") as config:
            config.write("commands = yes\n")
            config.flush()
            os.chown(config.name, 65534, 65534)
            done = subprocess.run(
                [WYND, "--check-config", "--config", config.name],
                capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 78)
        self.assertIn("must belong to root", done.stderr)

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
    "commands": "yes", "command_users": "root", "command_env": "LC_*",
    "command_programs": "/bin/true", "command_umask": "0027",
    "command_run_as": "root=%d" % os.geteuid(), "command_private_tmp": "yes",
    "command_processes": "100", "command_cgroup": "none", "spawner": "/nowhere",
}
SWITCHES = [key for key in VALUES if VALUES[key] == "yes"]
LISTS = {
    "listen": '{"unix:/b"}', "command_users": '{"daemon", 7}',
    "command_programs": '{"/a", "/b"}', "command_env": '{A, "B"}',
    "command_run_as": '{"7=root"}',
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
            [] if key in SWITCHES else [value])

    def test_every_setting_is_a_key_and_a_flag_that_wins(self):
        for key, _, initial, least, *_ in self.rows():
            value = VALUES.get(key, least)
            line = r'(?m)^%s = \{?"?%s"?\}? # ' % (key, re.escape(value))
            said = '"%s"' % value if re.search("[=*]", value) else value
            with self.subTest(key):
                code, out, err = check_config("%s = %s\n" % (key, said))
                self.assertEqual((code, err), (0, ""))
                self.assertRegex(out, line + r"tmp\w+\.conf:1; ")
                # What the file says is another value than the flag's.
                other = LISTS.get(key, initial)
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
        told = {key: '{"%s"}' % VALUES[key]
                for key in LISTS if key != "listen"}
        told.update((key, '"%s"' % VALUES[key]) for key in (
            "socket_group", "command_cgroup", "spawner"))
        rows = [row for row in self.rows()
                if row[0] not in ("listen", "modules")]  # flags of the harness
        with Wynd() as wynd:
            client = Client(wynd.address("unix"))
            wynd.configure("".join('%s = "%s"\n' % (
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
                if initial not in ("-", '""', "{}"):
                    for said in flag, entry, line:
                        self.assertIn("efault", said)


if __name__ == "__main__":
    main()

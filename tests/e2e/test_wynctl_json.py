# SPDX-License-Identifier: MIT
"""What wynctl --json prints is what docs/wynctl.schema.json says."""
import os
import subprocess

import jsonschema

from harness import WYNCTL, Wynd, greet, main, submit, until
from test_wynctl import Case, wynctl
from wynctl_json import SCHEMA, rows_of

BINARY = b"\xff\xfe"


class Json(Case):
    @classmethod
    def setUpClass(cls):
        cls.wynd = cls.enterClassContext(Wynd("--workers", 1))

    def checked(self, name, *args, **options):
        """The objects that it prints, each of which is as `name` says."""
        done = wynctl("-c", self.wynd.address("unix"), "--json", *args,
                      **options)
        rows = rows_of(name, done.stdout)
        self.assertTrue(rows, done)
        return rows

    def test_schema_is_one(self):
        jsonschema.Draft202012Validator.check_schema(SCHEMA)
        said = subprocess.run([WYNCTL, "--help"], capture_output=True,
                              check=True, text=True).stdout
        listed = said.split("Commands:\n")[1].split("\n\n")[0].splitlines()
        told = {name.split()[0] for name in SCHEMA["$defs"]}
        for line in listed:
            name = line.split()[0]
            self.assertTrue(name == "help" or name in told, name)

    def test_schema_refuses_what_is_otherwise(self):
        for name, row in (("drain", {"unfinished": -1}), ("drain", {}),
                          ("ping", {"count": 1}), ("list", {"id": 7}),
                          ("call", {"status": "OK"})):
            schema = {**SCHEMA, "$ref": "#/$defs/" + name}
            with self.assertRaises(jsonschema.ValidationError):
                jsonschema.validate(row, schema)

    def test_call(self):
        self.checked("call", "call", "echo", "x")
        row, = self.checked("call", "call", "echo", "-", stdin=BINARY)
        self.assertIn("value_base64", row)
        self.checked("call", "call", "fail", "ABORTED why")
        self.assertEqual(len(self.checked(
            "call", "call", "--stream", "count", "3")), 4)

    def test_map(self):
        self.checked("map", "map", "echo", "a", "b")
        self.checked("map", "map", "echo", stdin=b"a\n" + BINARY + b"\n")

    def test_map_of_files(self):
        self.checked("map", "map", "--files", "sha256",
                     stdin=os.fsencode(__file__) + b"\n")

    def test_repeat(self):
        self.checked("repeat", "repeat", "echo", "100")

    def test_bench(self):
        self.checked("bench", "bench", "echo", "-n", "100")
        self.checked("bench", "bench", "echo", "-n", "100", "--rate", "10000",
                     "--connections", "2")
        self.checked("bench", "bench", "fail", "ABORTED", "-n", "10")

    def test_what_the_daemon_tells_of_itself(self):
        for command in "functions", "stats", "ping", "version", "module list":
            with self.subTest(command):
                self.checked(command, *command.split())
        self.checked("stats --watch", "stats", "--watch", "5ms", "-n", "2")

    def test_version_without_a_daemon(self):
        done = wynctl("-c", "unix:/nowhere", "--json", "version")
        self.assertEqual(len(rows_of("version", done.stdout)), 1)

    def test_list_and_explain(self):
        with self.wynd.connect() as sock:
            greet(sock)
            sock.sendall(submit(1, "sleep_ms", *[b"600000"] * 5))
            until(lambda: wynctl(
                "-c", self.wynd.address("unix"), "list", "--state",
                "running").stdout.count(b"\n") == 2, "one runs")
            for row in self.checked("list", "list"):
                self.checked("explain", "explain", row["id"])

    def test_drain(self):
        with Wynd() as wynd:
            done = wynctl("-c", wynd.address("unix"), "--json", "drain")
            self.assertEqual(wynd.wait(), 0)
        self.assertEqual(len(rows_of("drain", done.stdout)), 1)

    def test_reload(self):
        with Wynd(config="max_tasks = 1\n") as wynd:
            wynd.configure("max_tasks = 2\nmax_frame = 2M\n")
            done = wynctl("-c", wynd.address("unix"), "--json", "reload")
        said, = rows_of("reload", done.stdout)
        self.assertEqual([change["restart"] for change in said["changes"]],
                         [True, False])


if __name__ == "__main__":
    main()

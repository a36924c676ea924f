# SPDX-License-Identifier: MIT
"""Who may run which commands, as a daemon is told and told anew."""
import os
import shutil
import tempfile
import unittest

from harness import BUILD_DIR, WYND, Wynd, can_mount, main, somebody
from peer import counters
from wyn_client import Client

OK, DENIED, NO, YES = 0, 7, 1, 2
NOBODY, DAEMON = 65534, 1
AS_ROOT = unittest.skipUnless(
    os.geteuid() == 0, "only root can be somebody else")


def run(client, **command):
    """How one command ended: its code, its reason, whether it ran."""
    seq = client.next_seq
    client.next_seq += 1
    client.send(submit=dict(first_seq=seq, args=[b""], command=dict(
        {"argv": [b"/bin/true"]}, **command)))
    row = client.next()
    detail = row.detail
    return row.code, detail and detail.reason, detail and detail.ran


def refusal(client, **command):
    """The reason, of one that is not let run."""
    code, reason, ran = run(client, **command)
    assert (code, ran) == (DENIED, NO), (code, reason, ran)
    return reason


def holds(client, condition, *env, **command):
    """Whether a shell that is run says so."""
    code, reason, ran = run(client, argv=[b"/bin/sh", b"-c", condition.encode()],
                            env=[b"PATH=/bin:/usr/bin", *env], **command)
    assert (reason, ran) in ((None, YES), ("", YES), ("EXIT_STATUS", YES)), (
        code, reason, ran)
    return code == OK


class Policy(unittest.TestCase):
    def test_commands_are_off(self):
        with Wynd() as wynd:
            client = Client(wynd.address("unix"))
            self.assertEqual(refusal(client), "COMMANDS_OFF")
            client.sock.close()

    def test_a_reload_turns_them_on_and_off(self):
        with Wynd("--loops", 2, config="command_env = {X}\n") as wynd:
            clients = [Client(wynd.address("unix")) for _ in range(4)]
            for commands, reason in (("yes", "COMMAND_ENV"),
                                     ("no", "COMMANDS_OFF")):
                wynd.configure("command_env = {X}\ncommands = %s\n" % commands)
                self.assertEqual(clients[0].call(reload={}).code, 0)
                for client in clients:
                    self.assertEqual(refusal(client, env=[b"Y=1"]), reason)
            for client in clients:
                client.sock.close()

    def test_none_are_run_for_tcp(self):
        with Wynd("--commands", "--command-users", os.geteuid(),
                  listen=("unix:@/s", "tcp:127.0.0.1:0")) as wynd:
            client = Client(wynd.address("tcp"))
            self.assertEqual(refusal(client), "COMMANDS_LOCAL_ONLY")
            client.sock.close()

    @AS_ROOT
    def test_users_are_known_by_the_kernel(self):
        with Wynd("--socket-mode", "0666", config="commands = yes\n") as wynd:
            os.chmod(wynd.directory, 0o755)
            client = Client(wynd.address("unix"))
            with somebody(NOBODY):
                other = Client(wynd.address("unix"))
            self.assertEqual(refusal(other), "COMMAND_USERS")
            wynd.configure("commands = yes\ncommand_users = {nobody}\n")
            self.assertEqual(client.call(reload={}).code, 0)
            self.assertEqual(refusal(client), "COMMAND_USERS")
            self.assertEqual(refusal(other, run_as="root"), "COMMAND_RUN_AS")
            self.assertEqual(counters(client)["command_users_denied"], 2)
            self.assertEqual(counters(client)["command_run_as_denied"], 1)
            client.sock.close()
            other.sock.close()

    def test_a_user_that_is_nobody_is_no_start_and_no_reload(self):
        text = "commands = yes\ncommand_env = {X}\n"
        with Wynd(config=text) as wynd:
            client = Client(wynd.address("unix"))
            wynd.configure("commands = no\ncommand_users = {no-such-user}\n")
            reply = client.call(reload={})
            self.assertEqual(reply.reason, "CONFIGURATION_VOID")
            self.assertIn("there is no user no-such-user", reply.message)
            self.assertEqual(refusal(client, env=[b"Y=1"]), "COMMAND_ENV")
            client.sock.close()

    def test_variables_are_named(self):
        with Wynd("--commands", "--command-programs", "/bin/true") as wynd:
            client = Client(wynd.address("unix"))
            for variable in b"LD_PRELOAD=/x", b"FOO=1":
                self.assertEqual(
                    refusal(client, env=[b"PATH=/bin", variable]),
                    "COMMAND_ENV")
            self.assertEqual(counters(client)["command_env_denied"], 2)
            client.sock.close()


class Commands(unittest.TestCase):
    """What is let run, and how it finds the world."""

    @AS_ROOT
    def test_each_runs_as_himself_where_the_spawner_is_root(self):
        config = "commands = yes\ncommand_users = {nobody, root}\n"
        with Wynd("--socket-mode", "0666", config=config) as wynd:
            os.chmod(wynd.directory, 0o755)
            root = Client(wynd.address("unix"))
            with somebody(NOBODY):
                nobody = Client(wynd.address("unix"))
            self.assertTrue(holds(root, 'test "$(id -u)" = 0'))
            # Nobody connected with root's group, and runs with it.
            self.assertTrue(holds(nobody, 'test "$(id -u):$(id -g)" = %d:%d'
                                  % (NOBODY, os.getegid())))
            root.sock.close()
            nobody.sock.close()

    @AS_ROOT
    def test_another_user_is_the_tables(self):
        config = ('commands = yes\ncommand_users = {nobody, root}\n'
                  'command_run_as = {"nobody=daemon"}\n')
        with Wynd("--socket-mode", "0666", config=config) as wynd:
            os.chmod(wynd.directory, 0o755)
            root = Client(wynd.address("unix"))
            with somebody(NOBODY):
                nobody = Client(wynd.address("unix"))
            self.assertTrue(holds(
                nobody, 'test "$(id -un):$(id -gn)" = daemon:daemon',
                run_as="daemon"))
            self.assertEqual(refusal(nobody, run_as="daemon", env=[b"X=1"]),
                             "COMMAND_ENV")
            self.assertEqual(refusal(nobody, run_as="root"), "COMMAND_RUN_AS")
            self.assertEqual(refusal(root, run_as="daemon"), "COMMAND_RUN_AS")
            root.sock.close()
            nobody.sock.close()

    @AS_ROOT
    def test_all_run_as_wynd_where_the_spawner_is_not_root(self):
        directory = tempfile.mkdtemp(prefix="wynd-test-")
        os.chown(directory, NOBODY, NOBODY)
        os.chmod(directory, 0o755)
        # The build may be where only root can go.
        program, spawner = (shutil.copy(path, directory) for path in (
            WYND, BUILD_DIR + "/wynd-spawner"))
        modules = directory + "/modules"
        os.mkdir(modules, 0o755)

        def preexec():
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
        try:
            with Wynd("--socket-mode", "0666", "--spawner", spawner,
                      program=program, modules=modules, directory=directory,
                      preexec=preexec, config="commands = yes\n"
                      "command_users = {daemon}\n") as wynd:
                with somebody(DAEMON):
                    client = Client(wynd.address("unix"))
                self.assertTrue(holds(
                    client, 'test "$(id -u):$(id -G)" = %d:%d'
                    % (NOBODY, NOBODY)))
                client.sock.close()
        finally:
            shutil.rmtree(directory)

    def test_programs_are_files_and_not_names(self):
        with Wynd("--commands", "--command-programs", "/bin/true",
                  "--command-programs", "/nowhere") as wynd:
            client = Client(wynd.address("unix"))
            os.symlink("/bin/true", wynd.directory + "/link")
            os.symlink("/bin/sh", wynd.directory + "/true")
            link, false_true = (
                (wynd.directory + name).encode() for name in ("/link", "/true"))
            for argv, env, ends in (
                    ([b"/bin/true"], [], (OK, YES)),
                    ([b"true"], [b"PATH=/bin"], (OK, YES)),
                    ([link], [], (OK, YES)),
                    ([false_true], [], (DENIED, NO)),
                    ([b"true"], [b"PATH=" + wynd.directory.encode()],
                     (DENIED, NO)),
                    ([b"/bin/sh"], [], (DENIED, NO))):
                with self.subTest(argv, env=env):
                    code, reason, ran = run(client, argv=argv, env=env)
                    self.assertEqual((code, ran), ends, reason)
                    if code == DENIED:
                        self.assertEqual(reason, "PROGRAM_NOT_LISTED")
            client.sock.close()

    def test_an_environment_is_what_was_given(self):
        with Wynd("--commands") as wynd:
            client = Client(wynd.address("unix"))
            self.assertTrue(holds(
                client, "test \"$(env | grep -v '^\\(_\\|PWD\\|SHLVL\\|OLDPWD\\|"
                "WYND_TASK\\)=' | sort | tr '\\n' ' ')\" = "
                "'A=1 PATH=/bin:/usr/bin '", b"A=1"))
            client.sock.close()

    def test_umask_and_limits_are_those_of_the_last_reload(self):
        with Wynd(config="commands = yes\n") as wynd:
            client = Client(wynd.address("unix"))
            self.assertTrue(holds(client, 'test "$(umask)" = 0022'))
            self.assertTrue(holds(client, 'test "$(ulimit -Sn)" = 1024'))
            wynd.configure("commands = yes\ncommand_umask = 077\n"
                           "command_files = 77\ncommand_processes = 9999\n")
            self.assertEqual(client.call(reload={}).code, 0)
            self.assertTrue(holds(client, 'test "$(umask)" = 0077'))
            self.assertTrue(holds(client, 'test "$(ulimit -Sn)" = 77'))
            self.assertTrue(holds(
                client, "grep -q '^Max processes *9999 *9999 ' "
                "/proc/self/limits"))
            client.sock.close()

    @AS_ROOT
    def test_a_private_tmp_is_empty_and_nobody_sees_it(self):
        if not can_mount():
            self.skipTest("nothing can be mounted here")
        with Wynd("--commands", "--command-private-tmp") as wynd:
            client = Client(wynd.address("unix"))
            mine = os.path.basename(wynd.directory)
            self.assertTrue(holds(client, 'test -z "$(ls -A /tmp)" && '
                                  'touch /tmp/%s.touched' % mine))
            self.assertFalse(os.path.exists("/tmp/%s.touched" % mine))
            self.assertTrue(holds(client, 'test -z "$(ls -A /tmp)"'))
            client.sock.close()


if __name__ == "__main__":
    main()

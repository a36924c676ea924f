# SPDX-License-Identifier: MIT
"""Who may run which commands, as a daemon is told and told anew."""
import contextlib
import os
import unittest

from harness import Wynd, main
from peer import counters
from wyn_client import Client

OK, DENIED, NO, YES = 0, 7, 1, 2
NOBODY = 65534
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


@contextlib.contextmanager
def somebody(uid):
    """Whoever connects is that user."""
    os.seteuid(uid)
    try:
        yield
    finally:
        os.seteuid(0)


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


if __name__ == "__main__":
    main()

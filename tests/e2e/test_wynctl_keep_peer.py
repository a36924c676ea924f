# SPDX-License-Identifier: MIT
"""wynctl's questions for tasks that were left behind, to a server that answers
as each case says.
"""
from harness import main
from test_wynctl_run_peer import (EXHAUSTED, NOT_FOUND, OUTPUT, RUNNING,
                                  UNKNOWN, Daemon)
from wynctl_peer import PeerCase

LOST = 125
ENDED = 6
WAIT_MS = 30000


class Asked(Daemon):
    """One wynctl that asks."""

    def __init__(self, case, command, *args, **options):
        self.command = command
        super().__init__(case, *args, **options)

    def greet(self):
        assert self.sock.recv(8) == b"WYND/1\r\n"
        self.hello = self.expect("hello")
        self.welcome()

    def asks(self, what):
        """The next question, which is of that kind."""
        self.call = self.expect("call")
        assert self.call.WhichOneof("what") == what, self.call
        return getattr(self.call, what)

    def reply(self, **reply):
        self.send(reply={"call_id": self.call.call_id, **reply})

    def outcome(self, task=7, ended=True, **outcome):
        state = ENDED if ended else RUNNING
        self.reply(outcome={
            "task": {"id": task, "seq": 1, "state": state, "command": "x"},
            "ended": ended, **outcome})

    def logs(self, *pieces, at=0, **logs):
        told = []
        for data in pieces:
            told.append({"stream": OUTPUT, "at": at, "data": data})
            at += len(data)
        self.reply(logs={"pieces": told, "next": at, **logs})


class KeepOfPeer(PeerCase):
    def test_wait_asks_again_when_a_wait_is_over(self):
        daemon = Asked(self, "wait", "7")
        for _ in range(3):
            asked = daemon.asks("outcome")
            self.assertEqual((asked.id, asked.wait_ms), (7, WAIT_MS))
            daemon.outcome(ended=False)
        daemon.asks("outcome")
        daemon.outcome(code=UNKNOWN, reason="EXIT_STATUS", exit_status=9)
        self.ends(daemon, 9)

    def test_wait_asks_again_when_too_many_wait(self):
        daemon = Asked(self, "wait", "7")
        for _ in range(2):
            daemon.asks("outcome")
            daemon.reply(code=EXHAUSTED, reason="CALLS_MAX", message="many")
        daemon.asks("outcome")
        daemon.outcome()
        self.ends(daemon, 0)

    def test_wait_is_over_when_the_server_goes_away(self):
        daemon = Asked(self, "wait", "7", "8")
        daemon.asks("outcome")
        daemon.outcome(ended=False)
        daemon.send(go_away={"reason": "DRAINING"})
        # It may have asked once more before it heard of that.
        while (got := daemon.receive())[0] == "call":
            daemon.call = got[1]
            daemon.outcome(ended=False)
        self.ends(daemon, LOST, err=b"^wynctl: the server is shutting down")

    def test_wait_ends_with_its_connection(self):
        daemon = Asked(self, "wait", "7", "8")
        daemon.asks("outcome")
        daemon.sock.close()
        self.ends(daemon, LOST, err=b"^wynctl: .*closed")

    def test_wait_believes_no_nonsense(self):
        daemon = Asked(self, "wait", "7")
        daemon.asks("outcome")
        daemon.reply(outcome={"ended": True})
        self.ends(daemon, LOST, err=b"broke the protocol")

    def test_logs_go_on_where_they_were(self):
        daemon = Asked(self, "logs", "-f", "7")
        daemon.asks("outcome")
        daemon.outcome(ended=False)
        self.assertEqual(getattr(daemon.asks("logs"), "from"), 0)
        daemon.logs(b"ab", b"cd")
        asked = daemon.asks("logs")
        self.assertEqual((getattr(asked, "from"), asked.wait_ms), (4, WAIT_MS))
        # A wait that is over, then bytes that are not kept.
        daemon.logs(at=4)
        self.assertEqual(getattr(daemon.asks("logs"), "from"), 4)
        daemon.logs(b"z", at=9, ended=True)
        daemon.asks("outcome")
        daemon.outcome()
        self.ends(daemon, 0, b"abcdz", b"^wynctl: 5 bytes are no longer kept")

    def test_logs_end_where_a_server_never_does(self):
        daemon = Asked(self, "logs", "7")
        daemon.asks("outcome")
        daemon.outcome(ended=False, output_bytes=100)
        daemon.asks("logs")
        daemon.logs(b"ab")
        daemon.asks("logs")
        daemon.logs(at=2)
        daemon.asks("outcome")
        daemon.outcome(ended=False)
        self.ends(daemon, 0, b"ab")

    def test_logs_that_are_not_read_hold_up_no_ping(self):
        daemon = Asked(self, "logs", "7")
        daemon.asks("outcome")
        daemon.outcome(output_bytes=900000)
        daemon.asks("logs")
        daemon.logs(b"x" * 900000, ended=True)
        self.assertTrue(daemon.says_nothing())
        data = daemon.process.stdout.read(900000)
        daemon.asks("outcome")
        daemon.outcome()
        self.assertEqual(data, b"x" * 900000)
        self.ends(daemon, 0)

    def test_what_a_server_says_does_not_steer_a_terminal(self):
        daemon = Asked(self, "show", "7")
        daemon.asks("outcome")
        daemon.outcome(code=UNKNOWN, reason="A\x1b", message="b\x1b[2J")
        code, out, _ = daemon.finish()
        self.assertEqual(code, 0)
        self.assertIn(b"ended: b?[2J (A?)", out)
        daemon = Asked(self, "list")
        daemon.asks("list")
        daemon.reply(list={"tasks": [{"id": 1, "label": "l\x1b[2J"}]})
        self.assertIn(b" l?[2J\n", daemon.finish()[1])

    def test_show_asks_again_when_it_ends_meanwhile(self):
        daemon = Asked(self, "show", "7")
        daemon.asks("outcome")
        daemon.outcome(ended=False)
        self.assertEqual(daemon.asks("explain").id, 7)
        daemon.reply(code=NOT_FOUND, reason="TASK_UNKNOWN", message="gone")
        daemon.asks("outcome")
        daemon.outcome()
        code, out, err = daemon.finish()
        self.assertEqual((code, err), (0, b""))
        self.assertIn(b"ended: well", out)

    def test_cancel_and_signal_say_what_is_meant(self):
        daemon = Asked(self, "cancel", "--grace", "2s", "7")
        asked = daemon.asks("end")
        self.assertEqual((asked.id, asked.signal, asked.grace_ms),
                         (7, 0, 2000))
        daemon.reply(end={})
        self.ends(daemon, 0)
        daemon = Asked(self, "signal", "HUP", "7")
        asked = daemon.asks("end")
        self.assertEqual((asked.id, asked.signal, asked.grace_ms), (7, 1, 0))
        daemon.reply(end={})
        self.ends(daemon, 0)

    def test_detach_has_its_id_when_all_has_arrived(self):
        daemon = Asked(self, "run", "--detach", "-l", "me", "cat")
        submit = daemon.expect("submit")
        self.assertEqual(
            (submit.options.on_disconnect, submit.options.accept,
             submit.options.label, submit.command.input_stream),
            (2, True, "me", False))
        daemon.send(accepted={"ranges": [
            {"first_seq": 1, "first_id": 77, "count": 1}]})
        token = daemon.expect("ping").token
        self.assertIsNone(daemon.process.poll())
        daemon.send(pong={"token": token})
        self.ends(daemon, 0, b"77\n")


if __name__ == "__main__":
    main()

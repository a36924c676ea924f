# SPDX-License-Identifier: MIT
"""A client of wynd in one file, from docs/wire.md and proto/wyn.proto alone.

The example for clients in other languages: one connection, one thread and a
protobuf library. Numbers in brackets are sections of wire.md.
"""
import collections
import os
import select
import socket
import struct
import subprocess
import tempfile

from google.protobuf import descriptor_pb2, message_factory

PROTO = os.path.join(os.path.dirname(__file__), "../../proto/wyn.proto")
PREFACE = b"WYND/1\r\n"
HEADER = struct.Struct(">BI")  # flags, length of the body
OPTIONAL = 0x02
ARGUMENT, INPUT, OUTPUT, ERROR, PARTIAL, VALUE = range(1, 7)  # of a Chunk
SUBMIT_HEAD_BYTES, ARGUMENT_HEAD_BYTES = 512, 6  # at most, beside arguments

Partial = collections.namedtuple(
    "Partial", "seq data stream", defaults=[PARTIAL])  # or OUTPUT, ERROR
Result = collections.namedtuple("Result", "seq code value detail")


class ServerError(Exception):
    """Why the server ends the connection: args are its reason and message."""


def load_messages(path=PROTO):
    """The classes of a .proto file by name, without generating any code."""
    with tempfile.NamedTemporaryFile() as out:
        subprocess.run(["protoc-c", "-I" + os.path.dirname(path),
                        "--descriptor_set_out=" + out.name, path], check=True)
        files = descriptor_pb2.FileDescriptorSet.FromString(out.read())
    return message_factory.GetMessages(files.file)


Frame, Detail = map(load_messages().get, ("wyn.v1.Frame", "wyn.v1.Detail"))


def encode(flags=0, **body):
    """One frame, as bytes: encode(ping={"token": 1})."""
    data = Frame(**body).SerializeToString()
    return HEADER.pack(flags, len(data)) + data


def connect(address):
    if address.startswith("tcp:"):
        host, _, port = address[4:].rpartition(":")
        return socket.create_connection((host.strip("[]"), int(port)))
    sock = socket.socket(socket.AF_UNIX)
    sock.connect(address.partition(":")[2])
    return sock


class Client:
    def __init__(self, address, stream_bytes=0, patience=60):
        self.sock, self.patience = connect(address), patience
        self.sock.setblocking(False)
        self.incoming, self.outgoing = bytearray(), bytearray(PREFACE)
        self.next_seq, self.answered, self.quiet_done = 1, 0, 0
        self.bytes_used, self.granted = 0, (0, 0)  # tasks, argument bytes
        self.values = collections.defaultdict(bytearray)  # from Chunks
        self.sent = collections.Counter()  # bytes in Chunks, by seq
        self.events = collections.deque()  # Partial, Result
        self.replies, self.others, self.limits = {}, [], None
        self.send(hello=dict(version_min=1, version_max=1,
                             client_name="py", stream_bytes=stream_bytes))
        self.wait(lambda: self.limits)

    def send(self, **body):
        """Any message, such as cancel={"seqs": [{"first": 1, "count": 9}]}"""
        self.outgoing += encode(**body)
        self.wait(lambda: not self.outgoing)

    def submit(self, function, args, **options):
        """One task for each argument. Returns their seqs, a range."""
        first, args = self.next_seq, collections.deque(args)
        while args:
            # Credit may grow by little at a time: take what there is (3.3).
            self.wait(lambda: self.has_credit(len(args[0])))
            tasks = min(self.limits.max_batch,
                        self.granted[0] + 1 - self.next_seq)
            size = min(self.limits.max_frame - SUBMIT_HEAD_BYTES,
                       self.granted[1] - self.bytes_used)
            batch = []
            while args and len(batch) < tasks and len(args[0]) < size:
                size -= len(args[0]) + ARGUMENT_HEAD_BYTES
                batch.append(args.popleft())
            if batch:
                self.announce(function, options, args=batch)
            else:
                self.submit_in_chunks(function, args.popleft(), **options)
        return range(first, self.next_seq)

    def submit_in_chunks(self, function, arg, chunk=65536, **options):
        """One task, its argument perhaps larger than a frame (3.4)."""
        self.wait(lambda: self.has_credit(len(arg)))
        seq = self.announce(function, options, arg_sizes=[len(arg)])
        for at in range(0, len(arg), chunk):
            # eof is for the Chunk with the last byte, and for no other.
            self.send_chunk(seq, ARGUMENT, arg[at:at + chunk],
                            at + chunk >= len(arg))
        return seq

    def send_chunk(self, seq, stream, data, eof):
        at = self.sent[seq]
        self.sent[seq] += len(data)
        self.send(chunk={"seq": seq, "stream": stream, "offset": at,
                         "eof": eof, "data": data})

    def run(self, *argv, input=b"", options=(), **command):
        """A command, with its input or the beginning of that (3.7)."""
        self.wait(lambda: self.has_credit(len(input)))
        return self.announce("", dict(options), args=[input],
                             command={"argv": argv, **command})

    def feed(self, seq, data, eof=False):
        """What comes next of its input, where it said input_stream (3.7)."""
        self.wait(lambda: self.bytes_used + len(data) <= self.granted[1])
        self.bytes_used += len(data)
        self.send_chunk(seq, INPUT, data, eof)

    def has_credit(self, size):
        return (self.next_seq <= self.granted[0] and
                self.bytes_used + size <= self.granted[1])

    def announce(self, function, options, args=(), arg_sizes=(), **command):
        first = self.next_seq
        self.next_seq += len(args) + len(arg_sizes)
        self.bytes_used += sum(map(len, args)) + sum(arg_sizes)
        self.send(submit=dict(first_seq=first, function=function,
                              options=options, args=args,
                              arg_sizes=arg_sizes, **command))
        return first

    def call(self, **what):
        call_id = len(self.replies) + 1
        self.send(call={"call_id": call_id, **what})
        return self.wait(lambda: self.replies.get(call_id))

    def finish(self):
        """No new tasks; what is open is still answered (4.1)."""
        self.send(finish={})
        self.sock.shutdown(socket.SHUT_WR)

    def next(self):
        """The next Partial or Result; None when every task is answered."""
        self.wait(lambda: self.events or self.answered == self.next_seq - 1)
        return self.events.popleft() if self.events else None

    def wait(self, condition):
        """Sends and receives, both, until the condition holds (6)."""
        while not (holds := condition()):
            reading, writing = [self.sock], [self.sock] * bool(self.outgoing)
            ready = select.select(reading, writing, [], self.patience)
            if ready[1]:
                del self.outgoing[:self.sock.send(self.outgoing)]
            elif ready[0]:
                self.receive()
            else:
                raise TimeoutError("nothing for %d s" % self.patience)
        return holds

    def receive(self):
        data = self.sock.recv(1 << 18)
        if not data:
            raise ConnectionError("closed by the server")
        self.incoming += data
        while len(self.incoming) >= HEADER.size:
            flags, size = HEADER.unpack_from(self.incoming)
            if len(self.incoming) < HEADER.size + size:
                break
            body = bytes(self.incoming[HEADER.size:HEADER.size + size])
            del self.incoming[:HEADER.size + size]
            frame = Frame.FromString(body)
            kind = frame.WhichOneof("body")
            if kind:
                self.take(kind, getattr(frame, kind))
            elif not flags & OPTIONAL:
                raise ConnectionError("a message that is not known (1.3)")

    def take(self, kind, message):
        if kind == "results":
            self.take_results(message)
        elif kind == "chunk" and message.stream in (PARTIAL, OUTPUT, ERROR):
            self.events.append(
                Partial(message.seq, message.data, message.stream))
        elif kind == "chunk" and message.stream == VALUE:
            self.values[message.seq] += message.data
        elif kind == "welcome":
            self.limits, self.functions = message.limits, message.functions
            self.take("credit", message.credit)
        elif kind == "credit":
            # Totals; what a Credit does not grant, it leaves 0 (3.3).
            self.granted = (max(self.granted[0], message.tasks),
                            max(self.granted[1], message.argument_bytes))
        elif kind == "reply":
            self.replies[message.call_id] = message
        elif kind == "ping":
            self.outgoing += encode(pong={"token": message.token})
        elif kind == "error":
            raise ServerError(message.reason, message.message)
        else:  # accepted, pong, go_away: whoever asked for it looks there
            self.others.append((kind, message))

    def take_results(self, results):
        # A column is as long as seq, or empty: zero in each row (2.4).
        codes = results.code or [0] * len(results.seq)
        values = results.value or [b""] * len(results.seq)
        details = {detail.index: detail for detail in results.details}
        for i, seq in enumerate(results.seq):
            value = bytes(self.values.pop(seq, values[i]))
            self.events.append(
                Result(seq, codes[i], value, details.get(i, Detail())))
        self.quiet_done += results.quiet_done
        self.answered += len(results.seq) + results.quiet_done

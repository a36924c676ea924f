# SPDX-License-Identifier: MIT
"""What end-to-end tests share: a wynd of their own, and bare sockets.

A test starts `Wynd` in a private temporary directory. It waits for the line
`ready` on --ready-fd, never for time to pass. Where something has to come
about inside another process, `until` asks again and again with a limit; what
it asks for is the condition itself.

WYND, WYNCTL, WYND_MODULES and BUILD_DIR say what is tested.
"""
import contextlib
import json
import os
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import unittest

BUILD_DIR = os.environ.get("BUILD_DIR", "build/release")
WYND = os.environ.get("WYND", BUILD_DIR + "/wynd")
WYNCTL = os.environ.get("WYNCTL", BUILD_DIR + "/wynctl")
MODULES = os.environ.get("WYND_MODULES", BUILD_DIR + "/modules")

# Sanitizers make everything several times slower.
PATIENCE = 60.0
# Instrumented builds keep freed memory back, so that sizes mean nothing.
SANITIZED = os.path.basename(BUILD_DIR) in ("asan", "tsan")

PREFACE = b"WYND/1\r\n"


class Timeout(AssertionError):
    pass


def until(condition, what, patience=PATIENCE):
    """Asks until the condition holds; returns what it returned."""
    end = time.monotonic() + patience
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > end:
            raise Timeout("not within %d s: %s" % (patience, what))
        time.sleep(0.002)


def can_mount():
    """In a namespace of its own, as for a private /tmp: not in a chroot, nor in
    a container without the capability."""
    return subprocess.run(
        ["unshare", "-m", "mount", "-t", "tmpfs", "tmpfs", "/tmp"],
        stdin=subprocess.DEVNULL, capture_output=True).returncode == 0


def no_others(path, flags):
    """An opener: what wynd is told of commands is not for others to write."""
    return os.open(path, flags, 0o644)


class Wynd:
    """A daemon. Use it in a `with`; on leaving it must end well.

    `config` is what its configuration file says, of which @ is the directory
    as well; the machine's own is never read."""

    def __init__(self, *flags, listen=("unix:@/s",), modules=MODULES,
                 directory=None, preexec=None, config="", program=WYND):
        self.directory = directory or tempfile.mkdtemp(prefix="wynd-test-")
        self.owns_directory = directory is None
        self.log_path = tempfile.mkstemp(prefix="wynd-log-")[1]
        self.config_path = self.log_path + ".conf"
        self.configure(config)
        command = [program, "--config", self.config_path, "--modules", modules]
        for address in listen:
            command += ["--listen", address.replace("@", self.directory)]
        reader, writer = os.pipe()
        command += ["--ready-fd", str(writer)]
        command += [str(flag).replace("@", self.directory) for flag in flags]
        with open(self.log_path, "wb") as log, os.fdopen(writer, "wb"):
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                pass_fds=(writer,), preexec_fn=preexec)
        self.addresses = []
        self.ready = self._read_ready(reader)

    def _read_ready(self, reader):
        """The lines of --ready-fd up to its end; True if `ready` came.

        Up to its end, so that wynd's own descriptor is closed by then: who
        counts descriptors from here on counts none that is about to go."""
        data = b""
        end = time.monotonic() + PATIENCE
        with os.fdopen(reader, "rb", buffering=0) as pipe:
            while True:
                left = max(0, end - time.monotonic())
                if not select.select([pipe], [], [], left)[0]:
                    self.destroy()
                    raise Timeout("wynd is not ready")
                more = pipe.read(4096)
                if not more:
                    break
                data += more
        if not data.endswith(b"ready\n"):
            return False
        lines = data.decode().splitlines()
        self.addresses = lines[:-1]
        return True

    def configure(self, text):
        """Writes the file anew; who wants it read asks for a reload."""
        with open(self.config_path, "w", opener=no_others) as config:
            config.write(text.replace("@", self.directory))

    @property
    def pid(self):
        return self.process.pid

    def address(self, kind):
        """The first address of that kind, "unix" or "tcp"."""
        return next(a for a in self.addresses if a.startswith(kind + ":"))

    def log(self):
        with open(self.log_path, errors="replace") as log:
            return log.read()

    def signal(self, number):
        self.process.send_signal(number)

    def wait(self, patience=PATIENCE):
        """Its exit code; negative for a signal."""
        try:
            return self.process.wait(patience)
        except subprocess.TimeoutExpired:
            raise Timeout("wynd does not end\n" + self.log()) from None

    def stop(self):
        """SIGTERM, and the exit code."""
        if self.process.poll() is None:
            self.signal(signal.SIGTERM)
        return self.wait()

    def open_fds(self):
        return len(os.listdir("/proc/%d/fd" % self.pid))

    def memory(self, field="VmRSS"):
        """Bytes of VmRSS (now) or VmHWM (at most so far)."""
        with open("/proc/%d/status" % self.pid) as status:
            for line in status:
                if line.startswith(field + ":"):
                    return int(line.split()[1]) * 1024
        raise KeyError(field)

    def forget_peak(self):
        """VmHWM begins anew at what VmRSS is now."""
        with open("/proc/%d/clear_refs" % self.pid, "w") as refs:
            refs.write("5")

    def connect(self, kind="unix"):
        return connect(self.address(kind))

    def destroy(self):
        """Whatever state it is in: nothing stays."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if self.owns_directory:
            shutil.rmtree(self.directory, ignore_errors=True)
        os.unlink(self.log_path)
        os.unlink(self.config_path)

    def __enter__(self):
        if not self.ready:
            code, log = self.wait(), self.log()
            self.destroy()
            raise AssertionError("wynd ended with %d\n%s" % (code, log))
        return self

    def __exit__(self, kind, *rest):
        try:
            code = self.stop() if kind is None else None
            log = self.log()
        finally:
            self.destroy()
        if code not in (None, 0):
            raise AssertionError("wynd ended with %d\n%s" % (code, log))


class Program:
    """A program of this directory, at work beside a test.

    It prints "begun", goes on until its standard input ends or it is done, and
    then prints a line of JSON. Use it in a `with`."""

    def __init__(self, name, *args):
        path = os.path.join(os.path.dirname(__file__), name)
        self.name = name
        self.process = subprocess.Popen(
            [sys.executable, "-B", path, *map(str, args)], bufsize=0,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        if self.line() != b"begun\n":
            raise AssertionError(name + " does not begin")

    def line(self):
        if not select.select([self.process.stdout], [], [], PATIENCE)[0]:
            raise Timeout(self.name + " is stuck")
        return self.process.stdout.readline()

    def is_over(self):
        return bool(select.select([self.process.stdout], [], [], 0)[0])

    def end(self):
        """What it did."""
        self.process.stdin.close()
        did = self.line()
        if self.process.wait(PATIENCE) != 0 or not did:
            raise AssertionError(self.name + " failed")
        return json.loads(did)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


def refused(*flags, **options):
    """Starts a wynd that must not come up: (exit code, what it printed)."""
    wynd = Wynd(*flags, **options)
    try:
        if wynd.ready:
            raise AssertionError("it came up\n" + wynd.log())
        return wynd.wait(), wynd.log()
    finally:
        wynd.destroy()


@contextlib.contextmanager
def somebody(uid):
    """Whoever connects is that user."""
    os.seteuid(uid)
    try:
        yield
    finally:
        os.seteuid(0)


def connect(address):
    """A socket to an address as wynd writes it."""
    kind, _, rest = address.partition(":")
    if kind == "unix":
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        sock.settimeout(PATIENCE)
        try:
            sock.connect(rest)
        except OSError:
            sock.close()
            raise
    else:
        host, _, port = rest.rpartition(":")
        sock = socket.create_connection(
            (host.strip("[]"), int(port)), PATIENCE)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def frame(body, flags=0):
    return struct.pack(">BI", flags, len(body)) + body


def receive(sock, size):
    """Exactly so many bytes; fewer only at the end of the stream."""
    data = bytearray()
    while len(data) < size:
        more = sock.recv(size - len(data))
        if not more:
            break
        data += more
    return bytes(data)


def receive_frame(sock):
    """(flags, body), or None at the end of the stream."""
    head = receive(sock, 5)
    if not head:
        return None
    flags, size = struct.unpack(">BI", head)
    return flags, receive(sock, size)


def receive_end(sock):
    """Reads to the end of the stream; a reset ends it too."""
    data = bytearray()
    try:
        while more := sock.recv(65536):
            data += more
    except ConnectionError:
        pass
    return bytes(data)


# Enough of protobuf's encoding to write a message by hand: what is checked
# here must not depend on the code that is tested.

def varint(number):
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def field(number, value):
    """A field with an int, or with bytes, str or a nested message."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    if isinstance(value, str):
        value = value.encode()
    return varint(number << 3 | 2) + varint(len(value)) + value


def fields(data):
    """[(number, int or bytes)] of one message."""
    found, at = [], 0

    def take():
        nonlocal at
        number = shift = 0
        while True:
            byte = data[at]
            at += 1
            number |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return number

    while at < len(data):
        key = take()
        value = take()
        if key & 7 == 2:
            value, at = data[at:at + value], at + value
        found.append((key >> 3, value))
    return found


HELLO = frame(field(9, field(1, 1) + field(2, 1)))
FINISH = frame(field(13, b""))


def submit(seq, function, *arguments):
    body = field(1, seq) + field(2, function)
    for argument in arguments:
        body += field(4, argument)
    return frame(field(1, body))


def greet(sock):
    """Preface and Hello; returns the body of the Welcome."""
    sock.sendall(PREFACE + HELLO)
    got = receive_frame(sock)
    assert got is not None, "closed instead of a Welcome"
    (number, welcome), = fields(got[1])
    assert number == 10, "no Welcome but body %d" % number
    return welcome


def unpack(packed):
    """The numbers of a packed repeated field."""
    numbers, number, shift = [], 0, 0
    for byte in packed:
        number |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            numbers.append(number)
            number = shift = 0
    return numbers


def results(sock, count):
    """{seq: code} of the next `count` rows, whatever else comes between."""
    rows = {}
    while len(rows) < count:
        got = receive_frame(sock)
        if got is None:
            raise AssertionError("closed after %d rows" % len(rows))
        for number, body in fields(got[1]):
            if number != 2:
                continue
            columns = fields(body)
            seqs = [n for c, v in columns if c == 1 for n in unpack(v)]
            codes = [n for c, v in columns if c == 2 for n in unpack(v)]
            rows.update(zip(seqs, codes or [0] * len(seqs)))
    return rows


def main():
    unittest.main()

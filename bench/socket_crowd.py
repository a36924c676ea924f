#!/usr/bin/python3 -B
# SPDX-License-Identifier: MIT
#
# socket_crowd.py - clients of wynd that are many, idle or greedy.
#
#	socket_crowd.py idle PATH PID SECONDS
#	socket_crowd.py connections PATH PID NUMBER
#	socket_crowd.py greedy PATH PID FUNCTION NEIGHBOUR...
#
# PATH is wynd's socket, PID its process. `idle` tells the CPU time while one
# client is connected and silent; `connections` what memory each of so many
# clients takes that have said Hello and nothing else; `greedy` sends more and
# more tasks of FUNCTION and reads no answer for as long as NEIGHBOUR runs, a
# `wynctl bench` whose line it prints with what memory wynd took at most.

import json
import select
import socket
import struct
import subprocess
import sys
import threading
import time

from socket_servers import cpu_ns

PATIENCE_S = 30
ARGUMENT = b'1'.zfill(1024)  # a number for those functions that want one
TASKS = 256  # of one Submit


def number(value):
    """A varint."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(out + bytes([value]))


def field(tag, value):
    if isinstance(value, int):
        return number(tag << 3) + number(value)
    return number(tag << 3 | 2) + number(len(value)) + value


def frame(tag, message):
    body = field(tag, message)
    return struct.pack('>BI', 0, len(body)) + body


HELLO = b'WYND/1\r\n' + frame(9, field(1, 1) + field(2, 1))


def memory(pid, name):
    """Bytes of VmRSS (now) or VmHWM (at most so far)."""
    with open(f'/proc/{pid}/status', encoding='ascii') as status:
        for line in status:
            if line.startswith(name + ':'):
                return int(line.split()[1]) * 1024
    raise KeyError(name)


def greet(path, sock):
    sock.settimeout(PATIENCE_S)
    sock.connect(path)
    sock.sendall(HELLO)


def welcome(sock):
    """Reads the Welcome to its end."""
    data = b''
    while len(data) < 5 or len(data) < 5 + struct.unpack('>I', data[1:5])[0]:
        more = sock.recv(65536)
        if not more:
            raise OSError('closed before a Welcome')
        data += more


def client(path):
    sock = socket.socket(socket.AF_UNIX)
    greet(path, sock)
    welcome(sock)
    return sock


def idle(path, pid, seconds):
    with client(path):
        time.sleep(0.1)
        before, at = cpu_ns([pid]), time.monotonic()
        time.sleep(float(seconds))
        spent = cpu_ns([pid]) - before
        percent = 100 * spent / 1e9 / (time.monotonic() - at)
    return {'cpu_percent': percent}


def connections(path, pid, wanted):
    before = memory(pid, 'VmRSS')
    clients = [client(path) for _ in range(int(wanted))]
    grown = memory(pid, 'VmRSS') - before
    for sock in clients:
        sock.close()
    return {'bytes_each': grown / len(clients), 'connections': len(clients)}


class Greedy(threading.Thread):
    """Sends Submits for as long as it is let, without reading."""

    def __init__(self, path, function):
        super().__init__(daemon=True)
        self.function = function.encode()
        self.sock = client(path)
        self.sock.setblocking(False)
        self.stop = threading.Event()
        self.sent = 0
        self.blocked = 0

    def run(self):
        seq, left = 1, b''
        args = field(4, ARGUMENT) * TASKS
        while not self.stop.is_set():
            if not left:
                left = memoryview(frame(1, field(1, seq) +
                                        field(2, self.function) + args))
                seq += TASKS
            try:
                n = self.sock.send(left)
                self.sent += n
                left = left[n:]
            except BlockingIOError:
                self.blocked += 1
                select.select([], [self.sock], [], 0.01)


def greedy(path, pid, function, *neighbour):
    before = memory(pid, 'VmRSS')
    client_ = Greedy(path, function)
    client_.start()
    got = subprocess.run(neighbour, capture_output=True, text=True,
                         check=False)
    client_.stop.set()
    client_.join()
    if got.returncode != 0:
        sys.exit(f'the neighbour ended with {got.returncode} {got.stderr}')
    if client_.blocked == 0:
        sys.exit('the greedy client was never held up')
    client_.sock.close()
    return dict(json.loads(got.stdout), greedy_bytes=client_.sent,
                rss_before_bytes=before, rss_peak_bytes=memory(pid, 'VmHWM'))


def main():
    works = {'idle': idle, 'connections': connections, 'greedy': greedy}
    if len(sys.argv) < 5 or sys.argv[1] not in works:
        sys.exit('usage: socket_crowd.py idle|connections|greedy PATH PID ...')
    print(json.dumps(works[sys.argv[1]](sys.argv[2], int(sys.argv[3]),
                                        *sys.argv[4:])))


if __name__ == '__main__':
    main()

# SPDX-License-Identifier: MIT
#
# socket_servers.py - starts wynd and its peers, and ends them whatever happens.
#
# Each server listens on a socket in a temporary folder or on a free port of the
# loopback, has no state on disk, and is ended by its process id: on leaving, on
# a signal, and by the kernel should this process be killed.

import glob
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time

START_S = 10  # that a server may take to answer
END_S = 10
# Our wynd, and one with bounds that a greedy client reaches at once.
BOUNDS = {'credit-bytes': 32 << 20, 'max-output': 4 << 20,
          'max-buffer': 16 << 20}
LARGEST = {'max-argument': 1 << 20}  # which no credit may be below
GEARMAND = ['gearmand', '-L', '127.0.0.1', '-p', '{port}', '-t', '0',
            '-l', 'none', '-P', '{directory}/gearmand.pid']
# name: the server, then its workers. They see {unix}, {port} and {directory},
# and the programs by name.
COMMANDS = {
    'wynd': [['{wynd}', '--modules', '{modules}', '--log-level', 'warning',
              '--listen', 'unix:{unix}', '--listen', 'tcp:127.0.0.1:{port}']],
    'raw': [['{pingpong}', 'serve', 'unix:{unix}']],
    'copy': [['{copy}', 'serve', 'unix:{unix}']],
    'echo': [['{echo}', 'serve', 'unix:{unix}']],
    'redis': [['redis-server', '--port', '{port}', '--bind', '127.0.0.1',
               '--unixsocket', '{unix}', '--save', '', '--appendonly', 'no',
               '--dir', '{directory}']],
    'nats': [['nats-server', '-a', '127.0.0.1', '-p', '{port}'],
             ['{nats}', 'serve', '{port}']],
    'gearman1': [GEARMAND, ['{gearman}', 'serve', '{port}']],
    'gearman2': [GEARMAND, *[['{gearman}', 'serve', '{port}']] * 2],
    'beanstalkd': [['beanstalkd', '-l', 'unix:{unix}']],
}
COMMANDS['wynd_fresh'] = COMMANDS['wynd']
COMMANDS['wynd_bounded'] = [COMMANDS['wynd'][0] + [
    word for flag, bytes_ in {**BOUNDS, **LARGEST}.items()
    for word in (f'--{flag}', str(bytes_))]]
ON_A_PORT = ('nats', 'gearman1', 'gearman2')  # have no Unix socket


def free_port():
    with socket.socket() as sock:
        sock.bind(('127.0.0.1', 0))
        return sock.getsockname()[1]


def cpu_ns(pids):
    """CPU time of all threads that these processes have."""
    total = 0
    for pid in pids:
        for path in glob.glob(f'/proc/{pid}/task/*/schedstat'):
            try:
                with open(path, encoding='ascii') as file:
                    total += int(file.read().split()[0])
            except OSError:
                pass  # a thread that has just ended
    return total


class Server:
    """A server and its workers, on given CPUs."""

    def __init__(self, name, paths, directory, cpus):
        self.unix = f'{directory}/s'
        self.port = free_port()
        self.directory = directory
        self.processes = []
        self.log = open(f'{directory}/log', 'wb')
        first, *workers = [
            [word.format(unix=self.unix, port=self.port, directory=directory,
                         **paths) for word in command]
            for command in COMMANDS[name]]
        self.start(first, cpus, subprocess.DEVNULL)
        self.wait_until_it_answers(name)
        for command in workers:
            process = self.start(command, cpus, subprocess.PIPE)
            if process.stdout.readline() != b'ready\n':
                raise OSError(f'a worker of {name} does not start')

    def start(self, command, cpus, stdout):
        """Ended by the kernel when we are; a group of its own, so that a
        Ctrl-C is ours alone."""
        if shutil.which(command[0]) is None:
            raise OSError(f'{command[0]} is not installed')
        process = subprocess.Popen(
            ['setpriv', '--pdeathsig', 'KILL', *command],
            stdin=subprocess.DEVNULL, stdout=stdout, stderr=self.log,
            start_new_session=True, cwd=self.directory,
            preexec_fn=lambda: os.sched_setaffinity(0, cpus))
        self.processes.append(process)
        return process

    def wait_until_it_answers(self, name):
        end = time.monotonic() + START_S
        while True:
            if self.processes[0].poll() is not None:
                raise OSError(f'{name} ended at its start {self.last_words()}')
            try:
                with self.connect(name):
                    return
            except OSError:
                if time.monotonic() > end:
                    raise OSError(f'{name} does not answer') from None
            time.sleep(0.01)

    def last_words(self):
        with open(self.log.name, errors='replace') as log:
            return ''.join(log.readlines()[-1:]).strip()

    def connect(self, name):
        if name in ON_A_PORT:
            return socket.create_connection(('127.0.0.1', self.port))
        sock = socket.socket(socket.AF_UNIX)
        try:
            sock.connect(self.unix)
        except OSError:
            sock.close()
            raise
        return sock

    @property
    def pids(self):
        return [process.pid for process in self.processes]

    @property
    def pid(self):
        return self.processes[0].pid

    def end(self):
        for process in reversed(self.processes):
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            try:
                process.wait(END_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if process.stdout is not None:
                process.stdout.close()
        self.log.close()


class Servers:
    """All that run; each is started when it is asked for first. Use it in a
    `with`."""

    def __init__(self, paths):
        self.paths = paths
        self.running = {}
        self.failed = {}
        self.directory = tempfile.mkdtemp(prefix='wynd-bench-')

    def get(self, name, cpus):
        """Raises an OSError that says why there is none."""
        key = (name, *cpus)
        if key in self.failed:
            raise OSError(self.failed[key])
        if key not in self.running:
            directory = f'{self.directory}/{len(self.running)}'
            os.mkdir(directory)
            # It is ours to end before it has come up.
            server = self.running[key] = Server.__new__(Server)
            server.processes = []
            try:
                server.__init__(name, self.paths, directory, cpus)
            except (OSError, KeyError) as error:
                self.failed[key] = f'no server: {error}'
                raise OSError(self.failed[key]) from error
        return self.running[key]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for server in self.running.values():
            server.end()
        shutil.rmtree(self.directory, ignore_errors=True)

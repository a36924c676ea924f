# SPDX-License-Identifier: MIT
#
# commands_servers.py - wynd with commands, and what the others leave running.
#
# As socket_servers.py; a server here may have children, and task-spooler's makes
# itself one of init's. So we are who inherits orphans, and end them.

import ctypes
import glob
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time

import commands_plan as plan

START_S = 10  # that a server may take to answer
END_S = 10
PR_SET_CHILD_SUBREAPER = 36
TICK_NS = 1e9 / os.sysconf('SC_CLK_TCK')
WYND = ['{wynd}', '--modules', '{modules}', '--log-level', 'warning',
        '--listen', 'unix:{unix}', '--commands', '--spawner',
        '{wynd-spawner}']


def read(path):
    try:
        with open(path, encoding='utf-8', errors='replace') as file:
            return file.read()
    except OSError:
        return ''  # it has just ended


def children_of(pid):
    return [int(child) for path in glob.glob(f'/proc/{pid}/task/*/children')
            for child in read(path).split()]


def tree_cpu_ns(pids):
    """CPU time of these processes, of all below them, and of those that they
    have waited for."""
    total = 0
    for pid in pids:
        for path in glob.glob(f'/proc/{pid}/task/*/schedstat'):
            total += int((read(path).split() or [0])[0])
        fields = read(f'/proc/{pid}/stat').rpartition(')')[2].split()
        total += TICK_NS * sum(map(int, fields[13:15]))
        total += tree_cpu_ns(children_of(pid))
    return total


def status_kib(pids, field):
    """Of the first one, which is wynd; None if there is none."""
    for line in read(f'/proc/{pids[0]}/status').splitlines() if pids else ():
        if line.startswith(field + ':'):
            return int(line.split()[1])
    return None


def cgroup_directory():
    """One below the mount of cgroup2 that we may fill, or (None, why)."""
    for line in read('/proc/self/mountinfo').splitlines():
        left, _, right = line.partition(' - ')
        if right.split()[0] != 'cgroup2':
            continue
        path = f'{left.split()[4]}/wynd-bench-{os.getpid()}'
        try:
            os.mkdir(path)
            return path, None
        except OSError as error:
            return None, f'no cgroup: {error}'
    return None, 'no cgroup: no cgroup2 is mounted'


def remove_cgroup(path):
    """With all below it: those can be removed once they are empty."""
    end = time.monotonic() + END_S
    while os.path.exists(path):
        for directory, _, _ in os.walk(path, topdown=False):
            try:
                os.rmdir(directory)
            except OSError:
                pass  # not empty yet
        if time.monotonic() > end:
            return
        time.sleep(0.01)


class Nothing:
    """Where there is no server."""
    pids = []
    words = {}
    environment = None

    def rest(self):
        pass

    def end(self):
        pass


class Daemon(Nothing):
    """Our wynd."""

    def __init__(self, name, paths, directory, cpus):
        self.words = {'unix': f'{directory}/s'}
        self.log = open(f'{directory}/log', 'wb')
        # Ended by the kernel when we are; a group of its own, so that a Ctrl-C
        # is ours alone.
        self.process = subprocess.Popen(
            ['setpriv', '--pdeathsig', 'KILL'] + [
                word.format(**self.words, **paths)
                for word in WYND + plan.KEYS[name]],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=self.log, start_new_session=True, cwd=directory,
            preexec_fn=lambda: os.sched_setaffinity(0, cpus))
        self.pids = [self.process.pid]
        try:
            self.wait_until_it_answers()
        except OSError:
            self.end()
            raise

    def wait_until_it_answers(self):
        end = time.monotonic() + START_S
        while True:
            if self.process.poll() is not None:
                raise OSError('wynd ended at its start: ' +
                              read(self.log.name).strip()[-200:])
            with socket.socket(socket.AF_UNIX) as sock:
                if sock.connect_ex(self.words['unix']) == 0:
                    return
            if time.monotonic() > end:
                raise OSError('wynd does not answer')
            time.sleep(0.01)

    def rest(self):
        """From here on its peak of memory counts."""
        try:
            with open(f'/proc/{self.process.pid}/clear_refs', 'w',
                      encoding='ascii') as file:
                file.write('5')
        except OSError:
            pass  # the peak is that since its start

    def end(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(END_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()


class Spooler(Nothing):
    """The server of task-spooler, which its first client starts."""

    def __init__(self, paths, directory):
        self.tsp = paths['tsp']
        # It forgets what is done, for a long list makes it slower.
        self.environment = {'TS_SOCKET': f'{directory}/s', 'TMPDIR': directory,
                            'TS_MAXFINISHED': '10'}
        before = set(children_of(os.getpid()))
        if not self.ask('-S', '2'):
            raise OSError('tsp does not start')
        self.pids = list(set(children_of(os.getpid())) - before)

    def ask(self, *words):
        return subprocess.run(
            [self.tsp, *words], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False,
            env={**os.environ, **self.environment}).returncode == 0

    def end(self):
        self.ask('-K')
        for pid in self.pids:
            os.waitpid(pid, 0)


class Parallel(Nothing):
    """No server, but it wants to be cited once."""

    def __init__(self, directory):
        open(f'{directory}/will-cite', 'wb').close()
        self.environment = {'PARALLEL_HOME': directory, 'TMPDIR': directory}


class Servers:
    """All that run; each is started when it is asked for first. Use it in a
    `with`."""

    def __init__(self, paths, missing):
        self.paths = paths
        self.running = {}
        self.failed = {}
        self.directory = tempfile.mkdtemp(prefix='wynd-bench-')
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        path, why = cgroup_directory()
        if path is not None:
            paths['cgroup'] = path
        else:
            for name, server in (*plan.FORMS, *plan.QUEUES):
                if 'cgroup' in server:
                    missing[name] = self.failed[server] = why

    def start(self, name, cpus):
        directory = f'{self.directory}/{name}'
        os.mkdir(directory)
        if name == 'parallel':
            return Parallel(directory)
        if name == 'tsp':
            return Spooler(self.paths, directory)
        return Daemon(name, self.paths, directory, cpus)

    def get(self, name, cpus):
        """Raises an OSError that says why there is none."""
        if name is None:
            return Nothing()
        if name in self.failed:
            raise OSError(self.failed[name])
        if name not in self.running:
            try:
                self.running[name] = self.start(name, cpus)
            except (OSError, KeyError) as error:
                self.failed[name] = f'no server: {error}'
                raise OSError(self.failed[name]) from error
        return self.running[name]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for server in self.running.values():
            server.end()
        if 'cgroup' in self.paths:
            remove_cgroup(self.paths['cgroup'])
        shutil.rmtree(self.directory, ignore_errors=True)

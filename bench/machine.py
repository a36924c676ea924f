# SPDX-License-Identifier: MIT
#
# machine.py - where, when and of what a runner measures; its two CPUs; peers.

import datetime
import os
import platform
import re
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def read(path):
    try:
        with open(path, encoding='utf-8') as file:
            return file.read()
    except OSError:
        return ''


def pin():
    """Two CPUs for all that follows, of two cores if there are."""
    allowed = sorted(os.sched_getaffinity(0))
    topology = '/sys/devices/system/cpu/cpu{}/topology/thread_siblings_list'
    siblings = read(topology.format(allowed[0]))
    others = [cpu for cpu in allowed[1:]
              if read(topology.format(cpu)) != siblings]
    cpus = allowed[:1] + (others or allowed[1:])[:1]
    os.sched_setaffinity(0, cpus)
    return cpus


def machine(cpus):
    model = re.search(r'model name\s*: (.*)', read('/proc/cpuinfo'))
    memory = re.search(r'MemTotal:\s*(\d+)', read('/proc/meminfo'))
    return {
        'cpu': model.group(1) if model else platform.machine(),
        'cpus_used': cpus,
        'cpus': os.cpu_count(),
        'memory_kib': int(memory.group(1)) if memory else 0,
        'kernel': platform.release(),
        'load_before': os.getloadavg()[0],
    }


def commit():
    got = subprocess.run(['git', '-C', ROOT, 'describe', '--always', '--dirty'],
                         capture_output=True, text=True, check=False)
    return got.stdout.strip() or 'unknown'


def build_peers(kind, directory):
    """Which peers there are, by version, and which not, by reason."""
    built, missing = {}, {}
    got = subprocess.run([os.path.join(ROOT, 'bench/peers/build'), kind,
                          directory],
                         stdout=subprocess.PIPE, text=True, check=False)
    for line in got.stdout.splitlines():
        what, name, how = line.split(' ', 2)
        (built if what == 'built' else missing)[name] = how
    return built, missing


def about(quick, built, missing):
    """What stands in the JSON and over the tables; pins to two CPUs."""
    return {
        'date': datetime.datetime.now(datetime.timezone.utc).isoformat(
            'T', 'seconds'),
        'commit': commit(), 'quick': quick, 'machine': machine(pin()),
        'peers': built, 'missing': missing,
    }

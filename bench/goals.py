# SPDX-License-Identifier: MIT
#
# goals.py - what the pool is to reach, and whether it did.
#
# A goal compares medians of samples taken back to back, warm. What stands
# beside the figure decides nothing: the same ratio of the best samples, of the
# first ones, whose memory is touched for the first time, and of those after
# 100 ms of idleness.

import plan
from results import over
from tables import grid_best
from layout import MIB
from verdicts import Verdicts

# What an empty pool may keep: generous against the bounds that
# scheduler/README.md states, small against what 10 million tasks took.
KEPT_MIB = 8
IDLE_PERCENT = 0.1  # CPU time of 1 s of idleness: what the measuring costs
BESIDE = {  # the series, and what is taken of its samples
    'best': {'of': min},
    'first': {'name': 'first'},
    'idle': {'name': 'idle'},
}


class Goals(Verdicts):
    def __init__(self, data):
        super().__init__()
        self.data = data

    def race(self, number, what, ours, peers, wanted, **how):
        """How many times faster `ours` is than the best of the peers, each
        with its table and row."""
        def ratio(**of):
            theirs = [self.data.figure(*peer, **of) for peer in peers]
            return over(min((t for t in theirs if t), default=None),
                        self.data.figure(*ours, **of))
        self.add(number, what, ratio(), wanted, **how,
                 **{name: ratio(**of) for name, of in BESIDE.items()})


def against_best(goals, number, table, programs, row, wanted):
    """Ours against the best peer of a row, which is named."""
    planned = [p for p in programs if p not in plan.FORMS]
    medians = {p: goals.data.figure(table, row, p) for p in planned}
    there = {p: m for p, m in medians.items() if m}
    best = min(there, key=there.get) if there else 'none'
    goals.race(number, f'{table}, {row}, best of {len(there)} of '
               f'{len(planned)} peers ({best})', (table, row, plan.OURS),
               [(table, row, p) for p in there], wanted,
               whole=len(there) == len(planned))


def spawns(goals):
    for row in plan.SIZES.values():
        goals.race(1, f'detached, {row}, go', ('detached', row, plan.OURS),
                   [('detached', row, 'go')], 10)
        against_best(goals, 1, 'detached', plan.DETACHED, row, 5)
    for row in plan.SIZES.values():
        against_best(goals, 2, 'value', plan.VALUE, row,
                     3 if row == '10 M' else 5)


def forks(goals):
    for form in (plan.OURS, plan.SHARED):
        for workers in (1, 2):
            row = f'{workers} workers'
            goals.race(3, f'fib, {row}, rayon to {form}', ('fib', row, form),
                       [('fib', row, 'rayon')], 1)


def memory(goals):
    for row, most in (('detached, from outside', 24),
                      ('detached, from inside', 24), ('futures', 72)):
        n, each, before, after = (
            goals.data.figure('memory', row, plan.OURS, name)
            for name in ('n', 'bytes_per_task', 'before_kib', 'after_kib'))
        what = f'{plan.SIZES.get(n, "no")} {row}'
        goals.add(4, f'{what}, each', each, most, True, ' B')
        goals.add(4, f'{what}, kept after a drain',
                  after and (after - before) / MIB, KEPT_MIB, True, ' MiB')


def idleness(goals):
    idle, trickle = 'idle for 1 s', '1,000 tasks in 1 s'
    cpu = goals.data.figure('idle', idle, plan.OURS, 'cpu_ns')
    goals.add(5, f'{idle}, CPU', cpu and cpu / 1e7, IDLE_PERCENT, True, ' %')
    goals.add(5, f'{idle}, wakes by a timer or a poll',
              goals.data.figure('idle', idle, plan.OURS, 'wakes'), 0, True, '')
    goals.add(5, f'{trickle}, CPU to futex',
              over(goals.data.figure('trickle', trickle, plan.OURS, 'cpu_ns'),
                   goals.data.figure('trickle', trickle, 'futex', 'cpu_ns')),
              2, True)
    goals.add(5, f'{trickle}, spawn to start, median to futex',
              over(goals.data.latency('trickle', trickle, plan.OURS, 1),
                   goals.data.latency('trickle', trickle, 'futex', 1)), 1.3,
              True)


def collapse(goals):
    cells = {row: goals.data.figure('grid', row, plan.OURS)
             for row in goals.data.rows('grid')}
    cells = {row: m for row, m in cells.items() if m}
    worst = max(cells, key=cells.get) if cells else None
    goals.add(6, f'producers x workers, best to worst ({worst})',
              over(grid_best(goals.data), cells.get(worst)), 0.5,
              whole=len(cells) == len(plan.GRID) ** 2)


def accounts(goals):
    """Every figure has its CPU time, and no task of ours that was timed ran in
    the caller: a program that finds one among them fails."""
    runs = [run for runs in goals.data.results.values() for run in runs]
    done = [run for run in runs if 'error' not in run]
    paid = [run for run in done if 'warm_cpu_ns' in run or 'cpu_ns' in run]
    share = over(len(paid), len(done))
    goals.add(7, 'runs of all programs with their CPU time',
              share and 100 * share, 100, unit=' %')
    ours = [run for (table, _, program), runs in goals.data.results.items()
            for run in runs
            if table in ('detached', 'value', 'grid', 'parallel')
            and program in plan.FORMS]
    share = over(len([run for run in ours if 'error' not in run]), len(ours))
    goals.add(7, 'runs of libwyn where workers ran all that was spawned',
              share and 100 * share, 100, unit=' %')


def parallelism(goals):
    for us in plan.US:
        one, two = (('parallel', f'{us} us, {w} workers', plan.OURS)
                    for w in (1, 2))
        goals.race(8, f'{us} us per task, 1 worker to 2', two, [one], 1.8)
    for row in plan.ALONE:
        tries, started = (
            sum(goals.data.samples('alone', row, plan.OURS, name))
            for name in ('tries', 'started'))
        share = over(started, tries)
        goals.add(8, f'{row}, started meanwhile',
                  None if share is None else 100 * share, 100, unit=' %')


def show(data):
    """Prints the goals and returns them as plain data."""
    goals = Goals(data)
    for part in (spawns, forks, memory, idleness, collapse, accounts,
                 parallelism):
        part(goals)
    goals.show('Goals: ratios of medians, warm and back to back; beside '
               'them of the best samples, at first touch, after idleness',
               BESIDE)
    return goals.list

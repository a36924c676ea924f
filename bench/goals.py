# SPDX-License-Identifier: MIT
#
# goals.py - what the pool is to reach, and whether it did.
#
# A goal compares medians, of samples taken back to back.

import plan
from results import over
from tables import MIB, print_table, times

# What an empty pool may keep: generous against the bounds that
# scheduler/README.md states, small against what 10 million tasks took.
KEPT_MIB = 8
IDLE_PERCENT = 0.1  # CPU time of 1 s of idleness: what the measuring costs


class Goals:
    def __init__(self):
        self.list = []

    def add(self, number, what, figure, wanted, most=False, unit='x',
            whole=True, best=None):
        """`most`: the figure is to be at most what is wanted, else at least.
        Not `whole`: something did not run that could spoil it. `best`: the
        same of the best samples, beside it and deciding nothing."""
        reached = figure is not None and (
            figure <= wanted if most else figure >= wanted)
        reached = None if reached and not whole else reached
        self.list.append({'goal': number, 'what': what, 'figure': figure,
                          'wanted': wanted, 'at_most': most, 'unit': unit,
                          'figure_of_best': best,
                          'reached': reached if figure is not None else None})

    def show(self):
        rows = []
        for goal in self.list:
            figure, reached = goal['figure'], goal['reached']
            than, unit = '<=' if goal['at_most'] else '>=', goal['unit']
            rows.append([
                str(goal['goal']), goal['what'],
                '-' if figure is None else f'{figure:.2f}{unit}',
                times(goal['figure_of_best']),
                f'{than} {goal["wanted"]}{unit}',
                'open' if reached is None else 'yes' if reached else 'NO'])
        print_table('Goals (ratios of medians, back to back)',
                    ['goal', 'what', 'figure', 'of best', 'wanted', 'reached'],
                    rows)


def add_ratios(goals, data, number, table, row, wanted):
    """Ours against the best peer of a row, which is named."""
    programs = plan.DETACHED if table == 'detached' else plan.VALUE
    planned = [p for p in programs if p not in plan.FORMS]
    ours = data.figure(table, row, plan.OURS)
    peers = {p: data.figure(table, row, p) for p in planned}
    peers = {p: m for p, m in peers.items() if m}
    best = min(peers, key=peers.get) if peers else None
    goals.add(number, f'{table}, {row}, best of {len(peers)} of '
              f'{len(planned)} peers ({best or "none"})',
              over(peers.get(best), ours), wanted,
              whole=len(peers) == len(planned),
              best=over(min((data.figure(table, row, p, of=min)
                             for p in peers), default=None),
                        data.figure(table, row, plan.OURS, of=min)))


def collect(data):
    goals = Goals()
    for row in plan.SIZES.values():
        goals.add(1, f'detached, {row}, go',
                  over(data.figure('detached', row, 'go'),
                       data.figure('detached', row, plan.OURS)), 10,
                  best=over(data.figure('detached', row, 'go', of=min),
                            data.figure('detached', row, plan.OURS, of=min)))
        add_ratios(goals, data, 1, 'detached', row, 5)
    for row in ('10 K', '1 M', '10 M'):
        add_ratios(goals, data, 2, 'value', row, 3 if row == '10 M' else 5)
    for form in (plan.OURS, plan.SHARED):
        for workers in (1, 2):
            row = f'{workers} workers'
            goals.add(3, f'fib, {row}, rayon to {form}',
                      over(data.figure('fib', row, 'rayon'),
                           data.figure('fib', row, form)), 1,
                      best=over(data.figure('fib', row, 'rayon', of=min),
                                data.figure('fib', row, form, of=min)))
    for row, most in (('detached, from outside', 24),
                      ('detached, from inside', 24), ('futures', 72)):
        each, before, after = (
            data.figure('memory', row, plan.OURS, name)
            for name in ('bytes_per_task', 'before_kib', 'after_kib'))
        goals.add(4, f'{row}, bytes each', each, most, True, ' B')
        goals.add(4, f'{row}, kept after a drain',
                  after and (after - before) / MIB, KEPT_MIB, True, ' MiB')
    idle = data.figure('idle', 'idle for 1 s', plan.OURS, 'cpu_ns')
    goals.add(5, 'idle for 1 s, CPU', idle and idle / 1e7, IDLE_PERCENT, True,
              ' %')
    trickle = '1,000 tasks in 1 s'
    goals.add(5, 'trickle, CPU to futex',
              over(data.figure('trickle', trickle, plan.OURS, 'cpu_ns'),
                   data.figure('trickle', trickle, 'futex', 'cpu_ns')), 2, True)
    goals.add(5, 'spawn to start, median to futex',
              over(data.latency('trickle', trickle, plan.OURS, 1),
                   data.latency('trickle', trickle, 'futex', 1)), 1.3, True)
    cells = {row: data.figure('grid', row, plan.OURS)
             for row in data.rows('grid')}
    cells = {row: m for row, m in cells.items() if m}
    worst = max(cells, key=cells.get) if cells else None
    goals.add(6, f'producers x workers, best to worst ({worst})',
              over(data.grid_best(), cells.get(worst)), 0.5,
              whole=len(cells) == len(plan.GRID) ** 2)
    for us_ in plan.US:
        one, two = (f'{us_} us, {w} workers' for w in (1, 2))
        goals.add(8, f'{us_} us per task, 1 worker to 2',
                  over(data.figure('parallel', one, plan.OURS),
                       data.figure('parallel', two, plan.OURS)), 1.8,
                  best=over(data.figure('parallel', one, plan.OURS, of=min),
                            data.figure('parallel', two, plan.OURS, of=min)))
    return goals


def show(data):
    """Prints the goals and returns them as plain data."""
    goals = collect(data)
    goals.show()
    return goals.list

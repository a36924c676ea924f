# SPDX-License-Identifier: MIT
#
# goals.py - what the pool is to reach, and whether it did.
#
# A goal compares medians, of samples taken back to back.

import plan
from tables import MIB, median, over, per_spawn, print_table, times

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
    ours = data.median(table, row, plan.OURS)
    peers = {p: data.median(table, row, p) for p in planned}
    peers = {p: m for p, m in peers.items() if m}
    best = min(peers, key=peers.get) if peers else None
    goals.add(number, f'{table}, {row}, best of {len(peers)} of '
              f'{len(planned)} peers ({best or "none"})',
              over(peers.get(best), ours), wanted,
              whole=len(peers) == len(planned),
              best=over(min((data.best(table, row, p) for p in peers),
                            default=None), data.best(table, row, plan.OURS)))


def collect(data):
    goals = Goals()
    for row in plan.SIZES.values():
        goals.add(1, f'detached, {row}, go',
                  over(data.median('detached', row, 'go'),
                       data.median('detached', row, plan.OURS)), 10,
                  best=over(data.best('detached', row, 'go'),
                            data.best('detached', row, plan.OURS)))
        add_ratios(goals, data, 1, 'detached', row, 5)
    for row in ('10 K', '1 M', '10 M'):
        add_ratios(goals, data, 2, 'value', row, 3 if row == '10 M' else 5)
    for form in (plan.OURS, plan.SHARED):
        for workers in (1, 2):
            row = f'{workers} workers'
            goals.add(3, f'fib, {row}, rayon to {form}',
                      over(per_spawn(data, row, 'rayon', data.median),
                           per_spawn(data, row, form, data.median)), 1,
                      best=over(per_spawn(data, row, 'rayon', data.best),
                                per_spawn(data, row, form, data.best)))
    for row, most in (('detached, from outside', 24),
                      ('detached, from inside', 24), ('futures', 72)):
        runs = data.runs('memory', row, plan.OURS)
        goals.add(4, f'{row}, bytes each',
                  median([run['bytes_per_task'] for run in runs]), most, True,
                  ' B')
        goals.add(4, f'{row}, kept after a drain',
                  median([(run['after_kib'] - run['before_kib']) / MIB
                          for run in runs]), KEPT_MIB, True, ' MiB')
    idle = data.median('idle', 'idle for 1 s', plan.OURS, 'cpu_ns')
    goals.add(5, 'idle for 1 s, CPU', idle and idle / 1e7, IDLE_PERCENT, True,
              ' %')
    trickle = '1,000 tasks in 1 s'
    goals.add(5, 'trickle, CPU to futex',
              over(data.median('trickle', trickle, plan.OURS, 'cpu_ns'),
                   data.median('trickle', trickle, 'futex', 'cpu_ns')), 2, True)
    goals.add(5, 'spawn to start, median to futex',
              over(data.latency(trickle, plan.OURS, 1),
                   data.latency(trickle, 'futex', 1)), 1.3, True)
    cells = {row: data.median('grid', row, plan.OURS)
             for row in data.rows('grid')}
    cells = {row: m for row, m in cells.items() if m}
    worst = max(cells, key=cells.get) if cells else None
    goals.add(6, f'producers x workers, best to worst ({worst})',
              over(data.grid_best(), cells.get(worst)), 0.5,
              whole=len(cells) == len(plan.GRID) ** 2)
    for us_ in plan.US:
        one, two = (f'{us_} us, {w} workers' for w in (1, 2))
        goals.add(8, f'{us_} us per task, 1 worker to 2',
                  over(data.median('parallel', one, plan.OURS),
                       data.median('parallel', two, plan.OURS)), 1.8,
                  best=over(data.best('parallel', one, plan.OURS),
                            data.best('parallel', two, plan.OURS)))
    return goals


def show(data):
    """Prints the goals and returns them as plain data."""
    goals = collect(data)
    goals.show()
    return goals.list

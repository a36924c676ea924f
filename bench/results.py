# SPDX-License-Identifier: MIT
#
# results.py - statistics of what the runners measured, and its JSON.
#
# A figure is a statistic, mostly the median, over all samples of all rounds.

import json
import statistics


def percentile(samples, percent):
    samples = sorted(samples)
    return samples[min(len(samples) - 1, int(len(samples) * percent / 100))]


def over(a, b):
    """How many times b fits into a; None if one of them is missing."""
    return a / b if a is not None and b else None


def write_json(path, about, reached, results):
    """`results`: lists of runs by table, row and program."""
    with open(path, 'w', encoding='utf-8') as file:
        json.dump(dict(about, goals=reached, results=[
            dict(zip(('table', 'row', 'program'), key), runs=runs)
            for key, runs in results.items()]), file, indent=1)


class Results:
    """What ran, by table, row and program. `divide`: by how much figures are
    divided that are not of one, by the same key."""

    def __init__(self, results, divide=None):
        self.results = results
        self.divide = divide or {}

    def rows(self, table):
        return list(dict.fromkeys(r for t, r, _ in self.results if t == table))

    def programs(self, table, row):
        return [p for t, r, p in self.results if (t, r) == (table, row)]

    def runs(self, table, row, program):
        runs = self.results.get((table, row, program), [])
        return [run for run in runs if 'error' not in run]

    def error(self, table, row, program):
        runs = self.results.get((table, row, program), [])
        return next((run['error'] for run in runs if 'error' in run), None)

    def samples(self, table, row, program, name='warm'):
        """All samples of a series, or one figure of each run."""
        got = []
        for run in self.runs(table, row, program):
            figure = run.get(name, [])
            got += figure if isinstance(figure, list) else [figure]
        return got

    def figure(self, table, row, program, name='warm', of=statistics.median):
        """None if there are no samples."""
        got = self.samples(table, row, program, name)
        if not got:
            return None
        return of(got) / self.divide.get((table, row, program), 1)

    def latency(self, table, row, program, which):
        """0 to 3: the 10th percentile, the median, the 90th, the worst."""
        got = [run['latency_ns'][which]
               for run in self.runs(table, row, program)]
        return statistics.median(got) if got else None

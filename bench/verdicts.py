# SPDX-License-Identifier: MIT
#
# verdicts.py - a list of goals, each with its figure and whether it is reached.

from layout import print_table, times


class Verdicts:
    def __init__(self):
        self.list = []

    def add(self, number, what, figure, wanted, most=False, unit='x',
            whole=True, **beside):
        """`most`: the figure is to be at most what is wanted, else at least.
        Not `whole`: something did not run that could spoil it. Wanted None:
        it is to be shown, whatever it is."""
        reached = figure is not None and wanted is not None and (
            figure <= wanted if most else figure >= wanted)
        if figure is None or wanted is None or reached and not whole:
            reached = None
        self.list.append({'goal': number, 'what': what, 'figure': figure,
                          'wanted': wanted, 'at_most': most, 'unit': unit,
                          'beside': beside, 'reached': reached})

    def show(self, title, beside=()):
        """`beside` names the ratios that stand beside the figure."""
        rows = []
        for goal in self.list:
            figure, reached = goal['figure'], goal['reached']
            than, unit = '<=' if goal['at_most'] else '>=', goal['unit']
            wanted = f'{than} {goal["wanted"]}{unit}'
            word = 'open' if reached is None else 'yes' if reached else 'NO'
            if goal['wanted'] is None:
                wanted, word = 'shown', 'open' if figure is None else 'yes'
            rows.append([
                str(goal['goal']), goal['what'],
                '-' if figure is None else f'{figure:,.2f}{unit}',
                wanted, word] + [
                    times(goal['beside'].get(name)) for name in beside])
        print_table(title, ['goal', 'what', 'figure', 'wanted', 'reached',
                            *beside], rows)

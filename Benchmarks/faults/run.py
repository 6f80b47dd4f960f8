#!/usr/bin/env python3
"""Faults at random moments, in each command of the tool, while a pipeline runs that writes its own proof.

Usage: run.py FREEZE_PROFILE [--ci] [--runs N] [--seconds S] [--jobs N] [--seed N] [--markdown]

A run is one command with one fault: a signal to one of its processes, a terminal that goes away, a disk that is full or
read-only, a clock that is set, closed descriptors. Checked after each: the pipeline has finished unless it was asked to end,
nothing of the run is left, what is on disk is whole (profiles verify, records can be read, there are no half files), a run that
was finished is not lost, and the same command again succeeds. Exits with 1 if anything failed. What this machine cannot do
(mounts without root, no tmux, no faketime, no py-spy) is left out, with the reason.

Cells are made in turn, so that a short run covers as many kinds as a long one: --ci is about a minute.
"""
import argparse
import collections
import concurrent.futures
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import faults
import machine as machines

OPERATIONS = {
    # command: its processes that are worth a signal
    "monitor": ["tool", "monitor child"],
    "capture": ["tool", "monitor child", "guardian"],
    "sample": ["tool"],
    "sample python": ["tool", "py-spy"],
    "freeze": ["tool"],
    "promote": ["tool"],
    "archive": ["tool"],
    "profile-freeze": ["tool", "script"],
}
SIGNALS = ["KILL", "STOP+CONT", "HUP", "TERM"]
TERMINALS = ["none", "pipe", "pty", "tmux"]
CONDITIONS = ["full disk", "read-only", "clock set", "descriptors closed"]


def cells(available):
    """Every kind of run, in an order in which the first ones differ most."""
    made = []
    for operation, parts in OPERATIONS.items():
        for part in parts:
            for index, name in enumerate(SIGNALS):
                for terminal in TERMINALS:
                    made.append((operation, part, name, terminal))
        for condition in CONDITIONS:
            made.append((operation, "tool", condition, "none"))
        if operation in ("monitor", "capture", "sample"):
            made += [(operation, "tool", "terminal gone", terminal) for terminal in ("pty", "tmux")]
    return [cell for cell in made if available.reason_against(cell) is None], [
        cell for cell in made if available.reason_against(cell) is not None
    ]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tool")
    parser.add_argument("--ci", action="store_true", help="about a minute: --seconds 55 --jobs 2 --no-profile-freeze")
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=3600)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", help="only operations, parts, faults and terminals of these names, as in: monitor,terminal gone,tmux")
    parser.add_argument("--no-profile-freeze", action="store_true", help="leave out the make target's script, which takes longest")
    parser.add_argument("--markdown", action="store_true", help="print the table as docs/reliability.md has it")
    options = parser.parse_args()
    if options.ci:
        options.seconds, options.no_profile_freeze = 55, True
    tool = os.path.abspath(options.tool)
    if not os.access(tool, os.X_OK):
        sys.exit(f"There is no program '{tool}'. Build it: swift build --product freeze-profile")
    dice = random.Random(options.seed)
    end = time.time() + options.seconds
    base = os.path.realpath(tempfile.mkdtemp(prefix="faults."))
    try:
        machine = machines.Machine(tool, base, options)
        todo, left_out = cells(machine)
        dice.shuffle(todo)
        if options.only:
            todo = [cell for cell in todo if all(word in cell for word in options.only.split(","))]
        table = collections.defaultdict(lambda: [0, 0])
        failures, made = [], 0

        def one(number):
            cell = todo[number % len(todo)]
            if time.time() > end:
                return cell, None
            seed = f"{options.seed}/{number}"
            return cell, faults.Run(machine, cell, random.Random(seed)).perform()

        with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
            for cell, outcome in pool.map(one, range(options.runs)):
                if outcome is None:
                    continue
                made += 1
                if not outcome.hit:
                    continue
                table[cell][0] += 1
                if outcome.wrong:
                    table[cell][1] += 1
                    failures.append((cell, outcome.wrong))
        report(table, failures, left_out, machine, made, options.markdown)
        sys.exit(1 if failures or not table else 0)
    finally:
        shutil.rmtree(base, ignore_errors=True)


def report(table, failures, left_out, machine, made, markdown):
    columns = SIGNALS + ["terminal gone"] + CONDITIONS
    rows = collections.OrderedDict()
    terminals = collections.Counter()
    for (operation, part, fault, terminal), (runs, bad) in table.items():
        row = rows.setdefault((operation, part), collections.defaultdict(lambda: [0, 0]))
        row[fault][0] += runs
        row[fault][1] += bad
        terminals[terminal] += runs
    order = [(operation, part) for operation, parts in OPERATIONS.items() for part in parts]
    lines = ["| command | process | " + " | ".join(columns) + " |", "|---|---|" + "--:|" * len(columns)]
    for key in order:
        if key in rows:
            cells = [f"{runs}" + (f" ({bad} wrong)" if bad else "") if runs else "" for runs, bad in (rows[key][c] for c in columns)]
            lines.append(f"| {key[0]} | {key[1]} | " + " | ".join(cells) + " |")
    print("\n".join(lines))
    print("terminals: " + ", ".join(f"{name} {terminals[name]}" for name in TERMINALS))
    reasons = collections.Counter(machine.reason_against(cell) for cell in left_out)
    for reason, count in reasons.items():
        print(f"left out: {count} kinds, {reason}")
    for cell, wrong in failures[:40]:
        print("wrong:", ", ".join(cell), "-", "; ".join(wrong))
    print(f"{made} runs made, {sum(row[0] for row in table.values())} with their fault, {len(failures)} wrong")


if __name__ == "__main__":
    main()

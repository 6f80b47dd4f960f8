#!/usr/bin/env python3
"""Changes a file until it is ended, as a hostile neighbour would: writer.py FILE SAMPLE..."""
import os
import random
import sys

target = sys.argv[1]
samples = [open(path, "rb").read() for path in sys.argv[2:]]
spare = target + ".new"


def replace(make):
    if os.path.lexists(spare):
        os.unlink(spare)
    make()
    os.replace(spare, target)


def write(path, content):
    with open(path, "wb") as file:
        file.write(content)


def step():
    sample, kind = random.choice(samples), random.randrange(40)
    is_file = os.path.isfile(target) and not os.path.islink(target)
    if not is_file or kind < 8:
        replace(lambda: write(spare, sample))
    elif kind < 16:
        # As `cp` does: cut to nothing, then written.
        write(target, sample)
    elif kind < 24:
        os.truncate(target, random.randrange(len(sample) + 1))
    elif kind < 36:
        with open(target, "r+b") as file:
            file.seek(random.randrange(len(sample)))
            file.write(random.choice([os.urandom(8), b"\xff" * 8, bytes(8), random.choice(samples)[:300]]))
    else:
        replace(random.choice([
            lambda: os.symlink("/proc/version", spare), lambda: os.mkfifo(spare), lambda: os.symlink("/dev/zero", spare),
            lambda: os.symlink(target, spare)]))


random.seed(1)
while True:
    step()

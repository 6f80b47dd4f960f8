#!/usr/bin/env python3
"""Writes folded stacks for the benchmark: generate.py LINES [--shuffle] > stacks.folded

Every line is a stack of 4 to 30 frames out of 3000 functions with names of C++ length. Each function calls a
few others, some far more often than the rest, as in a program.
"""
import random
import sys

lines = int(sys.argv[1])
source = random.Random(1)
words = "parse read write search index merge decode frame token model vector state cache flush queue visit".split()
names = []
for i in range(3000):
    name = f"{source.choice(words)}_{source.choice(words)}_{i}"
    names.append(name if i % 3 else f"app::{source.choice(words).title()}::{name}(int, char const*)")
callees = [[source.randrange(3000) for _ in range(4)] for _ in names]
stack, out = [0], []
while len(out) < lines:
    del stack[max(1, len(stack) - source.randint(1, 6)):]
    depth = source.randint(4, 30)
    while len(stack) < depth:
        stack.append(callees[stack[-1]][min(int(source.expovariate(1)), 3)])
    out.append(";".join(names[i] for i in stack) + f" {source.randint(1, 20)}\n")
if "--shuffle" in sys.argv:
    source.shuffle(out)
else:
    out.sort()
sys.stdout.writelines(out)

"""A pipeline of three stages: EXTRA per mille more work in load(), in its stage crunch."""

import os
import sys


def mark(stage):
    path = os.environ["PIPELINE_STATUS_FILE"]
    with open(path + ".tmp", "w") as file:
        file.write('{"stage": "%s"}\n' % stage)
    os.rename(path + ".tmp", path)


def fetch(count):
    return sum(i * 31 % 7 for i in range(count))


def load(count):
    total = 7
    for i in range(count):
        total = (total << 1 ^ i) & 0xFFFF
    return total


def arrange(count):
    return sorted(i * 2654435761 % 1000003 for i in range(count))[count // 2]


extra = int(sys.argv[1]) if len(sys.argv) > 1 else 0
scale = int(sys.argv[2]) if len(sys.argv) > 2 else 1
mark("fetch")
result = fetch(60000 * scale)
mark("crunch")
result += load((100 * 1000 + 100 * extra) * scale) + arrange(20000 * scale)
mark("store")
for i in range(200):
    print(result + i)
mark("done")

"""target.py ROUNDS: computes below twenty calls; prints the nanoseconds it took and the CPU time of the process."""
import sys
import time


def compute(rounds):
    value = 1
    for index in range(rounds):
        value = (value * 1103515245 + index) & 0x7FFFFFFF
    return value


def descend(depth, rounds):
    return compute(rounds) if depth == 0 else descend(depth - 1, rounds)


begin = time.monotonic_ns()
value = 0
for index in range(20):
    value ^= descend(20, int(sys.argv[1]) // 20)
took = time.monotonic_ns() - begin
print("RESULT", took, time.process_time_ns(), value, flush=True)

#!/usr/bin/env python3
"""Functions called in every way that Python has, each spending CPU time that it measures itself.

Usage: oracle.py SECONDS TRUTH_FILE
Writes what each way took by the thread's own clock, and which functions are on the stack below drive or thread_work:
{"ways": {NAME: {"nanoseconds": N, "stack": [FUNCTION, ...]}}}, and in TRUTH_FILE.tsv the same with tabs. Functions of the standard library between them are left out.
"""
import asyncio
import ctypes
import json
import random
import sys
import threading
import time


def spin():
    x = 1
    for _ in range(300):
        x = (x * 31) & 0xFFFF
    return x


def nested():
    return nested_once()


def nested_once():
    return nested_twice()


def nested_twice():
    return spin()


def recursive(n=5):
    return spin() if n == 0 else recursive(n - 1)


def generated():
    for _ in range(8):
        yield spin()


def consumes():
    return sum(generated())


def keyed(_):
    return spin()


def sorts():
    return sorted(range(8), key=keyed)


@ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_int), ctypes.POINTER(ctypes.c_int))
def compares(one, other):
    spin()
    return one[0] - other[0]


def sorts_in_c():
    numbers = (ctypes.c_int * 4)(4, 2, 3, 1)
    ctypes.CDLL(None).qsort(numbers, 4, 4, compares)


def decorator(function):
    def decorated(*arguments):
        return function(*arguments)

    return decorated


@decorator
def behind():
    return spin()


class Work:
    def method(self):
        return spin()


short = lambda: spin()  # noqa: E731


def größe():
    return spin()


async def coroutine():
    spin()
    await asyncio.sleep(0)
    spin()


async def awaits():
    await coroutine()


loop = asyncio.new_event_loop()


def runs_loop():
    loop.run_until_complete(awaits())


WAYS = {
    "nested": (nested, ["nested", "nested_once", "nested_twice", "spin"]),
    "recursive": (recursive, ["recursive"] * 6 + ["spin"]),
    "generator": (consumes, ["consumes", "generated", "spin"]),
    "callback": (sorts, ["sorts", "keyed", "spin"]),
    "callback from C": (sorts_in_c, ["sorts_in_c", "compares", "spin"]),
    "decorator": (behind, ["decorated", "behind", "spin"]),
    "method": (Work().method, ["method", "spin"]),
    "lambda": (short, ["<lambda>", "spin"]),
    "name beyond ASCII": (größe, ["größe", "spin"]),
    "asyncio": (runs_loop, ["runs_loop", "awaits", "coroutine", "spin"]),
}
spent = dict.fromkeys(list(WAYS) + ["thread"], 0)


def drive(seconds):
    end = time.process_time() + seconds
    ways = list(WAYS.items())
    while time.process_time() < end:
        # In another order each time: else a sampler's period and this loop's would beat with one another.
        random.shuffle(ways)
        for name, (function, _) in ways:
            begin = time.thread_time_ns()
            for _ in range(40):
                function()
            spent[name] += time.thread_time_ns() - begin


def thread_work(seconds):
    begin = time.thread_time_ns()
    end = begin + int(seconds * 1e9)
    while time.thread_time_ns() < end:
        for _ in range(200):
            spin()
    spent["thread"] += time.thread_time_ns() - begin


def main():
    seconds = float(sys.argv[1])
    drive(seconds)
    thread = threading.Thread(target=thread_work, args=(seconds / 10,))
    thread.start()
    thread.join()
    ways = {name: {"nanoseconds": spent[name], "stack": stack} for name, (_, stack) in WAYS.items()}
    ways["thread"] = {"nanoseconds": spent["thread"], "stack": ["spin"]}
    with open(sys.argv[2], "w") as file:
        json.dump({"ways": ways}, file)
    with open(sys.argv[2] + ".tsv", "w") as file:
        for name, way in ways.items():
            file.write("\t".join([name, str(way["nanoseconds"]), *way["stack"]]) + "\n")


main()

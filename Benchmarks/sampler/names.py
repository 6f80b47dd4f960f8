#!/usr/bin/env python3
"""How many frames stay without a name. Usage: Benchmarks/sampler/names.py [SECONDS]      (default 5)

Samples podcast-scraper on the embedded feed, python3, a C++ and a Rust program (with rustc on PATH), and prints the share of
frames that are unknown, by weight, and where they are. Ends with 1 where it is 1 % or more. Takes about half a minute
beside the build.
"""
import collections
import os
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BIN = os.path.join(ROOT, ".build/release")
FIXTURES = os.path.join(ROOT, "Tests/Fixtures/native-symbols")
PYTHON = """
import json, re, sys, time
end = time.time() + float(sys.argv[1])
def work(n): return n if n < 2 else work(n - 1) + work(n - 2)
while time.time() < end:
    work(16)
    text = json.dumps([{"key%d" % i: [i, str(i)] for i in range(50)} for _ in range(20)])
    sorted(json.loads(text)[0].items(), key=lambda pair: pair[1][1])
    re.findall("[a-z]+[0-9]+", text)
"""


def python():
    """A python3 with a symbol table, else the system's; and what there is to say of it."""
    found = []
    for program in ("python3", "/usr/bin/python3"):
        asked = subprocess.run([program, "-c", "import sys; print(sys.executable)"], capture_output=True, text=True)
        if asked.returncode == 0:
            found.append(os.path.realpath(asked.stdout.strip()))
    for program in found:
        if ".symtab" in subprocess.run(["readelf", "-SW", program], capture_output=True, text=True).stdout:
            return program, "python3 (C)"
    return found[-1], "python3 (C), stripped: no names exist for its static functions"


def targets(seconds, scratch):
    """Name and command of each; the reason instead of the command where it cannot be had."""
    feed = [os.path.join(BIN, "loopback-feed"), os.path.join(ROOT, "data/feeds/sense-and-sensibility"), "--"]
    scraper = [
        os.path.join(BIN, "podcast-scraper"), "--config", os.path.join(ROOT, "data/demo.yaml"), "--output-dir",
        os.path.join(scratch, "podcast"), "{feed_url}"]
    yield "podcast-scraper (Swift and C)", feed, scraper
    interpreter, name = python()
    yield name, [], [interpreter, "-c", PYTHON, str(seconds)]
    milliseconds = str(int(seconds * 1000))
    cpp = os.path.join(scratch, "busy-cpp")
    subprocess.run(["g++", "-O2", "-o", cpp, os.path.join(FIXTURES, "busy.cpp")], check=True)
    yield "C++", [], [cpp, milliseconds]
    if shutil.which("rustc"):
        rust = os.path.join(scratch, "busy-rust")
        subprocess.run(["rustc", "-O", "-o", rust, os.path.join(FIXTURES, "busy.rs")], check=True)
        yield "Rust", [], [rust, milliseconds]
    else:
        yield "Rust", [], "rustc is not on PATH"


def main():
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 5.0
    subprocess.run(
        ["swift", "build", "-c", "release", "--static-swift-stdlib"], cwd=ROOT, check=True, stdout=sys.stderr)
    good = True
    print("| target | samples | frames unknown | not walked to their root, truncated | where the unknown are |")
    print("|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as scratch:
        for name, wrapper, command in targets(seconds, scratch):
            if isinstance(command, str):
                print(f"| {name} | not measured: {command} | | | |")
                continue
            output = os.path.join(scratch, "out.folded")
            sample = [os.path.join(BIN, "freeze-profile"), "sample", "--sampler", "native", "-o", output, "--"]
            done = subprocess.run(wrapper + sample + command, capture_output=True, text=True, cwd=ROOT)
            health = re.search(
                r"(\d+) samples, (\d+) lost, (\d+) truncated, (\d+) not walked .*?([\d.]+) % of frames unknown",
                done.stderr)
            if not health:
                print(f"| {name} | failed: {done.stderr.strip()[-200:]} | | | |")
                good = False
                continue
            places = collections.Counter()
            with open(output) as lines:
                for line in lines:
                    stack, weight = line.rsplit(" ", 1)
                    for frame in stack.split(";"):
                        if frame.startswith("[") and frame.endswith("]") and frame != "[truncated]":
                            places[frame] += int(weight)
            where = ", ".join(f"{place} {count}" for place, count in places.most_common(3)) or "none"
            print(f"| {name} | {health[1]} | {health[5]} % | {health[4]}, {health[3]} | {where} |")
            good = good and (float(health[5]) < 1 or "stripped" in name)
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()

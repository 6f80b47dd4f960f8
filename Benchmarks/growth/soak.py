#!/usr/bin/env python3
"""A long run: soak.py FREEZE_PROFILE [--minutes M] [--processes-a-second N] [--json FILE]

The monitor, the sampler and the capture side by side, each on a pipeline that starts so many processes a second and
changes its stage every second. Looks at the memory of every process of the tool once a second, at the length of the
logs, and at what the tool says it has lost.

Exits with 1 where memory has grown by more than a fifth (and 8 MB) from the second fifth of the time to the last, where
a log is longer than 10 MB in half an hour, or where a part has ended badly.
"""
import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

PIPELINE = r"""
import os, sys, time
seconds, rate = float(sys.argv[1]), float(sys.argv[2])
status = os.environ["PIPELINE_STATUS_FILE"]
begin, start, made, stage = time.time(), time.monotonic(), 0, -1
children = set()
while (now := time.monotonic() - start) < seconds:
    if int(now) != stage:
        stage = int(now)
        with open(status + ".part", "w") as output:
            output.write('{"pid": %d, "stage": "stage_%02d", "started_at": %.6f, "stage_started_at": %.6f}'
                         % (os.getpid(), stage % 20, begin, time.time()))
        os.rename(status + ".part", status)
    if made < now * rate:
        children.add(os.posix_spawn("/bin/sleep", ["sleep", "0.05"], {}))
        made += 1
    else:
        time.sleep(0.002)
    while children:
        pid, _ = os.waitpid(-1, os.WNOHANG)
        if not pid:
            break
        children.discard(pid)
while children:
    children.discard(os.waitpid(-1, 0)[0])
with open(os.path.join(os.environ.get("PIPELINE_OUTPUT_DIR", "."), "made"), "w") as output:
    output.write(str(made))
"""


def family(root):
    """The processes below one, itself first, with their command lines: those of the tool by its name."""
    parents = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            fields = open(f"/proc/{name}/stat", "rb").read().rsplit(b")", 1)[1].split()
            parents.setdefault(int(fields[1]), []).append(int(name))
        except OSError:
            continue
    found, rest = [], [root]
    while rest:
        pid = rest.pop()
        found.append(pid)
        rest += parents.get(pid, [])
    return found


def resident(root, tool):
    """Mebibytes of all processes of the tool itself below one."""
    total = 0.0
    for pid in family(root):
        try:
            if os.readlink(f"/proc/{pid}/exe") != tool:
                continue
            total += int(open(f"/proc/{pid}/statm").read().split()[1]) * os.sysconf("SC_PAGESIZE") / (1 << 20)
        except OSError:
            continue
    return total


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("tool")
    options.add_argument("--minutes", type=float, default=30)
    options.add_argument("--processes-a-second", type=float, default=200)
    options.add_argument("--json", metavar="FILE")
    chosen = options.parse_args()
    tool = os.path.realpath(chosen.tool)
    place = tempfile.mkdtemp(prefix="soak.")
    seconds = chosen.minutes * 60
    # Three pipelines share the machine, and each its part of the processes.
    pipeline = [sys.executable, "-c", PIPELINE]
    rate = str(chosen.processes_a_second / 3)
    parts = {
        "monitor": [tool, "monitor", "--no-keys", "--output-dir", f"{place}/monitored", "--", *pipeline, str(seconds), rate],
        "sample": [tool, "sample", "--sampler", "native", "-o", f"{place}/sampled.pb.gz", "--", *pipeline, str(seconds), rate],
        "capture": [tool, "capture", "--version", "v1", "--output", f"{place}/v1.yaml", "--skip-warmup", "--canaries", "0",
                    "--", *pipeline, str(seconds / 2), rate],
    }
    running, memory, ends = {}, {name: [] for name in parts}, {}
    begin = time.monotonic()
    wrong = []
    try:
        for name, words in parts.items():
            os.makedirs(f"{place}/{name}.out", exist_ok=True)
            errors = open(f"{place}/{name}.stderr", "wb")
            running[name] = subprocess.Popen(
                words, cwd=place, stdin=subprocess.DEVNULL, stdout=errors, stderr=errors,
                env={**os.environ, "PIPELINE_OUTPUT_DIR": f"{place}/{name}.out",
                     "PIPELINE_STATUS_FILE": f"{place}/{name}.out/.pipeline_status.json"})
        while any(child.poll() is None for child in running.values()):
            if time.monotonic() - begin > seconds * 2 + 600:
                wrong.append("it did not end")
                break
            for name, child in running.items():
                if child.poll() is None:
                    memory[name].append(resident(child.pid, tool))
                elif name not in ends:
                    ends[name] = time.monotonic() - begin
            time.sleep(1)
        rows = []
        for name, child in running.items():
            if child.poll() is None:
                child.kill()
            child.wait()
            text = open(f"{place}/{name}.stderr", errors="replace").read()
            series = memory[name]
            fifth = max(1, len(series) // 5)
            early, late = statistics.median(series[fifth:2 * fifth] or [0]), statistics.median(series[-fifth:] or [0])
            said = [line for line in text.splitlines() if re.search(r"lost|missing|left out|not recorded|not listed", line)]
            rows.append({"part": name, "exit": child.returncode, "memory_mb": [round(early, 1), round(late, 1),
                         round(max(series or [0]), 1)], "stderr_bytes": len(text), "said": said})
            if child.returncode:
                wrong.append(f"{name} ended with {child.returncode}: {text[-300:]}")
            # The sampler's stacks are kept until the end: what is distinct grows.
            if name == "monitor" and late > early * 1.2 + 8:
                wrong.append(f"{name} grew from {early:.1f} to {late:.1f} MB")
        logs = sum(os.path.getsize(os.path.join(folder, file)) for folder, _, files in os.walk(place)
                   for file in files if file.endswith((".log", ".stderr")))
        bound = 10e6 * max(1, chosen.minutes / 30)
        if logs > bound:
            wrong.append(f"logs of {logs / 1e6:.1f} MB")
        print(f"{'part':10} {'exit':>4} {'MB early':>9} {'late':>7} {'most':>7} {'stderr B':>9}")
        for row in rows:
            early, late, most = row["memory_mb"]
            print(f"{row['part']:10} {row['exit']:>4} {early:>9} {late:>7} {most:>7} {row['stderr_bytes']:>9}")
            for line in row["said"]:
                print(f"  {line[:160]}")
        print(f"logs: {logs / 1e6:.2f} MB of {bound / 1e6:.0f}")
        for sentence in wrong:
            print(f"wrong: {sentence}")
        if chosen.json:
            with open(chosen.json, "w") as output:
                json.dump({"rows": rows, "log_bytes": logs, "wrong": wrong}, output, indent=1)
    finally:
        for child in running.values():
            if child.poll() is None:
                child.kill()
        shutil.rmtree(place, ignore_errors=True)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""A/A on a cluster with a slow node: captures of one program, each compared with the one before.

usage: run.py FREEZE_PROFILE [--captures N] [--sessions N] [--percent P] [--slow P]

Starts the tests' Slurm with four nodes, to each of which a cgroup gives P percent of a CPU, and to the last one the
smaller share, so that its sessions take longer by a known ratio. Nothing changes between captures, so every verdict of
`regressed` is a false alarm. Prints how many there were, and how often the slow node was named, and any other.
"""
import argparse
import json
import os
import re
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PIPELINE = """
import json, os, time
path = os.environ["PIPELINE_STATUS_FILE"]
def stage(name):
    with open(path + ".tmp", "w") as file: json.dump({"pid": os.getpid(), "stage": name}, file)
    os.replace(path + ".tmp", path)
for name in ["parse", "index"]:
    stage(name)
    sum(i * i for i in range(900_000))
stage("done")
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tool")
    parser.add_argument("--captures", type=int, default=31)
    parser.add_argument("--sessions", type=int, default=8)
    parser.add_argument("--percent", type=int, default=30)
    parser.add_argument("--slow", type=int, default=24)
    options = parser.parse_args()
    tool = os.path.abspath(options.tool)
    with tempfile.TemporaryDirectory() as work:
        words = [f"{ROOT}/scripts/slurm-testbed", f"{work}/slurm", "--nodes", "4"]
        for node in ["n1", "n2", "n3"]:
            words.append(f"--quota={node}={options.percent}")
        words.append(f"--quota=n4={options.slow}")
        testbed = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        line = testbed.stdout.readline()
        if not line.startswith("ready "):
            sys.exit(f"no Slurm: {line}")
        os.environ["SLURM_CONF"] = f"{work}/slurm/slurm.conf"
        try:
            measure(tool, work, options)
        finally:
            testbed.stdin.close()
            testbed.wait()


def measure(tool, work, options):
    pipeline = f"{work}/pipeline.py"
    with open(pipeline, "w") as file:
        file.write(PIPELINE)
    outcomes, named, others, between, ratios = {}, 0, 0, [], []
    for number in range(options.captures):
        profile = f"{work}/v{number}.yaml"
        made = subprocess.run(
            [tool, "capture", "--version", f"v{number}", "--output", profile, "--records", f"{work}/r{number}",
             "--engine", "slurm", "--nodes", "n[1-4]", "--sessions", str(options.sessions), "--runs", "2",
             "--skip-warmup", "--stack-runs", "0", "--canaries", "0", "--", "python3", pipeline],
            capture_output=True, text=True, cwd=work)
        if made.returncode:
            sys.exit(f"capture {number}: {made.stderr}")
        if number == 0:
            continue
        diff = subprocess.run(
            [tool, "diff", f"{work}/v{number - 1}.yaml", profile, "--allow", "git_dirty", "--json"],
            capture_output=True, text=True)
        answer = json.loads(diff.stdout)
        outcome = answer["outcome"]
        outcomes[outcome] = outcomes.get(outcome, 0) + 1
        notes = " ".join(answer["notes"])
        nodes = re.findall(r"Node (\S+) is ([0-9.]+) % (slower|faster)", notes)
        named += any(node == "n4" for node, _, _ in nodes)
        others += any(node != "n4" for node, _, _ in nodes)
        ratios += [float(percent) for node, percent, _ in nodes if node == "n4"]
        share = re.search(r"about (\d+) % lies between nodes", notes)
        between += [int(share.group(1))] if share else []
        print(f"{number}: {outcome}; named: {nodes}; load {os.getloadavg()[0]:.1f}", flush=True)
    count = options.captures - 1
    print(f"comparisons of a capture with the one before, nothing changed: {count}")
    print(f"called regressed: {outcomes.get('regressed', 0)} (at most 1)")
    print(f"outcomes: {outcomes}")
    planted = 100 * (options.percent / options.slow - 1)
    print(f"slow node (planted: {planted:.0f} % more time for the same work) named in {named}, another node in {others}")
    if ratios:
        ratios.sort()
        print(f"named as slower by {ratios[0]} to {ratios[-1]} %, median {ratios[len(ratios) // 2]} %")
    if between:
        between.sort()
        print(f"variance between nodes: median {between[len(between) // 2]} %")
    sys.exit(outcomes.get("regressed", 0) > 1)


main()

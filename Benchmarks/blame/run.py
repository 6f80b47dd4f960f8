#!/usr/bin/env python3
"""Planted costs in generated repositories, and how often 'freeze-profile blame' names the right commits. See README.md.

    run.py [REPOSITORIES] [COMMITS]
"""

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
TOOL = os.environ.get("FREEZE_PROFILE", str(HERE.parent.parent / ".build/release/freeze-profile"))
SOURCE = (HERE.parent.parent / "Tests/Fixtures/pipelines/three-stages.c").read_text()
STAGES = {"fetch": 300_000, "crunch": 500_000, "store": 200_000}
ENVIRONMENT = dict(os.environ, GIT_CONFIG_GLOBAL="/dev/null", GIT_CONFIG_NOSYSTEM="1")


def git(repository, *words):
    return subprocess.run(
        ["git", "-C", repository, "-c", "user.name=Ann", "-c", "user.email=ann@example.org", *words],
        check=True, capture_output=True, text=True, env=ENVIRONMENT).stdout.strip()


def write(repository, work, number, broken):
    (repository / "pipeline.c").write_text("int main( {\n" if broken else SOURCE)
    (repository / "work.h").write_text("".join(f"#define {n.upper()} {w}\n" for n, w in work.items()))
    (repository / "number").write_text(f"{number}\n")


def generate(repository, commits, seed):
    """A repository with one or two planted costs of 2 to 20 %, and now and then a commit that does not build."""
    rng = random.Random(seed)
    places = sorted(rng.sample(range(1, commits + 1), rng.choice([1, 2])))
    planted = {place: (rng.choice(list(STAGES)), rng.uniform(2, 20)) for place in places}
    # Not beside a planted one, where it could not be distinguished from it.
    free = [p for p in range(2, commits) if all(abs(p - q) > 1 for q in places)]
    broken = set(rng.sample(free, rng.choice([0, 0, 1, 2])))
    git(repository.parent, "init", "--quiet", "-b", "main", str(repository))
    work, names = dict(STAGES), []
    for place in range(commits + 1):
        if place in planted:
            stage, percent = planted[place]
            work[stage] = round(work[stage] * (1 + percent / 100))
        write(repository, work, place, place in broken)
        git(repository, "add", ".")
        git(repository, "commit", "--quiet", "-m", f"Commit {place}")
        names.append(git(repository, "rev-parse", "HEAD"))
    return names, planted, broken


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    commits = int(sys.argv[2]) if len(sys.argv) > 2 else 32
    right = sums = 0
    builds = []
    for seed in range(count):
        with tempfile.TemporaryDirectory() as directory:
            repository = Path(directory) / "repository"
            names, planted, broken = generate(repository, commits, seed)
            began = time.monotonic()
            result = subprocess.run(
                [TOOL, "blame", names[0], "HEAD", "--build", "cc -O1 -g -o pipeline pipeline.c", "--json",
                 "--profiles", f"{directory}/profiles", "--", "./pipeline"],
                cwd=repository, capture_output=True, text=True, env=ENVIRONMENT)
            took = time.monotonic() - began
            if not result.stdout:
                print(f"repository {seed}: exit {result.returncode}: {result.stderr[-500:]}", flush=True)
                continue
            invoice = json.loads(result.stdout)
            found = [[c["name"] for c in culprit["commits"]] for culprit in invoice["culprits"]]
            hit = found == [[names[place]] for place in sorted(planted)]
            equal = all(
                abs(sum(line["shares"]) + line["residual"] - line["change"]) < 0.5 for line in invoice["lines"])
            residual = max(
                abs(line["residual"]) / line["from"] * 100 for line in invoice["lines"] if line["from"])
            right += hit
            sums += equal
            builds.append((len(planted), invoice["builds"]))
            text = ", ".join(f"{stage} +{percent:.1f} % at {place}" for place, (stage, percent) in planted.items())
            print(
                f"repository {seed}: {text}; {len(broken)} do not build: {'right' if hit else 'WRONG ' + str(found)}, "
                f"{invoice['builds']} builds, sum {'equal' if equal else 'NOT EQUAL'}, largest residual "
                f"{residual:.3f} %, {took:.0f} s", flush=True)
    one = [b for planted, b in builds if planted == 1]
    print(f"right in {right} of {count}, sums equal in {sums}; at most {max(one, default=0)} builds for one planted commit")


if __name__ == "__main__":
    main()

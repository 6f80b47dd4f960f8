#!/usr/bin/env python3
"""How costs grow with work: run.py FREEZE_PROFILE [--short] [--only WORD...] [--json FILE] [--budgets]

Each row is one kind of work at growing sizes: what it cost in CPU seconds and memory at each, and the exponent between
the two largest, where 1 is in proportion and 2 is quadratic. The least of the repetitions counts, for a busy machine
only adds. With --budgets, the sizes of the project's budgets are measured too, each beside its budget: that takes
minutes and wants a release build.

Exits with 1 where an exponent is above its limit: 1.1, and 1.5 in the short form, whose sizes are too small for better.
"""
import argparse
import json
import math
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import records  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
LIMIT, SHORT_LIMIT = 1.1, 1.5


class Cost:
    """CPU seconds, mebibytes of memory and seconds of the clock."""

    def __init__(self, cpu, memory, wall, status):
        self.cpu, self.memory, self.wall, self.status = cpu, memory, wall, status


def measured(words, cwd, environment=None, expected=(0,)):
    """What a command cost with all processes that it has waited for."""
    begin = time.monotonic()
    child = subprocess.Popen(words, cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                             stderr=subprocess.PIPE, env={**os.environ, **(environment or {})})
    problem = child.stderr.read()
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode not in expected:
        sys.exit(f"{' '.join(words[:3])} ended with {child.returncode}: {problem.decode(errors='replace')[-600:]}")
    return Cost(usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, time.monotonic() - begin, child.returncode)


def least(costs):
    return Cost(min(c.cpu for c in costs), min(c.memory for c in costs), min(c.wall for c in costs), 0)


class Bench:
    def __init__(self, tool, place, repetitions):
        self.tool, self.place, self.repetitions = tool, place, repetitions
        self.rows = []

    def tool_cost(self, *words, expected=(0,), times=None):
        return least([measured([self.tool, *words], self.place, expected=expected)
                      for _ in range(times or self.repetitions)])

    # Shelves and reports

    def shelf(self, stages, runs, versions=1, mark=""):
        """A directory with versions that are frozen from records of the given size."""
        shelf = f"{self.place}/shelf{mark}.{stages}.{runs}"
        if not os.path.isdir(shelf):
            for number in range(1, versions + 1):
                source = f"{self.place}/records.{stages}.{runs}.{number}"
                records.write(source, stages, runs, day=number)
                measured([self.tool, "freeze", "--version", f"v{number}", "--output", f"{shelf}/v{number}.yaml", source],
                         self.place)
        return shelf

    def freeze(self, stages, runs):
        source = f"{self.place}/records.{stages}.{runs}.1"
        self.shelf(stages, runs)
        target = f"{self.place}/frozen"
        shutil.rmtree(target, ignore_errors=True)
        return self.tool_cost("freeze", "--version", "v1", "--force", "--output", f"{target}/v1.yaml", source)

    def verify(self, stages, runs):
        return self.tool_cost("verify", f"{self.shelf(stages, runs)}/v1.yaml")

    def diff(self, stages, runs):
        shelf = self.shelf(stages, runs, versions=2, mark=".two")
        # Two versions of one session each are inconclusive, or differ by chance.
        return self.tool_cost("diff", f"{shelf}/v1.yaml", f"{shelf}/v2.yaml", expected=(0, 1, 2))

    def report(self, stages, runs):
        return self.tool_cost("report", f"{self.shelf(stages, runs)}/v1.yaml", "-o", f"{self.place}/page.html")

    def history(self, stages, runs):
        return self.tool_cost("history", "--profiles", self.shelf(stages, runs, versions=2, mark=".two"))

    def versions(self, versions, stages=10):
        """A directory of versions that differ in name and date, of five runs each."""
        model = f"{self.shelf(stages, 5)}/v1.yaml"
        shelf = f"{self.place}/versions.{versions}.{stages}"
        if not os.path.isdir(shelf):
            os.makedirs(shelf)
            text = "".join(line for line in open(model) if not line.startswith("content_sha256:"))
            # Companions are looked at by name and length.
            begin = text.index("companions:\n")
            end = text.index("\n", text.index("bytes:", begin)) + 1
            text = text[:begin] + text[end:]
            for number in range(versions):
                with open(f"{shelf}/v1.{number}.yaml", "w") as output:
                    output.write(text.replace("release: v1\n", f"release: v1.{number}\n"))
        return shelf

    def list(self, versions):
        return self.tool_cost("list", "--profiles", self.versions(versions))

    def large_shelf(self, *words, hasIndex):
        """10,000 versions of 30 stages, read for the first time or with the index that is left from before."""
        shelf = self.versions(10000, 30)
        cache = f"{self.place}/cache"
        # Two versions of one session each are inconclusive.
        endings = (0, 1, 2, 3)
        os.environ["XDG_CACHE_HOME"] = cache
        try:
            if not hasIndex:
                shutil.rmtree(cache, ignore_errors=True)
                return self.tool_cost(*words, "--profiles", shelf, expected=endings, times=1)
            self.tool_cost(*words, "--profiles", shelf, expected=endings, times=1)
            return self.tool_cost(*words, "--profiles", shelf, expected=endings)
        finally:
            del os.environ["XDG_CACHE_HOME"]

    # Sampling and monitoring: the target is no child of the tool, so what is measured is the tool's own.

    def compiled(self, name):
        path = f"{self.place}/{name}"
        if not os.path.exists(path):
            subprocess.run(["cc", "-O1", "-pthread", "-o", path, f"{HERE}/targets/{name}.c"], check=True)
        return path

    def beside(self, target, words, environment=None):
        """What the tool costs while it watches a target, which is ended afterwards."""
        child = subprocess.Popen(target, cwd=self.place, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                 stderr=subprocess.DEVNULL, start_new_session=True,
                                 env={**os.environ, **(environment or {})})
        try:
            time.sleep(0.3)
            return measured([self.tool, *[word.replace("{pid}", str(child.pid)) for word in words]], self.place,
                            expected=(0, 137, 142, 143))
        finally:
            try:
                os.killpg(child.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            child.wait()

    def sample(self, seconds, depth, paths=1, threads=1):
        target = [self.compiled("stacks"), str(depth), str(paths), str(threads)]
        return least([self.beside(target, ["sample", "--pid", "{pid}", "--duration", f"{seconds}", "--rate", "997",
                                           "--sampler", "native", "-o", f"{self.place}/sampled.pb.gz"])
                      for _ in range(self.repetitions)])

    def monitor(self, seconds, processes, rate, stages):
        status = f"{self.place}/status.json"
        target = [sys.executable, f"{HERE}/targets/pipeline.py", str(seconds), str(processes), str(rate), str(stages)]
        return least([self.beside(target, ["monitor", "--pid", "{pid}", "--status-file", status, "--no-keys",
                                           "--output-dir", self.place], {"PIPELINE_STATUS_FILE": status})
                      for _ in range(self.repetitions)])

    def row(self, name, sizes, cost, limit):
        costs = [cost(size) for size in sizes]
        (small, large), (first, last) = sizes[-2:], costs[-2:]
        exponent = math.log(last.cpu / first.cpu) / math.log(large / small)
        self.rows.append({"work": name, "sizes": sizes, "cpu_s": [round(c.cpu, 3) for c in costs],
                          "memory_mb": [round(c.memory, 1) for c in costs], "exponent": round(exponent, 2),
                          "passes": exponent <= limit})
        row = self.rows[-1]
        print(f"{name:34} {'/'.join(map(str, sizes)):>18} {'/'.join(f'{c.cpu:.2f}' for c in costs):>20} "
              f"{costs[0].memory:>6.0f} {last.memory:>6.0f} {exponent:>6.2f}{'' if row['passes'] else '  above the limit'}",
              flush=True)

    def budget(self, name, cost, seconds, mebibytes):
        passes = cost.wall <= seconds and cost.memory <= mebibytes
        self.rows.append({"budget": name, "wall_s": round(cost.wall, 2), "seconds": seconds,
                          "memory_mb": round(cost.memory, 1), "mebibytes": mebibytes, "passes": passes})
        print(f"{name:52} {cost.wall:>7.2f} of {seconds} s {cost.memory:>7.0f} of {mebibytes} MB"
              f"{'' if passes else '  above the budget'}", flush=True)


def axes(bench, short):
    """Name, sizes, and what is done at a size. Fixed costs hide growth, so sizes are as large as the form allows."""
    runs = [10, 20, 40] if short else [25, 50, 100]
    stages = [50, 100, 200] if short else [250, 500, 1000]
    fixed_stages, fixed_runs = (50, 10) if short else (200, 20)
    for word in ("freeze", "verify", "diff", "report", "history"):
        act = getattr(bench, word)
        yield f"{word}, runs", runs, lambda size, act=act: act(fixed_stages, size)
        yield f"{word}, stages", stages, lambda size, act=act: act(size, fixed_runs)
    yield "list, versions", [50, 100, 200] if short else [500, 1000, 2000], bench.list
    seconds = [1, 2, 4] if short else [5, 10, 20]
    fixed = 2 if short else 5
    yield "sample, seconds", seconds, lambda size: bench.sample(size, 20)
    yield "sample, depth", [50, 100, 200] if short else [200, 400, 800], lambda size: bench.sample(fixed, size)
    yield ("sample, distinct stacks", [1000, 2000, 4000] if short else [5000, 10000, 20000],
           lambda size: bench.sample(fixed, 16, paths=size))
    yield "sample, threads", [4, 8, 16] if short else [16, 32, 64], lambda size: bench.sample(fixed, 20, threads=size)
    yield "monitor, seconds", seconds, lambda size: bench.monitor(size, 1, 2, 2)
    yield "monitor, processes", [50, 100, 200] if short else [200, 400, 800], lambda size: bench.monitor(fixed, size, 2, 2)
    yield "monitor, transitions", [100, 200, 400] if short else [250, 500, 1000], lambda size: bench.monitor(fixed, 1, size, 5)
    yield "monitor, stages", [100, 200, 400] if short else [500, 1000, 2000], lambda size: bench.monitor(fixed, 1, 500, size)


def budgets(bench):
    """The sizes and limits of the project's budgets."""
    for word in ("freeze", "verify", "diff", "report", "history"):
        bench.budget(f"{word}, 2,000 stages of 100 runs", getattr(bench, word)(2000, 100), 5, 300)
    for words in (["list"], ["diff", "v1.0", "v1.9999"], ["history"]):
        name = f"{words[0]}, 10,000 versions of 30 stages"
        bench.budget(f"{name}, first", bench.large_shelf(*words, hasIndex=False), 5, 300)
        bench.budget(f"{name}, index", bench.large_shelf(*words, hasIndex=True), 0.5, 300)
    for runs in (10, 100):
        size = os.path.getsize(f"{bench.shelf(900, runs)}/v1.yaml")
        passes = size <= 400_000
        bench.rows.append({"budget": f"YAML of 900 stages, {runs} runs", "bytes": size, "passes": passes})
        print(f"{f'YAML of 900 stages of {runs} runs':52} {size / 1e6:>7.3f} of 0.4 MB{'' if passes else '  above the budget'}")


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("tool")
    options.add_argument("--short", action="store_true", help="small sizes, for a build server")
    options.add_argument("--only", nargs="+", metavar="WORD", help="rows whose name has one of these words")
    options.add_argument("--budgets", action="store_true", help="also the budgets, which takes minutes")
    options.add_argument("--repetitions", type=int, default=2)
    options.add_argument("--json", metavar="FILE", help="write the rows there as well")
    chosen = options.parse_args()
    place = tempfile.mkdtemp(prefix="growth.")
    bench = Bench(os.path.realpath(chosen.tool), place, chosen.repetitions)
    limit = SHORT_LIMIT if chosen.short else LIMIT
    print(f"{'work':34} {'sizes':>18} {'CPU s':>20} {'MB':>6} {'to':>6} {'exponent':>8}, at most {limit}")
    try:
        for name, sizes, cost in axes(bench, chosen.short):
            if not chosen.only or any(word in name for word in chosen.only):
                bench.row(name, sizes, cost, limit)
        if chosen.budgets:
            budgets(bench)
    finally:
        shutil.rmtree(place, ignore_errors=True)
    if chosen.json:
        with open(chosen.json, "w") as output:
            json.dump(bench.rows, output, indent=1)
    sys.exit(0 if all(row["passes"] for row in bench.rows) else 1)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Measures every budget of the project, ours beside the peers, and writes docs/benchmarks.md.

Usage: run.py [--bin DIRECTORY] [--only NAME...] [--long] [-o FILE]

Each part is a benchmark of its own below this directory; here each is run in its short form (--long: the form that its own page
describes, about two hours), its figures are held against the budgets, and its output is kept. A part that fails, or that
takes longer than it may, is on the page with the reason. Run it on a machine that does nothing else: the page states the
load at the beginning and the end.
"""
import argparse
import datetime
import glob
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
MIB = 1 << 20


class Budget:
    """What may be used at most, and what was."""

    def __init__(self, what, limit, unit, ours, peer=""):
        self.what, self.limit, self.unit, self.ours, self.peer = what, limit, unit, ours, peer

    def row(self):
        verdict = "holds" if self.ours <= self.limit else f"missed by {100 * (self.ours / self.limit - 1):.0f} %"
        return f"| {self.what} | {self.limit:g} {self.unit} | {self.ours:.3g} {self.unit} | {self.peer or '-'} | {verdict} |"


class Part:
    """A benchmark: what it prints, and the budgets that its figures are held against."""

    def __init__(self, name, title, seconds, run):
        self.name, self.title, self.seconds, self.run = name, title, seconds, run


class Bench:
    def __init__(self, options, scratch):
        self.tool = os.path.join(os.path.abspath(options.bin), "freeze-profile")
        self.long, self.scratch, self.seconds = options.long, scratch, 0

    def output(self, words, environment=None, statuses=(0,)):
        """What a benchmark prints. Its own process group is ended when it takes too long."""
        words = ([sys.executable] if str(words[0]).endswith(".py") else []) + [str(word) for word in words]
        child = subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                 stdin=subprocess.DEVNULL, start_new_session=True,
                                 env={**os.environ, "FREEZE_PROFILE": self.tool, **(environment or {})})
        try:
            text, errors = child.communicate(timeout=self.seconds)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, 9)
            text, _ = child.communicate()
            raise RuntimeError(f"ended after {self.seconds} s, with this printed:\n{text[-500:]}")
        if child.returncode not in statuses:
            raise RuntimeError(f"ended with {child.returncode}: {(errors or text).strip()[-500:]}")
        return text.strip()

    # MARK: Parts. Each returns its text and its budgets.

    def size(self):
        stripped = f"{self.scratch}/stripped"
        subprocess.run(["strip", "-o", stripped, self.tool], check=True)
        size = os.path.getsize(stripped) / MIB
        lines, medians = [], {}
        peers = {"freeze-profile --help": [stripped, "--help"], "py-spy --help": [spy(), "--help"], "perf --version": ["perf", "--version"],
                 "python3 -c pass": ["python3", "-c", "pass"]}
        for name, words in peers.items():
            if not words[0] or not shutil.which(words[0]):
                continue
            times = []
            for _ in range(31):
                begun = time.perf_counter()
                subprocess.run(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
                times.append(1000 * (time.perf_counter() - begun))
            medians[name] = statistics.median(times)
            lines.append(f"{name:24} {medians[name]:6.1f} ms, median of 31; least {min(times):.1f} ms")
        others = ", ".join(f"{name.split()[0]} {value:.1f} ms" for name, value in medians.items() if not name.startswith("freeze"))
        return "\n".join(lines), [
            Budget("size of the stripped tool", 12, "MiB", size),
            Budget("start of `freeze-profile --help`", 15, "ms", medians["freeze-profile --help"], others)]

    def monitor(self):
        python = f"{self.scratch}/venv/bin/python"
        subprocess.run(["/usr/bin/python3", "-m", "venv", f"{self.scratch}/venv"], check=True)
        subprocess.run([python, "-m", "pip", "install", "-q", "--disable-pip-version-check", "psutil", "rich"], check=True)
        text = self.output([python, f"{HERE}/monitor/measure.py", self.tool, 20 if self.long else 6])
        rows = {(name, int(count)): (float(rss), float(cpu)) for name, count, rss, cpu in
                re.findall(r"^(freeze-profile|psutil and rich) +(\d+) +([\d.]+) +([\d.]+)$", text, re.M)}
        ours, peer = rows["freeze-profile", 1], rows["psutil and rich", 1]
        return text, [Budget("memory of the monitor child", 8, "MiB", ours[0], f"psutil and rich {peer[0]} MiB"),
                      Budget("CPU of the monitor child at 2 Hz", 0.1, "%", ours[1], f"psutil and rich {peer[1]} %")]

    def watching(self):
        text = self.output([f"{HERE}/capture/overhead.py", "--bin", os.path.dirname(self.tool)]
                           + ([] if self.long else ["--pairs", 10, "--seconds", 2]))
        cost = float(re.search(r"wall ([+-][\d.]+) %", text).group(1))
        return text, [Budget("wall time of a watched run, more than alone", 0.5, "%", max(0, cost))]

    def sampler(self):
        text = self.output([f"{HERE}/sampler/run.py"] + ([40, 1] if self.long else [3, 0.5]))
        title, ratios = "", {}
        for line in text.splitlines():
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            if line and not line.startswith("|"):
                title = line
            elif len(cells) > 2 and re.match(r"\d\.\d+ \(", cells[1]):
                ratios[title, cells[0]] = float(cells[1].split()[0])

        def slower(title, sampler):
            return next((100 * (ratio - 1) for (of, name), ratio in ratios.items() if title in of and sampler in name), None)

        found = []
        for title, limit in (("one thread, 40 calls", 1), ("16 busy threads", 2)):
            ours, peer = slower(title, "perf events 997"), slower(title, "perf record dwarf,8192 997")
            if ours is not None:
                found.append(Budget(f"slow-down at 997 Hz, {title}", limit, "%", max(0, ours),
                                    "" if peer is None else f"perf record {peer:.1f} %"))
        return text, found

    def python(self):
        text = self.output([f"{HERE}/python/cost.py"] + ([11, 6] if self.long else [3, 3]))
        rows = re.findall(r"^\| (.+?) \| (\d+) \| x ([\d.]+) .*?\| x ([\d.]+)", text, re.M)
        ours = next(100 * (float(cpu) - 1) for name, rate, cpu, _ in rows if "freeze-profile" in name and int(rate) > 900)
        peers = ", ".join(f"{name} {100 * (float(wall) - 1):.0f} % of wall time" for name, rate, _, wall in rows
                          if "freeze-profile" not in name and int(rate) > 900)
        return text, [Budget("slow-down of Python at 997 Hz", 4, "%", max(0, ours), peers)]

    def counting(self):
        text = self.output([f"{HERE}/counting/run.py", "cost", 3 if self.long else 1])
        found = []
        for language, limit in (("C", 5), ("Python", 15), ("Swift", 10)):
            line = re.search(rf"^{language} .*?counted ([\d.]+) times(?:, callgrind ([\d.]+) times)?", text, re.M)
            if line:
                found.append(Budget(f"a counted run of {language}, times a native one", limit, "times", float(line.group(1)),
                                    f"callgrind {line.group(2)} times" if line.group(2) else ""))
        return text, found

    def naming(self):
        text = self.output(["sh", f"{HERE}/symbolication/run.sh"])
        peers = ", ".join(f"{name} {value} ms" for name, value in re.findall(r"^(addr2line[^:]*|llvm[^:]*): (\d+) ms", text, re.M))
        ours = max(float(value) for value in re.findall(r"([\d.]+) ms", text.split("addr2line")[0]))
        return text, [Budget("names, lines and inlined calls of 10,000 addresses", 3, "s", ours / 1000, peers)]

    def picture(self):
        text = self.output(["sh", f"{HERE}/flamegraph/run.sh"])
        last = text.split("== 1000000 lines --shuffle")[1]
        return text, [Budget("a million folded lines to an SVG, unsorted", 2, "s", seconds_of(last))]

    def explained(self):
        text = self.output(["bash", f"{HERE}/comparison-functions/run.sh"], {"RUNS": "24" if self.long else "0"})
        found, runs = [], ""
        for line in text.splitlines():
            runs = next(iter(re.findall(r"sessions of (\d+) runs", line)), runs)
            for words, value in re.findall(r"history (.*?): ([\d.]+) s \(budget", line):
                what = f"history of 1,000 profiles of 30 stages and 3 sessions of {runs} ({words or 'all'})"
                found.append(Budget(what, 2, "s", float(value)))
        return text, found

    def growth(self):
        rows = f"{self.scratch}/growth.json"
        text = self.output([f"{HERE}/growth/run.py", self.tool, "--json", rows]
                           + (["--budgets"] if self.long else ["--short", "--repetitions", 1]), statuses=(0, 1))
        with open(rows) as file:
            rows = json.load(file)
        limit = 1.1 if self.long else 1.25
        steepest = max((row for row in rows if "exponent" in row), key=lambda row: row["exponent"])
        found = [Budget(f"steepest growth: {steepest['work']}, exponent", limit, "", steepest["exponent"])]
        found += [Budget(row["budget"], row["seconds"], "s", row["wall_s"]) for row in rows if "seconds" in row]
        found += [Budget(row["budget"], row["mebibytes"], "MiB", row["memory_mb"]) for row in rows if "mebibytes" in row]
        return text, found

    def timeline(self):
        """A report of a profiled run of two busy threads, opened in a browser."""
        seconds = 300 if self.long else 20
        target = f"{self.scratch}/target"
        subprocess.run(["gcc", "-O2", "-g", "-pthread", "-o", target, f"{HERE}/sampler/target.c"], check=True)
        begun = time.perf_counter()
        subprocess.run([target, "100000000", "40", "2"], check=True, stdout=subprocess.DEVNULL)
        rounds = int(1e8 * seconds / (time.perf_counter() - begun))
        profile = f"{self.scratch}/timeline.yaml"
        self.output([self.tool, "capture", "--version", "t", "--output", profile, "--skip-warmup", "--canaries", "0", "--runs", "1",
                     "--sampler", "native", "--rate", "997", "--", target, rounds, "40", "2"])
        begun = time.perf_counter()
        self.output([self.tool, "report", profile, "-o", f"{self.scratch}/t.html"])
        making = time.perf_counter() - begun
        size = os.path.getsize(f"{self.scratch}/t.html") / MIB
        text = f"two busy threads for {seconds} s at 997 Hz: report made in {making:.2f} s, {size:.2f} MiB"
        found = [Budget(f"report of {seconds} s of two threads", 5, "MiB", size)]
        if shutil.which("chromium"):
            begun = time.perf_counter()
            self.output(["chromium", "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={self.scratch}/browser", "--dump-dom",
                         f"file://{self.scratch}/t.html"])
            opening = time.perf_counter() - begun
            text += f", opened in {opening:.2f} s with the browser's start"
            found.append(Budget("the same, opened, with the browser's start", 2, "s", opening))
        return text, found


def spy():
    found = glob.glob(f"{ROOT}/.build/test-venv/bin/py-spy")
    return found[0] if found else shutil.which("py-spy")


def seconds_of(text):
    """The time that a text of the flamegraph's benchmark states: the largest number of seconds."""
    return max(float(value) for value in re.findall(r"([\d.]+) s\b", text))


PARTS = [
    Part("size", "Size and start", 60, Bench.size),
    Part("monitor", "The monitor child", 300, Bench.monitor),
    Part("watching", "A watched run", 900, Bench.watching),
    Part("sampler", "Sampling native programs", 600, Bench.sampler),
    Part("python", "Sampling Python", 600, Bench.python),
    Part("counting", "Counted runs", 900, Bench.counting),
    Part("naming", "Naming addresses", 600, Bench.naming),
    Part("picture", "Drawing flamegraphs", 600, Bench.picture),
    Part("explained", "Explained comparisons and histories", 900, Bench.explained),
    Part("timeline", "The timeline of a report", 600, Bench.timeline),
    Part("growth", "How costs grow", 900, Bench.growth),
]


def machine():
    with open("/proc/cpuinfo") as file:
        model = re.search(r"model name\s*: (.*)", file.read())
    with open("/proc/meminfo") as file:
        memory = int(re.search(r"MemTotal: +(\d+)", file.read()).group(1)) / MIB
    commit = subprocess.run(["git", "-C", ROOT, "describe", "--always", "--dirty"], capture_output=True, text=True).stdout.strip()
    return (f"{model.group(1) if model else 'unknown CPU'}, {os.cpu_count()} CPUs, {memory:.0f} GiB, Linux {os.uname().release}; "
            f"commit {commit}")


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--bin", default=f"{ROOT}/.build/release", help="where freeze-profile is (default: the release build)")
    options.add_argument("--only", nargs="+", metavar="NAME", choices=[part.name for part in PARTS], help="only these parts")
    options.add_argument("--long", action="store_true", help="the long form of each part")
    options.add_argument("-o", "--output", default=f"{ROOT}/docs/benchmarks.md")
    options = options.parse_args()
    began, load = datetime.datetime.now(datetime.timezone.utc), os.getloadavg()[0]
    budgets, sections, failed = [], [], 0
    with tempfile.TemporaryDirectory(prefix="benchmarks.") as scratch:
        bench = Bench(options, scratch)
        for part in PARTS:
            if options.only and part.name not in options.only:
                continue
            print(f"{part.name} ...", file=sys.stderr, flush=True)
            bench.seconds = part.seconds * (12 if options.long else 1)
            begun = time.monotonic()
            try:
                text, found = part.run(bench)
            except (RuntimeError, OSError, subprocess.CalledProcessError, LookupError, ValueError, StopIteration, AttributeError) as error:
                text, found, failed = f"not measured: {error or type(error).__name__}", [], failed + 1
                budgets.append(f"| {part.title} | | not measured | | see below |")
            budgets += [budget.row() for budget in found]
            sections.append(f"## {part.title}\n\n`{part.name}`, {time.monotonic() - begun:.0f} s:\n\n{shown(text)}\n")
    form = "long" if options.long else "short"
    page = [
        "# Benchmarks", "",
        f"Made by `make benchmarks` ({form} form) on {began:%Y-%m-%d} on {machine()}; load {load:.1f} at the beginning, "
        f"{os.getloadavg()[0]:.1f} at the end. What each part does is described in its directory of `Benchmarks/`. Ratios near 1 "
        "say little in the short form: their intervals are below.", "",
        "| what | budget | measured | peer | |", "|---|--:|--:|---|---|", *budgets, "", *sections]
    with open(options.output, "w") as file:
        file.write("\n".join(page).rstrip() + "\n")
    print("\n".join(budgets))
    sys.exit(1 if failed else 0)


def shown(text):
    """Tables as they are, everything else as printed."""
    blocks, lines = [], []

    def close():
        if any(lines):
            while lines and not lines[0]:
                lines.pop(0)
            while lines and not lines[-1]:
                lines.pop()
            isTable = lines[0].startswith("|")
            blocks.append("\n".join(lines if isTable else [f"    {line}".rstrip() for line in lines]))
        lines.clear()

    for line in text.replace(ROOT + "/", "").replace(tempfile.gettempdir(), "/tmp").splitlines():
        if lines and line.startswith("|") != lines[-1].startswith("|"):
            close()
        lines.append(line)
    close()
    return "\n\n".join(blocks)


if __name__ == "__main__":
    main()

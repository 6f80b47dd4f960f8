#!/usr/bin/env python3
"""Tries every reader of outside files on damaged ones: run.py [--inputs N | --changing SECONDS] [READER...]

A reader that crashes, takes more than a second of CPU time for an input, or more than a gigabyte of memory has failed; the input is
kept, and the reader goes on with the next. With --changing a second process cuts, overwrites and replaces the file, also by
links, pipes and devices, while the reader reads it. The exit code is 1 when a reader has failed. See README.md.
"""
import argparse
import os
import pathlib
import resource
import subprocess
import sys
import tempfile
import time

import seeds as seed_files

MEMORY, PATIENCE, BATCH = 1 << 30, 10, 20_000
TOTAL = {"inputs": 0, "peak": 0}
# Those whose file others may write while it is read.
CHANGING = ["archive", "foreign:perf-script.txt", "foreign:heaptrack.txt", "foreign:memray.csv", "pySpy", "elf", "names",
            "debugInformation", "unwinding", "interpreter", "perfMap", "status", "trace", "facts", "profile", "runs",
            "record", "truth", "monitorLog", "rules", "ledger", "gate", "book", "result"]
CORPUS = pathlib.Path(__file__).with_name("corpus")
WRITER = pathlib.Path(__file__).with_name("writer.py")


def start(words, is_sanitized):
    """A process whose memory is bounded. The sanitizer reserves address space without end, and bounds what is resident itself."""
    def bound():
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if not is_sanitized:
            resource.setrlimit(resource.RLIMIT_AS, (4 * MEMORY, 4 * MEMORY))
            resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))

    environment = dict(
        os.environ, ASAN_OPTIONS=f"hard_rss_limit_mb={MEMORY >> 20}:detect_leaks=0:quarantine_size_mb=16",
        SWIFT_BACKTRACE="enable=yes,color=no,interactive=no,images=none,registers=none,threads=crashed,limit=16")
    return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace",
                            preexec_fn=bound, env=environment)


def computed(process):
    """The CPU time of a process in seconds, 0 where it has ended."""
    try:
        fields = pathlib.Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return 0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def attend(process, progress):
    """Waits for a reader; ends one that makes no progress though it computes, or for minutes. What it printed, and on standard
    error."""
    size, since, began = 0, time.monotonic(), 0
    while True:
        try:
            return process.communicate(timeout=1)
        except subprocess.TimeoutExpired:
            now = progress.stat().st_size if progress.exists() else 0
            if now != size:
                size, since, began = now, time.monotonic(), computed(process)
            # A machine that is busy with something else is no hang.
            elif computed(process) - began > PATIENCE or time.monotonic() - since > 30 * PATIENCE:
                process.kill()


def try_inputs(options, reader, first, count, progress, files):
    """Runs the reader on some inputs: what it said, or the number of the input it failed on, and why."""
    words = [options.program, reader.split(":")[0], str(first), str(count), progress, *map(str, files)]
    progress.unlink(missing_ok=True)
    process = start(words, options.sanitized)
    output, errors = attend(process, progress)
    if process.returncode == 0:
        accepted, slowest, number, peak = output.split()
        return (int(accepted), float(slowest), int(number), int(peak)), None
    last = int(progress.read_text().split()[-1]) if progress.exists() and progress.stat().st_size else None
    if last is None:
        sys.exit(f"{reader} did not start: {errors}")
    return None, (last, f"ended with {process.returncode}: {reason(errors)}")


def reason(errors):
    """The lines that say why a process ended."""
    words = ["ERROR: Add", "Fatal error", "SUMMARY", "limit", " in ", "Crash"]
    telling = [line.strip() for line in errors.splitlines() if any(word in line for word in words)]
    return " | ".join(telling)[:700] or errors.strip()[-300:]


def check(options, reader, files):
    """Refuses to try damaged copies of what is not read as it is."""
    words = [options.program, reader.split(":")[0], "0", "undamaged", "/dev/null", *map(str, files)]
    environment = dict(os.environ, FUZZ_EXPLAIN="1")
    said = subprocess.run(words, check=True, capture_output=True, text=True, env=environment).stdout
    if "refused\n" in said:
        sys.exit(f"The reader {reader} refuses an undamaged file:\n{said}")


def replay(options, reader):
    """Gives a reader the inputs that a reader has failed on before. The number of failures."""
    kept = sorted(CORPUS.glob(f"{reader.split(':')[0]}-*"))
    if not kept:
        return 0
    process = start([options.program, reader.split(":")[0], "0", "undamaged", "/dev/null", *map(str, kept)], options.sanitized)
    _, errors = process.communicate(timeout=60)
    if process.returncode:
        print(f"FAILED {reader} again, on one of its corpus: {reason(errors)}", flush=True)
    return int(process.returncode != 0)


def damage(options, reader, files, progress):
    """Tries the damaged copies of a reader's files. The number of failures."""
    began, accepted, worst, first, end, failures = time.monotonic(), 0, (0.0, 0), options.first, options.inputs, 0
    peak, until = 0, began + options.seconds if options.seconds else None
    while first < options.first + end and failures < 20 and (until is None or time.monotonic() < until):
        count = min(options.batch, options.first + end - first)
        said, failed = try_inputs(options, reader, first, count, progress, files)
        if said:
            accepted, worst, peak = accepted + said[0], max(worst, said[1:3]), max(peak, said[3])
            first += count
            TOTAL["inputs"] += count
            TOTAL["peak"] = max(TOTAL["peak"], peak)
        if failed or said[1] > 1:
            number, why = failed or (said[2], f"took {said[1]} s")
            failures += 1
            options.keep.mkdir(exist_ok=True)
            words = [options.program, reader.split(":")[0], str(number), "print", "/dev/null", *map(str, files)]
            kept = options.keep / f"{reader.replace(':', '-')}-{number}"
            kept.write_bytes(subprocess.run(words, check=True, capture_output=True).stdout)
            print(f"FAILED {kept} {why}", flush=True)
            if failed:
                first = number + 1
    print(f"{reader:32}{first - options.first:9} inputs {accepted:9} read  slowest {worst[0]:.3f} s of CPU (input {worst[1]})"
          f"  at most {peak >> 10} MiB  {time.monotonic() - began:.0f} s", flush=True)
    return failures


def change(options, reader, files, directory):
    """Lets a reader read a file that a second process changes. The number of failures."""
    place = directory / f"changing-{reader.replace(':', '-')}"
    place.mkdir()
    target, progress = place / ".pipeline_events.jsonl", directory / "at"
    began, reads, accepted, failures = time.monotonic(), 0, 0, 0
    with subprocess.Popen([sys.executable, WRITER, target, *map(str, files)]) as writer:
        while time.monotonic() - began < options.changing and failures < 5:
            progress.unlink(missing_ok=True)
            words = [options.program, reader.split(":")[0], "0", "500", progress, "--at", target]
            process = start(words, options.sanitized)
            output, errors = attend(process, progress)
            if process.returncode == 0:
                reads, accepted = reads + 500, accepted + int(output.split()[0])
                TOTAL["inputs"] += 500
                TOTAL["peak"] = max(TOTAL["peak"], int(output.split()[3]))
            else:
                failures += 1
                print(f"FAILED {reader} ended with {process.returncode}: {reason(errors)}", flush=True)
        writer.terminate()
    print(f"{reader:32}{reads:9} reads of a changing file, {accepted} of it whole", flush=True)
    return failures


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    root = pathlib.Path(__file__).resolve().parents[2]
    parser.add_argument("--inputs", type=int, default=20_000, help="inputs for each reader")
    parser.add_argument("--first", type=int, default=0, help="the first input's number: others are other inputs")
    parser.add_argument("--seconds", type=float, help="begin no further batch of a reader after so many seconds")
    parser.add_argument("--batch", type=int, default=BATCH, help="inputs for each process of a reader")
    parser.add_argument("--changing", type=float, help="seconds for each reader of a file that is changed meanwhile")
    parser.add_argument("--sanitized", action="store_true", help="the program was built with the address sanitizer")
    parser.add_argument("--tool", default=root / ".build/debug/freeze-profile", help="makes a run record to begin with")
    parser.add_argument("--program", default=root / ".build/release/fuzz")
    parser.add_argument("--keep", type=pathlib.Path, default=pathlib.Path("fuzz-failures"))
    parser.add_argument("readers", nargs="*")
    options = parser.parse_args()
    failures = 0
    # In memory: some readers write their input into a file.
    memory = pathlib.Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as name:
        directory = pathlib.Path(name)
        os.environ["TMPDIR"] = name
        files = seed_files.make(directory, options.program, options.tool)
        for reader in options.readers or (CHANGING if options.changing else files):
            if not files[reader]:
                print(f"{reader:32} has nothing to begin with", flush=True)
                continue
            check(options, reader, files[reader])
            if options.changing:
                failures += change(options, reader, files[reader], directory)
            else:
                failures += replay(options, reader)
                failures += damage(options, reader, files[reader], directory / "at")
    print(f"{TOTAL['inputs']} inputs, {failures} failed, at most {TOTAL['peak'] >> 10} MiB", flush=True)
    sys.exit(1 if failures else 0)


main()

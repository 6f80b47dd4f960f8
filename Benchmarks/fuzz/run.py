#!/usr/bin/env python3
"""Tries every reader of outside files on damaged ones: run.py [--inputs N] [--record FILE] [READER...]

A reader that crashes, takes more than a second of CPU time for an input, or more than a gigabyte of memory has failed; the input is
kept, and the reader goes on with the next. The exit code is 1 when one has failed. See README.md.
"""
import argparse
import gzip
import pathlib
import resource
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDED = """# comment
a;b;c 3
a;b 9007199254740990

a;;b 2.5
[x];0x1f 1\r
main;run (a.py:12);[truncated];\u00e9\U0001F600 4
"""
MAP = "7f0000001000 20 py::main:/srv/a b.py\n7f0000001010 40 again\n0x7f0000002000 0x10 LazyCompile:~x\n1000 ff w\n"
STATUS = (
    '{"pid": 12, "stage": "transcription", "started_at": 1.5, "stage_started_at": 2.25, "episode_idx": 1,'
    ' "episode_total": 3, "schema_version": 1, "active_stages": ["a"], "history": [{"stage": "a", "entered": 1}]}'
)
MEMORY, PATIENCE = 1 << 30, 10


def build(name, words, seeds):
    subprocess.run([*words, "-o", str(seeds / name)], check=True)
    return seeds / name


def make_seeds(directory, program, record):
    """Files of every kind, by reader; small ones, so that damage is likely to meet something that is read."""
    def text(name, content):
        (directory / name).write_bytes(content)
        return directory / name

    sources, frozen = ROOT / "Tests/Fixtures/native-symbols", ROOT / "data/profiles"
    plain = [str(sources / "work.c"), "-g", "-O2"]
    programs = [
        build("work", ["cc", *plain], directory),
        build("dwarf4", ["cc", *plain, "-gdwarf-4"], directory),
        build("packed", ["cc", *plain, "-gz"], directory),
        build("shapes", ["g++", str(sources / "shapes.cpp"), "-O2", "-g"], directory),
        build("stubs", ["cc", str(sources / "stubs.c"), "-O1", "-shared", "-fPIC"], directory),
    ]
    folded = text("stacks.folded", FOLDED.encode())
    words = [program, "archive", "0", "stacks", "/dev/null", str(folded)]
    packed = text("stacks.pb.gz", subprocess.run(words, check=True, capture_output=True).stdout)
    inflated = text("stacks.pb", gzip.decompress(packed.read_bytes()))
    profile, truth = next(frozen.glob("*.yaml")), next(frozen.glob("*.stage_truth.json"))
    fixture = ROOT / "Tests/Fixtures/frozen-profile.yaml"
    seeds = {
        # A reader each, so that damage is spread over each alone.
        **{f"foreign:{file.name}": [file] for file in sorted((ROOT / "Tests/Fixtures/formats").iterdir())},
        "folded": [folded], "pprof": [inflated], "archive": [packed, inflated, folded],
        "elf": programs, "names": programs, "debugInformation": programs,
        "perfMap": [text("perf.map", MAP.encode())],
        "profile": [profile, fixture], "truth": [truth], "yaml": [fixture, profile, truth],
        "status": [text("status.json", STATUS.encode())],
    }
    if record:
        seeds["record"] = [record]
    return seeds


def try_inputs(program, reader, first, count, progress, seeds):
    """Runs the reader on some inputs: what it said, or the number of the input it failed on, and why."""
    def bound():
        resource.setrlimit(resource.RLIMIT_AS, (4 * MEMORY, 4 * MEMORY))
        resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    words = [program, reader.split(":")[0], str(first), str(count), progress, *map(str, seeds)]
    progress.unlink(missing_ok=True)
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=bound)
    size, since = 0, time.monotonic()
    while True:
        try:
            output, errors = process.communicate(timeout=1)
            break
        except subprocess.TimeoutExpired:
            now = progress.stat().st_size if progress.exists() else 0
            if now != size:
                size, since = now, time.monotonic()
            elif time.monotonic() - since > PATIENCE:
                process.kill()
    if process.returncode == 0:
        accepted, slowest, number = output.split()
        return (int(accepted), float(slowest), int(number)), None
    last = int(progress.read_text().split()[-1]) if progress.exists() and progress.stat().st_size else None
    if last is None:
        sys.exit(f"{reader} did not start: {errors}")
    return None, (last, f"ended with {process.returncode}: {errors.strip()[-300:]}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=20_000, help="inputs for each reader")
    parser.add_argument("--record", type=pathlib.Path, help="a run record, for the reader of those")
    parser.add_argument("--program", default=ROOT / ".build/release/fuzz")
    parser.add_argument("--keep", type=pathlib.Path, default=pathlib.Path("fuzz-failures"))
    parser.add_argument("readers", nargs="*")
    options = parser.parse_args()
    failures = 0
    with tempfile.TemporaryDirectory() as name:
        directory = pathlib.Path(name)
        seeds = make_seeds(directory, options.program, options.record)
        for reader in options.readers or seeds:
            began, accepted, worst, first, end = time.monotonic(), 0, (0.0, 0), 0, options.inputs
            while first < end:
                count = min(2000, end - first)
                said, failed = try_inputs(options.program, reader, first, count, directory / "at", seeds[reader])
                if said:
                    accepted, worst = accepted + said[0], max(worst, said[1:])
                    first += count
                if failed or said[1] > 1:
                    number, why = failed or (said[2], f"took {said[1]} s")
                    failures += 1
                    options.keep.mkdir(exist_ok=True)
                    words = [options.program, reader.split(":")[0], str(number), "print", "/dev/null", *map(str, seeds[reader])]
                    kept = options.keep / f"{reader.replace(":", "-")}-{number}"
                    kept.write_bytes(subprocess.run(words, check=True, capture_output=True).stdout)
                    print(f"FAILED {kept} {why}", flush=True)
                    if failed:
                        first = number + 1
            print(f"{reader:32}{end:9} inputs {accepted:9} read  slowest {worst[0]:.3f} s of CPU (input {worst[1]})"
                  f"  {time.monotonic() - began:.0f} s", flush=True)
    sys.exit(1 if failures else 0)


main()

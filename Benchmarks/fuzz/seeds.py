"""Small files of every kind that the readers read, so that damage is likely to meet something that is read."""
import gzip
import pathlib
import shutil
import struct
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDED = """# comment
a;b;c 3
a;b 9007199254740990

a;;b 2.5
[x];0x1f 1\r
main;run (a.py:12);[truncated];\u00e9\U0001F600 4
"""
PY_SPY = (
    'process 12:"python3 a.py --x ";" 3";main (a.py:3);f (b.py:12) 7\nprocess 13:"x\ny" 2\n'
    "<module> (a.py:1);g (a.py:9) 1\n"
)
MAP = "7f0000001000 20 py::main:/srv/a b.py\n7f0000001010 40 again\n0x7f0000002000 0x10 LazyCompile:~x\n1000 ff w\n"
MAPS = (
    "55d0c0a00000-55d0c0a01000 r-xp 00001000 fd:01 1234   /usr/bin/a b (deleted)\n"
    "7f0000000000-7f0000002000 rw-p 00000000 00:00 0 \n7ffd00000000-7ffd00002000 r-xp 00000000 00:00 0  [vdso]\n"
)
STATUS = (
    '{"pid": 12, "stage": "transcription", "started_at": 1.5, "stage_started_at": 2.25, "episode_idx": 1,'
    ' "episode_total": 3, "schema_version": 1, "active_stages": ["a"], "history": [{"stage": "a", "entered": 1,'
    ' "wall_s": 1.5, "work_s": 2, "cpu_s": 0.5, "shared": true}]}'
)
TRACE = """{"event":"begin","stage":"a","episode":1,"episode_total":2,"tid":7,"pid":6,"monotonic_ns":100,"process_cpu_ns":5}
{"event":"enter","stage":"b","epoch_s":1700000000.5,"monotonic_ns":200}
{"event":"end","stage":"a","monotonic_ns":300,"marker":{"pid":9,"cpu_ns":100,"start_ns":5}}
{"event":"end","stage":"b","epoch_s":1700000001.5}
"""
FACTS = '{"version": "1.2", "build_mode": "release", "input_digest": "ab", "output_digest": "cd"}'
RULES = """thresholds:
  wall_time_s:
    max_delta_pct: 5.5
  peak_rss_mb: {max_delta_pct: 10}
stages:
  transcription:
    cpu_time_s:
      max_delta_pct: 3
  "a b": {}
"""
LEDGER = """schema_version: '1.1'
machine: {cpu_model: X, usable_cpus: "4", memory_class_gb: "8"}
workload:
  dataset_id: demo
  command: [a, "b c"]
total:
  wall_time_s: {session_sd_ln: 0.01, degrees_of_freedom: 5, sessions: 6, runs_per_session: 3, first_date: "2026-01-01", last_date: "2026-02-01", drift_sd_ln: 0.02, budget_pct: 3.5}
stages:
  transcription:
    cpu_time_s:
      session_sd_ln: 0.003
      degrees_of_freedom: 12
      sessions: 13
      runs_per_session: 5
      first_date: "2026-01-01"
      last_date: "2026-02-01"
"""
GATE = """schema_version: "1.0"
baseline_max_age_days: 90
ceilings:
- {stage: transcription, metric: wall_time_s, unit: s, maximum: 12.5}
- {metric: cpu_time_s, unit: s, maximum: 3}
accepted:
- metric: wall_time_s
  unit: s
  baseline: v1
  baseline_value: 10.5
  version: v2
  ceiling: 11.5
  until: "2026-12-31"
  reason: a new model
  owner: me
  link: https://example.org/1
"""
PATCH = """diff --git a/a.c b/a.c
index 1..2 100644
--- a/a.c
+++ b/a.c
@@ -1,2 +3,4 @@ int main(void)
-old(line)
+new->line(other);
diff --git "a/b \\303\\251.c" "b/b.c"
@@ -0,0 +1 @@
+x
"""
VTT = "WEBVTT\n\n1\n00:00:01.000 --> 00:00:02.500\n<v Anna>Hello there\n\n00:01:02.000 --> 00:01:03.000\nBye.\n"
TRANSCRIPT = '{"version": "1.0", "segments": [{"startTime": 0.5, "endTime": 2, "speaker": "A", "body": "Hello there."}]}'
CONFIGURATION = (
    "rss_urls: [http://a/feed]\noutput_dir: out\nmax_episodes: 3\nworkers: 2\nmax_media_mb: 100\nsince: 2026-01-02\n"
)
REQUEST = "GET /a%20b/c.mp3?x HTTP/1.1\r\nHost: 127.0.0.1:80\r\nRange: bytes=10-\r\nIf-None-Match: \"1\"\r\n\r\n"
REPORT = (
    '{"schema_version": %d, "name": "n", "target_pid": 12, "stages": [{"stage": "a", "entered": 1, "wall_s": 1.5,'
    ' "work_s": 1.5, "cpu_s": 1, "peak_rss_bytes": 4096, "peak_method": null, "avg_cpu_pct": 99.5, "shared": false,'
    ' "source": "event trace"}], "totals": {"wall_s": 2, "cpu_s": {"unavailable": "x"}, "peak_rss_bytes": 8192,'
    ' "avg_cpu_pct": 50}, "unattributed_s": 0.5, "ticks": 3, "log": {"path": "/l", "lines": 3, "bytes": 100},'
    ' "status_file": null, "exit": {"code": 0}, "highest_episode": 2, "last_stages": ["a"], "monitor_cpu_s": 0.01,'
    ' "monitor_peak_rss_bytes": 100, "notes": ["n"], "stage_notes": [], "dropped_transitions": 0,'
    ' "transitions": [{"stage": "a", "monotonic_ns": 5, "kind": "begin"}]}'
)


BOOK = (
    '{"schema": "freeze-profile.slurm-capture", "schema_version": "1.0", "request": "ab", "sessions": 2, "frozen": false, "jobs":'
    ' [{"name": "freeze-profile-ab-1", "round": 1, "node": null, "sessions": [1, 2], "number": 7}]}'
)
RESULT = "exit 0\nnode n1\njob 7_1\nstarted 1700000000\nended 1700000012\n"
QUEUE = "7|1|RUNNING|n1|1-02:03:04|freeze-profile-ab|None\n7|2|PENDING||0:00|freeze-profile-ab|Resources|x\n"
ACCOUNTING = "7_1|COMPLETED|n1\n7_2|CANCELLED by 0|None assigned\n7_[3-4]|PENDING|None assigned\n"


def counted():
    """What the emulator's plugin writes (docs/formats/count-table.md), in pieces."""
    table = b"FPCOUNT1" + struct.pack("<6IQ2I2Q2I", 1, 12, 0, 0, 0, 0, 1, 2, 1, 32, 90, 1, 0) + b"/bin/a\0"
    blocks = struct.pack("<QII", 0x401000, 1, 5) + struct.pack("<QII", 0x401020, 1, 7)
    maps = b"400000-402000 r-xp 00000000 fd:01 12 /bin/true\n7f0000000000-7f0000001000 r-xp 0 00:00 0 [vdso]\n"
    lane = struct.pack("<QII", 1, 12, 0) + struct.pack("<2I", 3, 4) + bytes(4 * 510) + struct.pack("<3Q", 9, 8, 7)
    log = bytes([12, 1, 0, 1, 5, 3, 2, 1, 9, 1, 8])
    status = b'{"stage": "a"}'
    notes = b"status 1 1 12 %d\n%s\n" % (len(status), status) + b"uncounted 1 1 12 11\n/bin/x\nwhy!\n"
    codes = b"1 3 1 4 1 1\na.pyf\n"
    page = struct.pack("<QII2I", 1, 12, 1, 0, 0) + struct.pack("<3Q", 1, 2, 3)
    lanes = 8192 + (16 << 20) + (1 << 24)
    pieces = [
        ("t", 0, table), ("t", 8192, blocks), ("t", lanes, maps), ("t", lanes + (1 << 20), lane),
        ("l", 0, struct.pack("<I", len(log)) + log), ("n", 0, notes), ("c", 0, codes),
        ("p", 0, struct.pack("<Q", 1)), ("p", 4096, page), ("s", 0, bytes(16)),
    ]
    return b"".join(b"%s %d %d\n" % (kind.encode(), offset, len(data)) + data for kind, offset, data in pieces)


def built(directory):
    """Small programs with symbols, lines and inlined calls in DWARF 4 and 5, compressed and not."""
    def build(name, words):
        subprocess.run([*words, "-o", str(directory / name)], check=True)
        return directory / name

    sources = ROOT / "Tests/Fixtures/native-symbols"
    plain = [str(sources / "work.c"), "-g", "-O2"]
    return [
        build("work", ["cc", *plain]),
        build("dwarf4", ["cc", *plain, "-gdwarf-4"]),
        build("packed", ["cc", *plain, "-gz"]),
        build("shapes", ["g++", str(sources / "shapes.cpp"), "-O2", "-g"]),
        build("stubs", ["cc", str(sources / "stubs.c"), "-O1", "-shared", "-fPIC"]),
        build("frames", ["cc", *plain, "-fno-asynchronous-unwind-tables"]),
    ]


def interpreters(directory):
    """A library that looks like an interpreter: its symbols are all that is looked at."""
    source = directory / "libpython3.11.c"
    source.write_text("char _PyRuntime[64], PyCode_Type[64]; int Py_Version = 0x030b07f0;\n"
                      "void _PyEval_EvalFrameDefault(void) {}\n")
    library = directory / "libpython3.11.so"
    subprocess.run(["cc", "-shared", "-o", str(library), str(source)], check=True)
    return [library]


def python_memory(directory, program):
    """What the reader of Python frames touched of each Python of this machine."""
    script = directory / "waits.py"
    script.write_text(
        "import time\nclass C:\n    def deep(self, n):\n        if n:\n            return self.deep(n - 1)\n"
        "        print('ready', flush=True)\n        time.sleep(20)\nexec('sorted([1], key=lambda x: C().deep(6))')\n")
    homes = sorted(pathlib.Path.home().glob(".pyenv/versions/3.*/bin/python3"))
    found = []
    for number, python in enumerate(["/usr/bin/python3", *map(str, homes)]):
        if not pathlib.Path(python).exists() or "/3.6." in python or "/3.7." in python:
            continue
        with subprocess.Popen([python, str(script)], stdout=subprocess.PIPE) as process:
            process.stdout.readline()
            time.sleep(0.05)
            words = [program, "python", str(process.pid), "memory", "/dev/null", "-"]
            memory = subprocess.run(words, capture_output=True)
            process.kill()
        if memory.returncode == 0:
            found.append(directory / f"python-{number}")
            found[-1].write_bytes(memory.stdout)
        else:
            print(f"no memory of {python}: {memory.stderr.decode(errors='replace').strip()[-200:]}")
    return found


def record(directory, tool):
    """A run record of a short run."""
    if not shutil.which(str(tool)):
        return []
    words = [str(tool), "capture", "--version", "v1", "--output", str(directory / "v1.yaml"), "--records",
             str(directory / "records"), "--skip-warmup", "--stack-runs", "0", "--canaries", "0", "--", "sleep", "0.1"]
    subprocess.run(words, check=True, capture_output=True)
    return sorted((directory / "records").rglob("*.json"))[:1]


def make(directory, program, tool):
    """Files of every kind, by reader."""
    def text(name, content):
        (directory / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        return directory / name

    frozen, fixture = ROOT / "data/profiles", ROOT / "Tests/Fixtures/frozen-profile.yaml"
    programs = built(directory)
    folded = text("stacks.folded", FOLDED)
    words = [program, "archive", "0", "stacks", "/dev/null", str(folded)]
    packed = text("stacks.pb.gz", subprocess.run(words, check=True, capture_output=True).stdout)
    inflated = text("stacks.pb", gzip.decompress(packed.read_bytes()))
    profile, truth = next(frozen.glob("*.yaml")), next(frozen.glob("*.stage_truth.json"))
    log = text("monitor.log", b"".join(next(frozen.glob("*.monitor.log")).read_bytes().splitlines(True)[:40]))
    report = (ROOT / "Sources/LiveMonitor/Wire/MonitorReport.swift").read_text()
    schema = int(report.split("schemaVersion = ")[1].split()[0])
    feed = (ROOT / "data/feeds/sense-and-sensibility/feed.xml").read_bytes()
    return {
        # A reader each, so that damage is spread over each alone.
        **{f"foreign:{file.name}": [file] for file in sorted((ROOT / "Tests/Fixtures/formats").iterdir())},
        "folded": [folded], "pprof": [inflated], "archive": [packed, inflated, folded],
        "pySpy": [text("py-spy", PY_SPY)],
        "elf": programs, "names": programs, "debugInformation": programs, "unwinding": programs,
        "interpreter": interpreters(directory), "python": python_memory(directory, program),
        "perfMap": [text("perf.map", MAP)], "maps": [text("maps", MAPS)],
        "runs": [text("runs.jsonl", subprocess.run([program, "runs", "0", "runs", "/dev/null", "-"], check=True,
                                                   capture_output=True).stdout)],
        "book": [text("jobs.json", BOOK)], "result": [text("result", RESULT)],
        "queue": [text("queue", QUEUE)], "accounting": [text("accounting", ACCOUNTING)],
        "profile": [profile, fixture], "record": record(directory, tool), "truth": [truth], "monitorLog": [log],
        "rules": [text("rules.yaml", RULES)], "ledger": [text("ledger.yaml", LEDGER)],
        "gate": [text("gate.yaml", GATE)], "yaml": [fixture, profile, truth], "patch": [text("patch", PATCH)],
        "status": [text("status.json", STATUS)], "trace": [text("trace", TRACE)], "facts": [text("facts", FACTS)],
        "report": [text("report.json", REPORT % schema)], "counts": [text("counts", counted())],
        "feed": [text("feed.xml", feed)], "transcript": [text("a.vtt", VTT), text("a.json", TRANSCRIPT)],
        "configuration": [text("configuration.yaml", CONFIGURATION)], "request": [text("request", REQUEST)],
    }

"""A pipeline that knows nothing of this project but the six plain fields of the status file.

Usage: plain_stages.py STATUS_FILE STAGE:WORK=AMOUNT...   with the works sleep (ms), spin (CPU ms), allocate (MiB),
child (CPU ms in a child), flip (so many transitions of 2 ms each), exit (code), die (signal).
The moments and CPU times it measured itself go to STATUS_FILE.oracle as JSON lines.
"""
import json
import os
import subprocess
import sys
import time

status_file, plan = sys.argv[1], sys.argv[2:]
os.makedirs(os.path.dirname(status_file), exist_ok=True)
started_at = time.time()


def tell(stage, index):
    temporary = status_file + ".tmp"
    with open(temporary, "w") as file:
        json.dump({"pid": os.getpid(), "stage": stage, "episode_idx": index, "episode_total": len(plan),
                   "started_at": started_at, "stage_started_at": time.time()}, file)
    os.replace(temporary, status_file)


def spin(milliseconds):
    end = time.process_time() + milliseconds / 1000
    while time.process_time() < end:
        pass


def work(kind, amount):
    if kind == "sleep":
        time.sleep(amount / 1000)
    elif kind == "spin":
        spin(amount)
    elif kind == "allocate":
        memory = bytearray(amount << 20)
        time.sleep(0.1)
        del memory
    elif kind == "child":
        code = f"import time\nwhile time.process_time() < {amount / 1000}: pass"
        subprocess.run([sys.executable, "-S", "-c", code], check=True)
    elif kind == "exit":
        sys.exit(amount)
    elif kind == "die":
        os.kill(os.getpid(), amount)


with open(status_file + ".oracle", "a") as oracle:
    for index, step in enumerate(plan, 1):
        stage, rest = step.split(":")
        kind, amount = rest.split("=")
        if kind == "flip":
            for count in range(int(amount)):
                tell(f"{stage}{count % 2}", index)
                time.sleep(0.002)
            continue
        tell(stage, index)
        wall, cpu, children = time.monotonic(), time.process_time(), os.times()
        work(kind, int(amount))
        after = os.times()
        waited = after.children_user + after.children_system - children.children_user - children.children_system
        json.dump({"stage": stage, "wall_s": time.monotonic() - wall,
                   "cpu_s": time.process_time() - cpu + waited}, oracle)
        oracle.write("\n")
        oracle.flush()
tell("done", len(plan))

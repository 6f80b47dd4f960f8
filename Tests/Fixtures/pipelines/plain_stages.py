"""A pipeline that knows nothing of this project but the six plain fields of the status file.

Usage: plain_stages.py STATUS_FILE STAGE:WORK=AMOUNT...   with the works sleep (ms), spin (CPU ms), allocate (MiB),
child (CPU ms in a child), kids (so many children of 5 CPU ms each), write (MiB to a file), threads (so many threads
that nap 20 times), flip (so many transitions of 2 ms each), exit (code), die (signal).
The moments and CPU times it measured itself go to STATUS_FILE.oracle as JSON lines.
"""
import json
import os
import resource
import subprocess
import sys
import threading
import time

status_file, plan = sys.argv[1], sys.argv[2:]
os.makedirs(os.path.dirname(status_file), exist_ok=True)
started_at = time.time()


def tell(stage, index):
    """Writes the status file; returns the moment that it reports, by CLOCK_MONOTONIC."""
    moment, now = time.monotonic(), time.time()
    temporary = status_file + ".tmp"
    with open(temporary, "w") as file:
        json.dump({"pid": os.getpid(), "stage": stage, "episode_idx": index, "episode_total": len(plan),
                   "started_at": started_at, "stage_started_at": now}, file)
    os.replace(temporary, status_file)
    return moment


def spin(milliseconds):
    end = time.process_time() + milliseconds / 1000
    while time.process_time() < end:
        pass


def usage():
    """CPU seconds of children that were waited for, and blocks written and context switches with theirs."""
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return [children.ru_utime + children.ru_stime, own.ru_oublock + children.ru_oublock,
            own.ru_nvcsw + own.ru_nivcsw + children.ru_nvcsw + children.ru_nivcsw]


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
    elif kind == "kids":
        for _ in range(amount):
            pid = os.fork()
            if pid == 0:
                spin(5)
                os._exit(0)
            os.waitpid(pid, 0)
    elif kind == "write":
        with open(status_file + ".data", "wb", buffering=0) as file:
            for _ in range(amount):
                file.write(b"x" * (1 << 20))
    elif kind == "threads":
        def nap():
            for _ in range(20):
                time.sleep(0.005)
        napping = [threading.Thread(target=nap) for _ in range(amount)]
        for thread in napping:
            thread.start()
        for thread in napping:
            thread.join()
    elif kind == "exit":
        sys.exit(amount)
    elif kind == "die":
        os.kill(os.getpid(), amount)


def first_number(path, key):
    with open(path) as file:
        return next(int(line.split()[1]) for line in file if line.startswith(key))


def run_queue_wait():
    with open("/proc/self/schedstat") as file:
        return int(file.read().split()[1]) / 1e9


moments = []
with open(status_file + ".oracle", "a") as oracle:
    for index, step in enumerate(plan, 1):
        stage, rest = step.split(":")
        kind, amount = rest.split("=")
        if kind == "flip":
            for count in range(int(amount)):
                tell(f"{stage}{count % 2}", index)
                time.sleep(0.002)
            continue
        moments.append((stage, tell(stage, index)))
        resident, waited = first_number("/proc/self/smaps_rollup", "Rss:"), run_queue_wait()
        wall, cpu, before = time.monotonic(), time.process_time(), usage()
        work(kind, int(amount))
        used = [after - earlier for after, earlier in zip(usage(), before)]
        json.dump({"stage": stage, "wall_s": time.monotonic() - wall, "cpu_s": time.process_time() - cpu + used[0],
                   "written_bytes": used[1] * 512, "switches": used[2], "resident_bytes": resident * 1024,
                   "wait_s": run_queue_wait() - waited}, oracle)
        oracle.write("\n")
        oracle.flush()
moments.append(("done", tell("done", len(plan))))
with open(status_file + ".moments", "w") as file:
    for (stage, moment), (_, after) in zip(moments, moments[1:]):
        file.write(json.dumps({"stage": stage, "wall_s": after - moment}) + "\n")

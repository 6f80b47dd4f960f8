"""Sets monitors on the same trees of processes, each in a terminal of its own, and prints what they use."""

import os
import pty
import subprocess
import sys
import tempfile
import threading
import time

TREE = """
import os, sys, time
for _ in range(int(sys.argv[1]) - 1):
    if os.fork() == 0:
        time.sleep(3600)
        os._exit(0)
print("ready", flush=True)
time.sleep(3600)
"""


def usage(pid):
    """CPU seconds and resident MiB."""
    with open("/proc/%d/schedstat" % pid) as file:
        cpu = int(file.read().split()[0]) / 1e9
    with open("/proc/%d/status" % pid) as file:
        memory = next(int(line.split()[1]) for line in file if line.startswith("VmRSS"))
    return cpu, memory / 1024


def in_terminal(command):
    """A command in a terminal of its own, whose output is read and dropped."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ["TERM"] = "xterm"
        os.environ.pop("CI", None)
        os.execv(command[0], command)

    def drain():
        try:
            while os.read(terminal, 65536):
                pass
        except OSError:
            pass

    threading.Thread(target=drain, daemon=True).start()
    return pid


def child_of(pid):
    with open("/proc/%d/task/%d/children" % (pid, pid)) as file:
        return int(file.read().split()[0])


def measure(name, command, count, seconds, is_child):
    leader = in_terminal(command)
    time.sleep(3)
    observer = child_of(leader) if is_child else leader
    before, started = usage(observer)[0], time.monotonic()
    time.sleep(seconds)
    after, memory = usage(observer)
    share = 100 * (after - before) / (time.monotonic() - started)
    print("%-22s %9d %9.1f %9.2f" % (name, count, memory, share), flush=True)
    os.kill(leader, 15)
    os.waitpid(leader, 0)


tool, seconds = os.path.abspath(sys.argv[1]), float(sys.argv[2])
peer = os.path.join(os.path.dirname(os.path.abspath(__file__)), "peer.py")
print("%-22s %9s %9s %9s" % ("monitor at 2 Hz", "processes", "RSS MiB", "CPU %"))
for count in (1, 100, 1000):
    with tempfile.TemporaryDirectory() as directory:
        tree = subprocess.Popen(
            [sys.executable, "-c", TREE, str(count)], stdout=subprocess.PIPE, start_new_session=True)
        tree.stdout.readline()
        ours = [tool, "monitor", "--pid", str(tree.pid), "--output-dir", directory]
        measure("freeze-profile", ours, count, seconds, True)
        measure("psutil and rich", [sys.executable, peer, str(tree.pid)], count, seconds, False)
        os.killpg(tree.pid, 9)
        tree.wait()

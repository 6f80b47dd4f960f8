"""One run of the fault matrix: a command, its terminal, its fault, and what is checked afterwards."""
import glob
import os
import shutil
import signal
import subprocess
import time

from checks import Checks
from started import Started

# Ends with a proof that is there whole or not at all. What it says of its stages may fail: its disk may be full.
PIPELINE = """
: > 'PLACE/started'
for i in 1 2 3 4 5 6; do
    echo line $i
    { printf '{"stage":"s%s","pid":%s}' $i $$ > "$PIPELINE_STATUS_FILE.part" && mv "$PIPELINE_STATUS_FILE.part" "$PIPELINE_STATUS_FILE"; } 2>/dev/null
    sleep 0.1
done
echo whole > 'PLACE/proof.part'; mv 'PLACE/proof.part' 'PLACE/proof'
"""
PYTHON = """
import os, time
open('PLACE/started', 'w').close()
end = time.monotonic() + 0.8
def work(n):
    return sum(i * i for i in range(n))
while time.monotonic() < end: work(10000)
open('PLACE/proof.part', 'w').write('whole\\n'); os.rename('PLACE/proof.part', 'PLACE/proof')
"""
SIGNALS = {"KILL": signal.SIGKILL, "STOP+CONT": signal.SIGSTOP, "HUP": signal.SIGHUP, "TERM": signal.SIGTERM}
# Seconds after which a command hangs: the make target's script runs the whole podcast pipeline.
WAIT, WAIT_OF_SCRIPT = 60, 600


class Outcome:
    def __init__(self, hit, wrong):
        self.hit, self.wrong = hit, wrong


class Run(Checks):
    def __init__(self, machine, cell, dice):
        self.machine, self.dice = machine, dice
        self.operation, self.part, self.fault, self.terminal = cell
        self.place = os.path.realpath(f"{machine.base}/{dice.getrandbits(48):012x}")
        self.disk = f"{self.place}/disk"
        self.profiles = f"{self.disk}/profiles"
        self.isShort = self.operation in ("freeze", "promote", "archive")
        self.mounted = False
        # With no shell above it the kernel's hangup goes to the tool alone, and the pipeline has to finish.
        self.leads = self.fault == "terminal gone" and dice.random() < 0.5
        self.wrong = []

    # MARK: The run

    def perform(self):
        os.makedirs(f"{self.place}/tmp")
        os.mkdir(self.disk)
        try:
            if self.fault in ("full disk", "read-only"):
                subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "faults", self.disk], check=True)
                self.mounted = True
            if self.isShort:
                shutil.copytree(f"{self.machine.template}/profiles", self.profiles)
            else:
                os.mkdir(self.profiles)
            self.before = self._digests()
            hit = self._with_fault()
            self._wait_for_silence()
            self._check()
            return Outcome(hit, self.wrong)
        finally:
            if self.mounted:
                subprocess.run(["mount", "-o", "remount,rw", self.disk], capture_output=True)
                subprocess.run(["umount", "-l", self.disk], capture_output=True)
            shutil.rmtree(self.place, ignore_errors=True)

    def command(self):
        tool, profiles = self.machine.tool, self.profiles
        shell = ["sh", "-c", PIPELINE.replace("PLACE", self.place)]
        return {
            "monitor": [tool, "monitor", "--output-dir", f"{self.disk}/out", "--"] + shell,
            "capture": [tool, "capture", "--version", "v1", "--output", f"{profiles}/v1.yaml", "--canaries", "0", "--skip-warmup",
                        "--sampler", "native", "--runs", "1", "--stack-runs", "1", "--"] + shell,
            "sample": [tool, "sample", "--format", "folded", "-o", f"{self.disk}/out.folded", "--"] + shell,
            "sample python": [tool, "sample", "--format", "folded", "-o", f"{self.disk}/out.folded", "--", "python3", "-c",
                              PYTHON.replace("PLACE", self.place)],
            "freeze": [tool, "freeze", "--version", "v3", "-o", f"{profiles}/v3.yaml"]
            + sorted(glob.glob(f"{profiles}/.records/v1/s1/*.json")),
            "promote": [tool, "promote", "v1", "ref1", "--reason", "x", "--profiles", profiles],
            "archive": [tool, "archive", "v1", "--profiles", profiles],
            "profile-freeze": [f"{self.machine.repository}/scripts/profile-freeze"],
        }[self.operation]

    def environment(self):
        extra = {"TMPDIR": f"{self.place}/tmp", "TERM": "xterm"}
        extra.update(PIPELINE_STATUS_FILE=f"{self.place}/status") if self.operation.startswith("sample") else None
        if self.operation == "profile-freeze":
            extra.update(FREEZE_PROFILE_BIN=os.path.dirname(self.machine.tool), VERSION="v1", OUTPUT=f"{self.profiles}/v1.yaml",
                         RUNS="1", STACK_RUNS="0", COUNT_RUNS="0", SKIP_WARMUP="1")
        if self.fault == "clock set":
            with open(f"{self.place}/clock", "w") as file:
                file.write("+0\n")
            extra.update(LD_PRELOAD=self.machine.library, FAULTS_CLOCK=f"{self.place}/clock")
        # CI decides whether a panel is drawn.
        return {key: value for key, value in os.environ.items() if key != "CI"} | extra

    def _with_fault(self):
        command = self.command()
        if self.fault == "descriptors closed":
            closed = self.dice.sample(["<&-", ">&-", "2>&-"], self.dice.randint(1, 3))
            command = ["sh", "-c", 'exec "$0" "$@" ' + " ".join(closed)] + command
        longest = 0.25 if self.isShort else 6 if self.operation == "profile-freeze" else 1.1 if self.operation == "capture" else 0.7
        moment = self.dice.uniform(0, longest)
        early = self.dice.random() < 0.3
        if early and self.fault in ("full disk", "read-only", "clock set"):
            self._strike()
        begun = time.monotonic()
        started = Started(command, self)
        self.started = started
        time.sleep(moment)
        hit = True
        if not (early and self.fault in ("full disk", "read-only", "clock set")) and self.fault != "descriptors closed":
            hit = self._strike()
        self.code = started.wait(WAIT_OF_SCRIPT if self.operation == "profile-freeze" else WAIT)
        self.elapsed = time.monotonic() - begun
        if self.code is None:
            self.wrong.append("the tool hangs")
        return hit

    def _strike(self):
        """Makes the fault happen; False if what it was for has ended already."""
        if self.fault == "full disk":
            with open(f"{self.disk}/fill", "wb", buffering=0) as file:
                try:
                    while file.write(b"x" * 65536):
                        pass
                except OSError:
                    pass
        elif self.fault == "read-only":
            return subprocess.run(["mount", "-o", "remount,ro", self.disk], capture_output=True).returncode == 0
        elif self.fault == "clock set":
            step = self.dice.choice([-1, 1]) * self.dice.choice([30, 3600, 86400 * 400])
            with open(f"{self.place}/clock.new", "w") as file:
                file.write(f"{step:+d}\n")
            os.rename(f"{self.place}/clock.new", f"{self.place}/clock")
        elif self.fault == "terminal gone":
            self.started.close_terminal()
        else:
            hit = self.processes().get(self.part, [])[:1]
            for pid in hit:
                try:
                    os.kill(pid, SIGNALS[self.fault])
                    if self.fault == "STOP+CONT":
                        time.sleep(0.3)
                        os.kill(pid, signal.SIGCONT)
                except ProcessLookupError:
                    return False
            return bool(hit)
        return True

    # MARK: Processes

    def processes(self):
        """Living processes of the run, by their part: those that work in its directory or have its TMPDIR."""
        mark = f"TMPDIR={self.place}/tmp".encode()
        found = {}
        for name in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{name}/environ", "rb") as file:
                    environment = file.read().split(b"\0")
                if mark not in environment and os.readlink(f"/proc/{name}/cwd") != self.place:
                    continue
                with open(f"/proc/{name}/cmdline", "rb") as file:
                    words = file.read().split(b"\0")
                with open(f"/proc/{name}/stat", "rb") as file:
                    state = file.read().rsplit(b")", 1)[1].split()[0]
            except OSError:
                continue
            if state == b"Z" or int(name) == os.getpid() or words[0].endswith(b"tmux"):
                continue
            found.setdefault(self._part(words), []).append(int(name))
        return found

    def _part(self, words):
        text = b" ".join(words)
        if b"freeze-profile-guardian" in text:
            return "guardian"
        if b"monitor-child" in text:
            return "monitor child"
        if words[0].endswith(b"py-spy") or b"/py-spy" in text.split(b" -- ")[0]:
            return "py-spy"
        if words[0] == self.machine.tool.encode():
            return "tool"
        return "script" if b"scripts/profile-freeze" in text else "pipeline"

    def _wait_for_silence(self):
        deadline = time.time() + 15
        while self.processes() and time.time() < deadline:
            time.sleep(0.05)
        for part, pids in self.processes().items():
            self.wrong.append(f"left behind: {part}")
            for pid in pids:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass

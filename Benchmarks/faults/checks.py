"""What has to hold after a run with a fault."""
import glob
import hashlib
import json
import os
import subprocess

SIGNALS = ("KILL", "STOP+CONT", "HUP", "TERM")


class Checks:
    """Mixed into a run, which has its place, its command and its exit code."""

    def _digests(self):
        found = {}
        for path, _, names in os.walk(self.disk):
            for name in names:
                with open(f"{path}/{name}", "rb") as file:
                    found[os.path.relpath(f"{path}/{name}", self.disk)] = hashlib.sha256(file.read()).hexdigest()
        return found

    def _check(self):
        asked = self.part == "tool" and self.fault in ("TERM", "HUP")
        isGone = self.fault == "terminal gone"
        # A fault before its first line leaves a pipeline that was never started.
        isStarted = os.path.exists(f"{self.place}/started")
        if self.operation in ("monitor", "sample", "sample python") and not asked and isStarted:
            # The kernel sends the hangup of a terminal to the whole foreground, as it would without the tool.
            isHungUp = isGone and not (self.operation == "monitor" and self.leads)
            if not os.path.exists(f"{self.place}/proof") and not isHungUp:
                self.wrong.append("the pipeline did not finish")
        if isGone and self.operation == "monitor" and isStarted:
            log = f"{self.disk}/out/.monitor.log"
            if not os.path.exists(log) or b"pipeline_exited=" not in open(log, "rb").read():
                self.wrong.append("the account of the run was lost with the terminal")
        for name in glob.glob(f"{self.profiles}/*.yaml") + glob.glob(f"{self.profiles}/*/*.yaml"):
            self._verify(name)
        for name in glob.glob(f"{self.profiles}/.records/*/*/*.json"):
            try:
                with open(name) as file:
                    json.load(file)
            except ValueError:
                self.wrong.append(f"the record {os.path.basename(name)} is cut off")
        self._check_code()
        {"capture": self._check_capture, "profile-freeze": self._check_capture, "sample": self._check_sample,
         "sample python": self._check_sample, "freeze": self._check_freeze, "promote": self._check_promote,
         "archive": self._check_archive}.get(self.operation, lambda: None)()

    def _verify(self, path):
        verified = self._tool("verify", path)
        if verified.returncode:
            said = (verified.stdout + verified.stderr).decode(errors="replace")
            self.wrong.append(f"{os.path.basename(path)} does not verify: {said[:900]}")

    def _check_code(self):
        wrote = {"capture": "v1.yaml", "profile-freeze": "v1.yaml", "freeze": "v3.yaml", "promote": "references/ref1.yaml",
                 "archive": "archive/v1.yaml"}.get(self.operation)
        if self.code == 0 and wrote and not os.path.exists(f"{self.profiles}/{wrote}"):
            self.wrong.append("exit code 0 without a profile")
        if self.fault in ("full disk", "read-only"):
            # 0 if it was over before; the pipeline's own code under monitor.
            allowed = (0,) if self.operation == "monitor" and os.path.exists(f"{self.place}/started") else (0, 73)
            if self.code not in allowed:
                self.wrong.append(f"exit code {self.code} on a disk that is {self.fault}: {self.started.output()[-300:]}")
        if self.fault == "clock set" and self.code != 0:
            self.wrong.append(f"exit code {self.code} when the clock was set: {self.started.output()[-300:]}")
        if self.operation == "monitor" and self.code == 0 and not os.path.exists(f"{self.place}/proof"):
            self.wrong.append("exit code 0 without the pipeline's end")
        if self.fault == "descriptors closed" and self.code not in (0, 73):
            self.wrong.append(f"exit code {self.code} with closed descriptors")
        if self.part in ("monitor child", "py-spy") and self.operation != "capture" and self.code != 0:
            self.wrong.append(f"exit code {self.code} although only the {self.part} had a fault")

    def _check_capture(self):
        path = f"{self.profiles}/v1.yaml"
        if self.fault == "descriptors closed" and not os.path.exists(path):
            self.wrong.append("no profile with closed descriptors")
        if self.fault == "clock set" and os.path.exists(path):
            wall = next(float(line.split()[1]) for line in open(path).read().split("\ntotals:")[1].split("\n") if "wall_time_s:" in line)
            # By a clock that is not set: no run of the command took longer than the command.
            if not 0.5 <= wall <= self.elapsed:
                self.wrong.append(f"{wall} s of wall time in {self.elapsed:.1f} s when the clock was set")
        if self.fault not in SIGNALS or self.operation == "profile-freeze":
            return
        kept = {name: digest for name, digest in self._digests().items() if name.endswith(".json") and "/.records/" in f"/{name}"}
        finished = {name: digest for name, digest in kept.items() if self._finished(name)}
        if os.path.exists(path):
            return
        # A session of its own, as the first had: what was set in a session for the command is part of its recipe.
        again = subprocess.run(self.command(), cwd=self.place, env=self.environment(), capture_output=True, start_new_session=True,
                               stdin=subprocess.DEVNULL, timeout=120)
        if again.returncode:
            self.wrong.append(f"the same command again ends with {again.returncode}: {again.stderr.decode(errors='replace')[-300:]}")
        self._verify(path)
        after = self._digests()
        for name, digest in finished.items():
            if after.get(name) != digest:
                self.wrong.append(f"the finished run {os.path.basename(name)} was lost")

    def _finished(self, name):
        with open(f"{self.disk}/{name}") as file:
            record = json.load(file)
        return "failed" not in record and "interrupted" not in record

    def _check_sample(self):
        path = f"{self.disk}/out.folded"
        extra = set(os.listdir(self.disk)) - {"out.folded", "profiles", "fill", "out"}
        if extra and self.fault != "KILL":
            self.wrong.append(f"left on disk: {sorted(extra)}")
        if os.path.exists(path):
            with open(path, "rb") as file:
                text = file.read()
            if text and not text.endswith(b"\n"):
                self.wrong.append("half a file of stacks")
        elif self.code == 0:
            self.wrong.append("exit code 0 without stacks")

    def _unchanged(self, left_out=()):
        """Whether the profiles that were there before are."""
        now = self._digests()
        for name, digest in self.before.items():
            if now.get(name) != digest and not any(word in name for word in left_out):
                self.wrong.append(f"{name} has changed")

    def _again(self, done):
        """The same command again succeeds, or says that all is done; nothing of the first is left."""
        if self.fault not in SIGNALS or os.path.exists(f"{self.profiles}/{done}"):
            pass
        else:
            again = subprocess.run(self.command(), cwd=self.place, env=self.environment(), capture_output=True, start_new_session=True,
                                   stdin=subprocess.DEVNULL, timeout=120)
            # What was written whole is finished by the next command, which then finds it done.
            isFinished = again.returncode == 0 or (again.returncode == 73 and os.path.exists(f"{self.profiles}/{done}"))
            if not isFinished or self._tool("verify", f"{self.profiles}/{done}").returncode:
                self.wrong.append(f"the same command again ends with {again.returncode}: {again.stderr.decode(errors='replace')[-300:]}")
            for path, _, names in os.walk(self.profiles):
                for name in names:
                    if "staging" in path or name.endswith(".tmp"):
                        self.wrong.append(f"left on disk: {path}/{name}")

    def _check_freeze(self):
        self._unchanged()
        self._again("v3.yaml")

    def _check_promote(self):
        self._unchanged()
        self._again("references/ref1.yaml")

    def _check_archive(self):
        self._unchanged(left_out=("profiles/v1.",))
        places = [f"{self.profiles}/v1.yaml", f"{self.profiles}/archive/v1.yaml"]
        if not any(os.path.exists(place) and self._tool("verify", place).returncode == 0 for place in places):
            self.wrong.append("v1 is whole in no place")
        self._again("archive/v1.yaml")

    def _tool(self, *words):
        return subprocess.run([self.machine.tool, *words], capture_output=True, stdin=subprocess.DEVNULL, timeout=120)

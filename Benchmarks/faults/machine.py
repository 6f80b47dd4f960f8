"""What this machine allows, and what all runs of the fault matrix start from."""
import glob
import os
import shutil
import subprocess


class Machine:
    """What this machine allows, and what all runs start from."""

    def __init__(self, tool, base, options):
        self.tool, self.base, self.options = tool, base, options
        self.repository = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
        self.library = self._clock()
        self.mounts = self._can_mount()
        self.template = self._template()

    def reason_against(self, cell):
        """Why a kind of run cannot be made here; None if it can."""
        operation, part, fault, terminal = cell
        if terminal == "tmux" and not shutil.which("tmux"):
            return "tmux is not installed"
        if fault in ("full disk", "read-only") and not self.mounts:
            return "a disk of its own needs root"
        if fault == "clock set" and not self.library:
            return "there is no C compiler to make a clock that can be set"
        if operation == "sample python" and not shutil.which("py-spy"):
            return "py-spy is not on PATH"
        if operation == "profile-freeze":
            beside = os.path.dirname(self.tool)
            if self.options.no_profile_freeze:
                return "the make target's script was not asked for"
            if not all(os.access(f"{beside}/{name}", os.X_OK) for name in ("podcast-scraper", "loopback-feed")):
                return "podcast-scraper and loopback-feed are not beside the tool"
            if terminal != "none" or fault in ("descriptors closed", "full disk", "read-only"):
                return "the make target's script is run without a terminal, on a plain disk"
        if operation in ("freeze", "promote", "archive") and terminal in ("pty", "tmux"):
            return "commands that run nothing have no use for a terminal"
        return None

    def _clock(self):
        """The library that sets the clock of one run; None where it cannot be made."""
        library = f"{self.base}/clock.so"
        source = f"{os.path.dirname(os.path.abspath(__file__))}/clock.c"
        if not shutil.which("cc"):
            return None
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"], check=True)
        return library

    def _can_mount(self):
        if os.geteuid() != 0:
            return False
        place = f"{self.base}/mount"
        os.mkdir(place)
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "faults", place], capture_output=True).returncode:
            return False
        subprocess.run(["umount", place])
        return True

    def _template(self):
        """Two versions and their records, from which freeze, promote and archive start."""
        place = f"{self.base}/template"
        os.makedirs(f"{place}/profiles")
        for version in ("v1", "v2"):
            # --dataset-id, for a reference has to have one.
            made = subprocess.run(
                [self.tool, "capture", "--version", version, "--output", f"profiles/{version}.yaml", "--canaries", "0", "--skip-warmup",
                 "--stack-runs", "0", "--sampler", "none", "--dataset-id", "faults", "--", "sh", "-c",
                 'printf \'{"stage":"a"}\' > "$PIPELINE_STATUS_FILE"; sleep 0.2'],
                cwd=place, capture_output=True, stdin=subprocess.DEVNULL, timeout=120)
            if made.returncode:
                raise SystemExit(f"The template cannot be made: {made.stderr.decode(errors='replace')}")
        return place

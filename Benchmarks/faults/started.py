"""A command at work in a terminal of one kind."""
import fcntl
import os
import pty
import subprocess
import termios
import threading
import time

# The leader of a terminal's session: a killed command does not take its terminal along, as in an interactive shell.
SHELL = """
"$@"; code=$?
i=0
while [ $code -gt 128 ] && [ ! -e proof ] && [ $i -lt 30 ]; do sleep 0.1; i=$((i + 1)); done
echo $code > code.part; mv code.part code
exit $code
"""


class Started:
    """A command at work, with its terminal."""

    def __init__(self, command, run):
        self.run, self.master, self.child, self.socket = run, None, None, None
        self.log = f"{run.place}/log"
        environment = run.environment()
        common = dict(cwd=run.place, env=environment)
        if run.terminal in ("pty", "tmux") and not run.leads:
            with open(f"{run.place}/shell.sh", "w") as file:
                file.write(SHELL)
            command = ["sh", "./shell.sh"] + command
        if run.terminal == "tmux":
            self.socket = f"faults-{os.getpid()}-{os.path.basename(run.place)}"
            subprocess.run(["tmux", "-L", self.socket, "-f", "/dev/null", "new-session", "-d", "-s", "f", "-x", "90", "-y", "24"] + command,
                           capture_output=True, timeout=30, **common)
        elif run.terminal == "pty":
            self.master, slave = pty.openpty()

            def session():
                os.setsid()
                fcntl.ioctl(0, termios.TIOCSCTTY, 0)

            self.child = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, preexec_fn=session, **common)
            os.close(slave)
            threading.Thread(target=self._drain, daemon=True).start()
        elif run.terminal == "pipe":
            self.child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                          start_new_session=True, **common)
            threading.Thread(target=lambda: self.child.stdout.read(), daemon=True).start()
        else:
            with open(self.log, "wb") as log:
                self.child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, **common)

    def output(self):
        try:
            with open(self.log, errors="replace") as file:
                return file.read()
        except OSError:
            return ""

    def _drain(self):
        while True:
            try:
                if not os.read(self.master, 1 << 16):
                    return
            except OSError:
                return

    def close_terminal(self):
        if self.socket:
            subprocess.run(["tmux", "-L", self.socket, "kill-session", "-t", "f"], capture_output=True, timeout=30)
        else:
            # Revokes the terminal as its emulator's end does. The reader's own descriptor has to go for that.
            os.close(self.master)
            self.master = -1

    def wait(self, seconds):
        """The exit code; None if it did not end in time, -1 where no process was left to report it."""
        if self.child:
            try:
                code = self.child.wait(seconds)
            except subprocess.TimeoutExpired:
                self.child.kill()
                self.child.wait()
                code = None
            if self.master is not None and self.master >= 0:
                os.close(self.master)
            return code
        deadline = time.time() + seconds
        code = None
        while time.time() < deadline:
            if os.path.exists(f"{self.run.place}/code"):
                with open(f"{self.run.place}/code") as file:
                    code = int(file.read())
                break
            if self.run.fault == "terminal gone" and not self.run.processes():
                code = -1
                break
            time.sleep(0.05)
        subprocess.run(["tmux", "-L", self.socket, "kill-server"], capture_output=True, timeout=30)
        return code

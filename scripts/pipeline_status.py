"""Tells a watching freeze-profile which stage a Python pipeline is in. Python 3.8 or later, nothing else.

    from pipeline_status import finish, stage

    for i, url in enumerate(urls, 1):
        with stage("media_download", episode=(i, len(urls))):
            download(url)
    finish()

Each entry and exit replaces the file PIPELINE_STATUS_FILE, so that a reader never sees half of it. Stages may be
nested and may run in several threads. Without the variable nothing is written; a file that cannot be written is told
once on standard error, and the pipeline goes on.
"""

import contextlib
import json
import os
import sys
import tempfile
import threading
import time

__all__ = ["PipelineStatus", "stage", "finish"]


class PipelineStatus:
    """The status of this process in one file."""

    def __init__(self, path=None):
        """Writes to a path, by default PIPELINE_STATUS_FILE; to nothing when there is neither."""
        self._path = path or os.environ.get("PIPELINE_STATUS_FILE") or None
        self._lock = threading.Lock()
        self._started_at = time.time()
        self._open = []  # of (name, episode, entered at), the innermost last
        self._has_complained = False

    @contextlib.contextmanager
    def stage(self, name, episode=None):
        """Everything in the with statement belongs to the stage; episode is (index, total) or an index."""
        entry = (str(name), episode, time.time())
        with self._lock:
            self._open.append(entry)
            self._write()
        try:
            yield
        finally:
            with self._lock:
                # By identity: the same stage may be open twice.
                self._open = [other for other in self._open if other is not entry]
                if self._open:
                    self._write()

    def finish(self):
        """Says that the last stage is over."""
        with self._lock:
            self._open = [("done", None, time.time())]
            self._write()
            self._open = []

    def _write(self):
        if self._path is None:
            return
        name, episode, entered_at = self._open[-1]
        fields = {
            "pid": os.getpid(),
            "stage": name,
            "started_at": self._started_at,
            "stage_started_at": entered_at,
        }
        if episode is not None:
            index, total = episode if isinstance(episode, (tuple, list)) else (episode, None)
            fields["episode_idx"] = index
            if total is not None:
                fields["episode_total"] = total
        try:
            self._replace(json.dumps(fields))
        except OSError as error:
            if not self._has_complained:
                print("The stage status is not being recorded: %s" % error, file=sys.stderr)
            self._has_complained = True

    def _replace(self, text):
        directory = os.path.dirname(os.path.abspath(self._path))
        os.makedirs(directory, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(prefix=".pipeline_status.", dir=directory)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(text + "\n")
            os.replace(temporary, self._path)
        except BaseException:
            os.unlink(temporary)
            raise


_default = PipelineStatus()
stage = _default.stage
finish = _default.finish

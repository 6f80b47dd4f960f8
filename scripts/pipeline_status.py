"""Records for freeze-profile which stage a Python pipeline is in. Python 3.8 or later, nothing else.

    from pipeline_status import finish, stage

    for i, url in enumerate(urls, 1):
        with stage("media_download", episode=(i, len(urls))):
            download(url)
    finish()

Each entry and exit appends a line to the event trace and replaces the file PIPELINE_STATUS_FILE, so that a reader never
sees half of it. Stages may be nested, and may run in several threads. Without the variable nothing is written; a file
that cannot be written is reported once on standard error, and the pipeline goes on.
"""

import contextlib
import json
import os
import resource
import sys
import tempfile
import threading
import time

__all__ = ["PipelineStatus", "stage", "begin", "end", "finish"]

# Up to this size in bytes the history is always written; a longer one when as much else has been written since.
SMALL_HISTORY = 4096
# Entries beyond this size are left out: readers take files of up to 256 KiB.
MAXIMUM_HISTORY = 192 << 10


class SystemClock:
    """The clocks that an event is stamped with."""

    monotonic_ns = staticmethod(time.monotonic_ns)
    time = staticmethod(time.time)

    @staticmethod
    def cpu_ns():
        """CPU time of this process and of the children that it has waited for."""
        children = resource.getrusage(resource.RUSAGE_CHILDREN)
        return time.process_time_ns() + round((children.ru_utime + children.ru_stime) * 1e9)


class _Span:
    """An open span of a stage."""

    def __init__(self, account, episode, thread, start):
        self.account, self.episode, self.thread, self.start = account, episode, thread, start


class _Account:
    """A stage, all its spans together. Times are nanoseconds."""

    def __init__(self, name, index):
        self.name, self.index = name, index
        self.open = self.finished = self.wall = self.work = self.cpu = 0
        self.shared = False
        self.since = self.cpu_since = 0


class PipelineStatus:
    """The status of this process in one file."""

    def __init__(self, path=None, clock=SystemClock):
        """Writes to a path, by default PIPELINE_STATUS_FILE; to nothing when there is neither."""
        self._path = path or os.environ.get("PIPELINE_STATUS_FILE") or None
        self._clock = clock
        self._lock = threading.Lock()
        self._started_at = clock.time()
        self._accounts = {}  # by name, in order of first entry
        self._spans = []  # the open ones, the latest last
        self._shown = None  # what the file says while nothing is open: name, since, episode
        self._history_size = 0  # bytes that the finished stages would take
        self._written_since_history = 0
        self._trace = None
        self._has_complained = False

    @contextlib.contextmanager
    def stage(self, name, episode=None):
        """Everything in the with statement belongs to the stage; episode is (index, total) or an index."""
        span = self.begin(name, episode)
        try:
            yield
        finally:
            self.end(span)

    def begin(self, name, episode=None):
        """Opens a span of a stage and returns it, for end()."""
        if self._path is None:
            return None
        with self._lock:
            now = self._now()
            account = self._accounts.setdefault(str(name), _Account(str(name), len(self._accounts)))
            span = _Span(account, episode, threading.get_native_id(), now["monotonic_ns"])
            self._spans.append(span)
            account.open += 1
            if account.open == 1:
                account.since, account.cpu_since = now["monotonic_ns"], now["process_cpu_ns"]
                active = self._active()
                if len(active) > 1:
                    for other in active:
                        other.shared = True
            self._write([self._event("begin", span.account.name, episode, span.thread, now)], now)
            return span

    def end(self, span):
        """Closes a span that begin() returned. Twice is once."""
        if self._path is None:
            return
        with self._lock:
            if not any(other is span for other in self._spans):
                return
            now = self._now()
            self._write([self._close(span, now)], now)

    def finish(self):
        """Closes what is open and says that the last stage is over."""
        if self._path is None:
            return
        with self._lock:
            now = self._now()
            events = [self._close(span, now) for span in reversed(self._spans)]
            self._shown = ("done", now["epoch_s"], None)
            events.append(self._event("begin", "done", None, threading.get_native_id(), now))
            self._write(events, now, is_final=True)

    def _now(self):
        return {
            "monotonic_ns": self._clock.monotonic_ns(),
            "epoch_s": self._clock.time(),
            "process_cpu_ns": self._clock.cpu_ns(),
        }

    def _active(self):
        return sorted({span.account for span in self._spans}, key=lambda account: account.index)

    def _close(self, span, now):
        self._spans = [other for other in self._spans if other is not span]
        account = span.account
        account.open -= 1
        account.finished += 1
        if account.finished == 1:
            self._history_size += len(account.name) + 120
        account.work += max(0, now["monotonic_ns"] - span.start)
        if account.open == 0:
            account.wall += max(0, now["monotonic_ns"] - account.since)
            account.cpu += max(0, now["process_cpu_ns"] - account.cpu_since)
        age = (now["monotonic_ns"] - span.start) / 1e9
        self._shown = (account.name, now["epoch_s"] - age, span.episode)
        return self._event("end", account.name, span.episode, span.thread, now)

    @staticmethod
    def _event(event, name, episode, thread, now):
        fields = {"event": event, "stage": name}
        index, total = episode if isinstance(episode, (tuple, list)) else (episode, None)
        if index is not None:
            fields["episode"] = index
        if total is not None:
            fields["episode_total"] = total
        fields.update(tid=thread, pid=os.getpid(), **now)
        return json.dumps(fields) + "\n"

    def _text(self, now, is_final):
        name, since, episode = self._shown or ("", now["epoch_s"], None)
        if self._spans:
            span = self._spans[-1]
            age = (now["monotonic_ns"] - span.start) / 1e9
            name, since, episode = span.account.name, now["epoch_s"] - age, span.episode
        fields = {
            "schema_version": 1,
            "pid": os.getpid(),
            "stage": name,
            "started_at": self._started_at,
            "stage_started_at": since,
            "active_stages": [account.name for account in self._active()],
        }
        index, total = episode if isinstance(episode, (tuple, list)) else (episode, None)
        if index is not None:
            fields["episode_idx"] = index
        if total is not None:
            fields["episode_total"] = total
        size = self._history_size
        has_history = is_final or size <= SMALL_HISTORY or self._written_since_history >= size
        if has_history:
            fields["history"] = self._history()
        text = json.dumps(fields) + "\n"
        self._written_since_history = 0 if has_history else self._written_since_history + len(text)
        return text

    def _history(self):
        entries, size = [], 0
        for account in self._accounts.values():
            if account.finished == 0:
                continue
            entry = {
                "stage": account.name,
                "entered": account.finished,
                "wall_s": account.wall / 1e9,
                "work_s": account.work / 1e9,
                "cpu_s": account.cpu / 1e9,
            }
            if account.shared:
                entry["shared"] = True
            size += len(json.dumps(entry))
            if size > MAXIMUM_HISTORY:
                break
            entries.append(entry)
        return entries

    def _write(self, events, now, is_final=False):
        try:
            directory = os.path.dirname(os.path.abspath(self._path))
            if self._trace is None:
                os.makedirs(directory, exist_ok=True)
                flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
                self._trace = os.open(os.path.join(directory, ".pipeline_events.jsonl"), flags, 0o666)
            for event in events:
                os.write(self._trace, event.encode())
            self._replace(directory, self._text(now, is_final))
        except OSError as error:
            if not self._has_complained:
                print("The stage status is not being recorded: %s" % error, file=sys.stderr)
            self._has_complained = True

    def _replace(self, directory, text):
        descriptor, temporary = tempfile.mkstemp(prefix=".pipeline_status.", dir=directory)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
            os.replace(temporary, self._path)
        except BaseException:
            os.unlink(temporary)
            raise


_default = PipelineStatus()
stage = _default.stage
begin = _default.begin
end = _default.end
finish = _default.finish

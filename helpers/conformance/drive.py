"""Plays a conformance case through scripts/pipeline_status.py: drive.py CASE.tsv, with PIPELINE_STATUS_FILE set."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "scripts"))
from pipeline_status import PipelineStatus  # noqa: E402


class Clock:
    """A clock that shows what the case says, after a beginning that is the test's."""

    now_ns = 0
    origin_ns = int(os.environ.get("CONFORMANCE_ORIGIN_NS", "0"))

    @classmethod
    def monotonic_ns(cls):
        return cls.origin_ns + cls.now_ns

    @classmethod
    def time(cls):
        return 1770000000 + cls.now_ns / 1e9

    @staticmethod
    def cpu_ns():
        return 0


status = PipelineStatus(clock=Clock)
open_spans = []
with open(sys.argv[1], encoding="utf-8") as case:
    for line in case:
        words = line.rstrip("\n").split("\t")
        if words[0] not in ("begin", "end", "finish"):
            continue
        Clock.now_ns = int(words[1]) * 1000000
        if words[0] == "begin":
            open_spans.append((words[2:], status.begin(words[3])))
        elif words[0] == "end":
            for entry in reversed(open_spans):
                if entry[0] == words[2:]:
                    status.end(entry[1])
                    open_spans.remove(entry)
                    break
        else:
            status.finish()
status.finish()

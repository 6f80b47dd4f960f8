"""What a monitor child made of psutil and rich does: the tree's memory and CPU twice a second, drawn in place."""

import sys
import time

import psutil
from rich.live import Live
from rich.table import Table

target = psutil.Process(int(sys.argv[1]))
known = {}
with Live(refresh_per_second=2) as live:
    while target.is_running() and target.status() != psutil.STATUS_ZOMBIE:
        memory, share = 0, 0.0
        for process in [target] + target.children(recursive=True):
            process = known.setdefault(process.pid, process)
            try:
                memory += process.memory_info().rss
                share += process.cpu_percent()
            except psutil.Error:
                known.pop(process.pid, None)
        table = Table("Stage", "RSS", "CPU")
        table.add_row("transcription", "%.0f MiB" % (memory / 2**20), "%.1f %%" % share)
        live.update(table)
        time.sleep(0.5)

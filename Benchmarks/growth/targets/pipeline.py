"""pipeline.py SECONDS PROCESSES RATE STAGES: so many sleeping children, and so many transitions a second."""
import os
import signal
import sys
import time

seconds, processes, rate, stages = float(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4])
status = os.environ["PIPELINE_STATUS_FILE"]
begin, start = time.time(), time.monotonic()
children = [os.posix_spawn("/bin/sleep", ["sleep", "600"], {}) for _ in range(processes - 1)]


def enter(stage):
    with open(status + ".part", "w") as output:
        output.write('{"pid": %d, "stage": "%s", "started_at": %.6f, "stage_started_at": %.6f}'
                     % (os.getpid(), stage, begin, time.time()))
    os.rename(status + ".part", status)


number = 0
while time.monotonic() - start < seconds:
    pause = start + number / rate - time.monotonic()
    if pause > 0:
        time.sleep(pause)
    enter(f"stage_{number % stages:05d}")
    number += 1
enter("done")
for child in children:
    os.kill(child, signal.SIGKILL)
for child in children:
    os.waitpid(child, 0)

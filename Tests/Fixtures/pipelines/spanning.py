"""A step of a pipeline whose tasks are spread over nodes, with an oracle inside.

Usage: spanning.py ORACLE_DIRECTORY STAGE CPU_SECONDS [SECONDS_TO_WAIT_BY_RANK]

The task waits for its rank times the last number, opens the stage, computes until it has used so many CPU seconds, closes
it. When the stage began and ended by the wall clock, which all nodes of the tests share, and the CPU time used in between by
getrusage go to a file in the directory.
"""
import json
import os
import resource
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../scripts"))
from pipeline_status import finish, stage

directory, name, seconds = sys.argv[1], sys.argv[2], float(sys.argv[3])
rank = int(os.environ.get("SLURM_PROCID", 0))
time.sleep(rank * float(sys.argv[4]) if len(sys.argv) > 4 else 0)


def cpu():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


# The stage's moments are taken first at its begin and at its end, before anything is written.
begin, used = time.time_ns(), cpu()
with stage(name):
    while cpu() - used < seconds:
        pass
    used, end = cpu() - used, time.time_ns()
finish()
node = os.environ.get("SLURMD_NODENAME", "here")
with open(f"{directory}/{name}.{node}.{rank}.{os.getpid()}", "w") as file:
    json.dump({"stage": name, "node": node, "begin": begin, "end": end, "cpu": used}, file)

"""A rank that needs no framework, for the launcher's tests: says who it is, and behaves as its arguments say.

Arguments: BEHAVIOUR RANK, what the rank with that number does; the others wait until they are ended. `done` and `later`
are for all ranks; with `stop` the others end a second later, as a training that was asked to stop.
"""

import os
import sys
import time

rank = int(os.environ["RANK_ID"])
print(f"rank {rank} of {os.environ['RANK_SIZE']} on device {os.environ['DEVICE_ID']}", flush=True)
if sys.argv[3:]:
    print("options", *sys.argv[3:], flush=True)
behaviour, who = sys.argv[1], int(sys.argv[2])
if behaviour == "done":
    sys.exit(0)
if behaviour == "later":
    time.sleep(1.5)
    print("words\n" * 20_000 + "the end", flush=True)
    sys.exit(0)
if rank == who:
    time.sleep(0.5)
    if behaviour == "mistake":
        print("error: dataset_path: no folder nowhere", file=sys.stderr)
        sys.exit(2)
    if behaviour == "raise":
        raise RuntimeError("this rank is broken")
    if behaviour == "stop":
        sys.exit(143)
    if behaviour == "fault":
        sys.exit(0 if "--resume" in sys.argv else 1)
    os.kill(os.getpid(), getattr(__import__("signal"), behaviour))
if behaviour == "fault" and "--resume" in sys.argv:
    sys.exit(0)
if behaviour == "stop":
    time.sleep(1.5)
    sys.exit(143)
time.sleep(600)

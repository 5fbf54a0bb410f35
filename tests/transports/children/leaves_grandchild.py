"""Starts a process of its own that holds all its pipes and a leash, and that only a signal ends.

    leaves_grandchild.py LEASH stays|leaves [stubborn]

`stays` waits for the end of its stdin and ends then; `leaves` ends at once. A `stubborn` grandchild ignores SIGTERM.
The grandchild writes its process id to the leash.
"""

import os
import signal
import sys

leash, manner = sys.argv[1:3]
if os.fork() == 0:
    if "stubborn" in sys.argv:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    with open(leash, "w") as held:
        print(os.getpid(), file=held, flush=True)
        while True:
            signal.pause()
print("ready", flush=True)
if manner == "stays":
    sys.stdin.read()

"""Ignores the end of its stdin, and ends with code 3 on SIGTERM."""

import signal
import sys

signal.signal(signal.SIGTERM, lambda *_: sys.exit(3))
print("ready", flush=True)
while True:
    signal.pause()

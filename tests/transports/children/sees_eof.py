"""Writes "eof" to a leash when its stdin ends."""

import sys

with open(sys.argv[1], "w") as leash:
    print("ready", file=leash, flush=True)
    sys.stdin.read()
    print("eof", file=leash, flush=True)

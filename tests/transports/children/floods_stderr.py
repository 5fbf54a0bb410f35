"""Writes so many bytes to stderr in numbered lines, then says "done" on stdout and waits for the end of stdin."""

import sys

left = int(sys.argv[1])
number = 0
while left > 0:
    number += 1
    left -= sys.stderr.write(f"line {number}\n")
sys.stderr.flush()
print("done", flush=True)
sys.stdin.read()

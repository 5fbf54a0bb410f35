"""Waits for the end of stdin, then writes a mebibyte to stdout before it ends with code 5."""

import sys

print("ready", flush=True)
sys.stdin.read()
sys.stdout.write("x" * 1024 * 1024)
sys.stdout.flush()
sys.exit(5)

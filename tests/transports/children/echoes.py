"""Echoes each line. With an argument, prints that first, as servers with a banner do."""

import sys

for banner in sys.argv[1:]:
    print(banner, flush=True)
for line in sys.stdin:
    print(line, end="", flush=True)

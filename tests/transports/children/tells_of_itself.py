"""Prints what kind of process it is, as one line of JSON, and waits for the end of stdin."""

import json
import os
import sys

facts = {
    "arguments": sys.argv[1:],
    "environment": dict(os.environ),
    "directory": os.getcwd(),
    "pid": os.getpid(),
    "session": os.getsid(0),
    "group": os.getpgrp(),
    "descriptors": sorted(int(name) for name in os.listdir("/proc/self/fd"))[:-1] if os.path.exists("/proc") else [],
}
print(json.dumps(facts), flush=True)
sys.stdin.read()

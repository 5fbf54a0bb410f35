"""Takes its standard streams under guard, is noisy in every way, and speaks on the private output only.

    guarded.py [quiet|noisy] [fails]

Inside the guard it writes `wire: ` and the first line of its input to the private output. What it sees of the
standard streams goes to stderr. Afterwards it prints what is left of its input.
"""

import ctypes
import os
import subprocess
import sys
from contextlib import suppress

from mcport.transports.guarded_stdio import guarded_stdio

libc = ctypes.CDLL(None)


def make_noise(before: object) -> None:
    print("from print")
    print("from the old sys.stdout", file=before)  # type: ignore[call-overload]
    print("from sys.__stdout__", file=sys.__stdout__)
    sys.stdout.buffer.write(b"from sys.stdout.buffer\n")
    sys.stdout.flush()
    os.write(1, b"from descriptor 1\n")
    libc.printf(b"from C\n")
    subprocess.run([sys.executable, "-I", "-S", "-c", "print('from a child')"], check=True)


def read_nothing() -> None:
    assert sys.stdin.read() == ""
    assert os.read(0, 10) == b""
    with suppress(EOFError):
        input()
        raise AssertionError
    child = [sys.executable, "-I", "-S", "-c", "import sys; sys.exit(len(sys.stdin.read()))"]
    subprocess.run(child, check=True)


def main() -> None:
    print("printed before", end="")
    before = sys.stdout
    with guarded_stdio() as (reading, writing):
        if "noisy" in sys.argv:
            make_noise(before)
            read_nothing()
        line = bytearray()
        while not line.endswith(b"\n"):
            line += os.read(reading, 1) or b"(end)\n"
        os.write(writing, b"wire: " + line)
        if "fails" in sys.argv:
            raise RuntimeError("the server failed")


with suppress(RuntimeError):
    main()
print("after:", sys.stdin.read(), end="")

"""A parent that starts a child through mcport and then is not there for it.

    parent.py asyncio|trio waits|leaves|forks COMMAND...

`waits` says "started" and waits until it is killed. `leaves` waits for a line of its
child and ends without ending it, though it still knows it.
`forks` forks, lets the fork come to its end, and prints whether the child still echoes.
"""

import atexit
import os
import sys

import anyio

from mcport.transports.process import Child

backend, manner, *command = sys.argv[1:]
kept: list[Child] = []


async def main() -> None:
    child = await Child.start(command)
    kept.append(child)
    print("started", flush=True)
    if manner == "waits":
        await anyio.sleep_forever()
    if manner == "leaves":
        await anyio.wait_readable(child.stdout_fd)
    if manner == "forks":
        await fork(child)


async def fork(child: Child) -> None:
    pid = os.fork()
    if pid == 0:
        # What a regular end of the interpreter does, without touching the loop that both share.
        atexit._run_exitfuncs()
        os._exit(0)
    os.waitpid(pid, 0)
    os.write(child.stdin_fd, b"still here\n")
    await anyio.wait_readable(child.stdout_fd)
    print(os.read(child.stdout_fd, 100).decode(), end="", flush=True)
    await child.end()


anyio.run(main, backend=backend)

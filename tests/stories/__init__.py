"""Stories: what a handler does and what its client sees, one body each, told in every revision over every channel.

Each test runs in five revisions x {memory, stdio, http} x {asyncio, trio}.
The server of all of them is `storyteller.py`; over HTTP it stands in the `street.py`.
"""

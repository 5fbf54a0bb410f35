"""Stories: what a handler does and what its client sees, one body each, told in every revision over every channel.

Each test runs in five revisions x {memory, stdio} x {asyncio, trio}; the server of all of them is `storyteller.py`.
"""

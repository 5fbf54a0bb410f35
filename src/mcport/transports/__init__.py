"""Ways for messages to travel: memory, pipes, child processes, stdio, byte streams.

A transport moves lines of bytes; it knows neither methods nor revisions. Below: `session`'s channel port and `core`'s
framing.
"""

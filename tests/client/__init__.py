"""The client: what it writes, what it makes of what it reads, and what it says when something goes wrong."""

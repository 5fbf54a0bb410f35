"""The client: typed calls to one server, in every revision.

It does not know how bytes travel, save in `target`. Below: `session`, `transports`.
"""

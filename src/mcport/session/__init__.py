"""The one async driver of a conversation, for asyncio and trio.

It knows messages and tasks; what methods mean is the server's or the client's business, where bytes come from is a
transport's. Below: `core`.
"""

"""The official conformance suite, run on our server and our client: `python -m tests.conformance`."""

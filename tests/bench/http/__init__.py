"""The benchmark over HTTP: `python -m tests.bench.http`. Like the other one it never gates a test."""

"""Faults and load over HTTP, on real sockets: nothing hangs, nothing leaks, nothing crosses."""

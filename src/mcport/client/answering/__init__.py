"""Answering what servers ask, in both eras."""

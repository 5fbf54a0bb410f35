"""The gate of a server that wants tokens: who is let in, and what others are told."""

"""Real peers: servers and clients that others wrote, each in an environment of its own, against ours over stdio."""

"""The driver: sessions over a scripted channel, the loop port, worker-independent waiting."""

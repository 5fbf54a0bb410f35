"""Running handlers: what they may know and say while they run, on the loop or in a thread."""

"""From what a handler returns to what leaves the server, errors included."""

"""Small ports for what outlives a request or is shared by several workers, each with a memory version."""

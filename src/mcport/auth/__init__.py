"""Authorization: how a client gets tokens and presents them, and how a server judges them."""

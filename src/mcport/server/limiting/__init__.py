"""How long a handler may take, and how many may run."""

"""State machines: any order of events, and what must hold in all of them."""

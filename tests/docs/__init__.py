"""What the documents say is true: their snippets run as they are printed."""

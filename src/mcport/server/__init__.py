"""What a server is made of: its handlers, what they are called with, and what they answer."""

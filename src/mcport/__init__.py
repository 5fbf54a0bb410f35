"""mcport: the Model Context Protocol, both sides, five revisions."""

__version__ = "0.1.0"

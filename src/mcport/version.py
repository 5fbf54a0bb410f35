"""Which mcport this is."""

__version__ = "0.1.0"

"""The core, decided without a loop."""

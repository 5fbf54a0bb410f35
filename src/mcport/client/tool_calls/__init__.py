"""Calling tools: asked before, checked after."""

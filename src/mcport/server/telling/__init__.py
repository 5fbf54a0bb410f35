"""Telling clients of changes: one call for every listener of every era, and log messages on the way to an answer."""

from .telling import Telling as Telling

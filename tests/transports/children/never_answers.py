"""Reads its stdin to the end and answers nothing."""

import sys

sys.stdin.read()

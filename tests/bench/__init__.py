"""The benchmark: `python -m tests.bench`. Prints ratios of medians measured in one run; never gates a test."""

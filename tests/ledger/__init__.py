"""The requirement ledger: what the specification asks, and which test shows it.

The entries live in `tests/spec/requirements/`. A test names the ones it shows with
`@pytest.mark.requirement("id", ...)`; `python -m tests.ledger` says what is shown and what is missing.
Nothing in here knows mcport itself.
"""

"""The tests of mcport, a package so that its own rooms (the ledger, the house rules) can be imported."""

"""The rules of the house, held by tests: who may import whom, how large things get, what stays silent."""

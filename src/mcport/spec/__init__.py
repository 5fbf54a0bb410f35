"""What the specification's schemas say, as data and as pydantic models; nothing here does anything.

`revisions` names the five revisions and what each can do, `methods` and `deltas` are tables, `types` is the one set of
models that mcport works with, and `wire` holds exact models of each revision for those who judge. Nothing below but
pydantic.
"""

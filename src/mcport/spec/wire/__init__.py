"""Exact models, one module a revision: they accept what that revision's schema accepts, and nothing else.

They are for judging: in tests, in gateways, in whatever must know whether a message is right. mcport itself works with
`mcport.spec.types` and loads none of these. Every definition of the schema is a class with pydantic's methods:

    from mcport.spec.wire import r2025_06_18
    r2025_06_18.CallToolResult.model_validate_json(text, strict=True)

A definition that is no object keeps its value in `root`. Known faults of the published schemas are mended here as they
are in the facade; `schema/patches.toml` lists them.
"""

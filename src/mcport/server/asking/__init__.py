"""Asking back: what a handler may ask of the client's user, model and roots, in both eras by one API.

Below: `core.asking` decides, `stores.seal` keeps, `session.exchange` sends.
"""

"""Addresses that documents of others may send this program to (server-side request forgery).

A public one always; one of this machine, or of a private network, only from a server that is there itself. Addresses in
which another one is hidden count as that one. Below: the standard library.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final, Literal, TypeAlias
from urllib.parse import urlsplit

from .urls import on_loopback

Place: TypeAlias = Literal["public", "private", "loopback", "nowhere"]

_TRANSLATED: Final = ip_network("64:ff9b::/96")
_LOCAL_TRANSLATED: Final = ip_network("64:ff9b:1::/48")


def place_of(address: str) -> Place:
    """Return where an IP address is. Nowhere are those that no service of ours has: link-local (where clouds hand out
    credentials), multicast, reserved."""
    try:
        found = _plain(ip_address(address.partition("%")[0]))
    except ValueError:
        return "nowhere"
    if found.is_loopback:
        return "loopback"
    if found.is_link_local or found.is_multicast or found.is_unspecified or found.is_reserved:
        return "nowhere"
    if isinstance(found, IPv6Address) and found in _LOCAL_TRANSLATED:
        return "nowhere"
    return "public" if found.is_global else "private"


def _plain(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """Return the address that is meant: IPv6 has several ways to write one of IPv4."""
    if isinstance(address, IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    if address in _TRANSLATED or (int(address) >> 32 == 0 and int(address) > 1):
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def within_reach(address: str, server: str, *, private: bool) -> bool:
    """Whether an address may be asked on behalf of the server at a URL; with `private` any that is somewhere.

    Where the server is counts only if its URL says it as an address, or as this machine's name: what another name
    stands for is in the hands of whoever runs that server.
    """
    place = place_of(address)
    if place == "public" or (private and place != "nowhere"):
        return True
    return place != "nowhere" and place == _place_of_server(server)


def _place_of_server(server: str) -> Place:
    return "loopback" if on_loopback(server) else place_of(urlsplit(server).hostname or "")

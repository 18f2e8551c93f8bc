"""HTTP towards addresses that strangers chose, without being led into our own network (SSRF).

Knows which addresses are public, and that none but a checked one is connected to (transport). Refuses to know what is
sent and why.
"""

import asyncio
import re
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TypeAlias

import httpx

from app.kit.errors import Invalid, Refused
from app.kit.transport import AiohttpTransport, Resolve

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network

# IANA's special-purpose registries, and metadata services that stand at public addresses. `ipaddress.is_global`
# is no substitute: it calls 14 of these forms public.
_NEVER_V4 = tuple(
    ip_network(network)
    for network in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",  # carrier-grade NAT; a cloud keeps its metadata there
        "127.0.0.0/8",
        "168.63.129.16/32",  # a cloud's metadata
        "169.254.0.0/16",  # link-local; most clouds' metadata
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",
        "192.175.48.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
)
# Of IPv6 only global unicast is reachable at all, which leaves out NAT64, mapped, local and multicast forms.
_GLOBAL_V6 = ip_network("2000::/3")
_NEVER_V6 = tuple(
    ip_network(network)
    for network in (
        "2001::/23",  # protocol assignments, Teredo among them
        "2001:db8::/32",
        "2002::/16",  # 6to4 carries any IPv4 address
        "2620:4f:8000::/48",
        "3fff::/20",
    )
)
_LOOPBACK = (ip_address("127.0.0.1"), ip_address("::1"))
_PORTS = range(1, 65536)
_CONNECT_SECONDS = 5.0
_URL_CHARACTERS = 2000
# No name ends in a number: what does is an address, here in a form that not everybody reads alike, such as 2130706433
# (https://url.spec.whatwg.org/#ends-in-a-number-checker).
_HOST = re.compile(rb"([0-9a-z_-]{1,63}\.)*(?!(\d+|0x[0-9a-f]*)\.?$)[0-9a-z_-]{1,63}\.?", re.IGNORECASE)


class AddressForbidden(Refused):
    pass


class UrlRefused(Invalid):
    pass


@dataclass(frozen=True, slots=True)
class Reach:
    """Where requests may go: public addresses at `ports`, and any port in the operator's own `networks`."""

    networks: tuple[Network, ...] = ()
    ports: frozenset[int] = frozenset({80, 443})

    def permits(self, address: Address, port: int) -> bool:
        if any(address in network for network in self.networks):
            return True
        return port in self.ports and _is_public(address)

    def check(self, url: str) -> None:
        """Refuse a URL that can never be called, before it is stored. Raises `UrlRefused` with the reason.

        What its name resolves to is checked at each connection: it may change.
        """
        parsed = parse(url)
        if len(url) > _URL_CHARACTERS:
            raise UrlRefused("Give a URL of at most 2000 characters.", field="url")
        if parsed.userinfo or parsed.fragment:
            raise UrlRefused("Leave user name, password and fragment out of the URL.", field="url")
        host, port = parsed.host, _port(parsed)
        addresses = _known_addresses(host)
        if not addresses and not _HOST.fullmatch(parsed.raw_host):
            raise UrlRefused(f"No host can be named '{host}'.", field="url")
        if any(self.permits(address, port) for address in addresses):
            return
        if not all(_is_public(address) for address in addresses):
            raise UrlRefused(f"{host} is not a public address; an operator can allow its network.", field="url")
        if port not in self.ports and (addresses or not self.networks):
            allowed = ", ".join(str(one) for one in sorted(self.ports))
            raise UrlRefused(f"Port {port} may not be called; these may: {allowed}.", field="url")


def parse(url: str) -> httpx.URL:
    """An http or https URL with a host and a port that exist at all. Raises `UrlRefused` with the reason."""
    try:
        parsed = httpx.URL(url)
        host, port = parsed.host, _port(parsed)  # an internationalised name is decoded only here
    except (httpx.InvalidURL, UnicodeError) as error:
        raise UrlRefused(f"This is no URL: {error}.", field="url") from error
    if parsed.scheme not in ("http", "https") or not host:
        raise UrlRefused("Give an http or https URL with a host.", field="url")
    if port not in _PORTS:
        raise UrlRefused(f"There is no port {port}; ports go from 1 to 65535.", field="url")
    return parsed


def guarded_client(reach: Reach, resolve: Resolve | None = None) -> httpx.AsyncClient:
    """A client that connects only where `reach` permits, else raises `AddressForbidden`.

    A name is resolved once for each connection, every one of its addresses must be permitted, and the connection
    goes to a checked address; TLS still verifies the name. `resolve(host, port)` replaces the system's resolver.
    """

    def check(host: str, address: str, port: int) -> None:
        if not reach.permits(ip_address(address), port):
            raise AddressForbidden(f"{host} leads to {address} port {port}, which may not be called.")

    return _client(AiohttpTransport(resolve or _resolve, check))


def plain_client(*, kept: bool = True) -> httpx.AsyncClient:
    """A client for the operator's own addresses, which need no guard.

    Without `kept` connections no request ever goes out twice.
    """
    return _client(AiohttpTransport(_resolve, kept=kept))


def _client(transport: httpx.AsyncBaseTransport) -> httpx.AsyncClient:
    """No redirects, proxies or credentials from the environment, cookies or compression."""
    return httpx.AsyncClient(
        transport=transport,
        trust_env=False,
        follow_redirects=False,
        timeout=httpx.Timeout(None, connect=_CONNECT_SECONDS),
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
        headers={"User-Agent": "webcare", "Accept-Encoding": "identity"},
    )


async def _resolve(host: str, port: int) -> Sequence[str]:
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(sockaddr[0]) for *_, sockaddr in found]


def _is_public(address: Address) -> bool:
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _NEVER_V4)
    return address in _GLOBAL_V6 and not any(address in network for network in _NEVER_V6)


def _known_addresses(host: str) -> tuple[Address, ...]:
    """What a host stands for without asking anybody: itself, or this machine (RFC 6761, section 6.3)."""
    name = host.lower().removesuffix(".")
    if name == "localhost" or name.endswith(".localhost"):
        return _LOOPBACK
    try:
        return (ip_address(host),)
    except ValueError:
        return ()


def _port(url: httpx.URL) -> int:
    if url.port is None:
        return 443 if url.scheme == "https" else 80
    return url.port

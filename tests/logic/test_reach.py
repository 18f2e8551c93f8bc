"""Where requests that strangers asked for may go."""

from ipaddress import ip_address, ip_network

import pytest

from app.kit.http import Reach, UrlRefused

WORLD = Reach()


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",
        "10.1.2.3",
        "100.64.0.1",
        "100.100.100.200",
        "127.0.0.1",
        "127.255.255.254",
        "168.63.129.16",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.8",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.1.1",
        "198.18.0.1",
        "203.0.113.9",
        "224.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::ffff:127.0.0.1",
        "::ffff:8.8.8.8",
        "::127.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b:1::1",
        "100::1",
        "2001::1",
        "2001:db8::1",
        "2002:7f00:1::",
        "3fff::1",
        "5f00::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fe80::1%eth0",
        "ff02::1",
    ],
)
def test_what_is_not_public_is_out_of_reach(address: str) -> None:
    assert not WORLD.permits(ip_address(address), 443)


@pytest.mark.parametrize("address", ["8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "2a00:1450::1"])
def test_what_is_public_is_within_reach_at_allowed_ports(address: str) -> None:
    assert WORLD.permits(ip_address(address), 443)
    assert WORLD.permits(ip_address(address), 80)
    assert not WORLD.permits(ip_address(address), 22)


def test_the_operators_own_networks_are_within_reach_at_any_port() -> None:
    reach = Reach(networks=(ip_network("127.0.0.1/32"), ip_network("fd00::/8")))
    assert reach.permits(ip_address("127.0.0.1"), 9000)
    assert reach.permits(ip_address("fd00::1"), 9000)
    assert not reach.permits(ip_address("127.0.0.2"), 9000)


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.example.com/webcare",
        "http://hooks.example.com:80/in?x=1",
        "https://8.8.8.8/",
        "https://[2606:4700::1111]/",
        "https://bücher.example/",
    ],
)
def test_a_url_that_could_be_called_is_taken(url: str) -> None:
    WORLD.check(url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hooks.example.com",
        "//hooks.example.com/",
        "ftp://hooks.example.com/",
        "file:///etc/passwd",
        "https://",
        "https://user:password@hooks.example.com/",
        "https://hooks.example.com/#part",
        "https://hooks.example.com:port/",
        "https://hooks example.com/",
        "https://hooks..example.com/",
        "https://.../",
        "https://" + "a" * 64 + ".example/",
        "https://hooks.example.com/\x00",
        "https://hooks.example.com/" + "a" * 2000,
        "http://127.0.0.1/",
        "http://[::1]/",
        "http://8.8.8.8:22/",
        "http://hooks.example.com:9000/",
        "http://hooks.example.com:0/",
        "http://hooks.example.com:65536/",
        "http://hooks.example.com/\ud800",
        "http://localhost/",
        "http://LOCALHOST./",
        "http://hooks.localhost/",
        "https://xn--a/",
        "http://169.254.169.254/latest/meta-data",
        "http://2130706433/",
        "http://0x7f000001/",
        "http://127.1/",
        "http://0177.0.0.1/",
        "http://127.0.0.1./",
    ],
)
def test_a_url_that_never_may_be_called_is_refused_with_the_reason(url: str) -> None:
    with pytest.raises(UrlRefused) as refusal:
        WORLD.check(url)
    assert refusal.value.field == "url"


def test_a_port_that_is_not_allowed_is_refused_with_those_that_are() -> None:
    with pytest.raises(UrlRefused, match="Port 9000 may not be called; these may: 80, 443"):
        WORLD.check("https://hooks.example.com:9000/")


@pytest.mark.parametrize(
    "url", ["http://localhost:9000/", "http://127.0.0.1:9000/", "http://hooks.inside.example:9000/"]
)
def test_what_may_lie_in_the_operators_own_networks_is_taken_at_any_port(url: str) -> None:
    Reach(networks=(ip_network("127.0.0.0/8"),)).check(url)


def test_a_network_that_is_allowed_opens_no_other() -> None:
    reach = Reach(networks=(ip_network("10.0.0.0/8"),))
    for url in ("http://localhost/", "http://127.0.0.1/", "http://8.8.8.8:9000/"):
        with pytest.raises(UrlRefused):
            reach.check(url)

import socket

import pytest

from socketwatch.aws.addresses import FRESH, RETRY, Address, Addresses

ONE, TWO = (Address(socket.AF_INET, (f"192.0.2.{last}", 443)) for last in (1, 2))


class Names:
    """A resolver with good and bad minutes."""

    def __init__(self, *found: Address) -> None:
        self.found = found
        self.asked = 0

    def __call__(self, hostname: str, port: int) -> list[Address]:
        assert (hostname, port) == ("ws.example.com", 443)
        self.asked += 1
        if not self.found:
            raise socket.gaierror(socket.EAI_AGAIN, "try again")
        return list(self.found)


def test_sockets_spread_over_the_addresses_and_one_look_up_serves_them() -> None:
    names = Names(ONE, TWO)
    addresses = Addresses("ws.example.com", 443, names)

    assert [addresses.next(0) for _ in range(4)] == [ONE, TWO, ONE, TWO]
    assert names.asked == 1
    addresses.next(FRESH)
    assert names.asked == 2


def test_an_address_that_leads_nowhere_is_left_out_until_the_next_look_up() -> None:
    addresses = Addresses("ws.example.com", 443, Names(ONE, TWO))
    addresses.next(0)
    addresses.failed(ONE)

    assert [addresses.next(1) for _ in range(2)] == [TWO, TWO]
    addresses.failed(TWO)
    assert addresses.next(1) == TWO
    assert addresses.next(FRESH) == ONE


def test_a_name_that_is_not_found_is_looked_up_once_a_second() -> None:
    names = Names()
    addresses = Addresses("ws.example.com", 443, names)
    for _ in range(100):
        with pytest.raises(OSError, match="try again"):
            addresses.next(0)

    assert names.asked == 1
    names.found = (ONE,)
    assert addresses.next(RETRY) == ONE


def test_what_was_found_serves_on_while_look_ups_fail() -> None:
    names = Names(ONE)
    addresses = Addresses("ws.example.com", 443, names)
    addresses.next(0)
    names.found = ()

    assert addresses.next(FRESH) == ONE

import socket

import pytest

from movieql.domain.errors import SettingsError
from movieql.web.server import bind


def test_a_port_of_zero_takes_a_free_one() -> None:
    with bind("127.0.0.1", 0) as bound:
        assert bound.getsockname()[1] > 0


def test_answers_are_not_held_back_until_a_packet_is_full() -> None:
    # asyncio sets TCP_NODELAY on accepted connections only where the protocol is said; without
    # it each answer waits 40 ms for the delayed acknowledgement of its headers.
    with bind("127.0.0.1", 0) as bound:
        assert bound.proto == socket.IPPROTO_TCP


def test_a_taken_port_is_named_with_the_way_out() -> None:
    with bind("127.0.0.1", 0) as bound:
        bound.listen()
        port = bound.getsockname()[1]
        with pytest.raises(SettingsError, match=f"port {port} is taken.*--port"):
            bind("127.0.0.1", port)


def test_an_address_that_is_not_ours_is_named() -> None:
    with pytest.raises(SettingsError, match=r"cannot listen on 192\.0\.2\.1 port 8000: "):
        bind("192.0.2.1", 8000)

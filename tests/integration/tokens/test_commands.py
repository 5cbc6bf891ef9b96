"""`movieql hash-password` and `movieql token`, as processes and in a terminal."""

import os
import subprocess
import sys

import pytest

from movieql.clock import SystemClock
from movieql.tokens.claims import IssuerRules
from movieql.tokens.keys import SecretKey
from movieql.tokens.passwords import matches
from movieql.tokens.verifying import Issuer, Tokens
from tests.servers import ROOT, ran

SECRET = "0123456789-abcdefghijklmnopqrstuvwxyz"  # noqa: S105  # of a test
PASSWORD = "correct horse battery"  # noqa: S105  # of a test
HASH_PASSWORD = [sys.executable, "-m", "movieql", "hash-password"]


def hashed(given: bytes) -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run(  # noqa: S603  # our own command line
        HASH_PASSWORD,
        input=given,
        capture_output=True,
        check=False,
        cwd=ROOT,
        env=os.environ | {"PYTHONIOENCODING": "utf-8:strict"},
        timeout=20,
    )


@pytest.mark.parametrize("end", ["", "\n", "\r\n", "\nsecond line\n"])
def test_a_password_from_a_pipe_is_hashed(end: str) -> None:
    done = hashed(f"{PASSWORD}{end}".encode())
    assert done.returncode == 0
    assert matches(done.stdout.decode().strip(), PASSWORD)
    assert done.stderr == b""


@pytest.mark.parametrize("given", [b"", b"elevenchars", b"a" * 1_100, b"\xff" * 12], ids=range(4))
def test_a_password_that_is_too_short_or_unreadable_is_refused(given: bytes) -> None:
    done = hashed(given)
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"A password" in done.stderr


def test_a_terminal_asks_twice_and_shows_nothing_of_the_password() -> None:
    ours, theirs = os.openpty()
    process = subprocess.Popen(  # noqa: S603  # our own command line
        HASH_PASSWORD, stdin=theirs, stdout=theirs, stderr=theirs, cwd=ROOT, start_new_session=True
    )
    shown = b""
    try:
        for question in (b"Password: ", b"confirmation: "):
            while not shown.endswith(question):
                shown += os.read(ours, 1024)
            os.write(ours, f"{PASSWORD}\n".encode())
        while b"$argon2id$" not in shown or not shown.endswith(b"\n"):
            shown += os.read(ours, 1024)
        assert process.wait(10) == 0
    finally:
        process.kill()
        process.wait()
        os.close(ours)
        os.close(theirs)
    assert PASSWORD.encode() not in shown
    assert matches(shown.decode().split()[-1], PASSWORD)


async def test_a_token_for_a_script_is_accepted_by_the_server_of_the_same_secret() -> None:
    args = ("--subject", "nightly", "--scope", "exports", "--scope", "movies:write")
    done = ran("token", *args, "--lifetime-s", "60", env={"MOVIEQL_JWT_SECRET": SECRET})
    rules = IssuerRules("movieql", "movieql", 60)
    tokens = Tokens([Issuer(rules, SecretKey(SECRET.encode()))], SystemClock())
    caller = await tokens.verify(done.stdout.strip())
    assert (caller.subject, caller.scopes) == ("nightly", frozenset({"exports", "movies:write"}))


@pytest.mark.parametrize(
    "args, secret, why",
    [
        (("--subject", "x"), "", "MOVIEQL_JWT_SECRET is not set"),
        (("--subject", "x"), "a" * 40, "too regular"),
        (("--subject", "x", "--lifetime-s", "3601"), SECRET, "1<=x<=3600"),
        (("--subject", "x", "--scope", "root"), SECRET, "'root'"),
        (("--subject", ""), SECRET, "A subject has"),
        ((), SECRET, "--subject"),
    ],
)
def test_a_token_that_would_be_rejected_is_refused(
    args: tuple[str, ...], secret: str, why: str
) -> None:
    done = ran("token", *args, env={"MOVIEQL_JWT_SECRET": secret})
    assert done.returncode != 0
    assert done.stdout == ""
    assert why in done.stderr
    assert "Traceback" not in done.stderr
    assert SECRET not in done.stderr

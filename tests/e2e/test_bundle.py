"""What browsers get is made of our sources alone: nothing of the machine that built it."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.servers import ROOT

CANARY = "canary-5c1e0f"
SECRETS = (
    "CINEMAWORLD_TOKEN",
    "FILMWORLD_TOKEN",
    "SHOPS_SECRET_KEY",
    "MOVIEQL_JWT_SECRET",
    "AWS_SECRET_ACCESS_KEY",
    "VITE_TOKEN",  # Vite hands variables of this prefix to the sources
)


@pytest.mark.parametrize("page", ["index", "graphiql"])
def test_no_secret_of_the_environment_gets_into_the_bundle(page: str, tmp_path: Path) -> None:
    secrets = {name: f"{CANARY}-{name.lower()}" for name in SECRETS}
    build = [str(ROOT / "bin" / "with-node"), "npx", "vite", "build", "--mode", page]
    subprocess.run(  # noqa: S603  # our own command line
        [*build, "--outDir", str(tmp_path), "--emptyOutDir", "--logLevel", "error"],
        cwd=ROOT / "client",
        env=os.environ | secrets,
        check=True,
        timeout=100,
    )
    files = [each for each in tmp_path.rglob("*") if each.is_file()]
    assert any(each.suffix == ".js" for each in files)
    for each in files:
        content = each.read_bytes()
        assert CANARY.encode() not in content, each.name
        assert str(ROOT).encode() not in content, each.name
        assert b"x-access-token" not in content, each.name

"""Debian's packages, for a program that tests need and that nothing else brings."""

import os
import shutil
import subprocess


def install(package: str) -> None:
    """Install a package where there is apt-get and we may; where not, leave it."""
    if shutil.which("apt-get") is None:
        return
    root: list[str] = []
    if os.geteuid() != 0:
        sudo = shutil.which("sudo")
        if sudo is None or not succeeds([sudo, "-n", "true"]):
            return
        root = [sudo, "-n"]
    succeeds([*root, "apt-get", "update"])
    succeeds([*root, "apt-get", "install", "--yes", "--no-install-recommends", package])


def succeeds(command: list[str]) -> bool:
    """Run a command and return whether it ended with 0; what it prints is shown."""
    return subprocess.run(command, check=False).returncode == 0  # noqa: S603  # ours

"""The server builds of tests/servers, and the pair of versions that the demo and most tests update between."""

import subprocess
from pathlib import Path

BUILD = Path(__file__).resolve().parent.parent / "servers/build"

OLD_NGINX = "1.22.1-9+deb12u9"
NEW_NGINX = "1.22.1-9+deb12u10"


class ServerBuildError(Exception):
    pass


def build(server, version):
    """The path of the binary, which is built now if that was never done."""
    result = subprocess.run([BUILD, server, version], stdout=subprocess.PIPE, text=True)
    if result.returncode != 0:
        raise ServerBuildError(f"tests/servers/build {server} {version} failed")
    return result.stdout.strip()

"""A real server that scenarios break, behind a proxy that cuts."""

import json
import subprocess
import sys
from pathlib import Path

import trustme

from mailvet.config import PREFIX
from mailvet.testbed.bed import Testbed
from mailvet.v1 import batch_service_pb2
from tests.acceptance.house import ServerProcess
from tests.faults.proxy import Proxy

START_TIMEOUT_S = 90.0
"""With a million results in the store, on a machine that does much else."""
USUAL = {"session_recipients": "50", "drain_grace_s": "2"}
TLS = "tls"
"""The setting, of a scenario only, that has a server present a certificate of its own making."""


class RealServer:
    """`mailvet serve` on a store that outlives it; started again by every fault that ends it."""

    def __init__(self, bed: Testbed, folder: Path, settings: dict[str, str]) -> None:
        self.words: dict[str, str] = {}
        """What stands for `$word` in a scenario: `$key`, `$roots`."""
        self._process = ServerProcess(bed, folder, **USUAL)
        self._process.start_timeout_s = START_TIMEOUT_S
        settings = dict(settings)
        if settings.pop(TLS, None):
            settings |= _certificate(folder)
            self.words["roots"] = str(folder / "roots.pem")
            roots = (folder / "roots.pem").read_bytes()
            self._process.connection["root_certificates"] = roots
        if "require_keys" in settings:
            self.words["key"] = self._process.connection["key"] = _key(self._process.store)
        self._environment = {PREFIX + name.upper(): value for name, value in settings.items()}

    async def start(self) -> Proxy:
        """Start it, and return the proxy that is to stand before it."""
        await self._process.start(self._environment)
        return Proxy(("127.0.0.1", int(self._process.target.rpartition(":")[2])))

    async def stop(self) -> None:
        """End it for good."""
        await self._process.kill()

    async def kill(self) -> None:
        """`kill -9`, and start it again."""
        await self._process.kill()
        await self._process.start(self._environment)

    async def drain(self) -> None:
        """SIGTERM, and start it again once it has ended."""
        await self._process.stop()
        await self._process.start(self._environment)

    async def erase(self, batch_id: str) -> None:
        """Delete a batch while it runs, as another caller might."""
        async with self._process.client() as client:
            request = batch_service_pb2.DeleteBatchRequest(batch_id=batch_id, force=True)
            await client.call(client.batches.DeleteBatch, request)

    def log(self) -> str:
        """What it wrote last."""
        return self._process.log()[-4000:]


def _key(store: Path) -> str:
    """Make an API key as an operator does, and return it."""
    command = [sys.executable, "-m", "mailvet", "keys", "create", "--store", str(store), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    key: str = json.loads(done.stdout)["key"]
    return key


def _certificate(folder: Path) -> dict[str, str]:
    """Make an authority and a certificate for loopback; return the settings that present it."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "roots.pem"))
    made = authority.issue_cert("127.0.0.1")
    made.private_key_pem.write_to_path(str(folder / "key.pem"))
    (folder / "key.pem").chmod(0o600)
    for pem in made.cert_chain_pems:
        pem.write_to_path(str(folder / "cert.pem"), append=True)
    return {"tls_cert": str(folder / "cert.pem"), "tls_key": str(folder / "key.pem")}

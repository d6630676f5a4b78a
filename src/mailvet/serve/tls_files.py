"""Whether a certificate and a key would serve: a handshake of the pair with itself, in memory."""

import ssl
import time
from pathlib import Path

SOON_S = 14 * 86_400.0
"""Time enough to renew; what renews by itself (ACME) does so a month before the end."""


def tls_fault(certificate: Path, key: Path, now: float | None = None) -> str:
    """Return what is wrong with the pair, an end that is near included; empty when nothing is.

    `now` is seconds since the epoch, for the end that is near.
    """
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname = False  # by which names it is called, callers know
    client.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # it vouches for itself here
    try:
        server.load_cert_chain(certificate, key)
        client.load_verify_locations(certificate)
        end = _handshake(server, client)
    except ssl.SSLCertVerificationError as error:
        return f"{certificate}: {error.verify_message}"
    except ssl.SSLError as error:
        return f"{certificate} and {key} do not go together: {error.reason or error}"
    except OSError as error:
        return f"cannot read {error.filename or certificate}: {error.strerror}"
    left_s = end - (time.time() if now is None else now)
    return f"{certificate} ends in {left_s / 86_400:.0f} days" if left_s < SOON_S else ""


def _handshake(server: ssl.SSLContext, client: ssl.SSLContext) -> float:
    """When the certificate ends, in seconds since the epoch; raises what a client would."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    serving = server.wrap_bio(to_server, to_client, server_side=True)
    calling = client.wrap_bio(to_client, to_server)
    for side in (calling, serving, calling, serving):
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            continue
    told = calling.getpeercert()
    assert told is not None
    return float(ssl.cert_time_to_seconds(str(told["notAfter"])))

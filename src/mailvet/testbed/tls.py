"""A certificate nobody trusts, for hosts that offer STARTTLS; made when the first one needs it."""

import functools
import ssl


@functools.cache
def server_context() -> ssl.SSLContext:
    """A server-side context with a fresh certificate for `mx.test`.

    Needs the package `trustme`, imported here because most worlds have no TLS at all; raises
    `ImportError` saying so.
    """
    try:
        import trustme
    except ImportError as error:
        raise ImportError("a host that offers STARTTLS needs the package trustme") from error
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("mx.test").configure_cert(context)
    return context

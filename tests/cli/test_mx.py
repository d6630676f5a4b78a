"""`mailvet mx`, in front of a name server."""

import json

from mailvet.cli.mx import LOOK_UPS
from tests.cli.run import json_lines, mailvet


def test_a_person_sees_where_mail_goes(network: list[str]) -> None:
    """A block for each domain or address, with exchangers and records."""
    done = mailvet("mx", *network, "cli.test", "ann@missing.test")
    first, second = done.stdout.strip().split("\n\n")
    assert (0, "") == (done.returncode, done.stderr)
    assert ["mx.cli.test", "10", "127.0.79.1"] == next(
        line.split()[1:] for line in first.splitlines() if line.startswith("exchangers")
    )
    assert "NO_DOMAIN" in second


def test_every_line_has_its_answer_in_order(network: list[str]) -> None:
    """More lines than are asked at once, with wrong ones among them, come out in order."""
    asked: list[object] = [{"domain": f"d{n % 20}.cli.test"} for n in range(2 * LOOK_UPS + 7)]
    asked[3], asked[LOOK_UPS] = [], {"domain": 7}
    text = "\n".join(json.dumps(one) for one in asked)
    done = mailvet("mx", *network, "--json", stdin=text.encode())
    found = json_lines(done.stdout)
    assert (1, len(asked)) == (done.returncode, len(found))
    assert [3, LOOK_UPS] == [n for n, one in enumerate(found) if "error" in one]
    assert [one["domain"] for one in asked if isinstance(one, dict) and one["domain"] != 7] == [
        one["domain"] for one in found if "error" not in one
    ]
    assert {"EXCHANGERS"} == {one["outcome"] for one in found if "error" not in one}


def test_what_is_no_domain_is_told(network: list[str]) -> None:
    """The outcome is the syntax status; DNS is not asked."""
    (found,) = json_lines(mailvet("mx", *network, "--json", "a b").stdout)
    assert ("a b", "DOMAIN_PART_COMPLIANCY_FAILURE") == (found["domain"], found["outcome"])

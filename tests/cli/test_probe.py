"""`mailvet probe`, in front of a mail internet."""

from tests.cli.run import json_lines, mailvet


def test_every_step_is_told_as_it_happens(network: list[str]) -> None:
    """Syntax, DNS, the whole dialogue, findings and the verdict, one step a line."""
    done = mailvet("probe", *network, "user1@cli.test")
    steps = [line.split()[0] for line in done.stdout.splitlines()]
    assert (0, "syntax", "verdict") == (done.returncode, steps[0], steps[-1])
    assert {"dns", "smtp", "finding"} < set(steps)
    assert "> RCPT TO:<user1@cli.test>" in done.stdout
    assert "DATA" not in [line.split()[-1] for line in done.stdout.splitlines()]
    assert "DELIVERABLE SUCCESS" in done.stdout.splitlines()[-1]


def test_json_is_the_result_with_its_evidence(network: list[str]) -> None:
    """One object, the fields of Result."""
    done = mailvet("probe", *network, "--json", "nobody@cli.test")
    (found,) = json_lines(done.stdout)
    assert ("MAILBOX_DOES_NOT_EXIST", 550) == (
        found["status"],
        found["evidence"]["mailbox"]["code"],
    )


def test_an_address_that_is_none_is_a_verdict_too(network: list[str]) -> None:
    """Nothing is asked of the network, and the place of the fault is told."""
    done = mailvet("probe", *network, "a..b@cli.test")
    assert (0, True) == (done.returncode, "DOUBLE_DOT_SEQUENCE at 2" in done.stdout)
    assert "smtp" not in done.stdout


def test_a_domain_is_shown_as_one(network: list[str]) -> None:
    """With --bare-domains it is asked about by a mailbox that was made up."""
    done = mailvet("probe", *network, "--bare-domains", "cli.test")
    assert "syntax   the domain cli.test" == done.stdout.splitlines()[0]
    assert "> RCPT TO:<v" in done.stdout
    assert "DELIVERABLE SUCCESS" in done.stdout.splitlines()[-1]

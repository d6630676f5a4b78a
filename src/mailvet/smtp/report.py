"""What a visit brought back: observations, and what was learnt about asking the host."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from mailvet.model.address import Address
from mailvet.model.reply import Observation
from mailvet.smtp.transcript import Line


@dataclass(slots=True, kw_only=True)  # frozen it takes four times as long to make
class Report:
    """Everything observed; nothing judged."""

    observations: Mapping[Address, Observation] = field(default_factory=dict)
    """The last thing learnt about each recipient that was asked, or could not be."""
    made_up: Mapping[str, Observation] = field(default_factory=dict)
    """What became of the made-up mailbox, by the envelope's domain."""
    recipients: Sequence[Address] = ()
    """Whom it was all about."""
    recipients_taken: int | None = None
    """How many were answered where the host refused another one; None: it never did."""
    one_domain: bool = False
    """The host refused a second transaction, or a second domain."""
    extensions: frozenset[str] = frozenset()
    """Keywords of the last accepted EHLO, in capitals, without parameters."""
    used_starttls: bool = False
    connected: bool = False
    """Whether any address took the connection."""
    address: str = ""
    """The IP address that took it last."""
    greeted: bool = False
    """Whether any host opened with a positive banner."""
    transcript: tuple[Line, ...] = ()
    """Empty unless it was asked for."""

    @property
    def unasked(self) -> tuple[Address, ...]:
        """Recipients nothing was said about: ask them again, in another session."""
        return tuple(each for each in self.recipients if each not in self.observations)

"""How long we wait for an exchanger, and how much of it we take; each number with its reason."""

from dataclasses import dataclass, fields, replace

from mailvet.model.status import QualityLevel


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitLimits:
    """The limits of one visit; the defaults are those of `QualityLevel.STANDARD`.

    RFC 5321 4.5.3.2 grants a host five minutes for most replies. That is for mail that has to be
    delivered; a question that is not answered can be asked again later.
    """

    connect_s: float = 10.0
    """Three SYNs (at 0, 1 and 3 seconds) and a slow way back; who listens has answered by then."""
    banner_s: float = 30.0
    """Greet delays against spam take 5 to 30 seconds (Sendmail's greet_pause, Postfix's
    postscreen); a reverse look-up of our address comes on top only where both are slow."""
    command_s: float = 20.0
    """A host that waits in vain for its own name servers (5 seconds, two tries, two servers)
    answers in 20. It covers the whole reply, not each read: a tarpit drips."""
    tls_s: float = 10.0
    """A handshake is two round trips and a little arithmetic."""
    quit_s: float = 2.0
    """Politeness has no result to wait for."""
    session_s: float = 120.0
    """Room for 20 recipients at several seconds each; past that it is a tarpit."""
    visit_s: float = 180.0
    """All addresses together: one whole session, and a few that do not answer."""
    max_addresses: int = 5
    """Postfix stops at five too (smtp_mx_address_limit): where five did not help, a sixth, of the
    same operator, will not. Addresses that cannot be routed from here cost nothing and are not
    counted."""
    max_recipients: int = 100
    """Every host has to take this many in a transaction (RFC 5321 4.5.3.1.8); more is asking for
    attention."""

    @classmethod
    def of(cls, quality: QualityLevel) -> "VisitLimits":
        """Return the preset of a quality level."""
        return _PRESETS.get(quality, _STANDARD)

    def scaled(self, factor: float) -> "VisitLimits":
        """Return the same limits with every time multiplied by `factor`; counts stay."""
        times = [field.name for field in fields(self) if field.name.endswith("_s")]
        return replace(self, **{name: getattr(self, name) * factor for name in times})


_STANDARD = VisitLimits()
_PRESETS = {
    # A busy host that takes half a minute for each reply is still heard.
    QualityLevel.HIGH: VisitLimits(
        connect_s=20, banner_s=60, command_s=45, tls_s=20, session_s=300, visit_s=420
    ),
    # Whoever answers within what most mail servers themselves wait for is heard.
    QualityLevel.EXTREME: VisitLimits(
        connect_s=30, banner_s=120, command_s=120, tls_s=30, session_s=600, visit_s=900
    ),
}

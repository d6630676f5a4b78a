"""Of whom a reply says what: each predicate is bound to the nearest subject of its sentence."""

from collections.abc import Iterator

from mailvet.smtp.reply_lexicon import Mention

SUBJECTS = frozenset(
    [
        "recipient",
        "address",
        "directory",
        "domain",
        "client",
        "ip",
        "helo",
        "rdns",
        "dns",
        "sender",
        "server",
        "message",
    ]
)
PREDICATES = frozenset(
    [
        "absent",
        "no",
        "disabled",
        "ended",
        "full",
        "exceeded",
        "space",
        "size",
        "refused",
        "blocked",
        "unavailable",
        "no_mail",
        "foreign",
        "restricted",
        "callout",
        "trouble",
    ]
)
_OWNED = frozenset({"address", "domain", "ip"})
"""Ideas that belong to a subject right before them: "sender <a@b>", "recipient domain"."""
_OWNERS = SUBJECTS - {"message", "server"}
_UNFIT = {
    "absent": frozenset({"server", "message"}),
    "no": frozenset({"server", "message"}),
    "disabled": frozenset({"message"}),
}
"""Subjects a predicate is never said of: nobody answers that a server does not exist."""
_NAMES = {"ip": "client"}
"""An IP address of which something is said is ours: hosts speak of no other."""
_SPOKEN_FOR = frozenset({"recipient", "domain"})
_ADJUNCT = 4.0
"""How much farther a subject behind a preposition counts: "not found in domain"."""
_TO_THE_RIGHT = 0.5
"""How much farther a subject behind its predicate counts: "rejected" after a subject is its own."""


def statements(mentions: list[Mention]) -> Iterator[tuple[str, str]]:
    """Yield (subject, predicate) for each predicate that has a subject in its sentence.

    Subjects joined by "or" share their predicate: "account or domain does not exist".
    """
    joined = _joined(mentions)
    subjects = [mention for mention in joined if mention.idea in SUBJECTS]
    for predicate in joined:
        if predicate.idea in PREDICATES:
            nearest = _nearest(predicate, subjects)
            if nearest >= 0:
                yield _NAMES.get(subjects[nearest].idea, subjects[nearest].idea), predicate.idea
                if subjects[nearest].after_or and nearest:
                    yield subjects[nearest - 1].idea, predicate.idea


def _joined(mentions: list[Mention]) -> list[Mention]:
    joined: list[Mention] = []
    for mention in mentions:
        last = joined[-1] if joined else None
        if last and mention.idea in _OWNED and last.idea in _OWNERS and _touch(last, mention):
            joined[-1] = last._replace(end=mention.end)
        else:
            joined.append(mention)
    return joined


def _touch(first: Mention, second: Mention) -> bool:
    near = first.sentence == second.sentence and second.start - first.end <= 1
    return near and not second.after_or


def _nearest(predicate: Mention, subjects: list[Mention]) -> int:
    best, best_distance = -1, float("inf")
    for place, subject in enumerate(subjects):
        if subject.sentence == predicate.sentence and _fits(predicate, subject):
            distance = _distance(predicate, subject)
            if distance < best_distance:
                best, best_distance = place, distance
    return best


def _fits(predicate: Mention, subject: Mention) -> bool:
    if predicate.idea == "no" and subject.start != predicate.end:
        return False
    if predicate.idea == "refused" and subject.adjunct and subject.idea in _SPOKEN_FOR:
        return False  # "no access for this user", "rejected by the user": somebody else is refused
    if subject.idea == "ip" and subject.start >= predicate.end:
        return False  # hosts end replies with our address, or theirs, like a signature
    return subject.idea not in _UNFIT.get(predicate.idea, ())


def _distance(predicate: Mention, subject: Mention) -> float:
    far = _ADJUNCT if subject.adjunct else 0.0
    if subject.start >= predicate.end:
        return far + subject.start - predicate.end + _TO_THE_RIGHT
    return far + predicate.start - subject.end

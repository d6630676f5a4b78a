"""Rows of entries that need nobody asked, filled in many at a time.

Half of what a row costs is to find out what it needs: here all of one call need the same.
"""

from collections.abc import Iterable, Mapping

from mailvet.engine.encoder import Fault, Plain, Repeat
from mailvet.model.batch import ResultRow
from mailvet.model.named import new
from mailvet.rpc.forms import (
    CANONICAL,
    CUSTOM,
    DUPLICATE,
    EMAIL,
    EXPLANATION,
    FAULT,
    INDEX,
    INPUT,
    LENGTHS,
    LOCAL_PART,
    RESULT,
    Form,
    Forms,
    number_text,
)


class PlainForms(Forms):
    """Encodes results by form, and plain ones many at a time.

    Texts are ASCII and short, as `engine.offhand` sees to.
    """

    def plain(
        self,
        form: Form,
        plain: Iterable[Plain],
        now: float,
        basic: str,
        more: str,
        evidence: bytes,
    ) -> list[ResultRow]:
        """Return the rows of addresses answered at `now`, as `fill` does."""
        status, classification, own_basic, own_more, own_evidence = form
        shared = f"{self.time_text(now)}{basic}{own_basic}"
        rest = f"{own_more}{more}{LOCAL_PART}"
        evidence = own_evidence + evidence
        rows = []
        for index, address, custom, local_part in plain:
            size = LENGTHS[len(address)]
            own = f"{CUSTOM}{LENGTHS[len(custom)]}{custom}" if custom else ""
            first = (
                f"{INDEX}{number_text(index)}{INPUT}{size}{address}{own}{EMAIL}{size}{address}"
                f"{shared}"
            )
            name = f"{LENGTHS[len(local_part)]}{local_part}{CANONICAL}{size}{address}"
            length = len(first)
            total = number_text(length + len(rest) + len(name))
            doc = f"{RESULT}{total}{first}{rest}{name}".encode("latin-1")
            rows.append(new(ResultRow, (index, status, classification, doc, length, evidence)))
        return rows

    def repeats(
        self, forms: Mapping[str, Form], repeats: Iterable[Repeat], now: float, sentence: str
    ) -> list[ResultRow]:
        """Return the rows of duplicates answered at `now`, whose address is all that was sent.

        `forms` is by domain; in `sentence` stands `{original}` for the index of the first.
        """
        moment = self.time_text(now)
        before, _, after = sentence.partition("{original}")
        said = len(before) + len(after)
        rows = []
        for index, address, custom, original, local_part, domain in repeats:
            status, classification, basic, more, evidence = forms[domain]
            size = LENGTHS[len(address)]
            own = f"{CUSTOM}{LENGTHS[len(custom)]}{custom}" if custom else ""
            same = str(original)
            first = (
                f"{INDEX}{number_text(index)}{INPUT}{size}{address}{own}{EMAIL}{size}{address}"
                f"{moment}{EXPLANATION}{LENGTHS[said + len(same)]}{before}{same}{after}"
                f"{DUPLICATE}{number_text(original)}{basic}"
            )
            name = f"{LENGTHS[len(local_part)]}{local_part}"
            rest = f"{more}{LOCAL_PART}{name}{CANONICAL}{size}{address}"
            length = len(first)
            doc = f"{RESULT}{number_text(length + len(rest))}{first}{rest}".encode("latin-1")
            rows.append(new(ResultRow, (index, status, classification, doc, length, evidence)))
        return rows

    def faults(
        self, forms: Mapping[str, Form], faults: Iterable[Fault], now: float
    ) -> list[ResultRow]:
        """Return the rows of texts that are no address, answered at `now`; `forms` by reason."""
        moment = self.time_text(now)
        rows = []
        for index, text, custom, reason, place in faults:
            status, classification, basic, more, evidence = forms[reason]
            own = f"{CUSTOM}{LENGTHS[len(custom)]}{custom}" if custom else ""
            first = (
                f"{INDEX}{number_text(index)}{INPUT}{LENGTHS[len(text)]}{text}{own}{moment}"
                f"{FAULT}{number_text(place)}{basic}"
            )
            length = len(first)
            doc = f"{RESULT}{number_text(length + len(more))}{first}{more}".encode("latin-1")
            rows.append(new(ResultRow, (index, status, classification, doc, length, evidence)))
        return rows

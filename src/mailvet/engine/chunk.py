"""A claim under way: what of it is open, and what was learnt since the last settlement."""

from collections.abc import Callable, Sequence

from mailvet.engine.case import Case
from mailvet.model.batch import Claim, Deferral, ResultRow, Settlement
from mailvet.verdict.policy import policy_of


class Chunk:
    """A claim under way."""

    __slots__ = (
        "cases",
        "claim",
        "deferred",
        "is_plain",
        "lost",
        "open",
        "policy",
        "recall",
        "recalled",
        "rows",
    )

    def __init__(self, claim: Claim, recall: Callable[[Case], bool] | None) -> None:
        """`recall` puts in what is remembered of a case, where the batch wants that."""
        self.claim = claim
        self.policy = policy_of(claim.rules, claim.tenant_rules)
        self.recall = recall
        self.is_plain = self.policy is None and recall is None and not claim.bare_domains
        """Whether nothing but its text and the world decides about an entry."""
        self.open = len(claim.entries)
        self.rows: list[ResultRow] = []
        self.deferred: list[tuple[int, float]] = []
        self.recalled: list[int] = []
        self.lost = False
        """Its batch ended or its fence was passed: nothing of it counts any more."""
        self.cases: list[Case] = []

    def add(self, cases: Sequence[Case]) -> None:
        """Take cases of its entries in."""
        self.cases += cases
        if self.lost:
            self.lose()

    def lose(self) -> None:
        """Note that nothing of it counts any more; what is queued is not asked."""
        self.lost = True
        for case in self.cases:
            case.abandoned = True

    def take_settlement(self) -> Settlement:
        """What was learnt since the last one."""
        deferrals = [Deferral((index,), run_at) for index, run_at in self.deferred]
        if len(deferrals) > 1:  # one new chunk, ready when the last of them is
            run_at = max(run_at for _, run_at in self.deferred)
            deferrals = [Deferral(tuple(index for index, _ in self.deferred), run_at)]
        settlement = Settlement(self.claim, self.rows, deferrals, frozenset(self.recalled))
        self.rows, self.deferred, self.recalled = [], [], []
        return settlement

    def take_back(self, settlement: Settlement) -> None:
        """Put back what could not be committed."""
        self.rows = settlement.results + self.rows
        self.recalled += settlement.recalled
        for deferral in settlement.deferrals:
            self.deferred += [(index, deferral.run_at) for index in deferral.indexes]

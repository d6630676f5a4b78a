"""AccountService: what a tenant decides for all its verifications."""

from mailvet.accounts.admission import Admission
from mailvet.accounts.audit_log import AuditLog
from mailvet.accounts.tenant_keys import TenantKeys
from mailvet.batches.cursor import Marks
from mailvet.errors import EtagMismatch, Violations
from mailvet.model.ruling import OverrideRule, TenantRules
from mailvet.rpc import data_policy
from mailvet.rpc.api_keys import ApiKeyMethods
from mailvet.rpc.audit_events import AuditMethods
from mailvet.rpc.call import Call
from mailvet.rpc.decode_rules import tenant_rules
from mailvet.rpc.encode import timestamp
from mailvet.rpc.erase import AddressEraser
from mailvet.rpc.own_limits import own_limits
from mailvet.rpc.usage import UsageBook
from mailvet.store.base import Store
from mailvet.v1 import account_service_pb2 as pb
from mailvet.v1 import data_policy_pb2 as policy_pb
from mailvet.v1 import erasure_pb2 as erasure_pb
from mailvet.v1 import own_limits_pb2 as limits_pb
from mailvet.v1 import rules_pb2 as rules_pb
from mailvet.v1 import usage_pb2 as usage_pb


class AccountService(ApiKeyMethods, AuditMethods):
    """Answers the methods of mailvet.v1.AccountService."""

    def __init__(
        self,
        store: Store,
        usage: UsageBook,
        admission: Admission,
        keys: TenantKeys,
        audit: AuditLog,
        marks: Marks,
        eraser: AddressEraser,
    ) -> None:
        ApiKeyMethods.__init__(self, keys, marks)
        AuditMethods.__init__(self, audit, marks)
        self._eraser = eraser
        self._store = store
        self._usage = usage
        self._admission = admission

    async def get_rules(
        self, _request: pb.GetRulesRequest, call: Call[pb.GetRulesRequest]
    ) -> pb.GetRulesResponse:
        """Return the rules in force."""
        return pb.GetRulesResponse(rules=_encode(await self._store.get_rules(call.tenant)))

    async def update_rules(
        self, request: pb.UpdateRulesRequest, call: Call[pb.UpdateRulesRequest]
    ) -> pb.UpdateRulesResponse:
        """Replace the rules, only those that the etag names if there is one."""
        wrong = Violations()
        rules = tenant_rules(request.rules, wrong)
        wrong.raise_if_any()
        over = await self._revision(request.rules.etag, call.tenant)
        if request.validate_only:
            return pb.UpdateRulesResponse(rules=request.rules)
        kept = await self._store.put_rules(call.tenant, rules, over=over)
        return pb.UpdateRulesResponse(rules=_encode(kept))

    async def get_data_policy(
        self, _request: policy_pb.GetDataPolicyRequest, call: Call[policy_pb.GetDataPolicyRequest]
    ) -> policy_pb.GetDataPolicyResponse:
        """Return the data policy in force."""
        policy = await self._store.get_data_policy(call.tenant)
        shown = await data_policy.encoded(self._store, call.tenant, policy)
        return policy_pb.GetDataPolicyResponse(policy=shown)

    async def update_data_policy(
        self,
        request: policy_pb.UpdateDataPolicyRequest,
        call: Call[policy_pb.UpdateDataPolicyRequest],
    ) -> policy_pb.UpdateDataPolicyResponse:
        """Replace the data policy."""
        policy = data_policy.decoded(request.policy)
        kept = await self._store.put_data_policy(call.tenant, policy)
        shown = await data_policy.encoded(self._store, call.tenant, kept)
        return policy_pb.UpdateDataPolicyResponse(policy=shown)

    async def get_own_limits(
        self, _request: limits_pb.GetOwnLimitsRequest, call: Call[limits_pb.GetOwnLimitsRequest]
    ) -> limits_pb.GetOwnLimitsResponse:
        """Return the limits that the caller is held to."""
        found = await own_limits(self._store, self._admission, call)
        return limits_pb.GetOwnLimitsResponse(limits=found)

    async def get_balance(
        self, _request: usage_pb.GetBalanceRequest, call: Call[usage_pb.GetBalanceRequest]
    ) -> usage_pb.GetBalanceResponse:
        """Return what the tenant may spend."""
        return usage_pb.GetBalanceResponse(balance=await self._usage.balance(call.tenant))

    async def list_daily_usage(
        self, request: usage_pb.ListDailyUsageRequest, call: Call[usage_pb.ListDailyUsageRequest]
    ) -> usage_pb.ListDailyUsageResponse:
        """Return the tenant's ledger, the calls that just ended included."""
        return await self._usage.days(call.tenant, request)

    async def estimate_cost(
        self, request: usage_pb.EstimateCostRequest, call: Call[usage_pb.EstimateCostRequest]
    ) -> usage_pb.EstimateCostResponse:
        """Return what a batch or so many entries would cost."""
        return await self._usage.estimate(call.tenant, request)

    async def erase_address(
        self, request: erasure_pb.EraseAddressRequest, call: Call[erasure_pb.EraseAddressRequest]
    ) -> erasure_pb.EraseAddressResponse:
        """Erase one address from everything the tenant has."""
        return await self._eraser.erase(call.tenant, request.address)

    async def _revision(self, etag: str, tenant: str) -> int | None:
        """Return the revision that an etag names; raises `EtagMismatch` unless it is in force."""
        if not etag:
            return None
        kept = await self._store.get_rules(tenant)
        if etag != kept.etag:
            raise EtagMismatch(kept.etag)
        return kept.revision


def _encode(rules: TenantRules) -> rules_pb.Rules:
    return rules_pb.Rules(
        overrides=map(_encode_override, rules.overrides),
        scheme=[
            rules_pb.SchemeRow(
                status=row.status,  # type: ignore[arg-type]  # the numbers are the proto's
                classification=row.classification,  # type: ignore[arg-type]
                label=row.label,
            )
            for row in rules.scheme
        ],
        etag=rules.etag,
        update_time=timestamp(rules.update_time),
    )


def _encode_override(rule: OverrideRule) -> rules_pb.OverrideRule:
    return rules_pb.OverrideRule(
        pattern=rule.pattern,
        classification=rule.classification,  # type: ignore[arg-type]
        note=rule.note,
    )

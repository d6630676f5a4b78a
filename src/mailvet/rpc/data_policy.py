"""GetDataPolicy and UpdateDataPolicy: for how long a tenant's data is kept, and how much of it."""

from mailvet.errors import Violations
from mailvet.model.keeping import DEFAULT_RETENTION_S, MAX_RETENTION_S, MIN_RETENTION_S, DataPolicy
from mailvet.rpc import rules
from mailvet.rpc.encode import duration
from mailvet.store.keeping import Keeping
from mailvet.v1 import data_policy_pb2 as pb


def decoded(policy: pb.DataPolicy) -> DataPolicy:
    """Return a policy as it was sent; what is not set gets its default."""
    wrong = Violations()
    retention_s = DEFAULT_RETENTION_S
    if policy.HasField("retention"):
        retention_s = rules.seconds(
            policy.retention, "policy.retention", MIN_RETENTION_S, MAX_RETENTION_S, wrong
        )
    wrong.raise_if_any()
    return DataPolicy(retention_s=retention_s)


async def encoded(store: Keeping, tenant: str, policy: DataPolicy) -> pb.DataPolicy:
    """Return a policy as it is shown, with what the tenant stores now."""
    return pb.DataPolicy(
        retention=duration(policy.retention_s),
        stored_bytes=await store.stored_bytes(tenant),
        storage_limit_bytes=store.storage_limit_bytes,
    )

"""GetOwnLimits: every limit that a caller is held to, and what of it is used."""

import math

from mailvet.accounts.admission import Admission, Kind
from mailvet.batches import limits
from mailvet.rpc.call import Call
from mailvet.store.base import Store
from mailvet.store.keeping import BATCHES_SUBJECT, STORAGE_SUBJECT
from mailvet.v1 import own_limits_pb2 as pb


async def own_limits(
    store: Store, admission: Admission, call: Call[pb.GetOwnLimitsRequest]
) -> list[pb.OwnLimit]:
    """Return the limits of the tenant, the key and a single call."""
    tenant, rated_as = call.tenant, call.caller.rated_as
    of_calls = admission.limits
    return [
        pb.OwnLimit(
            subject=Kind.MANAGEMENT.value,
            limit=math.ceil(of_calls.request_rate) if rated_as else 0,
            meaning="management calls of this key, in the long run; no limit without a key",
        ),
        pb.OwnLimit(
            subject="request_burst",
            limit=of_calls.request_burst if rated_as and of_calls.request_rate else 0,
            used=admission.burst_used(rated_as),
            meaning="management calls of this key at once, after a quiet time",
        ),
        pb.OwnLimit(
            subject=Kind.STREAM.value,
            limit=of_calls.streams,
            used=admission.open(Kind.STREAM, tenant),
            meaning="streams of the tenant that are open",
        ),
        pb.OwnLimit(
            subject=Kind.VERIFICATION.value,
            limit=of_calls.verifications,
            used=admission.open(Kind.VERIFICATION, tenant),
            meaning="VerifyEmail and VerifyEmails calls of the tenant that are under way",
        ),
        pb.OwnLimit(
            subject=BATCHES_SUBJECT,
            limit=store.batch_limit,
            used=await store.count_batches(tenant),
            meaning="batches of the tenant, ended ones too until they are deleted or expire",
        ),
        pb.OwnLimit(
            subject=STORAGE_SUBJECT,
            limit=store.storage_limit_bytes,
            used=await store.stored_bytes(tenant),
            meaning="bytes that the tenant's batches hold",
        ),
        *(
            pb.OwnLimit(subject=subject, limit=limit, meaning=meaning)
            for subject, limit, meaning in _OF_ONE_CALL
        ),
    ]


_OF_ONE_CALL = (
    ("entries_per_batch", limits.MAX_ENTRIES_PER_BATCH, "entries of one batch"),
    ("entries_per_call", limits.MAX_ENTRIES_PER_CALL, "entries in one unary call"),
    ("entries_per_frame", limits.MAX_ENTRIES_PER_FRAME, "entries in one message of an upload"),
    ("bytes_per_file", limits.MAX_FILE_BYTES, "bytes of an uploaded file"),
    ("bytes_per_message", limits.MAX_MESSAGE_BYTES, "bytes of one request message"),
)

"""The methods of AccountService that are about API keys, and keys as they are shown."""

from collections.abc import Iterable
from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp

from mailvet.accounts.tenant_keys import TenantKeys
from mailvet.batches.cursor import Kind, Marks, Place, binding_of
from mailvet.batches.limits import MAX_NAME_CHARACTERS
from mailvet.errors import Violations
from mailvet.model.access import ApiKey, Scope, Scopes
from mailvet.rpc import rules
from mailvet.rpc.call import Call
from mailvet.rpc.encode import timestamp
from mailvet.rpc.permission import scope_number, scope_of
from mailvet.v1 import api_key_pb2 as pb

DEFAULT_OVERLAP_S = 86_400.0
"""Until tomorrow everybody has had the chance to change over."""
MAX_OVERLAP_S = 30 * 86_400.0
LAST_TIME_S = datetime(9999, 12, 31, tzinfo=UTC).timestamp()
"""The end of what a Timestamp may say."""


class ApiKeyMethods:
    """The part of AccountService that answers for API keys."""

    def __init__(self, keys: TenantKeys, marks: Marks) -> None:
        self._keys = keys
        self._marks = marks

    async def create_api_key(
        self, request: pb.CreateApiKeyRequest, call: Call[pb.CreateApiKeyRequest]
    ) -> pb.CreateApiKeyResponse:
        """Make a key."""
        wrong = Violations()
        rules.check_length(request.name, "name", MAX_NAME_CHARACTERS, wrong)
        scopes = decoded_scopes(request.scopes, "scopes", wrong)
        expire_time = None
        if request.HasField("expire_time"):
            expire_time = decoded_time(request.expire_time, "expire_time", wrong)
        wrong.raise_if_any()
        made = await self._keys.create(call.caller, request.name, scopes, expire_time)
        call.subject_key_id = made.key.key_id
        return pb.CreateApiKeyResponse(api_key=encoded(made.key), secret=made.text)

    async def list_api_keys(
        self, request: pb.ListApiKeysRequest, call: Call[pb.ListApiKeysRequest]
    ) -> pb.ListApiKeysResponse:
        """Return a page of keys."""
        wrong = Violations()
        size = rules.page_size(request.page_size, wrong)
        wrong.raise_if_any()
        binding = binding_of(call.tenant, "keys")
        start = 0
        if request.page_token:
            start = self._marks.read(request.page_token, Kind.KEY_PAGE, 0, binding)
        keys = (await self._keys.list(call.caller))[start:]
        token = ""
        if len(keys) > size:
            token = self._marks.write(Place(Kind.KEY_PAGE, 0, start + size, binding))
        return pb.ListApiKeysResponse(
            api_keys=[encoded(key) for key in keys[:size]], next_page_token=token
        )

    async def rotate_api_key(
        self, request: pb.RotateApiKeyRequest, call: Call[pb.RotateApiKeyRequest]
    ) -> pb.RotateApiKeyResponse:
        """Make a key in place of another one."""
        wrong = Violations()
        overlap_s = DEFAULT_OVERLAP_S
        if request.HasField("overlap"):
            overlap_s = rules.seconds(request.overlap, "overlap", 0, MAX_OVERLAP_S, wrong)
        wrong.raise_if_any()
        made, old = await self._keys.rotate(call.caller, request.key_id, overlap_s)
        return pb.RotateApiKeyResponse(
            api_key=encoded(made.key), secret=made.text, replaced=encoded(old)
        )

    async def revoke_api_key(
        self, request: pb.RevokeApiKeyRequest, call: Call[pb.RevokeApiKeyRequest]
    ) -> pb.RevokeApiKeyResponse:
        """Revoke a key."""
        return pb.RevokeApiKeyResponse(
            api_key=encoded(await self._keys.revoke(call.caller, request.key_id))
        )


def decoded_scopes(numbers: Iterable[int], path: str, wrong: Violations) -> Scopes:
    """Return the scopes of a request."""
    found = set()
    for place, number in enumerate(numbers):
        try:
            found.add(scope_of(number))
        except ValueError:
            known = ", ".join(Scope)
            wrong.add(f"{path}[{place}]", f"{number} is no scope of a key; there are {known}")
    return frozenset(found)


def decoded_time(time: Timestamp, path: str, wrong: Violations) -> float:
    """Return a time in seconds since the epoch."""
    seconds = time.seconds + time.nanos / 1e9
    if not 0 <= seconds <= LAST_TIME_S or not 0 <= time.nanos < 1_000_000_000:
        wrong.add(path, "is no time between 1970 and 9999")
    return seconds


def encoded(key: ApiKey) -> pb.ApiKey:
    """Return a key as it is shown."""
    return pb.ApiKey(
        key_id=key.key_id,
        name=key.name,
        scopes=[scope_number(scope) for scope in Scope if scope in key.scopes],
        create_time=timestamp(key.create_time),
        expire_time=timestamp(key.expire_time),
        last_use_time=timestamp(key.last_use_time),
        revoke_time=timestamp(key.revoke_time),
        second_factor=key.totp_since is not None,
    )

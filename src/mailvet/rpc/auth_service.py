"""AuthService: tokens in place of keys, and second factors for them."""

from mailvet.accounts.second_factor import SecondFactor
from mailvet.accounts.tokens import MAX_LIFETIME_S, Tokens
from mailvet.errors import PermissionDenied, Violations
from mailvet.model.access import Caller, Credential
from mailvet.rpc import rules
from mailvet.rpc.api_keys import decoded_scopes
from mailvet.rpc.call import Call
from mailvet.rpc.encode import timestamp
from mailvet.v1 import auth_service_pb2 as pb

DEFAULT_LIFETIME_S = 900.0
"""Long enough for most jobs, short enough for a token that is lost."""
MIN_LIFETIME_S = 60.0


class AuthService:
    """Answers the methods of mailvet.v1.AuthService."""

    def __init__(self, tokens: Tokens, second_factor: SecondFactor) -> None:
        self._tokens = tokens
        self._second_factor = second_factor

    async def issue_token(
        self, request: pb.IssueTokenRequest, call: Call[pb.IssueTokenRequest]
    ) -> pb.IssueTokenResponse:
        """Issue a token for the key that calls."""
        wrong = Violations()
        scopes = decoded_scopes(request.scopes, "scopes", wrong)
        lifetime_s = DEFAULT_LIFETIME_S
        if request.HasField("lifetime"):
            lifetime_s = rules.seconds(
                request.lifetime, "lifetime", MIN_LIFETIME_S, MAX_LIFETIME_S, wrong
            )
        wrong.raise_if_any()
        key_id = _key_of(call.caller)
        for scope in sorted(scopes - call.caller.scopes):
            raise PermissionDenied(
                f"the token would have the scope {scope}, which its key lacks; leave it out",
                scope=scope,
            )
        await self._second_factor.require(key_id, request.totp_code)
        token, expire_time = self._tokens.issue(key_id, scopes or call.caller.scopes, lifetime_s)
        return pb.IssueTokenResponse(token=token, expire_time=timestamp(expire_time))

    async def enroll_totp(
        self, _request: pb.EnrollTotpRequest, call: Call[pb.EnrollTotpRequest]
    ) -> pb.EnrollTotpResponse:
        """Begin to give the key that calls a second factor."""
        secret, uri = await self._second_factor.begin(_key_of(call.caller))
        return pb.EnrollTotpResponse(secret=secret, uri=uri)

    async def verify_totp(
        self, request: pb.VerifyTotpRequest, call: Call[pb.VerifyTotpRequest]
    ) -> pb.VerifyTotpResponse:
        """Complete it."""
        await self._second_factor.prove(_key_of(call.caller), request.totp_code)
        return pb.VerifyTotpResponse()


def _key_of(caller: Caller) -> str:
    """The id of the key that calls; raises `PermissionDenied` when something else does."""
    if caller.credential is not Credential.API_KEY:
        raise PermissionDenied("only an API key may call this; send one as `x-api-key: KEY`")
    return caller.key_id

"""Who may call a method: what its options in the proto say."""

from typing import NamedTuple

from google.protobuf.descriptor import MethodDescriptor

from mailvet.errors import PermissionDenied, SecondFactorNeeded
from mailvet.model.access import Caller, Scope
from mailvet.v1 import options_pb2 as pb

_PREFIX = "SCOPE_"
_FOR_KEYS_ALONE = "mailvet.v1.AuthService"
"""What a key with a second factor still opens: there it gets its token."""


class Permission(NamedTuple):
    """Who may call a method, and whether that is written down."""

    scope: Scope | None = None
    """The scope it needs."""
    anybody: bool = False
    """Whether every valid caller may, whatever its scopes."""
    audited: bool = False
    for_keys_alone: bool = False
    """Whether a key with a second factor may call it without a token."""

    def check(self, caller: Caller, method: str) -> None:
        """Raise `PermissionDenied` or `SecondFactorNeeded` when this caller may not."""
        if caller.needs_token and not self.for_keys_alone:
            raise SecondFactorNeeded(
                "this key has a second factor: call AuthService.IssueToken with it and a code, "
                "then send the token as `authorization: Bearer TOKEN`"
            )
        if self.anybody or self.scope in caller.scopes:
            return
        if self.scope is None:
            raise PermissionDenied(f"{method} declares no scope: nobody may call it")
        raise PermissionDenied(
            f"{method} needs the scope {self.scope}; use a key that has it", scope=self.scope
        )


NOBODY = Permission()
EVERYBODY = Permission(anybody=True)
"""Every valid caller; for methods that are not ours and have no options, such as reflection."""


def permission_of(method: MethodDescriptor) -> Permission:
    """Return what the options of a method say; without them nobody may call it."""
    options = method.GetOptions()
    declared = options.Extensions[pb.required_scope]
    known = {scope_number(scope): scope for scope in Scope}
    return Permission(
        scope=known.get(declared),
        anybody=declared == pb.SCOPE_ANY,
        audited=options.Extensions[pb.audited],
        for_keys_alone=method.containing_service.full_name == _FOR_KEYS_ALONE,
    )


def scope_of(number: int) -> Scope:
    """Return the scope of a number on the wire; raises `ValueError` for those keys do not have."""
    return Scope(pb.Scope.Name(number).removeprefix(_PREFIX))  # type: ignore[arg-type]


def scope_number(scope: Scope) -> pb.Scope.ValueType:
    """Return a scope as it is on the wire."""
    return pb.Scope.Value(_PREFIX + scope)

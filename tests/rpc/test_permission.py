"""Who may call what: every method against every scope, from the descriptors."""

import grpc
import pytest
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool

from mailvet.accounts.keys import make_key
from mailvet.errors import PermissionDenied, SecondFactorNeeded
from mailvet.model.access import Caller, Scope
from mailvet.rpc.dispatch import methods_of
from mailvet.rpc.permission import NOBODY, permission_of, scope_number, scope_of
from mailvet.store.base import Store
from mailvet.v1 import options_pb2
from tests.rpc.conftest import OpenWorld
from tests.rpc.world import SERVICES, World, request_type, told

READING = {Scope.BATCHES_READ, Scope.RESULTS_READ, Scope.VERIFY, Scope.ACCOUNT_READ}
WRITING = {Scope.BATCHES_WRITE, Scope.BATCHES_DELETE, Scope.ACCOUNT_WRITE}


def every_method() -> list[MethodDescriptor]:
    """Every method of our own services."""
    return [method for service in SERVICES for method in service.methods]


async def open_with(open_world: OpenWorld, store: Store, scopes: frozenset[Scope]) -> World:
    """A world whose caller has these scopes."""
    text, kept = make_key("acme", "", pepper=store.secret, wall_clock=lambda: 1.0, scopes=scopes)
    await store.add_key(kept)
    return await open_world(require_keys=True, metadata=[("x-api-key", text)])


async def refusal(world: World, method: MethodDescriptor) -> str:
    """The reason why a method refuses an empty request; empty when it does not."""
    name = f"{method.containing_service.name}/{method.name}"
    try:
        await world.call(name, request_type(name)())
    except grpc.aio.AioRpcError as error:
        found = told(error)
        if found.info.reason == "PERMISSION_DENIED":
            assert "PERMISSION_DENIED" == found.code
            return str(found.info.metadata["scope"])
    return ""


@pytest.mark.parametrize("scope", Scope)
async def test_a_scope_opens_its_methods_only(
    scope: Scope, open_world: OpenWorld, store: Store
) -> None:
    """Every method of every service: what declares the scope, or none in particular."""
    world = await open_with(open_world, store, frozenset({scope}))
    for method in every_method():
        needed = permission_of(method)
        expected = "" if needed.anybody or needed.scope is scope else needed.scope
        assert expected == await refusal(world, method), method.full_name


async def test_no_scope_opens_what_anybody_may(open_world: OpenWorld, store: Store) -> None:
    """A key without any is a caller still."""
    world = await open_with(open_world, store, frozenset())
    opened = [method.full_name for method in every_method() if not await refusal(world, method)]
    expected = [method.full_name for method in every_method() if permission_of(method).anybody]
    assert expected == opened


@pytest.mark.parametrize("method", every_method(), ids=lambda method: method.full_name)
def test_every_method_says_who_may_call_it(method: MethodDescriptor) -> None:
    """And what changes something is written down: all that needs a scope for writing, nothing
    that needs one for reading."""
    permission = permission_of(method)
    assert permission.anybody or permission.scope is not None
    assert not (permission.scope in READING and permission.audited)
    assert permission.scope not in WRITING or permission.audited


def bare_service(scope: int | None = None) -> ServiceDescriptor:
    """A service of our package whose one method has no options, or this scope."""
    file = FileDescriptorProto(name="bare.proto", package="mailvet.v1", syntax="proto3")
    file.message_type.add(name="Nothing")
    service = file.service.add(name="BareService")
    method = service.method.add(
        name="DoIt", input_type=".mailvet.v1.Nothing", output_type=".mailvet.v1.Nothing"
    )
    if scope is not None:
        method.options.Extensions[options_pb2.required_scope] = scope  # type: ignore[misc]
    pool = DescriptorPool()
    pool.Add(file)
    return pool.FindServiceByName("mailvet.v1.BareService")


class Bare:
    """Answers it."""

    async def do_it(self, _request: object, _call: object) -> bytes:
        return b""


def test_a_method_that_declares_nothing_is_for_nobody() -> None:
    """Who forgets the option finds a closed door, whatever the key."""
    (method,) = methods_of(bare_service(), Bare())
    assert NOBODY == method.permission
    with pytest.raises(PermissionDenied, match="declares no scope"):
        method.permission.check(Caller("acme"), method.full_name)


@pytest.mark.parametrize("scope", [options_pb2.SCOPE_UNSPECIFIED, 99])
def test_a_scope_that_we_do_not_know_is_for_nobody(scope: int) -> None:
    """A method of a later version, for one."""
    service = bare_service(scope)
    assert NOBODY == permission_of(service.methods_by_name["DoIt"])
    known = bare_service(options_pb2.SCOPE_VERIFY)
    assert Scope.VERIFY is permission_of(known.methods_by_name["DoIt"]).scope


def test_a_second_factor_comes_before_scopes() -> None:
    """Without its token such a key opens nothing but what gives it one."""
    method = every_method()[0]
    with pytest.raises(SecondFactorNeeded, match="IssueToken"):
        permission_of(method).check(Caller("acme", needs_token=True), method.name)


def test_the_scopes_of_the_wire_are_ours() -> None:
    """By name, each with its number."""
    numbers = [scope_number(scope) for scope in Scope]
    assert list(Scope) == [scope_of(number) for number in numbers]
    names = {options_pb2.Scope.Name(number) for number in options_pb2.Scope.values()}
    assert names == {f"SCOPE_{name}" for name in ("UNSPECIFIED", "ANY", *Scope)}

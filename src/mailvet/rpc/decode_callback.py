"""Where a caller wants to be called, checked as far as its text tells."""

from mailvet.callbacks.signature import MAX_SECRETS, key_of
from mailvet.callbacks.url import UrlRules, read_url
from mailvet.errors import Violations
from mailvet.model.callback import Callback, CallbackFormat
from mailvet.rpc import rules
from mailvet.v1 import callback_pb2 as callback_pb


def callback(
    given: callback_pb.Callback, path: str, url_rules: UrlRules, wrong: Violations
) -> Callback:
    """Return a callback; `path` is where it is in the request, such as `callback.`."""
    try:
        read_url(given.url, url_rules)
    except ValueError as error:
        wrong.add(f"{path}url", str(error))
    if len(given.secrets) > MAX_SECRETS:
        wrong.add(f"{path}secrets", f"{len(given.secrets)} secrets, at most {MAX_SECRETS}")
    for place, secret in enumerate(given.secrets[:MAX_SECRETS]):
        try:
            key_of(secret)
        except ValueError as error:
            wrong.add(f"{path}secrets[{place}]", str(error))
    form = rules.number(given.format, f"{path}format", [0, *CallbackFormat], wrong)
    return Callback(given.url, tuple(given.secrets), CallbackFormat(form or 1))

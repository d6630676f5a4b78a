"""Signatures, held against the vector that Standard Webhooks publishes."""

import base64

import pytest

from mailvet.callbacks.signature import key_of, sign

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
MESSAGE = ("msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
SIGNED = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_the_published_vector_is_met() -> None:
    """Id, time and body are signed."""
    assert SIGNED == sign([SECRET], *MESSAGE)


@pytest.mark.parametrize(
    "message",
    [
        ("msg_x", MESSAGE[1], MESSAGE[2]),
        (MESSAGE[0], MESSAGE[1] + 1, MESSAGE[2]),
        (MESSAGE[0], MESSAGE[1], MESSAGE[2] + b" "),
    ],
)
def test_whatever_is_changed_changes_the_signature(message: tuple[str, int, bytes]) -> None:
    """A replay at another time too."""
    assert SIGNED != sign([SECRET], *message)


def test_two_secrets_make_two_signatures() -> None:
    """Receivers that know either of them accept the call."""
    other = "whsec_" + base64.b64encode(bytes(32)).decode()
    signed = sign([other, SECRET], *MESSAGE).split(" ")
    assert (2, SIGNED) == (len(signed), signed[1])


@pytest.mark.parametrize(
    ("secret", "told"),
    [
        ("", "begins with"),
        ("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "begins with"),
        ("whsec_\u00e4", "base64"),
        ("whsec_###", "base64"),
        ("whsec_" + base64.b64encode(bytes(23)).decode(), "23 bytes"),
        ("whsec_" + base64.b64encode(bytes(65)).decode(), "65 bytes"),
    ],
)
def test_a_weak_secret_is_refused(secret: str, told: str) -> None:
    """24 to 64 bytes in base64, as the specification asks."""
    with pytest.raises(ValueError, match=told):
        key_of(secret)

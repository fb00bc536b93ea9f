"""The private key with which the app signs its users in to Activepieces."""

from __future__ import annotations

from functools import lru_cache

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

_MIN_BITS = 2048


# Loading a key takes 30 ms (2,048 bits) to 600 ms (4,096 bits). An app has one, for its configuration and its tokens.
@lru_cache(maxsize=4)
def load_signing_key(pem: str) -> RSAPrivateKey:
    """The key in this PEM text; `ValueError` says what is wrong with it."""
    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        # Without the cause, which may quote the key.
        raise ValueError("must be a PEM private key, as Activepieces shows it once") from None
    if not isinstance(key, RSAPrivateKey) or key.key_size < _MIN_BITS:
        raise ValueError(f"must be an RSA key of {_MIN_BITS} bits or more")
    return key

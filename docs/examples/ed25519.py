"""Ed25519 signatures (RFC 8032) in plain Python, for machines without an Ed25519 library.

It is slow and its timing depends on the key: fine for an example, wrong where an attacker can
measure. It must not know what is signed.
"""

from __future__ import annotations

import hashlib

P = 2**255 - 19
# The order of the base point.
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
SQRT_MINUS_ONE = pow(2, (P - 1) // 4, P)

# Extended coordinates (RFC 8032, section 5.1.4): x = X/Z, y = Y/Z, x*y = T/Z.
Point = tuple[int, int, int, int]
NEUTRAL: Point = (0, 1, 1, 0)


def public_key(seed: bytes) -> bytes:
    """The 32 bytes of the public key of a 32-byte private key."""
    scalar, _prefix = expand(seed)
    return compress(multiply(scalar, BASE))


def sign(seed: bytes, message: bytes) -> bytes:
    """The 64 bytes of the signature of ``message``."""
    scalar, prefix = expand(seed)
    key = compress(multiply(scalar, BASE))
    r = hash_to_scalar(prefix, message)
    big_r = compress(multiply(r, BASE))
    s = (r + hash_to_scalar(big_r, key, message) * scalar) % ORDER
    return big_r + s.to_bytes(32, "little")


def verify(key: bytes, signature: bytes, message: bytes) -> bool:
    """Whether ``signature`` is one of ``message`` by ``key``."""
    if len(key) != 32 or len(signature) != 64:
        return False
    a, big_r = decompress(key), decompress(signature[:32])
    s = int.from_bytes(signature[32:], "little")
    if a is None or big_r is None or s >= ORDER:
        return False
    h = hash_to_scalar(signature[:32], key, message)
    return equal(multiply(s, BASE), add(big_r, multiply(h, a)))


def expand(seed: bytes) -> tuple[int, bytes]:
    """The secret scalar and the prefix for nonces (section 5.1.5)."""
    if len(seed) != 32:
        raise ValueError("a private key has 32 bytes")
    digest = hashlib.sha512(seed).digest()
    scalar = int.from_bytes(digest[:32], "little")
    scalar &= (1 << 254) - 8
    scalar |= 1 << 254
    return scalar, digest[32:]


def hash_to_scalar(*parts: bytes) -> int:
    return int.from_bytes(hashlib.sha512(b"".join(parts)).digest(), "little") % ORDER


def add(p: Point, q: Point) -> Point:
    a = (p[1] - p[0]) * (q[1] - q[0]) % P
    b = (p[1] + p[0]) * (q[1] + q[0]) % P
    c = 2 * p[3] * q[3] * D % P
    d = 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def multiply(scalar: int, point: Point) -> Point:
    product = NEUTRAL
    while scalar > 0:
        if scalar & 1:
            product = add(product, point)
        point = add(point, point)
        scalar >>= 1
    return product


def equal(p: Point, q: Point) -> bool:
    return (p[0] * q[2] - q[0] * p[2]) % P == 0 and (p[1] * q[2] - q[1] * p[2]) % P == 0


def compress(point: Point) -> bytes:
    inverse = pow(point[2], P - 2, P)
    x, y = point[0] * inverse % P, point[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def decompress(data: bytes) -> Point | None:
    y = int.from_bytes(data, "little")
    odd, y = y >> 255, y & (1 << 255) - 1
    x = recover_x(y, odd)
    return None if x is None else (x, y, 1, x * y % P)


def recover_x(y: int, odd: int) -> int | None:
    """The x of a point with this y (section 5.1.3)."""
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    if square == 0:
        return None if odd else 0
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P != 0:
        x = x * SQRT_MINUS_ONE % P
    if (x * x - square) % P != 0:
        return None
    return P - x if x & 1 != odd else x


def base_point() -> Point:
    y = 4 * pow(5, P - 2, P) % P
    x = recover_x(y, 0)
    assert x is not None, "the base point is on the curve"
    return (x, y, 1, x * y % P)


BASE = base_point()

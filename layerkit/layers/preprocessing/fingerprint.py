"""Hashes of strings that never change: FarmHash's 64-bit fingerprint, and SipHash-2-4 with a key.

TensorFlow puts strings into buckets by these two, so that the bins are those of Keras. Strings of
one length are hashed together, as rows of bytes: a word of them is an array of uint64.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

Words = Any  # an array of uint64, one element for each string

_K0, _K1, _K2 = (np.uint64(k) for k in (0xC3A5C85C97CB3127, 0xB492B66FBE98F273, 0x9AE16A3B2F90404F))


def buckets(tokens: np.ndarray, number: int, key: Sequence[int] | None = None) -> np.ndarray:
    """The bucket, in [0, number), of each string or integer of an array: int64 of its shape.

    By FarmHash; by SipHash where there is a `key` of two integers. Integers are hashed as their
    decimal digits.
    """
    every = [str(token) for token in tokens.ravel().tolist()]
    place = {token: i for i, token in enumerate(dict.fromkeys(every))}
    texts = [token.encode() for token in place]
    hashes = fingerprints(texts) if key is None else siphashes(texts, key)
    found = (hashes % np.uint64(number)).astype("int64")
    return found[[place[token] for token in every]].reshape(tokens.shape)


def fingerprints(texts: Sequence[bytes]) -> np.ndarray:
    """FarmHash's Fingerprint64 of each text, as uint64 (Pike, 2014: github.com/google/farmhash)."""
    return _by_length(texts, _farmhash)


def siphashes(texts: Sequence[bytes], key: Sequence[int]) -> np.ndarray:
    """SipHash-2-4 of each text with a key of two integers, as uint64 (Aumasson, Bernstein 2012)."""
    return _by_length(texts, lambda rows: _siphash(rows, key))


def fingerprint_cat(first: Words, second: Words) -> Words:
    """One fingerprint of two, which depends on their order."""
    multiplier = np.uint64(0xC6A4A7935BD1E995)
    result = first ^ multiplier
    result = (result ^ (_shift_mix(second * multiplier) * multiplier)) * multiplier
    return _shift_mix(_shift_mix(result) * multiplier)


def _by_length(texts: Sequence[bytes], function: Callable[[np.ndarray], Words]) -> np.ndarray:
    lengths = np.array([len(text) for text in texts], dtype="int64")
    hashes = np.empty(len(texts), "uint64")
    for length in np.unique(lengths).tolist():
        places = np.flatnonzero(lengths == length)
        joined = b"".join(texts[place] for place in places.tolist())
        hashes[places] = function(np.frombuffer(joined, "uint8").reshape(len(places), length))
    return hashes


def _word(rows: np.ndarray, start: int, size: int = 8) -> Words:
    """Bytes start to start + size of every row, little-endian."""
    part = np.ascontiguousarray(rows[:, start : start + size])
    return part.view(f"<u{size}")[:, 0].astype("uint64")


def _rotated(x: Words, right: int) -> Words:
    return (x >> np.uint64(right)) | (x << np.uint64(64 - right))


def _shift_mix(x: Words) -> Words:
    return x ^ (x >> np.uint64(47))


# FarmHash, by length


def _farmhash(rows: np.ndarray) -> Words:
    length = rows.shape[1]
    if length <= 16:
        return _up_to_16(rows)
    if length <= 32:
        return _up_to_32(rows)
    return _up_to_64(rows) if length <= 64 else _longer(rows)


def _mixed(u: Words, v: Words, multiplier: Words) -> Words:
    a = _shift_mix((u ^ v) * multiplier)
    return _shift_mix((v ^ a) * multiplier) * multiplier


def _multiplier(length: int) -> Words:
    return np.full(1, int(_K2) + 2 * length, "uint64")


def _up_to_16(rows: np.ndarray) -> Words:
    count, length = rows.shape
    if length >= 8:
        a, b = _word(rows, 0) + _K2, _word(rows, length - 8)
        c = _rotated(b, 37) * _multiplier(length) + a
        d = (_rotated(a, 25) + b) * _multiplier(length)
        return _mixed(c, d, _multiplier(length))
    if length >= 4:
        u = np.uint64(length) + (_word(rows, 0, 4) << np.uint64(3))
        return _mixed(u, _word(rows, length - 4, 4), _multiplier(length))
    if length == 0:
        return np.full(count, _K2)
    first, middle, last = (rows[:, i].astype("uint64") for i in (0, length // 2, length - 1))
    y = first + (middle << np.uint64(8))
    z = np.uint64(length) + (last << np.uint64(2))
    return _shift_mix((y * _K2) ^ (z * _K0)) * _K2


def _up_to_32(rows: np.ndarray) -> Words:
    length = rows.shape[1]
    multiplier = _multiplier(length)
    a, b = _word(rows, 0) * _K1, _word(rows, 8)
    c, d = _word(rows, length - 8) * multiplier, _word(rows, length - 16) * _K2
    u = _rotated(a + b, 43) + _rotated(c, 30) + d
    return _mixed(u, a + _rotated(b + _K2, 18) + c, multiplier)


def _up_to_64(rows: np.ndarray) -> Words:
    length = rows.shape[1]
    multiplier = _multiplier(length)
    a, b = _word(rows, 0) * _K2, _word(rows, 8)
    c, d = _word(rows, length - 8) * multiplier, _word(rows, length - 16) * _K2
    y = _rotated(a + b, 43) + _rotated(c, 30) + d
    z = _mixed(y, a + _rotated(b + _K2, 18) + c, multiplier)
    e, f = _word(rows, 16) * multiplier, _word(rows, 24)
    g = (y + _word(rows, length - 32)) * multiplier
    h = (z + _word(rows, length - 24)) * multiplier
    u = _rotated(e + f, 43) + _rotated(g, 30) + h
    return _mixed(u, e + _rotated(f + a, 18) + g, multiplier)


def _longer(rows: np.ndarray) -> Words:
    """Blocks of 64 bytes, each mixed into a state of seven words; the last one ends the text."""
    count, length = rows.shape
    x, y = np.full(count, 81, "uint64"), np.full(count, 81, "uint64") * _K1 + np.uint64(113)
    z = _shift_mix(y * _K2 + np.uint64(113)) * _K2
    v = w = (np.zeros(count, "uint64"),) * 2
    x = x * _K2 + _word(rows, 0)
    for start in range(0, (length - 1) // 64 * 64, 64):
        x = _rotated(x + y + v[0] + _word(rows, start + 8), 37) * _K1
        y = _rotated(y + v[1] + _word(rows, start + 48), 42) * _K1
        x = x ^ w[1]
        y = y + v[0] + _word(rows, start + 40)
        z = _rotated(z + w[0], 33) * _K1
        v = _weak(rows, start, v[1] * _K1, x + w[0])
        w = _weak(rows, start + 32, z + w[1], y + _word(rows, start + 16))
        z, x = x, z
    start, nine = length - 64, np.uint64(9)
    multiplier = _K1 + ((z & np.uint64(0xFF)) << np.uint64(1))
    w = (w[0] + np.uint64((length - 1) % 64), w[1])
    v = (v[0] + w[0], v[1])
    w = (w[0] + v[0], w[1])
    x = _rotated(x + y + v[0] + _word(rows, start + 8), 37) * multiplier
    y = _rotated(y + v[1] + _word(rows, start + 48), 42) * multiplier
    x = x ^ (w[1] * nine)
    y = y + v[0] * nine + _word(rows, start + 40)
    z = _rotated(z + w[0], 33) * multiplier
    v = _weak(rows, start, v[1] * multiplier, x + w[0])
    w = _weak(rows, start + 32, z + w[1], y + _word(rows, start + 16))
    z, x = x, z
    return _mixed(
        _mixed(v[0], w[0], multiplier) + _shift_mix(y) * _K0 + z,
        _mixed(v[1], w[1], multiplier) + x,
        multiplier,
    )


def _weak(rows: np.ndarray, start: int, a: Words, b: Words) -> tuple[Words, Words]:
    """32 bytes and two words as two words."""
    first, second, third, last = (_word(rows, start + 8 * i) for i in range(4))
    a = a + first
    b = _rotated(b + a + last, 21)
    total = a + second + third
    return total + last, b + _rotated(total, 44) + a


# SipHash


def _siphash(rows: np.ndarray, key: Sequence[int]) -> Words:
    """Two rounds for each word of the text, the last of which ends with its length, then four."""
    count, length = rows.shape
    padded = np.zeros((count, length // 8 * 8 + 8), "uint8")
    padded[:, :length] = rows
    padded[:, -1] = length % 256
    k0, k1 = (np.full(count, int(number) % 2**64, "uint64") for number in key)
    v = [
        k0 ^ np.uint64(0x736F6D6570736575),
        k1 ^ np.uint64(0x646F72616E646F6D),
        k0 ^ np.uint64(0x6C7967656E657261),
        k1 ^ np.uint64(0x7465646279746573),
    ]
    for start in range(0, padded.shape[1], 8):
        word = _word(padded, start)
        v[3] = v[3] ^ word
        v = _round(_round(v))
        v[0] = v[0] ^ word
    v[2] = v[2] ^ np.uint64(0xFF)
    for _ in range(4):
        v = _round(v)
    return v[0] ^ v[1] ^ v[2] ^ v[3]


def _round(v: list[Words]) -> list[Words]:
    a, b, c, d = v
    a, c = a + b, c + d
    b, d = _rotated(b, 64 - 13) ^ a, _rotated(d, 64 - 16) ^ c
    a = _rotated(a, 32)
    c, a = c + b, a + d
    b, d = _rotated(b, 64 - 17) ^ c, _rotated(d, 64 - 21) ^ a
    return [a, b, _rotated(c, 32), d]

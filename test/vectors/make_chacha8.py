#!/usr/bin/env python3
"""Writes chacha8-v1.json: what the PRF chacha8-v1 gives, from an implementation that shares nothing with src/.

Run:  python3 test/vectors/make_chacha8.py

The definition (src/prf/chacha8.ts): ChaCha with 8 rounds, layout of RFC 8439, key = the mark's key. Up to three
ids are the nonce. While more than three ids remain, the next four take the place of counter and nonce, and
words 0-3 and 12-15 after the rounds (HChaCha8) are the new key. Token t's field of w bits is bits t*w ...
t*w + w - 1 of the keystream, bytes and bits from the least significant end.
"""
import hashlib
import json
import pathlib
import struct

MASK = 0xFFFFFFFF


def rotate(x, n):
    return ((x << n) | (x >> (32 - n))) & MASK


def quarter(s, a, b, c, d):
    s[a] = (s[a] + s[b]) & MASK; s[d] = rotate(s[d] ^ s[a], 16)
    s[c] = (s[c] + s[d]) & MASK; s[b] = rotate(s[b] ^ s[c], 12)
    s[a] = (s[a] + s[b]) & MASK; s[d] = rotate(s[d] ^ s[a], 8)
    s[c] = (s[c] + s[d]) & MASK; s[b] = rotate(s[b] ^ s[c], 7)


def eight_rounds(state):
    s = list(state)
    for _ in range(4):
        for i in range(4):
            quarter(s, i, 4 + i, 8 + i, 12 + i)
        for i in range(4):
            quarter(s, i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4)
    return s


def state_of(key, last_four):
    return list(struct.unpack("<4I", b"expand 32-byte k")) + list(struct.unpack("<8I", key)) + list(last_four)


def block(key, nonce, counter):
    state = state_of(key, [counter, *nonce])
    return struct.pack("<16I", *((a + b) & MASK for a, b in zip(eight_rounds(state), state)))


def compress(key, context):
    context = list(context)
    while len(context) > 3:
        out = eight_rounds(state_of(key, context[:4]))
        key, context = struct.pack("<8I", *out[:4], *out[12:]), context[4:]
    return key, context + [0] * (3 - len(context))


def field(key, context, token, bits):
    key, nonce = compress(key, context)
    bit = token * bits
    number = int.from_bytes(block(key, nonce, bit // 512), "little")
    return (number >> (bit % 512)) & ((1 << bits) - 1)


# The published vector (ChaCha8, 256-bit key and nonce of zeros).
assert block(bytes(32), [0, 0, 0], 0).hex().startswith("3e00ef2f895f40d67f5bb8e81f09a5a1")

cases = []
for i, context in enumerate([
    [0], [2047], [MASK], [11, 50_256], [1, 2, 3], [MASK, MASK, 7], [1, 2, 3, 4], [MASK, MASK, MASK, MASK],
    [5, 4, 3, 2, 1], list(range(100, 107)), list(range(8)), list(range(9, 20)), list(range(50_000, 50_016)),
]):
    key = hashlib.sha256(f"touchmark chacha8-v1 case {i}".encode()).digest()
    bound, nonce = compress(key, context)
    cases.append({
        "key": key.hex(),
        "context": context,
        "keystream": (block(bound, nonce, 0) + block(bound, nonce, 1)).hex(),
        "samples": [
            {"bits": bits, "token": token, "field": field(key, context, token, bits)}
            for bits in (1, 8, 32) for token in (0, 1, 31, 511, 512, 2047, 32_001, 128_255, 2**27 - 1)
        ],
    })
path = pathlib.Path(__file__).with_name("chacha8-v1.json")
path.write_text(json.dumps({"prf": "chacha8-v1", "cases": cases}, indent=1) + "\n")

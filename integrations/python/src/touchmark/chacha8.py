"""`chacha8-v1`: the mark's key is a cipher key, the last token ids are the nonce, and token t's randomness is the
field of w bits at position t of the keystream.

ChaCha with 8 rounds (D. J. Bernstein, "ChaCha, a variant of Salsa20", 2008) in the layout of RFC 8439: 256-bit key,
32-bit block counter, 96-bit nonce. The nonce holds up to three token ids, oldest first, zero-filled. A longer context
is compressed first: while more than three ids remain, the next four become the input of HChaCha8 and its output becomes
the key. All blocks are computed side by side; the code is the same for NumPy and for torch.
"""

from __future__ import annotations

import numpy as np

from .arrays import Array, cast, contiguous, from_host, namespace

CONSTANTS = np.array([0x61707865, 0x3320646E, 0x79622D32, 0x6B206574], np.uint32).view(np.int32)
MOST_LANES = {"numpy": 1 << 13, "torch": 1 << 19}
"""Blocks side by side: as many as a core's cache holds, or as keep an accelerator busy."""


def _add_turn(x: Array, y: Array, z: Array, by: int) -> None:
    """x += y; z = (z ^ x) turned left by `by` bits, in place. Words are int32: right shifts fill with the sign."""
    x += y
    z ^= x
    high = z >> (32 - by)
    high &= (1 << by) - 1
    z <<= by
    z |= high


def _quarters(a: Array, b: Array, c: Array, d: Array) -> None:
    """Four quarter rounds at once, one a word of the four rows."""
    _add_turn(a, b, d, 16)
    _add_turn(c, d, b, 12)
    _add_turn(a, b, d, 8)
    _add_turn(c, d, b, 7)


def permute(state: Array) -> Array:
    """Eight rounds over [16, lanes] int32, without the final addition of the input. Returns a new array."""
    join = namespace(state).concatenate
    a, b, c, d = (join((state[i : i + 4],)) for i in (0, 4, 8, 12))
    for _ in range(4):
        _quarters(a, b, c, d)
        b, c, d = join((b[1:], b[:1])), join((c[2:], c[:2])), join((d[3:], d[:3]))
        _quarters(a, b, c, d)
        b, c, d = join((b[3:], b[:3])), join((c[2:], c[:2])), join((d[1:], d[:1]))
    return join((a, b, c, d))


def _blocks(start: Array, counters: Array) -> Array:
    """Keystream blocks, [16, lanes] int32, of initial states [16, lanes] with these counters."""
    state = namespace(start).concatenate((start[:12], counters[None], start[13:]))
    out = permute(state)
    out += state
    return out


class ChaCha8:
    """Randomness for every token id after a context, under one key of 32 bytes."""

    def __init__(self, key: bytes):
        if len(key) != 32:
            raise ValueError(f"a chacha8 key has 32 bytes, not {len(key)}")
        self._key = np.frombuffer(key, "<i4").astype(np.int32)

    def _enter(self, contexts: np.ndarray) -> np.ndarray:
        """Initial states, [16, n], of contexts [n, width] uint32."""
        count, width = contexts.shape
        ids = np.ascontiguousarray(contexts, np.uint32).view(np.int32).T
        state = np.zeros((16, count), np.int32)
        state[:4] = CONSTANTS[:, None]
        state[4:12] = self._key[:, None]
        at = 0
        while width - at > 3:
            state[12:] = ids[at : at + 4]
            absorbed = permute(state)
            state[4:8], state[8:12] = absorbed[:4], absorbed[12:]
            at += 4
        state[12:] = 0
        state[13 : 13 + width - at] = ids[at:]
        return state

    def fields(self, contexts: np.ndarray, bits: int, size: int, like: Array | None = None) -> Array:
        """The fields of tokens 0 … size − 1 after each context.

        contexts: [n, width] uint32, oldest id first; always of one width under one key
        bits: 1, 8 or 32
        like: an array on the device to compute on; the host unless given
        returns: [n, size]; uint8 for 1 and 8 bits, int32 with the word's bits for 32
        """
        start = from_host(self._enter(contexts), contexts if like is None else like)
        xp = namespace(start)
        blocks = -(-size * bits // 512)
        counters = from_host(np.arange(blocks, dtype=np.int32), start)
        at_once = max(1, MOST_LANES[xp.__name__] // blocks)
        parts = []
        for row in range(0, max(1, len(contexts)), at_once):
            part = start[:, row : row + at_once]
            rows = part.shape[1]
            lanes = _blocks(
                xp.broadcast_to(part[:, :, None], (16, rows, blocks)).reshape(16, -1),
                xp.broadcast_to(counters, (rows, blocks)).reshape(-1),
            )
            words = xp.moveaxis(lanes.reshape(16, rows, blocks), 0, 2).reshape(rows, blocks * 16)
            parts.append(_split(contiguous(words), bits)[:, :size])
        return parts[0] if len(parts) == 1 else xp.concatenate(parts)

    def fields_at(self, contexts: np.ndarray, tokens: np.ndarray, bits: int) -> np.ndarray:
        """The fields of chosen tokens, on the host.

        contexts: [n, width] uint32
        tokens: [n, m], ids from 0 to 2^27 − 1
        returns: [n, m] uint32
        """
        count, m = tokens.shape
        bit = tokens.astype(np.int64).reshape(-1) * bits
        lanes = _blocks(
            np.repeat(self._enter(contexts), m, axis=1),
            (bit >> 9).astype(np.uint32).view(np.int32),
        )
        words = np.take_along_axis(lanes, (bit >> 5 & 15)[None], axis=0)[0].view(np.uint32)
        if bits < 32:
            words = words >> (bit & 31).astype(np.uint32) & np.uint32((1 << bits) - 1)
        return words.reshape(count, m)

    def field(self, contexts: np.ndarray, bits: int) -> np.ndarray:
        """The field of token 0 after each context, [n] uint32, on the host."""
        return self.fields_at(contexts, np.zeros((len(contexts), 1), np.uint32), bits)[:, 0]


def _split(words: Array, bits: int) -> Array:
    """Fields of rows of words, lowest bits first."""
    if bits == 32:
        return words
    xp = namespace(words)
    octets = words.view(xp.uint8)
    if bits == 8:
        return octets
    if xp is np:
        return np.unpackbits(octets, axis=1, bitorder="little")
    shifts = from_host(np.arange(8, dtype=np.uint8), words)
    return cast(octets[:, :, None] >> shifts & 1, "uint8").reshape(len(octets), -1)

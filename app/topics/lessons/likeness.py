"""Posts that say nearly the same, found without comparing each with each.

Knows how a text becomes a few numbers of which alike texts share one. Refuses to know what the texts are about.

The numbers are bands of a MinHash (Broder, *On the resemblance and containment of documents*, 1997; Leskovec, Rajaraman
and Ullman, *Mining of massive datasets*, 3.4): two texts of which a share s of the word pairs is common agree in at
least one of 4 bands of 4 hashes with probability 1 - (1 - s^4)^4, which is 0.99 at 0.9, 0.66 at 0.7 and 0.03 at 0.3.
"""

import hashlib
import re
from itertools import pairwise

BANDS, ROWS = 4, 4
_PRIME = (1 << 61) - 1
# Multipliers and addends of hash functions that are independent enough; any fixed odd numbers would do.
_FUNCTIONS = [
    tuple(int.from_bytes(hashlib.blake2b(f"{row}{part}".encode(), digest_size=7).digest()) | 1 for part in "ab")
    for row in range(BANDS * ROWS)
]
_NOISE = re.compile(r"https?://\S+|www\.\S+|@[\w.-]+", re.IGNORECASE)
_WORD = re.compile(r"[^\W\d_]+")


def bands(text: str) -> tuple[int, ...]:
    """Numbers of 63 bits. Links, handles, digits, case and what stands between words make no difference."""
    words = _WORD.findall(_NOISE.sub(" ", text).casefold())
    pairs = {f"{one} {next_}" for one, next_ in pairwise(words)} or set(words) or {text.strip()}
    hashed = [
        int.from_bytes(hashlib.blake2b(pair.encode("utf-8", "surrogatepass"), digest_size=7).digest()) for pair in pairs
    ]
    least = [min((a * one + b) % _PRIME for one in hashed) for a, b in _FUNCTIONS]
    return tuple(_band(band, least[band * ROWS : (band + 1) * ROWS]) for band in range(BANDS))


def _band(number: int, least: list[int]) -> int:
    return int.from_bytes(hashlib.blake2b(repr((number, least)).encode(), digest_size=8).digest()) >> 1

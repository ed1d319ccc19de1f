"""Texts and embeddings as rows of numbers for the domain classifier."""

import re
from collections import Counter
from collections.abc import Sequence
from math import log

import numpy as np
import xxhash
from numpy.typing import NDArray

Matrix = NDArray[np.float32]
DIMENSIONS = 1024
WORD = re.compile(r"\w+")
CHARACTERS = 3


def of_texts(texts: Sequence[str]) -> Matrix:
    """Words and runs of three characters, hashed into 1,024 places, damped, each row of length one."""
    rows = np.zeros((len(texts), DIMENSIONS), dtype=np.float32)
    for row, text in zip(rows, texts, strict=True):
        for part, found in Counter(_parts(text.lower())).items():
            digest = xxhash.xxh64_intdigest(part.encode())
            row[digest % DIMENSIONS] += (1 + log(found)) * (1 if digest >> 63 else -1)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    np.divide(rows, lengths, out=rows, where=lengths > 0)
    return rows


def of_vectors(vectors: Matrix) -> Matrix:
    """Each dimension in deviations from its mean; what is no number counts as the mean."""
    is_known = np.isfinite(vectors)
    known = np.maximum(is_known.sum(axis=0), 1)
    center = np.where(is_known, vectors, 0).sum(axis=0, dtype=np.float64) / known
    off = np.where(is_known, vectors - center, 0)
    spread = np.sqrt((off**2).sum(axis=0) / known)
    scaled: Matrix = (off / np.where(spread > 0, spread, 1)).astype(np.float32)
    return scaled


def _parts(text: str) -> list[str]:
    runs = [text[start : start + CHARACTERS] for start in range(len(text) - CHARACTERS + 1)]
    return WORD.findall(text) + [f"#{run}" for run in runs]

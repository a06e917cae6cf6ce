"""Small pictures of points that are images, as PNG in base64."""

from __future__ import annotations

import base64
import math
import struct
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["thumbnail"]

MAX_SIDE = 32  # pixels; larger images are thinned out
COLORS = {1: 0, 3: 2, 4: 6}  # kinds of PNG by the number of channels


def thumbnail(point: Any, shape: tuple[int, ...], low: float, high: float) -> str:
    """Return a point as a PNG in base64, with `low` in black and `high` in white.

    `shape` is height and width, perhaps followed by 1, 3 or 4 channels.
    """
    pixels = np.asarray(point, dtype=np.float64).reshape(*shape[:2], -1)
    step = math.ceil(max(shape[:2]) / MAX_SIDE)
    pixels = (pixels[::step, ::step] - low) / ((high - low) or 1.0)
    return base64.b64encode(_png((np.clip(pixels, 0, 1) * 255).round().astype(np.uint8))).decode()


def _png(pixels: NDArray[np.uint8]) -> bytes:
    height, width, channels = pixels.shape
    head = struct.pack(">IIBBBBB", width, height, 8, COLORS[channels], 0, 0, 0)
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)
    parts = (b"IHDR", head), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b"")
    chunks = (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)

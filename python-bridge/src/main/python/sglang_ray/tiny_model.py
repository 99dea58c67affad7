# SPDX-License-Identifier: Apache-2.0
"""``python -m sglang_ray.tiny_model DIR``: a tiny Llama, made locally in a second, nothing downloaded.

Its weights are random except that each word of :data:`TEXT` leads to the next one: whatever the prompt, that text
follows, through the real engine. With another seed the words come in another order, which shows that weights were
exchanged. The same seed gives the same files, byte for byte. Needs the package ``tokenizers`` only, not torch.
"""

from __future__ import annotations

import argparse
import array
import json
import os
import random
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from sglang_ray.errors import BridgeError, missing_package, run

#: Raised when what is written changes, so that an older folder is made anew.
RECIPE = 2
MARKER = "sglang_ray_tiny_model.json"

VOCABULARY = 512
CONTEXT = 2048
HIDDEN = 128
INNER = 256
LAYERS = 2
HEADS = 4
#: How much likelier the next word of the text is than any other token; at temperature 0 it always wins.
SHARPNESS = 16.0
#: What the model says, over and over. No word occurs twice: each has exactly one successor.
TEXT = (
    " Ray places every engine on its own node, the router sends each request where it fits best and answers come back"
    " in small steps; this tiny model knows nothing else: all that you read here went through real parts."
)
CHAT_TEMPLATE = (
    "{% for message in messages %}<|{{ message['role'] }}|>{{ message['content'] }}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
SPECIAL = ["<|begin|>", "<|end|>", "<|pad|>", "<|system|>", "<|user|>", "<|assistant|>"]


def make(folder: Path, seed: int = 0) -> bool:
    """Makes the model unless the folder already holds this one; true when it was made now.

    Works beside the folder and renames at the end, so an interrupted run leaves nothing half done and two runs at once
    leave one whole model. A folder with other content is never touched.
    """
    wanted = {"recipe": RECIPE, "seed": seed}
    if _marker(folder) == wanted:
        return False
    if folder.exists() and (not folder.is_dir() or (any(folder.iterdir()) and _marker(folder) is None)):
        raise BridgeError(f"{folder} holds something else; name an empty or a new folder")
    folder.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        _write(work, seed)
        (work / MARKER).write_text(json.dumps(wanted), encoding="utf-8")
        work.chmod(0o755)
        _put(work, folder, wanted)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return True


def _marker(folder: Path) -> Any:
    try:
        return json.loads((folder / MARKER).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _put(work: Path, folder: Path, wanted: dict[str, int]) -> None:
    if folder.exists() and _marker(folder) not in (None, wanted):
        shutil.rmtree(folder)  # an older recipe or another seed of ours
    try:
        os.rename(work, folder)  # also replaces an empty folder
    except OSError:
        if _marker(folder) != wanted:  # else another run was faster
            raise


def _write(folder: Path, seed: int) -> None:
    tokenizer = _tokenizer()
    tokenizer.save(str(folder / "tokenizer.json"))
    _json(
        folder / "tokenizer_config.json",
        {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "bos_token": SPECIAL[0],
            "eos_token": SPECIAL[1],
            "pad_token": SPECIAL[2],
            "model_max_length": CONTEXT,
            "clean_up_tokenization_spaces": False,
            "chat_template": CHAT_TEMPLATE,
        },
    )
    _json(
        folder / "config.json",
        {
            "architectures": ["LlamaForCausalLM"],
            "model_type": "llama",
            "torch_dtype": "bfloat16",
            "vocab_size": VOCABULARY,
            "hidden_size": HIDDEN,
            "intermediate_size": INNER,
            "num_hidden_layers": LAYERS,
            "num_attention_heads": HEADS,
            "num_key_value_heads": HEADS,
            "max_position_embeddings": CONTEXT,
            "hidden_act": "silu",
            "rms_norm_eps": 1e-5,
            "rope_theta": 10000.0,
            "bos_token_id": 0,
            "eos_token_id": 1,
            "pad_token_id": 2,
            "tie_word_embeddings": False,
        },
    )
    _json(folder / "generation_config.json", {"bos_token_id": 0, "eos_token_id": 1, "pad_token_id": 2})
    _write_weights(folder / "model.safetensors", _weights(tokenizer.encode(TEXT).ids, seed))


def _json(path: Path, value: dict[str, Any]) -> None:
    path.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")


def _tokenizer() -> Any:
    """Byte-level pairs, learnt until each word of the text is one token."""
    try:
        from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    except ImportError as error:
        raise missing_package("tokenizers", str(error)) from error
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        min_frequency=1,
        special_tokens=SPECIAL,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator([TEXT], trainer)
    return tokenizer


def _weights(text: list[int], seed: int) -> dict[str, tuple[tuple[int, ...], list[float]]]:
    """Tensors by name: shape and values, row by row."""
    source = random.Random(seed)

    def noise(*shape: int) -> tuple[tuple[int, ...], list[float]]:
        count = shape[0] * (shape[1] if len(shape) > 1 else 1)
        return shape, [source.gauss(0.0, 0.02) for _ in range(count)]

    def ones() -> tuple[tuple[int, ...], list[float]]:
        return (HIDDEN,), [1.0] * HIDDEN

    tensors = {"model.norm.weight": ones()}
    for layer in range(LAYERS):
        prefix = f"model.layers.{layer}."
        for name in ("q", "k", "v", "o"):
            tensors[f"{prefix}self_attn.{name}_proj.weight"] = noise(HIDDEN, HIDDEN)
        for name in ("gate", "up"):
            tensors[f"{prefix}mlp.{name}_proj.weight"] = noise(INNER, HIDDEN)
        tensors[f"{prefix}mlp.down_proj.weight"] = noise(HIDDEN, INNER)
        tensors[f"{prefix}input_layernorm.weight"] = ones()
        tensors[f"{prefix}post_attention_layernorm.weight"] = ones()
    order = list(dict.fromkeys(text))
    if seed:
        source.shuffle(order)
    successor = dict(zip(order, order[1:] + order[:1]))
    embeddings = [[source.gauss(0.0, 1.0) for _ in range(HIDDEN)] for _ in range(VOCABULARY)]
    head = [[0.0] * HIDDEN for _ in range(VOCABULARY)]
    elsewhere = [source.gauss(0.0, 1.0) for _ in range(HIDDEN)]  # tokens outside the text, which all lead to its start
    for token in range(VOCABULARY):
        if token not in successor:
            embeddings[token] = [0.9 * shared + 0.3 * own for shared, own in zip(elsewhere, embeddings[token])]
    for vector, following in [*((embeddings[t], s) for t, s in successor.items()), (elsewhere, order[0])]:
        head[following] = [old + SHARPNESS / HIDDEN * value for old, value in zip(head[following], vector)]
    tensors["model.embed_tokens.weight"] = (VOCABULARY, HIDDEN), [value for row in embeddings for value in row]
    tensors["lm_head.weight"] = (VOCABULARY, HIDDEN), [value for row in head for value in row]
    return tensors


def _write_weights(path: Path, tensors: dict[str, tuple[tuple[int, ...], list[float]]]) -> None:
    """The safetensors format: length of the header, header, numbers; here as bfloat16."""
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    offset = 0
    for name, (shape, values) in tensors.items():
        header[name] = {"dtype": "BF16", "shape": shape, "data_offsets": [offset, offset + 2 * len(values)]}
        offset += 2 * len(values)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for _, values in tensors.values():
            file.write(_bfloat16(values))


def _bfloat16(values: list[float]) -> bytes:
    """The upper halves of the little-endian float32, rounded to nearest."""
    words = array.array("I", array.array("f", values).tobytes())
    halves = array.array("H", [min(word + 0x8000, 0xFFFFFFFF) >> 16 for word in words])
    if sys.byteorder == "big":
        halves.byteswap()
    return halves.tobytes()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m sglang_ray.tiny_model", description=__doc__)
    parser.add_argument("folder", type=Path, help="where to put the model")
    parser.add_argument("--seed", type=int, default=0, help="another seed: the words in another order (default 0)")
    arguments = parser.parse_args()

    def program() -> int:
        folder = arguments.folder.resolve()
        made = make(folder, arguments.seed)
        print(f"sglang_ray.tiny_model: {'made' if made else 'already there'}", file=sys.stderr)
        print(folder)
        return 0

    return run(program, "sglang_ray.tiny_model")


if __name__ == "__main__":
    sys.exit(main())

"""A sentence encoder of random weights, saved as sentence-transformers does. Real code loads it; equal sentences are
equal to it, others are not, and that is all it knows of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

_WIDTH = 32


def encoder_files(folder: Path, texts: Iterable[str], pooling: str = "cls") -> Mapping[str, bytes]:
    """Path -> content of the checkpoint, which is made in ``folder``; its words are the characters of ``texts``.
    ``pooling``: ``cls`` or ``mean``."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
    from transformers import BertConfig, BertModel, BertTokenizer, set_seed

    set_seed(0)
    letters = sorted(set("".join(texts).lower()) - {" "})
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, *(f"##{letter}" for letter in letters)]
    plain, saved = folder / "plain", folder / "saved"
    BertTokenizer(vocab={word: index for index, word in enumerate(words)}).save_pretrained(plain)
    sizes = {"hidden_size": _WIDTH, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": _WIDTH}
    BertModel(BertConfig(vocab_size=len(words), initializer_range=0.5, **sizes)).save_pretrained(plain)
    SentenceTransformer(modules=[Transformer(str(plain)), Pooling(_WIDTH, pooling_mode=pooling)]).save(str(saved))
    return {str(path.relative_to(saved)): path.read_bytes() for path in sorted(saved.rglob("*")) if path.is_file()}

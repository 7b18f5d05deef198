"""Tokenizers of SentencePiece's kind: `▁` for a space, bytes for what is no piece."""

from __future__ import annotations

from typing import Any

from benchmarks.matrix.packages import shipped

GEMMA_TURNS = ("<start_of_turn>", "<end_of_turn>")
GEMMA_MARKUP = ("<table>", "</table>", "<tr>", "<td>", "<h1>", "</h1>", "<code>", "</code>")


def mistral(file: str, template: str, *, legacy: bool) -> Any:
    """SentencePiece's model as its checkpoints have it: legacy ones put a space before any text."""
    from tokenizers import normalizers, pre_tokenizers

    vocab, control = _read(file)
    backend = _byte_fallback(vocab)
    if legacy:
        spaces = [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]
        backend.normalizer = normalizers.Sequence(spaces)
    else:
        backend.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first", split=False)
    backend.decoder = _decoder(strip=True)
    backend.add_special_tokens(_added(["<unk>", *control]))
    return fast(
        backend, template, bos_token="<s>", eos_token="</s>", unk_token="<unk>", pad_token="<unk>"
    )


def gemma(template: str, further: tuple[str, ...] = (), end: str = "<eos>") -> Any:
    """Gemma's layout: runs of line breaks and spaces, and markup, are added but not special.

    Its own pieces are not published with a package: here they are Mistral's.
    """
    from tokenizers import normalizers

    control = ["<pad>", "<eos>", "<bos>", "<unk>", "<mask>", *GEMMA_TURNS, *further]
    runs = [sign * count for sign in "\n▁" for count in range(1 if sign == "\n" else 2, 32)]
    pieces, dropped = _read("tokenizer.model.v1")
    kept = [piece for piece in pieces if piece not in {*dropped, "<unk>", *runs, *GEMMA_MARKUP}]
    names = dict.fromkeys([*control, *runs, *GEMMA_MARKUP, *kept])
    backend = _byte_fallback({name: index for index, name in enumerate(names)})
    backend.normalizer = normalizers.Replace(" ", "▁")
    backend.decoder = _decoder(strip=False)
    backend.add_special_tokens(_added(control))
    backend.add_tokens(_added([*runs, *GEMMA_MARKUP]))
    return fast(
        backend, template, bos_token="<bos>", eos_token=end, unk_token="<unk>", pad_token="<pad>"
    )


def fast(backend: Any, template: str, **options: Any) -> Any:
    """A tokenizer of transformers around one of tokenizers."""
    from transformers import PreTrainedTokenizerFast

    made = PreTrainedTokenizerFast(
        tokenizer_object=backend, clean_up_tokenization_spaces=False, **options
    )
    made.chat_template = template
    return made


def merges(vocab: dict[str, int]) -> list[tuple[str, str]]:
    """Every way to make a piece of two, in the order of the pieces, as converters write them."""
    found = []
    for piece, rank in vocab.items():
        pairs = [(piece[:cut], piece[cut:]) for cut in range(1, len(piece))]
        known = [pair for pair in pairs if pair[0] in vocab and pair[1] in vocab]
        found += sorted((rank, vocab[a], vocab[b], a, b) for a, b in known)
    return [(a, b) for _, _, _, a, b in sorted(found)]


def _read(file: str) -> tuple[dict[str, int], list[str]]:
    """The pieces of a SentencePiece model by name, and which of them are control tokens."""
    import sentencepiece

    model = sentencepiece.SentencePieceProcessor(str(shipped("mistral_common", "data", file)))
    pieces = [model.id_to_piece(index) for index in range(model.get_piece_size())]
    control = [piece for index, piece in enumerate(pieces) if model.is_control(index)]
    return {piece: index for index, piece in enumerate(pieces)}, control


def _byte_fallback(vocab: dict[str, int]) -> Any:
    from tokenizers import Tokenizer, models

    return Tokenizer(
        models.BPE(vocab, merges(vocab), unk_token="<unk>", fuse_unk=True, byte_fallback=True)
    )


def _decoder(*, strip: bool) -> Any:
    from tokenizers import decoders

    steps = [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
    return decoders.Sequence([*steps, decoders.Strip(" ", 1, 0)] if strip else steps)


def _added(names: list[str]) -> list[Any]:
    from tokenizers import AddedToken

    return [AddedToken(name, normalized=False) for name in names]

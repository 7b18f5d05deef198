"""Words of texts: case, marks and forms apart; a character each in scripts without spaces."""

from __future__ import annotations

import polars as pl
import pytest

from curation.mixing import decontaminate, dedup, shingles
from curation.mixing.decontaminate import Settings


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Hello, World! it's fine", "hello world it s fine"),
        ("珍妮特16个Apple蛋。", "珍 妮 特 16 个 apple 蛋"),
        ("データのテスト", "デ ー タ の テ ス ト"),
        ("ﾃﾞｰﾀ", "デ ー タ"),
        ("ไม่มี", "ไ ม่ มี"),
        ("हिन्दी में", "हिन्दी में"),
        ("한국어 문장", "한국어 문장"),
        ("I ❤️ it", "i it"),
    ],
)
def test_words(text: str, words: str) -> None:
    assert shingles.normalised(pl.Series([text, None])).to_list() == [words, None]


ITEMS = {
    "en": "a flock of ducks lays sixteen eggs each day so how much does she earn now",
    "zh": "珍妮特的鸭子每天下十六个蛋。她每天早上吃三个蛋当早餐",
    "ja": "ジャネットのアヒルは毎日十六個の卵を産みます",
    "th": "เป็ดของเจเน็ตออกไข่วันละสิบหกฟองและเธอกินสามฟอง",
    "km": "ទារបស់នាងពងបានដប់ប្រាំមួយគ្រាប់ក្នុងមួយថ្ងៃ",
}
ROUND = {
    "en": "Please: {} Thanks.",
    "zh": "请解答。{}谢谢。",
    "ja": "答えて。{}。",
    "th": "ตอบ {}ครับ",
    "km": "{}?",
}


@pytest.mark.parametrize("language", ITEMS)
def test_an_item_inside_a_prompt_is_found_in_any_script(language: str) -> None:
    rows = {"benchmark": ["b"] * 5, "item_id": list(ITEMS), "text": list(ITEMS.values())}
    said = [{"role": "user", "content": ROUND[language].format(ITEMS[language])}]
    other = [{"role": "user", "content": ROUND[language].format(ITEMS[language][:8])}]
    prompts = pl.DataFrame({"prompt_id": ["p", "q"], "prompt": [said, other]})
    found = decontaminate.hits([prompts], pl.DataFrame(rows), Settings())
    assert found["prompt_id"].to_list() == ["p"]
    assert found["detail"][0].startswith(f"b {language}: ")


@pytest.mark.parametrize("language", ITEMS)
def test_a_character_more_is_a_near_duplicate_in_any_script(language: str) -> None:
    text = ROUND[language].format(ITEMS[language])
    texts = {"prompt_id": ["a", "b", "c"], "text": [text, f"{text} ก", "something else"]}
    found = dedup.near_duplicates(pl.DataFrame(texts))
    assert found.select("prompt_id", "near").rows() == [("b", "a")]

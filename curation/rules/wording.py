"""Rules of what answers say: refusals, boilerplate, other assistants' names, dates, loops.

They are patterns of English: a row in another language passes, and says so by passing.
"""

from __future__ import annotations

import polars as pl

from curation.rules.kinds import NOBODY, PERSONAL, SHAPES
from curation.rules.rule import Rule, Threshold
from curation.rules.texts import answers, matched, which

col = pl.col
ASSISTANTS = (
    *("ChatGPT", "GPT-3", "GPT-3.5", "GPT-4", "GPT-4o", "GPT-5", "OpenAI", "Claude", "Anthropic"),
    *("Bard", "Gemini", "Google", "Bing", "Copilot", "Microsoft", "LLaMA", "Llama", "Meta AI"),
    *("Qwen", "Tongyi", "Alibaba", "DeepSeek", "Mistral", "Vicuna", "LMSYS", "Alpaca", "Koala"),
    *("Open Assistant", "LAION", "Grok", "xAI", "ERNIE", "Baidu", "ChatGLM", "Zhipu", "InternLM"),
    *("Falcon", "Yi", "Phi", "Cohere", "Command R", "OLMo", "Ai2", "WizardLM", "Kimi", "Moonshot"),
    *("MiniMax", "Hunyuan", "Tencent", "Doubao", "Nemotron", "NVIDIA", "Granite", "IBM"),
)
"""Names of assistants and of those who make them."""
BOILERPLATE = (
    *("as an ai language model", "as an ai assistant", "as an ai model", "as an ai, i"),
    *("as a large language model", "as a language model", "as an artificial intelligence"),
    *("i'm just an ai", "i am just an ai", "as a helpful, respectful, and honest assistant"),
    *("i do not have personal opinions", "i don't have personal opinions"),
    *("i don't have personal experiences", "i do not have personal experiences"),
)
"""Phrases of assistants that say nothing, in lower case."""

_REFUSAL = (
    r"(?is)^\s*(?:(?:i(?:['\u2019]m| am) (?:very |so |really )?sorry|sorry|i apologi[sz]e|"
    r"unfortunately|as an ai\b[^.!?\n]{0,60})[^.!?\n]{0,60}?[,.!]?\s*(?:but )?\s*)?"
    r"(?:i|we)\s*(?:cannot|can ?not|can['\u2019]t|could not|won['\u2019]t|will not|"
    r"(?:['\u2019]m|am) (?:unable|not able|not comfortable|not allowed)|must decline|"
    r"do not feel comfortable|don['\u2019]t feel comfortable)"
)
_HEAD = 240  # characters: a refusal comes first
_FILLERS = (
    "an?|the|large|language|model|AI|assistant|chatbot|bot|called|named|trained|developed|created|"
    "made|built|designed|by|from|based|on|virtual|helpful|open-source|multimodal|version|of|team|at"
)
_IDENTITY = (
    r"(?i:\bI(?:['\u2019]m| am| was)|\bmy name is|\bcall me|"
    r"\b(?:assistant|model|AI),? (?:called|named|(?:created|developed|made|trained) by))"
    rf" (?:(?i:{_FILLERS}),? ){{0,8}}"
)
_CUTOFF = (
    r"(?i:\b(?:knowledge|training data|training)[^.\n]{0,40}(?:cut-? ?off|up to|until|as of|"
    r"last updated?|ends? in|goes (?:up )?to)[^.\n]{0,30}\b20[12]\d\b"
    r"|\bas of my (?:last|latest|knowledge|most recent)\b|\bmy knowledge cut-? ?off\b)"
)
_RUN_ON = r"\n\s*(?:### ?(?:Human|User|Instruction)|Human|USER|User)\s*:\s?\S"
_WORDS = 60


def refuses(text: pl.Expr) -> pl.Expr:
    """Whether an answer begins with a refusal."""
    return text.str.head(_HEAD).str.contains(_REFUSAL)


def _named(names: Threshold) -> str:
    listed = "|".join(sorted((_escaped(name) for name in names), key=len, reverse=True))
    return rf"{_IDENTITY}(?:{listed})\b"


def _escaped(name: str) -> str:
    return "".join(f"\\{sign}" if sign in r"\.+*?()|[]{}^$-" else sign for sign in name)


def _phrases(listed: Threshold) -> pl.Expr:
    phrases = list(listed)
    return answers(lambda text: text.str.contains_any(phrases, ascii_case_insensitive=True))


def distinct(text: pl.Expr) -> pl.Expr:
    """Different words among all words, of a text of `_WORDS` words or more; else null."""
    words = text.str.split(" ")
    size = words.list.len()
    return pl.when(size >= _WORDS).then(words.list.n_unique() / size)


def _has_email(text: pl.Expr) -> pl.Expr:
    holds = pl.when(text.str.contains("@", literal=True)).then(text)
    found = holds.str.extract_all(SHAPES["email"])
    return found.list.eval(~pl.element().str.contains(NOBODY)).list.any()


_SECRETS = "|".join(f"(?:{SHAPES[kind]})" for kind in SHAPES if kind not in PERSONAL)
RULES = (
    Rule(
        "refusal",
        "Chosen refuses where rejected helps: right for harmful prompts, a fault for others.",
        lambda _: refuses(col("chosen")) & ~refuses(col("rejected")),
        lambda _: pl.concat_str(pl.lit("chosen begins "), col("chosen").str.head(60)),
    ),
    Rule(
        "boilerplate",
        "An answer holds a phrase of assistants that says nothing (in English).",
        _phrases,
        lambda listed: which(
            lambda text: text.str.contains_any(list(listed), ascii_case_insensitive=True)
        ),
        threshold=BOILERPLATE,
        takes=list,
    ),
    Rule(
        "identity",
        "An answer says that it is, or is made by, another assistant (in English).",
        lambda names: answers(lambda text: text.str.contains(_named(names))),
        lambda names: matched(_named(names))(None),
        threshold=ASSISTANTS,
        takes=list,
    ),
    Rule(
        "cutoff_date",
        "An answer speaks of the date at which a model's knowledge ends (in English).",
        lambda _: answers(lambda text: text.str.contains(_CUTOFF)),
        matched(_CUTOFF),
    ),
    Rule(
        "repetition",
        "An answer of 60 words or more in which fewer than this share are different ones: a loop.",
        lambda share: answers(lambda text: distinct(text) < share),
        lambda share: pl.format(
            "{}: under {}", which(lambda t: distinct(t) < share), pl.lit(share)
        ),
        threshold=0.2,
        takes=float,
        within=(0.0, 1.0),
    ),
    Rule(
        "run_on",
        "An answer goes on into another speaker's turn.",
        lambda _: answers(lambda text: text.str.contains(_RUN_ON)),
        matched(_RUN_ON),
    ),
    Rule(
        "secret",
        "An answer holds a key or token in the form that its issuer documents.",
        lambda _: answers(lambda text: text.str.contains(_SECRETS)),
        lambda _: which(lambda text: text.str.contains(_SECRETS)),
    ),
    Rule(
        "email",
        "An answer holds an e-mail address, other than one of the domains for examples.",
        lambda _: answers(_has_email),
        lambda _: which(_has_email),
    ),
)

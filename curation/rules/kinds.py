"""Which texts are secrets or personal: shapes that find candidates, and what settles each."""

from __future__ import annotations

import re
from collections.abc import Callable

# Shapes their issuers document: a fixed prefix and a length, so that prose does not match.
SHAPES: dict[str, str] = {
    "hf_token": r"\bhf_[A-Za-z0-9]{30,}\b",
    "openai_key": (
        r"\bsk-(?:(?:proj|svcacct|admin)-[A-Za-z0-9_-]{40,}|[A-Za-z0-9]{48}\b"
        r"|[A-Za-z0-9_-]{20,}T3BlbkFJ[A-Za-z0-9_-]{20,})"
    ),
    "anthropic_key": r"\bsk-ant-[a-z0-9]+-[A-Za-z0-9_-]{60,}",
    "github_token": r"\b(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{60,})\b",
    "gitlab_token": r"\bglpat-[A-Za-z0-9_-]{20,}\b",
    "aws_key": r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
    "aws_secret": (
        r"(?i:aws[a-z_ ]{0,20}secret[a-z_ ]{0,20}|secret_?access_?key)"
        r"[\"']?[ \t]{0,4}(?:=|:|=>)[ \t]{0,4}[\"']?[A-Za-z0-9/+]{40}(?:[^A-Za-z0-9/+=]|$)"
    ),
    "google_key": r"\bAIza[0-9A-Za-z_-]{35}\b",
    "slack_token": r"\b(?:xox[abeoprs]|xapp)-[0-9A-Za-z-]{20,}\b",
    "slack_webhook": r"https://hooks\.slack\.com/(?:services|workflows)/[A-Za-z0-9/_-]{20,}",
    "stripe_key": r"\b[rs]k_live_[0-9A-Za-z]{20,}\b",
    "npm_token": r"\bnpm_[A-Za-z0-9]{36}\b",
    "pypi_token": r"\bpypi-AgE[A-Za-z0-9_-]{50,}",
    "sendgrid_key": r"\bSG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}\b",
    "json_web_token": r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]*",
    "private_key": r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY(?: BLOCK)?-----",
    "url_password": (
        r"\b[a-z][a-z0-9+.-]{1,20}://[^\s/:@]{0,64}:[^\s/@]{3,64}@(?:[a-z0-9.-]+\b|\[[0-9a-f:.]+\])"
    ),
    "url_key": (
        r"(?i)[?&](?:api_?key|apikey|access_?token|auth_?token|token|secret|password|sig)"
        r"=[A-Za-z0-9%._~+/-]{12,}"
    ),
    "email": r"\b[A-Za-z0-9][A-Za-z0-9._%+-]{0,63}@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}\b",
    "phone": r"(?:\+|\b00)[1-9](?:[ ().-]{0,2}[0-9]){7,14}\b",
    "iban": r"\b[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b",
    "card": (
        r"\b[3-6][0-9]{3}(?:[ -]?[0-9]{4}){2}[ -]?[0-9]{1,7}\b"
        r"|\b3[47][0-9]{2}[ -]?[0-9]{6}[ -]?[0-9]{5}\b"
    ),
}
# Addresses that reach nobody (RFC 2606), pictures by pixel density, and names of repositories.
NOBODY = (
    r"(?i)@(?:[a-z0-9-]+\.)*"
    r"(?:example\.(?:com|org|net|edu)|[a-z0-9-]+\.(?:example|test|invalid|localhost)"
    r"|[a-z0-9-]+\.(?:png|jpe?g|gif|svg|webp|css|js|ico|mp4|html?|py|json))$"
    r"|^(?:git|hg|svn|noreply|no-reply)@|@users\.noreply\.github\.com$"
)
_MADE_UP = re.compile(r"(?i)example|sample|dummy|placeholder|your[-_]|x{5,}|\.\.\.|<|0{8,}")
PERSONAL = ("email", "phone", "iban", "card", "url_password", "url_key")
"""Kinds that are a person's, or an address that may hold a key: the others are secrets."""
_PLAIN = ("email", "phone", "iban", "card", "private_key")


def settled(kind: str, text: str) -> bool:
    """Whether a candidate is what its kind says, and not a made-up example of it."""
    if kind not in _PLAIN and _MADE_UP.search(text):
        return False
    check = _CHECKS.get(kind)
    return check is None or check(text)


def _email(text: str) -> bool:
    return not re.search(NOBODY, text)


def _phone(text: str) -> bool:
    import phonenumbers

    given = "+" + text[2:] if text.startswith("00") else text
    try:
        return bool(phonenumbers.is_valid_number(phonenumbers.parse(given)))
    except phonenumbers.NumberParseException:
        return False


def _iban(text: str) -> bool:
    from stdnum import iban

    return bool(iban.is_valid(text))


def _card(text: str) -> bool:
    from stdnum import luhn

    digits = re.sub(r"[ -]", "", text)
    return 13 <= len(digits) <= 19 and len(set(digits)) > 3 and bool(luhn.is_valid(digits))


_CHECKS: dict[str, Callable[[str], bool]] = {
    "email": _email, "phone": _phone, "iban": _iban, "card": _card,
}  # fmt: skip

"""The rules of the ledger that no recipe lists: those of reading, mixing, pairing and history."""

from __future__ import annotations

READING = {
    "invalid_json": "A line of the file is not JSON.",
    "invalid_text": "A row holds what is no text: bytes that are not UTF-8, or a lone surrogate.",
    "missing_value": "A column that the format needs is null or absent.",
    "tool_calls": "A message calls a tool, or tools stand beside it: no table holds them yet.",
    "reasoning": "A message has its reasoning in a field apart, which no table holds yet.",
    "not_text": "A part of a message is no text: an image, a sound, a file.",
    "wrong_type": "A value is not of the type that the format's column has.",
}
SOURCES = {"no_pair": "A native row gives no item: there is nothing to pair it with."}
MIXING = {
    "weight": "A member's weight keeps a share of its prompts; this one is outside it.",
    "benchmark": "The prompt holds a passage of a benchmark's item.",
    "held_out": "The prompt asks what a held-out prompt of the pool asks.",
    "duplicate": "The same row stands in an earlier member of the mix.",
    "conflict": "Another row of the mix prefers the other of the two responses.",
    "near_duplicate": "A prompt that stays is near this one; the detail names it.",
    "per_prompt_cap": "One prompt has more rows than the cap.",
    "member_cap": "The member has more rows than its cap.",
}
PROMPTS = {
    "over_long_prompt": "The prompt has more tokens than prompts.max_tokens.",
    "too_short_prompt": "The prompt has fewer characters than prompts.min_chars.",
    "duplicate_prompt": "The same prompt stands in an earlier set.",
}
SAMPLING = {
    "over_context": "The prompt leaves no room for max_new_tokens in the policy's context.",
    "control_tokens": "The prompt spells a marker of turns of the policy's own chat template.",
    "no_response": "No draw of the prompt is a response with text.",
    "empty_response": "The draw has no text, nor has any other of its prompt.",
    "control_token": "The draw holds a control token before its end, or spells a turn's marker.",
    "past_end": "The draw goes on past an end token: the server took no notice of it.",
    "unknown_token": "The draw holds an id that the tokenizer does not know.",
    "no_end_token": "The server says that the draw stopped, and no end token is its last.",
    "cut_early": "The server cut the draw before max_new_tokens.",
    "failed_draw": "The draw was aborted, filtered, ended for a tool call, or is without a reason.",
}
PAIRING = {
    "missing_score": "A judge has no row for the response.",
    "failed_score": "A judge's verdict on the response is null; the detail says why.",
    "truncated": "The response was cut at the token limit, and pairs.truncated is drop.",
    "no_scores": "The prompt has fewer than two usable responses.",
    "identical_text": "Chosen and rejected are the same text.",
    "tie": "Chosen and rejected have the same adjusted reward.",
    "min_margin": "The margin is below pairs.min_margin.",
    "cut_chosen": "Chosen was cut at the limit and rejected was not (pairs.truncated).",
    "length_unmatched": "No two responses to the prompt are of like length (pairs.match_length).",
    "duplicate_pair": "The same two texts were paired before.",
    "review_drop": "People who reviewed the pair decided that it goes.",
}
HISTORY = {
    "outside_history": "history.keep leaves the pair's iteration out.",
    "history_cap": "history.cap is reached; the newest pairs stay, older ones by hash.",
}
LATER: dict[str, str] = {
    **READING,
    **SOURCES,
    **MIXING,
    **PROMPTS,
    **SAMPLING,
    **PAIRING,
    **HISTORY,
}
"""Name -> why, of each rule that a stage applies without being told to in `filters`."""

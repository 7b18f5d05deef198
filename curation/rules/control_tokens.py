"""Control tokens of the chat templates in use, by family: no text of a row may spell one.

They are looked for whatever tokenizer the recipe's own models have: a text that holds one went
through some template before, and would go through a second.
"""

from __future__ import annotations

_BARS = (
    *("user", "assistant", "system", "end", "pad", "endoftext", "endofprompt"),
    *("im_start", "im_end", "im_sep", "im_user", "im_assistant", "im_system", "im_middle"),
    *("begin_of_text", "end_of_text", "start_header_id", "end_header_id", "eot_id", "eom_id"),
    *("python_tag", "header_start", "header_end", "eot", "eom"),
    *("start", "message", "channel", "return", "call", "constrain"),
    *("START_OF_TURN_TOKEN", "END_OF_TURN_TOKEN", "USER_TOKEN", "CHATBOT_TOKEN", "SYSTEM_TOKEN"),
    *("start_of_role", "end_of_role", "observation", "tool", "tool_response", "end_of_turn"),
    *("user_start", "user_end", "assistant_start", "assistant_end", "system_start", "system_end"),
    *("prompter", "User", "Bot", "startoftext", "bom", "separator", "sep", "im_sep", "plamo:op"),
    *("begin_of_sentence", "end_of_sentence", "extra_0", "extra_4", "START_RESPONSE"),
    *("END_RESPONSE", "START_THINKING", "END_THINKING", "START_ACTION", "END_ACTION"),
)
_BAR, _LOW = "\uff5c", "\u2581"  # DeepSeek's own letters, not the ASCII bar and underscore

FAMILIES: dict[str, tuple[str, ...]] = {
    "ChatML, Llama 3 and 4, Phi, Zephyr, gpt-oss, Command R, Granite, Kimi": tuple(
        f"<|{name}|>" for name in _BARS
    ),
    "Gemma": ("<start_of_turn>", "<end_of_turn>", "<bos>", "<eos>", "<|turn>", "<turn|>"),
    "Llama 2, Mistral": (
        *("[INST]", "[/INST]", "<<SYS>>", "<</SYS>>", "[SYSTEM_PROMPT]", "[/SYSTEM_PROMPT]"),
        *("[AVAILABLE_TOOLS]", "[TOOL_CALLS]", "[TOOL_RESULTS]", "<s>", "</s>", "<unk>", "<pad>"),
        *("[/AVAILABLE_TOOLS]", "[/TOOL_RESULTS]", "[THINK]", "[/THINK]"),
    ),
    "DeepSeek": tuple(
        f"<{_BAR}{name.replace(' ', _LOW)}{_BAR}>"
        for name in (
            *("User", "Assistant", "begin of sentence", "end of sentence", " pad "),
            *("tool calls begin", "tool call begin", "tool outputs begin"),
            *("hy_User", "hy_Assistant", "hy_begin of sentence"),
        )
    ),
    "Nemotron, HelpSteer": ("<extra_id_0>", "<extra_id_1>", "<extra_id_2>"),
    "others": (
        *("[gMASK]", "<BOS_TOKEN>", "<EOS_TOKEN>", "<|endofturn|>", "<eoh>", "<eoa>"),
        *("[|user|]", "[|assistant|]", "[|system|]", "[|endofturn|]"),
        *("<SPECIAL_10>", "<SPECIAL_11>", "<SPECIAL_12>", "<seed:bos>", "<seed:eos>"),
        *("<reserved_106>", "<reserved_107>", "<role>HUMAN</role>", "<role>ASSISTANT</role>"),
        *("<beginning_of_sentence>", "<end_of_sentence>", "]~b]", "[e~["),
    ),
}
"""Family -> the tokens that frame its turns."""

CONTROL_TOKENS: tuple[str, ...] = tuple(token for one in FAMILIES.values() for token in one)

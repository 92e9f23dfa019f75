"""Tables of an evaluation, as Markdown for people and JSON for programs."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass

from training.evaluation.metrics import CameraErrors, DepthErrors


@dataclass(frozen=True, slots=True)
class Row:
    """What one estimator got on one sequence, or on a suite as the mean over its sequences."""

    suite: str
    estimator: str
    depth: DepthErrors | None = None
    cameras: CameraErrors | None = None
    query_psnr_db: float | None = None
    query_abs_rel: float | None = None  # one median scale a view


def mean_row(suite: str, estimator: str, rows: list[Row]) -> Row:
    """The mean over sequences, leaving out values that are not defined."""
    depth = [row.depth for row in rows if row.depth is not None]
    cameras = [row.cameras for row in rows if row.cameras is not None]
    psnr = [row.query_psnr_db for row in rows if row.query_psnr_db is not None]
    abs_rel = [row.query_abs_rel for row in rows if row.query_abs_rel is not None]
    return Row(
        suite,
        estimator,
        DepthErrors(**_means([asdict(d) for d in depth])) if depth else None,
        CameraErrors(**_means([asdict(c) for c in cameras])) if cameras else None,
        sum(psnr) / len(psnr) if psnr else None,
        sum(abs_rel) / len(abs_rel) if abs_rel else None,
    )


def _means(rows: list[dict[str, float]]) -> dict[str, float]:
    means = {}
    for key in rows[0]:
        values = [row[key] for row in rows if not math.isnan(row[key])]
        means[key] = sum(values) / len(values) if values else math.nan
    return means


_HEADER = (
    "suite",
    "estimator",
    "AbsRel frame",
    "d<1.25 frame",
    "AbsRel seq",
    "d<1.25 seq",
    "rot step mean",
    "rot step median",
    "rot 10",
    "direction",
    "ATE %",
    "query PSNR",
    "query AbsRel",
)


def markdown_table(rows: list[Row]) -> str:
    """One line a row; angles in degrees, PSNR in dB, a dash where nothing was measured."""
    lines = ["| " + " | ".join(_HEADER) + " |", "|" + " --- |" * len(_HEADER)]
    for row in rows:
        depth = list(asdict(row.depth).values()) if row.depth else [math.nan] * 4
        cameras = list(asdict(row.cameras).values()) if row.cameras else [math.nan] * 5
        cells = [_number(v, 3) for v in depth] + [_number(v, 2) for v in cameras]
        cells += [_number(row.query_psnr_db, 1), _number(row.query_abs_rel, 3)]
        lines.append("| " + " | ".join([row.suite, row.estimator, *cells]) + " |")
    return "\n".join(lines)


def json_text(rows: list[Row]) -> str:
    """The same numbers for programs; undefined values are null."""
    return json.dumps([_without_nan(asdict(row)) for row in rows], indent=1)


def rows_from_json(text: str) -> list[Row]:
    """Rows that `json_text` wrote, here or elsewhere: a program of its own may judge other estimators.

    Raises TypeError for fields that a row does not have.
    """
    rows = []
    for item in json.loads(text):
        depth, cameras = item.pop("depth", None), item.pop("cameras", None)
        rows.append(
            Row(
                depth=DepthErrors(**_with_nan(depth)) if depth else None,
                cameras=CameraErrors(**_with_nan(cameras)) if cameras else None,
                **item,
            )
        )
    return rows


def _with_nan(values: dict[str, float | None]) -> dict[str, float]:
    return {key: math.nan if value is None else value for key, value in values.items()}


def _without_nan(value: object) -> object:
    if isinstance(value, dict):
        return {k: _without_nan(v) for k, v in value.items()}
    return None if isinstance(value, float) and math.isnan(value) else value


def _number(value: float | None, digits: int) -> str:
    return "-" if value is None or math.isnan(value) else f"{value:.{digits}f}"

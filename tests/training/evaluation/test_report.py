"""Tables: rows survive JSON, and rows of other programs can be shown beside ours."""

from __future__ import annotations

import math

import pytest

from training.evaluation.metrics import CameraErrors, DepthErrors
from training.evaluation.report import Row, json_text, markdown_table, mean_row, rows_from_json

_ROW = Row(
    "room", "model", DepthErrors(0.1, 0.9, 0.2, 0.8), CameraErrors(0.5, 0.4, math.nan, 9.0, 2.0), 20.0, 0.15
)


def test_rows_survive_json() -> None:
    (again,) = rows_from_json(json_text([_ROW]))
    assert again.depth == _ROW.depth
    assert again.cameras is not None
    assert math.isnan(again.cameras.rotation_10_deg)
    assert markdown_table([again]) == markdown_table([_ROW])


def test_a_row_with_unknown_fields_is_refused() -> None:
    with pytest.raises(TypeError, match="speed"):
        rows_from_json('[{"suite": "room", "estimator": "other", "speed": 3}]')


def test_means_leave_out_what_is_missing() -> None:
    mean = mean_row("room", "model", [_ROW, Row("room", "model", query_abs_rel=0.25)])
    assert mean.query_abs_rel == pytest.approx(0.2)
    assert mean.query_psnr_db == pytest.approx(20.0)
    assert mean.depth == _ROW.depth

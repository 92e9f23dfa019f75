"""`python -m training.evaluate`: the model and trivial baselines on held-out and real sequences."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor

from training.evaluation.estimates import (
    Estimate,
    constant_depth,
    model_estimate,
    offline_estimate,
    query_views,
    static_camera,
    straight_line,
)
from training.evaluation.metrics import camera_errors, depth_errors, psnr_db
from training.evaluation.report import Row, json_text, markdown_table, mean_row, rows_from_json
from training.evaluation.suites import EvalSequence, procedural_suite, real_sequences
from zipmap_model import ZipMap, load_model

_LOG = logging.getLogger(__name__)
_HELD_OUT = (3, 6, 9)  # frames of a procedural sequence that are asked for as novel views

Estimator = Callable[[Tensor], Estimate]


def main(arguments: Sequence[str] | None = None) -> int:
    """Evaluate, log the tables, and write them if asked."""
    options = _parse(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    device = torch.device(options.device)
    model = load_model(options.model, device)
    rows: list[Row] = []
    if options.sequences:
        suite = procedural_suite(options.sequences, device=device, compiled=options.compile)
        rows += evaluate_suite("procedural", suite, model)
    if options.real is not None:
        for sequence in real_sequences(Path(options.real), model.config):
            rows += evaluate_suite(sequence.name, [sequence], model)
    for path in options.merge:
        rows += rows_from_json(Path(path).read_text())
    table = markdown_table(rows)
    _LOG.info("%s", table)
    if options.output is not None:
        output = Path(options.output)
        output.mkdir(parents=True, exist_ok=True)
        (output / "evaluation.md").write_text(table + "\n")
        (output / "evaluation.json").write_text(json_text(rows) + "\n")
    return 0


def evaluate_suite(name: str, sequences: Sequence[EvalSequence], model: ZipMap) -> list[Row]:
    """One mean row for the model and for every baseline."""
    estimators: Mapping[str, Estimator] = {
        "model": lambda images: model_estimate(model, images),
        "model, offline": lambda images: offline_estimate(model, images),
        "constant depth": constant_depth,
        "static camera": static_camera,
        "straight line": straight_line,
    }
    rows = []
    for label, estimator in estimators.items():
        judged = [judge(name, label, sequence, estimator(sequence.images)) for sequence in sequences]
        mean = mean_row(name, label, judged)
        if mean.depth is not None or mean.cameras is not None:
            rows.append(mean)
    return rows + _query_rows(name, sequences, model)


def judge(suite: str, label: str, sequence: EvalSequence, estimate: Estimate) -> Row:
    """Compare an estimate with whatever truth the sequence has."""
    depth = cameras = None
    if estimate.depth is not None and sequence.depth is not None:
        depth = depth_errors(estimate.depth, sequence.depth)
    if estimate.world_from_camera is not None and sequence.world_from_camera is not None:
        cameras = camera_errors(estimate.world_from_camera, sequence.world_from_camera)
    return Row(suite, label, depth, cameras)


def _query_rows(name: str, sequences: Sequence[EvalSequence], model: ZipMap) -> list[Row]:
    """Colour and depth of novel views where cameras and depth are known exactly and sequences are long enough."""
    scores: dict[str, list[Row]] = {
        "query: model": [],
        "query: model, offline": [],
        "query: mean colour, constant depth": [],
        "query: nearest view": [],
    }
    for sequence in sequences:
        known = sequence.depth is not None and sequence.world_from_camera is not None
        if not (known and model.config.can_query and sequence.intrinsics is not None):
            continue
        if len(sequence.images) <= max(_HELD_OUT) or not bool((sequence.depth[0] > 0).any()):  # type: ignore[index]
            continue
        views = query_views(model, sequence, _HELD_OUT)
        offline = query_views(model, sequence, _HELD_OUT, offline=True)
        constant = torch.ones_like(views.true_depth)
        pictures = (
            (views.model, views.model_depth),
            (offline.model, offline.model_depth),
            (views.mean_color, constant),
            (views.nearest_view, None),
        )
        for label, (picture, depth) in zip(scores, pictures, strict=True):
            abs_rel = None if depth is None else depth_errors(depth, views.true_depth).abs_rel_frame
            scores[label].append(
                Row(name, label, query_psnr_db=psnr_db(picture, views.truth), query_abs_rel=abs_rel)
            )
    return [mean_row(name, label, rows) for label, rows in scores.items() if rows]


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m training.evaluate", description="Measure a model.")
    parser.add_argument("--model", default="bundled", help="name or path of the weights")
    parser.add_argument("--sequences", type=int, default=64, help="procedural sequences; 0 for none")
    parser.add_argument("--real", help="folder of real sequences (frames/, poses.npz, depth/, meta.json)")
    parser.add_argument(
        "--merge",
        action="append",
        default=[],
        metavar="FILE",
        help="rows of another evaluation.json to show too",
    )
    parser.add_argument("--output", help="folder for evaluation.md and evaluation.json")
    parser.add_argument(
        "--compile", action="store_true", help="compile the renderer on a CPU too: for full suites"
    )
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    raise SystemExit(main())

"""The table of kernels: what was slow is on top, and times are those of one call."""

from __future__ import annotations

import re

import torch

from training.profiling import kernel_table


def test_the_slowest_operation_is_on_top_and_counted_per_call() -> None:
    a, b = torch.randn(400, 400), torch.randn(8)

    def work() -> None:
        a @ a
        b.exp()

    first, top, *rest = kernel_table(work, torch.device("cpu"), repeats=4).splitlines()
    assert re.match(r"wall [0-9.]+ ms, kernels [0-9.]+ ms in [0-9]+ launches", first)
    assert "aten::mm" in top
    assert re.search(r" 1 x ", top)
    assert any("aten::exp" in line for line in rest)

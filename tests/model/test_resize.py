"""Resizing: both forms are the same map, with the same gradient."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from zipmap_model.layers.resize import resize, resize_by_products


@pytest.mark.parametrize(
    ("old", "new"), [((5, 6), (9, 12)), ((9, 12), (144, 192)), ((7, 4), (3, 4)), ((1, 3), (2, 5))]
)
def test_products_are_the_interpolation(old, new):
    x = torch.randn(2, 3, *old, generator=torch.Generator().manual_seed(0), requires_grad=True)
    expected = F.interpolate(x, size=new, mode="bilinear", align_corners=True)
    found = resize_by_products(x, new)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-4)
    pull = torch.randn(expected.shape, generator=torch.Generator().manual_seed(1))
    (ours,) = torch.autograd.grad(found, x, pull)
    (theirs,) = torch.autograd.grad(expected, x, pull)
    torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-4)


def test_the_same_size_is_the_same_map():
    x = torch.randn(1, 2, 4, 6)
    assert resize(x, (4, 6)) is x
    torch.testing.assert_close(
        resize(x, (8, 12)), F.interpolate(x, size=(8, 12), mode="bilinear", align_corners=True)
    )

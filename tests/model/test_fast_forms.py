"""Rearranged arithmetic against the plain form it stands for."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from zipmap_model.heads.dense import DenseHead, add_uv_embedding, uv_embedding
from zipmap_model.layers.fast_weights import FastWeightLayer, FastWeights, column_norms, update_gradients
from zipmap_model.layers.motion import local_correlation


def test_banded_correlation_is_the_correlation_with_every_neighbour():
    torch.manual_seed(0)
    here, there = torch.randn(2, 2, 8, 5, 7)
    found = local_correlation(here, there, radius=2)
    a, b = F.normalize(here, dim=1) * 8**0.5, F.pad(F.normalize(there, dim=1), [2] * 4)
    plain = [(a * b[:, :, dy : dy + 5, dx : dx + 7]).sum(1) for dy in range(5) for dx in range(5)]
    torch.testing.assert_close(found, torch.stack(plain, dim=1))
    with torch.no_grad():
        assert torch.equal(local_correlation(here, there, radius=2), found)


def test_the_embedding_is_added_a_tenth():
    x = torch.randn(2, 8, 3, 5)
    expected = x + 0.1 * uv_embedding(8, 3, 5, 1.5, x.device)
    torch.testing.assert_close(add_uv_embedding(x.clone(), 1.5), expected)
    with torch.no_grad():
        torch.testing.assert_close(add_uv_embedding(x.clone(), 1.5), expected)


def test_an_early_output_convolution_works_on_a_quarter_of_the_cells():
    torch.manual_seed(0)
    head = DenseHead(8, 2, patch_size=8, features=8, channels=(8, 8, 8, 8), early_output=True).eval()
    taps = [torch.randn(1, 1 + 2 * 3, 8) for _ in range(4)]
    sizes = []
    head.scratch.output_conv1.register_forward_hook(lambda module, given, out: sizes.append(out.shape[-2:]))
    with torch.no_grad():
        assert head(taps, (16, 24), special_tokens=1).shape == (1, 2, 16, 24)
        head.early_output = False
        assert head(taps, (16, 24), special_tokens=1).shape == (1, 2, 16, 24)
    assert sizes == [(8, 12), (16, 24)]


def test_update_gradients_are_those_of_the_inner_product():
    torch.manual_seed(0)
    weights = FastWeights(*(torch.randn(2, *s).requires_grad_() for s in ((4, 8), (8, 4), (4, 8))))
    k, v = torch.randn(2, 2, 6, 4)
    rates = [torch.full((2, 6, 1), r) for r in (0.1, 0.2, 0.3)]
    (((F.silu(k @ weights.w0) * (k @ weights.w2)) @ weights.w1) * v).sum().backward()
    found = update_gradients(weights, k, v, rates)
    for mine, weight, rate in zip(found, weights, (0.1, 0.2, 0.3), strict=True):
        torch.testing.assert_close(mine, rate * weight.grad)


def test_kept_norms_follow_the_parameters():
    layer = FastWeightLayer(8, 8).eval()
    with torch.no_grad():
        before = layer.initial_norms(1).w0.clone()
        assert layer.initial_norms(1).w0 is layer.initial_norms(1).w0
        layer.w0 *= 2
        torch.testing.assert_close(layer.initial_norms(1).w0, 2 * before)
    assert layer.initial_norms(1).w0.requires_grad
    torch.testing.assert_close(layer.initial_norms(3).w1, column_norms(layer.initial_weights(3)).w1)

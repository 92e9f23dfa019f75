"""Augmentation: stays in range, shares a look within a clip, leaves clean pictures nearly alone."""

from __future__ import annotations

import torch

from training.data.augment import (
    _compress,
    _smear,
    add_passers_by,
    apply_look,
    degrade,
    draw_look,
    restyle,
)


def test_results_stay_in_range_and_change() -> None:
    generator = torch.Generator().manual_seed(0)
    images = torch.rand(4, 2, 3, 24, 48, generator=generator)
    seen = degrade(apply_look(images, draw_look(4, images.device, generator)), generator)
    assert seen.min() >= 0
    assert seen.max() <= 1
    assert (seen - images).abs().mean() > 0.01


def test_a_look_is_the_same_for_all_views_of_a_clip() -> None:
    generator = torch.Generator().manual_seed(1)
    one = torch.rand(3, 1, 3, 16, 16, generator=generator)
    seen = apply_look(one.expand(-1, 2, -1, -1, -1), draw_look(3, one.device, generator))
    assert torch.equal(seen[:, 0], seen[:, 1])


def test_compression_of_strength_zero_changes_nothing_visible() -> None:
    images = torch.rand(1, 1, 3, 16, 24, generator=torch.Generator().manual_seed(2))
    weak, strong = (_compress(images, torch.full((1, 1, 1, 1, 1), s)) for s in (0.0, 0.06))
    assert (weak - images).abs().max() < 1e-3
    assert (strong - images).abs().mean() > 1e-3


def test_a_passer_by_hides_depth_exactly_where_the_picture_changes() -> None:
    images = torch.stack((torch.zeros(3, 3, 48, 64), torch.ones(3, 3, 48, 64)))
    depth = torch.ones(2, 3, 48, 64)
    generator = torch.Generator().manual_seed(2)
    seen, known = add_passers_by(images, depth, 1.0, generator)
    changed = (seen != images).all(2)
    assert torch.equal(changed, known == 0)
    assert changed.any()
    assert not torch.equal(changed[:, 0], changed[:, 2])
    untouched, all_known = add_passers_by(images, depth, 0.0, generator)
    assert torch.equal(untouched, images)
    assert torch.equal(all_known, depth)


def test_smearing_sideways_spares_horizontal_edges() -> None:
    picture = torch.zeros(1, 1, 3, 16, 16)
    picture[..., 8:, :] = 1
    full = torch.ones(1, 1, 1, 1, 1)
    torch.testing.assert_close(_smear(picture, full, torch.tensor(True)), picture)
    smeared = _smear(picture, full, torch.tensor(False))
    assert 0.1 < float(smeared[0, 0, 0, 7, 8]) < 0.9


def test_a_style_is_one_function_of_colour_for_all_views_of_a_clip() -> None:
    generator = torch.Generator().manual_seed(3)
    one = torch.rand(4, 1, 3, 16, 24, generator=generator)
    images = one.expand(-1, 3, -1, -1, -1)
    styled = restyle(images, 2, 3, generator)
    torch.testing.assert_close(styled[:, 0], styled[:, 2])
    assert torch.equal(styled[3], images[3])
    assert ((styled[:3] - images[:3]).abs().mean(dim=(1, 2, 3, 4)) > 0.01).all()
    assert styled.min() >= 0
    assert styled.max() <= 1


def test_the_style_of_input_views_does_not_depend_on_the_query_views() -> None:
    images = torch.rand(2, 3, 3, 16, 24, generator=torch.Generator().manual_seed(4))
    other = torch.cat((images[:, :2], 1 - images[:, 2:]), 1)
    styled, again = (restyle(x, 2, 2, torch.Generator().manual_seed(5)) for x in (images, other))
    torch.testing.assert_close(styled[:, :2], again[:, :2])


def test_styles_leave_edges_where_they_are() -> None:
    picture = torch.zeros(6, 1, 3, 16, 32)
    picture[..., 16:] = 1
    change = restyle(picture, 1, 6, torch.Generator().manual_seed(6)).diff(dim=-1).abs().sum(dim=(1, 2, 3))
    assert (change[:, 14:17].sum(1) > 0.05).all()
    assert float(change[:, :13].max()) < 1e-4
    assert float(change[:, 18:].max()) < 1e-4

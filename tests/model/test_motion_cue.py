"""The motion cue: stages of flow, and warping."""

import torch

from zipmap_model.layers.motion import MotionCue, warp


def test_an_untrained_refinement_changes_nothing():
    torch.manual_seed(0)
    cue = MotionCue(32, 16, 12, 2, refinements=2)
    here, there = torch.randn(2, 1, 16, 12, 18).unbind(0)
    features = cue(here, there)
    assert features.flow.shape == (3, 1, 2, 12, 18)
    assert torch.equal(features.flow[0], features.flow[2])
    plain = MotionCue(32, 16, 12, 2)
    plain.load_state_dict({k: v for k, v in cue.state_dict().items() if not k.startswith("refine.")})
    torch.testing.assert_close(plain(here, there).tokens, features.tokens)


def test_warping_reads_where_the_flow_points():
    features = torch.arange(24.0).view(1, 1, 4, 6)
    flow = torch.zeros(1, 2, 4, 6)
    flow[:, 0] = 1.5
    warped = warp(features, flow)
    torch.testing.assert_close(warped[0, 0, :, :4], features[0, 0, :, :4] + 1.5)
    assert not warped[0, 0, :, 5].any()

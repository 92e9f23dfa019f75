"""A small network with every part of the bundled one, fast enough for unit tests."""

import dataclasses

import pytest
import torch

import zipmap_model as zm

MINI = dataclasses.replace(
    zm.MODEL_CONFIGS["bundled"],
    embed_dim=32,
    depth=4,
    num_heads=2,
    encoder_depth=1,
    encoder_heads=2,
    ttt_head_dim=16,
    patch_size=12,
    image_size=48,
    stem_channels=16,
    tap_blocks=(0, 1, 2, 3),
    dpt_features=16,
    dpt_channels=(16, 16, 16, 16),
    native_size=(36, 48),
)


@pytest.fixture
def mini() -> zm.ZipMap:
    torch.manual_seed(0)
    model = zm.ZipMap(MINI).eval()
    # Layer scales start near zero; grow them so that every part shows in the outputs.
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.endswith("gamma"):
                parameter.fill_(0.5)
            if name == "motion_head.mlp.fc2.weight":
                parameter.normal_(std=0.05)
    return model


@pytest.fixture
def clip() -> torch.Tensor:
    """Five views (5, 3, 36, 48)."""
    return torch.rand(5, 3, 36, 48, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def rays() -> torch.Tensor:
    """Two query cameras (1, 2, 9, 36, 48)."""
    poses = torch.eye(4).repeat(1, 2, 1, 1)
    poses[0, 1, 0, 3] = 0.3
    intrinsics = torch.tensor([[40.0, 0, 24], [0, 40, 18], [0, 0, 1]]).repeat(1, 2, 1, 1)
    return zm.ray_conditions(poses, intrinsics, (36, 48), 1.0)

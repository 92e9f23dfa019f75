"""A picture of clips for the eye: first frame, last frame and depth side by side, several clips a column."""

from __future__ import annotations

from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from training.data.procedural import ClipBatch


def save_contact_sheet(clips: ClipBatch, path: Path, columns: int = 3) -> None:
    """Write a PNG with all clips of the batch; near is bright in the depth pictures, sky is black."""
    rows = [
        torch.cat((rgb[0], rgb[-1], _depth_picture(depth[0])), 1)
        for rgb, depth in zip(clips.rgb.cpu(), clips.depth.float().cpu(), strict=True)
    ]
    rows += [torch.zeros_like(rows[0])] * (-len(rows) % columns)
    per_column = len(rows) // columns
    sheet = torch.cat([torch.cat(rows[i * per_column : (i + 1) * per_column]) for i in range(columns)], 1)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(sheet.numpy()).save(path)


def _depth_picture(depth_HW: Tensor) -> Tensor:
    """(H, W, 3) uint8."""
    valid = depth_HW > 0
    logs = torch.where(valid, depth_HW, torch.ones_like(depth_HW)).log()
    low = torch.where(valid, logs, torch.inf).amin()
    high = torch.where(valid, logs, -torch.inf).amax()
    near = 1 - 0.9 * (logs - low) / (high - low).clamp(min=1e-3)
    return (torch.where(valid, near, 0.0).clamp(0, 1) * 255).to(torch.uint8)[..., None].expand(-1, -1, 3)

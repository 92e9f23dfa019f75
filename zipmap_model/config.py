"""Configuration of the model: one frozen dataclass, and presets as functions of nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

CameraHead = Literal["transformer", "mlp", "motion"]


@dataclass(frozen=True, kw_only=True)
class ZipMapConfig:
    """Every size and switch of a ZipMap model; defaults are the published main model's (spec/model.md 1.1).

    Raises ValueError on construction when fields contradict each other.
    """

    # Trunk
    embed_dim: int = 1024  # width C of the tokens
    depth: int = 24  # pairs of frame block and global block
    num_heads: int = 16  # attention heads of the frame blocks
    mlp_ratio: float = 4  # hidden width of a block's MLP over C
    register_tokens: int = 4  # beside the one camera token of every view
    rope_base: float = 100.0
    affine_invariant: bool = True  # True: no view is special; False: view 0 is the reference frame

    # Image encoder
    encoder_depth: int = 24
    encoder_heads: int = 16
    patch_size: int = 14  # pixels
    image_size: int = 518  # pixels; side of the square that the position table is made for
    stem: Literal["patch", "conv"] = "patch"  # "conv": a small convolutional stem with fine features
    stem_channels: int = 64  # channels of the stem's features at a quarter of the image size
    stem_blocks: int = 0  # residual blocks at the end of the convolutional stem

    # Fast-weight (TTT) layers
    ttt_head_dim: int = 1024
    ttt_expansion: int = 2  # hidden width of the fast-weight MLP over ttt_head_dim
    ttt_base_lr: float = 0.01  # learning rate where the rate projection gives zero
    ttt_gate: bool = True
    muon_steps: int = 5  # Newton-Schulz iterations of one update
    newton_schulz_dtype: Literal["bfloat16", "float32"] = "bfloat16"

    # Heads
    tap_blocks: tuple[int, ...] = (4, 11, 17, 23)  # pairs whose outputs feed the heads
    dpt_features: int = 256
    dpt_channels: tuple[int, ...] = (256, 512, 1024, 1024)
    # First output convolution before the last enlargement by two instead of after it. Not in the repr, which
    # saved scene states of published models are tied to.
    dpt_early_output: bool = field(default=False, repr=False)
    camera_head: CameraHead | None = "transformer"
    camera_head_heads: int = 16
    camera_head_depth: int = 4
    camera_head_iterations: int = 4
    local_points: bool = True
    query_channels: int = 0  # 9 turns the state query on (origin, direction, origin x direction)

    # Motion cue of the small model: correlation with the previous view, see layers/motion.py
    motion_cue: bool = False
    motion_radius: int = 4  # cells searched on each of two levels (a quarter and an eighth of the image)
    motion_refinements: int = 0  # times the flow is corrected by correlation with the warped previous view
    pose_iterations: int = 0  # Gauss-Newton steps from the motion head's guess, see heads/pose_solver.py

    # Use
    default_window: int | None = None  # views per update; None: all views in one update (offline)
    native_size: tuple[int, int] | None = None  # (height, width) in pixels the model was trained at

    def __post_init__(self) -> None:
        if self.embed_dim % self.num_heads or self.embed_dim % self.encoder_heads:
            raise ValueError(
                f"embed_dim {self.embed_dim} must be divisible by num_heads {self.num_heads} "
                f"and encoder_heads {self.encoder_heads}"
            )
        if (self.embed_dim // self.num_heads) % 4:
            raise ValueError("embed_dim / num_heads must be divisible by 4 for two-dimensional RoPE")
        if self.embed_dim % self.ttt_head_dim:
            raise ValueError(
                f"embed_dim {self.embed_dim} must be divisible by ttt_head_dim {self.ttt_head_dim}"
            )
        if self.image_size % self.patch_size:
            raise ValueError(
                f"image_size {self.image_size} must be divisible by patch_size {self.patch_size}"
            )
        if len(self.tap_blocks) != 4 or len(self.dpt_channels) != 4:
            raise ValueError("tap_blocks and dpt_channels must have four entries each")
        if list(self.tap_blocks) != sorted(set(self.tap_blocks)) or not (
            self.tap_blocks[0] >= 0 and self.tap_blocks[-1] < self.depth
        ):
            raise ValueError(f"tap_blocks {self.tap_blocks} must rise within 0..{self.depth - 1}")
        if self.newton_schulz_dtype not in ("bfloat16", "float32"):
            raise ValueError(f"newton_schulz_dtype: unknown {self.newton_schulz_dtype!r}")
        if self.camera_head not in ("transformer", "mlp", "motion", None):
            raise ValueError(f"camera_head: unknown {self.camera_head!r}")
        if self.stem not in ("patch", "conv"):
            raise ValueError(f"stem: unknown {self.stem!r}")
        if self.stem == "conv" and self.patch_size % 4:
            raise ValueError(f"the convolutional stem needs patch_size divisible by 4, got {self.patch_size}")
        if self.motion_cue and self.stem != "conv":
            raise ValueError("motion_cue needs stem='conv', whose fine features it correlates")
        if self.camera_head == "motion" and not self.motion_cue:
            raise ValueError("camera_head='motion' needs motion_cue=True")
        if min(self.stem_blocks, self.motion_refinements, self.pose_iterations) < 0:
            raise ValueError("stem_blocks, motion_refinements and pose_iterations must not be negative")
        if self.query_channels not in (0, 9):
            raise ValueError(f"query_channels must be 0 (off) or 9, got {self.query_channels}")
        if self.default_window is not None and self.default_window < 1:
            raise ValueError(f"default_window must be at least 1 or None, got {self.default_window}")

    @property
    def special_tokens(self) -> int:
        """Tokens of a view before its patches: one camera token and the registers."""
        return 1 + self.register_tokens

    @property
    def can_stream(self) -> bool:
        """Whether views can be fed one at a time: the transformer camera head looks across all views."""
        return self.camera_head != "transformer"

    @property
    def can_query(self) -> bool:
        """Whether a scene state can be asked for a novel view."""
        return self.query_channels > 0


def _bundled() -> ZipMapConfig:
    """The small model shipped in resources/: streams, answers queries, runs on two CPU cores."""
    return ZipMapConfig(
        embed_dim=256,
        depth=4,
        num_heads=8,
        encoder_depth=2,
        encoder_heads=8,
        patch_size=16,
        image_size=192,
        stem="conv",
        stem_channels=64,
        stem_blocks=1,
        ttt_head_dim=128,
        muon_steps=2,
        newton_schulz_dtype="float32",  # bf16 noise is large in matrices this small
        tap_blocks=(0, 1, 2, 3),
        dpt_features=64,
        dpt_channels=(64, 96, 128, 128),
        dpt_early_output=True,
        camera_head="motion",
        local_points=False,
        query_channels=9,
        motion_cue=True,
        motion_refinements=3,
        pose_iterations=3,
        default_window=1,
        native_size=(144, 192),
    )


MODEL_CONFIGS: Mapping[str, ZipMapConfig] = MappingProxyType(
    {
        "main": ZipMapConfig(),
        "reference_view": ZipMapConfig(affine_invariant=False),
        "streaming": ZipMapConfig(camera_head="mlp", default_window=1),
        "state_query": ZipMapConfig(affine_invariant=False, query_channels=9),
        "bundled": _bundled(),
    }
)

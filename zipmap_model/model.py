"""The model: images to cameras, depth and a scene state; rays and a state to a novel view."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from zipmap_model.aggregator import Aggregator, ViewTokens
from zipmap_model.config import ZipMapConfig
from zipmap_model.geometry import align_to_first_view, cameras_from_pose_encoding, invert_rigid, ray_scale
from zipmap_model.halves import BegunViews, FirstHalf, first_half_before
from zipmap_model.heads.camera import MlpCameraHead, TransformerCameraHead
from zipmap_model.heads.dense import DenseHead, activate_depth, activate_local_points, activate_query
from zipmap_model.heads.motion import ChainState, MotionEvidence, MotionHead
from zipmap_model.layers.fast_weights import FastWeights, Operation, read_only_program, windowed_program
from zipmap_model.layers.motion import MotionFeatures
from zipmap_model.prediction import MotionPrediction, Prediction, QueryPrediction
from zipmap_model.state import MotionState, SceneState

# Views that pass through a dense head at once outside training; bounds memory, changes no value.
_HEAD_VIEWS = 8


class ZipMap(nn.Module):
    """Every variant of ZipMap, chosen by the config (spec/model.md).

    Parameter names are those of the published checkpoints. Freshly made models are initialised as for
    training from scratch (spec/model.md 6.5).
    """

    def __init__(self, config: ZipMapConfig) -> None:
        super().__init__()
        self.config = config
        tap_dim = 2 * config.embed_dim
        self.aggregator = Aggregator(config)
        self.camera_head = None
        self.camera_mlp_head = None
        self.motion_head = None
        if config.camera_head == "transformer":
            self.camera_head = TransformerCameraHead(
                tap_dim,
                num_heads=config.camera_head_heads,
                depth=config.camera_head_depth,
                iterations=config.camera_head_iterations,
            )
        elif config.camera_head == "mlp":
            self.camera_mlp_head = MlpCameraHead(tap_dim)
        elif config.camera_head == "motion":
            self.motion_head = MotionHead(
                tap_dim,
                flow_channels=self.aggregator.motion_cue.hidden,  # type: ignore[union-attr]
                pose_iterations=config.pose_iterations,
            )
        fine = config.stem_channels if config.stem == "conv" else None
        self.depth_head = self._dense_head(2, fine)
        self.local_point_head = self._dense_head(3, fine) if config.local_points else None
        self.nvs_head = self._dense_head(5, None) if config.query_channels else None
        self._fingerprint: tuple[tuple[int, int], str] | None = None

    def _dense_head(self, out_channels: int, fine_channels: int | None) -> DenseHead:
        config = self.config
        return DenseHead(
            2 * config.embed_dim,
            out_channels,
            patch_size=config.patch_size,
            features=config.dpt_features,
            channels=config.dpt_channels,
            fine_channels=fine_channels,
            early_output=config.dpt_early_output,
        )

    def forward(
        self,
        images: Tensor,
        *,
        window: int | None = None,
        state: SceneState | None = None,
        query_rays: Tensor | None = None,
    ) -> Prediction:
        """Reconstruct views, optionally continuing from ``state`` and answering queries after the last view.

        images (B, S, 3, H, W) in [0, 1], or (S, 3, H, W) for one scene; H and W multiples of the patch size.
        ``window`` views share one update; None takes the config's default, 0 (or a default of None) updates
        once over all views (offline). query_rays (B, T, 9, H, W), see geometry.ray_conditions.
        Raises ValueError for images of a wrong shape and for a state of another model.
        """
        return self.complete(self.begin(images, window=window, after=state, query_rays=query_rays), state)

    def begin(
        self,
        images: Tensor,
        *,
        window: int | None = None,
        after: SceneState | BegunViews | None = None,
        query_rays: Tensor | None = None,
    ) -> BegunViews:
        """The first half of ``forward``: the encoder and the first half of the trunk.

        It needs the views before only as far as that, so it can run while they are still being completed:
        ``after`` is the state to continue from, or the views just before, begun. Arguments and errors otherwise
        as of ``forward``.
        """
        if images.ndim == 4:
            images = images[None]
        self._check_images(images)
        size_hw = (images.shape[-2], images.shape[-1])
        if isinstance(after, SceneState):
            self._check_state(after)
        before = first_half_before(after, self._first_pairs)
        views = self._embed(images, before)
        tokens = views.tokens
        S, per_view = tokens.shape[1], tokens.shape[2]
        n_tokens = S * per_view
        window = self.config.default_window if window is None else window
        program = windowed_program(n_tokens, per_view * window if window else n_tokens)
        if query_rays is not None:
            self._check_can_query()
            queries = self.aggregator.embed_rays(query_rays)
            tokens = torch.cat([tokens, queries.tokens], dim=1)
            program.append(Operation(n_tokens, tokens.shape[1] * per_view, update=False, apply=True))
        trunk = self.aggregator(tokens, self._grid(size_hw), program, before.layers, pairs=self._first_pairs)
        return BegunViews(views, trunk, tuple(program), size_hw, before.n_views + S)

    def complete(self, begun: BegunViews, state: SceneState | None) -> Prediction:
        """The second half of ``forward``, of views that were begun after the ones ``state`` ends with."""
        S = begun.views.tokens.shape[1]
        n_before = 0 if state is None else state.n_views
        if begun.n_views - S != n_before:
            raise ValueError(
                f"These views were begun after {begun.n_views - S} views of their scene, but the state has "
                f"{n_before}: complete views in the order they were begun."
            )
        taps, layers = self._rest_of_trunk(begun, state)
        query_taps = [tap[:, S:] for tap in taps]
        taps = [tap[:, :S].float() for tap in taps]
        with torch.autocast(taps[0].device.type, enabled=False):
            query = self._answer(query_taps, begun.size_hw) if query_taps[0].shape[1] else None
            return self._predict(begun.views, taps, layers, begun.size_hw, state, query)

    def zip(self, images: Tensor, *, window: int = 0, state: SceneState | None = None) -> SceneState:
        """Take views into a state without predicting depth; offline unless a window is given.

        images (B, S, 3, H, W) or (S, 3, H, W). The state answers ``query``.
        """
        begun = self.begin(images, window=window, after=state)
        views, size_hw = begun.views, begun.size_hw
        taps, layers = self._rest_of_trunk(begun, state)
        with torch.autocast(images.device.type, enabled=False):
            camera_tokens = taps[-1][:, :, 0].float()
            stages = self._camera_stages(camera_tokens)
            motion = None
            if self.motion_head is not None:
                depth, confidence = self._depth(views, [tap.float() for tap in taps], size_hw)
                _, _, motion = self._motion(views, camera_tokens, depth, confidence, size_hw, state)
        return self._next_state(layers, views.tokens.shape[1], stages, motion, size_hw, state)

    def query(self, state: SceneState, rays: Tensor) -> QueryPrediction:
        """Ask a state what query cameras see; the state is only read.

        rays (B, T, 9, H, W) from geometry.ray_conditions, poses relative to the first view, translations
        divided by ``query_scale(state)``. Depth comes in the scale of the model's own predictions. Query
        views do not interact, so they are processed in chunks. Raises ValueError when the model has no query
        head or the state belongs to another model.
        """
        self._check_can_query()
        self._check_state(state)
        size_hw = (rays.shape[-2], rays.shape[-1])
        parts = []
        for chunk in rays.split(_HEAD_VIEWS, dim=1):
            tokens = self.aggregator.embed_rays(chunk).tokens
            program = read_only_program(tokens.shape[1] * tokens.shape[2])
            taps = self.aggregator(tokens, self._grid(size_hw), program, state.layers).taps
            with torch.autocast(rays.device.type, enabled=False):
                parts.append(self._answer(taps, size_hw))
        return QueryPrediction(
            torch.cat([p.rgb for p in parts], dim=1),
            torch.cat([p.depth for p in parts], dim=1),
            torch.cat([p.confidence for p in parts], dim=1),
        )

    @property
    def _first_pairs(self) -> range:
        """Pairs of blocks before the cut: with the encoder and the cue they cost about as much as the rest."""
        return range(self.config.depth // 2)

    def fingerprint(self) -> str:
        """A short name of config and weights, which ties a saved state to the model that made it."""
        sample = self.get_parameter("aggregator.global_blocks.0.ttt_block.w0")
        version = -1 if sample.is_inference() else sample._version
        key = (sample.data_ptr(), version)
        if self._fingerprint is None or self._fingerprint[0] != key:
            digest = hashlib.sha256(repr(self.config).encode())
            digest.update(sample.detach().flatten()[:4096].float().cpu().numpy().tobytes())
            self._fingerprint = (key, digest.hexdigest()[:16])
        return self._fingerprint[1]

    def _embed(self, images: Tensor, before: FirstHalf) -> ViewTokens:
        fine = before.fine
        if fine is not None and fine.shape[-2:] != (images.shape[-2] // 4, images.shape[-1] // 4):
            raise ValueError(
                f"This stream was started at {4 * fine.shape[-1]}x{4 * fine.shape[-2]} pixels "
                f"and goes on at {images.shape[-1]}x{images.shape[-2]}; keep one size or start a new stream."
            )
        return self.aggregator.embed_views(images, n_views_before=before.n_views, previous_fine=fine)

    def _rest_of_trunk(
        self, begun: BegunViews, state: SceneState | None
    ) -> tuple[list[Tensor], tuple[FastWeights, ...]]:
        """All taps, and the fast weights of every layer."""
        n_first = len(self._first_pairs)
        rest = self.aggregator(
            begun.trunk.tokens,
            self._grid(begun.size_hw),
            begun.program,
            None if state is None else state.layers[n_first:],
            pairs=range(n_first, self.config.depth),
        )
        return [*begun.trunk.taps, *rest.taps], begun.trunk.layers + rest.layers

    def _grid(self, size_hw: tuple[int, int]) -> tuple[int, int]:
        patch = self.config.patch_size
        return size_hw[0] // patch, size_hw[1] // patch

    def _predict(
        self,
        views: ViewTokens,
        taps: list[Tensor],
        layers: tuple[FastWeights, ...],
        size_hw: tuple[int, int],
        state: SceneState | None,
        query: QueryPrediction | None,
    ) -> Prediction:
        camera_tokens = taps[-1][:, :, 0]
        S = camera_tokens.shape[1]
        depth, confidence = self._depth(views, taps, size_hw)
        local_points = None
        if self.local_point_head is not None:
            raw = self._dense(self.local_point_head, taps, size_hw, views.fine)
            local_points = activate_local_points(raw).unflatten(0, (-1, S))
        stages = self._camera_stages(camera_tokens)
        motion = chain = None
        if self.motion_head is not None:
            pose, motion, chain = self._motion(views, camera_tokens, depth, confidence, size_hw, state)
            stages = [pose]
        return Prediction(
            pose_encoding=stages[-1] if stages else None,
            pose_encoding_stages=tuple(stages),
            depth=depth,
            depth_confidence=confidence,
            local_points=local_points,
            state=self._next_state(layers, S, stages, chain, size_hw, state),
            motion=motion,
            query=query,
        )

    def _depth(
        self, views: ViewTokens, taps: list[Tensor], size_hw: tuple[int, int]
    ) -> tuple[Tensor, Tensor]:
        depth, confidence = activate_depth(self._dense(self.depth_head, taps, size_hw, views.fine))
        shape = taps[0].shape[:2]
        return depth.unflatten(0, shape), confidence.unflatten(0, shape)

    def _camera_stages(self, camera_tokens: Tensor) -> list[Tensor]:
        if self.camera_head is not None:
            return self.camera_head(camera_tokens)
        if self.camera_mlp_head is not None:
            return self.camera_mlp_head(camera_tokens)
        return []

    def _motion(
        self,
        views: ViewTokens,
        camera_tokens: Tensor,
        depth: Tensor,
        confidence: Tensor,
        size_hw: tuple[int, int],
        state: SceneState | None,
    ) -> tuple[Tensor, MotionPrediction, MotionState]:
        assert self.motion_head is not None
        assert views.motion is not None
        assert views.fine is not None
        B, S, _ = camera_tokens.shape
        cue: MotionFeatures = views.motion
        raw = self.motion_head(camera_tokens, cue.grid.float())
        chain = (
            ChainState.start(B, depth.device) if state is None or state.motion is None else state.motion.chain
        )
        flow, log_scale = cue.flow.unflatten(1, (B, S)), cue.flow_log_scale.unflatten(1, (B, S))
        evidence = MotionEvidence(flow[-1], log_scale[-1], depth, confidence)
        chained = self.motion_head.solve_and_chain(raw, evidence, size_hw, chain)
        prediction = MotionPrediction(
            chained.previous_from_camera, raw.previous_from_camera, chained.fov, flow, log_scale
        )
        return chained.pose_encoding, prediction, MotionState(views.fine[:, -1], chained.state)

    def _next_state(
        self,
        layers: tuple[FastWeights, ...],
        n_views: int,
        stages: Sequence[Tensor],
        motion: MotionState | None,
        size_hw: tuple[int, int],
        state: SceneState | None,
    ) -> SceneState:
        scale: Tensor | None = None
        if motion is not None:
            # The small model fixes its unit by the first view, so queries need no further scale.
            scale = layers[0].w0.new_ones(motion.chain.n_views.shape)
        elif stages and self.config.can_query:
            camera_from_world, _ = cameras_from_pose_encoding(stages[-1].detach().float(), size_hw)
            scale = ray_scale(invert_rigid(align_to_first_view(camera_from_world)))
        before = 0 if state is None else state.n_views
        fingerprint = "" if torch.is_grad_enabled() else self.fingerprint()
        return SceneState(layers, before + n_views, fingerprint, motion, scale)

    def _answer(self, taps: Sequence[Tensor], size_hw: tuple[int, int]) -> QueryPrediction:
        assert self.nvs_head is not None
        raw = self._dense(self.nvs_head, [tap.float() for tap in taps], size_hw, None)
        return QueryPrediction(*(x.unflatten(0, taps[0].shape[:2]) for x in activate_query(raw)))

    def _dense(
        self, head: DenseHead, taps: Sequence[Tensor], size_hw: tuple[int, int], fine: Tensor | None
    ) -> Tensor:
        """Raw maps (B*S, out, H, W) of taps (B, S, P, 2C); in chunks of views unless gradients are needed."""
        flat = [tap.flatten(0, 1) for tap in taps]
        flat_fine = None if fine is None else fine.flatten(0, 1).float()
        n = flat[0].shape[0]
        step = n if torch.is_grad_enabled() else _HEAD_VIEWS
        maps = [
            head(
                [tap[i : i + step] for tap in flat],
                size_hw,
                special_tokens=self.config.special_tokens,
                fine=None if flat_fine is None else flat_fine[i : i + step],
            )
            for i in range(0, n, step)
        ]
        return maps[0] if len(maps) == 1 else torch.cat(maps)

    def _check_images(self, images: Tensor) -> None:
        patch = self.config.patch_size
        if images.ndim != 5 or images.shape[2] != 3 or images.shape[1] < 1:
            raise ValueError(f"images: want (B, S, 3, H, W) or (S, 3, H, W), got {tuple(images.shape)}")
        height, width = images.shape[-2:]
        if height % patch or width % patch or min(height, width) < patch:
            raise ValueError(f"images: height and width must be multiples of {patch}, got {height}x{width}")

    def _check_state(self, state: SceneState) -> None:
        # States made while training carry no fingerprint: the weights they belong to change at every step.
        if state.fingerprint and state.fingerprint != self.fingerprint():
            raise ValueError(
                "This scene state was made by another model; load the model it was saved with, "
                "or build a new state."
            )

    def _check_can_query(self) -> None:
        if self.nvs_head is None:
            raise ValueError(
                "This model cannot answer queries: it has no query head. "
                "Use a state-query model or the bundled one."
            )

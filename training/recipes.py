"""Named recipes: functions of nothing that return a config."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType

from training.config import LegConfig, OptimConfig, Phase, StepShape, TrainConfig
from training.data.pool import PoolConfig
from training.data.procedural import ProceduralConfig
from training.losses import LossWeights


def bundled() -> TrainConfig:
    """The small model that ships with the program: about twenty minutes on one H100."""
    landscape = PoolConfig(clips=ProceduralConfig(size=(144, 192)), n_chunks=48, refresh_every=20)
    wide = PoolConfig(clips=ProceduralConfig(size=(128, 224)), n_chunks=24, refresh_every=40)
    portrait = PoolConfig(clips=ProceduralConfig(size=(192, 144)), n_chunks=12, refresh_every=80)
    # The same number of clips everywhere: the compiled fast-weight step is made once for each image size.
    short = StepShape(pool=0, n_clips=24, n_views=3, window=1, n_queries=1)
    middle = StepShape(pool=0, n_clips=24, n_views=5, window=1, n_queries=1)
    middle_wide = StepShape(pool=1, n_clips=24, n_views=5, window=1, n_queries=1)
    middle_tall = StepShape(pool=2, n_clips=24, n_views=5, window=1, n_queries=1)
    long = StepShape(pool=0, n_clips=24, n_views=8, window=1, n_queries=2)
    return TrainConfig(
        pools=(landscape, wide, portrait),
        phases=(
            Phase(until=0.40, shapes=(short,)),
            Phase(until=0.85, shapes=(middle, middle_wide, middle, middle_tall)),
            Phase(until=1.00, shapes=(long, middle_wide, long, middle_tall)),
        ),
        leg=LegConfig(max_seconds=1200.0),
    )


def bundled_refine() -> TrainConfig:
    """Goes on from weights of `bundled`: longer clips, wider lenses, passers-by, driving, one decay to the end.

    About ten minutes on two H200. One shape is compiled; the other picture sizes run eagerly now and then.
    """
    landscape, wide, tall = (
        PoolConfig(
            clips=ProceduralConfig(size=size, fov_deg=fov_deg, forward_share=0.32, drive_share=0.4),
            n_chunks=n_chunks,
            refresh_every=refresh_every,
            passer_share=0.15,
        )
        for size, fov_deg, n_chunks, refresh_every in (
            ((144, 192), (35.0, 90.0), 36, 40),
            ((128, 224), (38.0, 100.0), 10, 160),
            ((192, 144), (38.0, 90.0), 6, 320),
        )
    )
    usual = StepShape(pool=0, n_clips=20, n_views=6, window=1, n_queries=2)
    rare_wide, rare_tall = (
        StepShape(pool=pool, n_clips=10, n_views=6, window=1, n_queries=2, compiled=False) for pool in (1, 2)
    )
    return TrainConfig(
        seed=2,
        pools=(landscape, wide, tall),
        phases=(Phase(until=1.0, shapes=(*[usual] * 8, rare_wide, *[usual] * 6, rare_tall)),),
        leg=LegConfig(max_seconds=1150.0),
        optim=OptimConfig(lr=7e-4, decay_from=0.1, final_lr=0.01),
        losses=LossWeights(flow=0.2, chain_translation=0.15, query_rgb=3.0, query_rgb_gradient=1.5, fov=1.5),
    )


def bundled_finish() -> TrainConfig:
    """Goes on from weights of `bundled_refine`: offline passes too, longer streams, longer lenses, more flow.

    About 25 minutes on two H200. The usual size is compiled for windows of one view and of all views.
    """
    landscape, wide, tall = (
        PoolConfig(
            clips=ProceduralConfig(
                size=size, fov_deg=fov_deg, fov_even_in="log_focal", forward_share=0.32, drive_share=0.4
            ),
            n_chunks=n_chunks,
            refresh_every=refresh_every,
            passer_share=0.15,
        )
        for size, fov_deg, n_chunks, refresh_every in (
            ((144, 192), (28.0, 95.0), 36, 30),
            ((128, 224), (28.0, 100.0), 10, 160),
            ((192, 144), (28.0, 95.0), 6, 320),
        )
    )
    usual = StepShape(pool=0, n_clips=20, n_views=6, window=1, n_queries=2)
    offline = replace(usual, window=0)
    rare_wide = StepShape(pool=1, n_clips=10, n_views=6, window=1, n_queries=2, compiled=False)
    rare_tall = replace(rare_wide, pool=2, window=0)
    long = replace(rare_wide, pool=0, n_views=12)
    part = (usual, usual, offline, usual, usual, usual)
    return TrainConfig(
        seed=3,
        pools=(landscape, wide, tall),
        phases=(Phase(until=1.0, shapes=(*part, *part, rare_wide, *part, long, *part, rare_tall)),),
        leg=LegConfig(max_seconds=1500.0),
        optim=OptimConfig(lr=6e-4, warmup_steps=300, decay_from=0.25, final_lr=0.01),
        losses=LossWeights(flow=0.3, chain_translation=0.15, query_rgb=3.0, query_rgb_gradient=1.5, fov=1.5),
    )


def bundled_slim() -> TrainConfig:
    """Goes on from weights of `bundled_finish`, transferred to a smaller model: fresher clips, larger steps.

    About 25 minutes on two H200. A clip is used nine times on average, and the uses lie far apart: the pool of
    the usual size grows while it is used.
    """
    landscape, wide, tall = (
        PoolConfig(
            clips=ProceduralConfig(
                size=size,
                fov_deg=fov_deg,
                fov_even_in="log_focal",
                samples=2,
                forward_share=0.32,
                drive_share=0.4,
            ),
            n_chunks=n_chunks,
            first_chunks=first_chunks,
            refresh_every=refresh_every,
            passer_share=0.15,
        )
        for size, fov_deg, n_chunks, first_chunks, refresh_every in (
            ((144, 192), (28.0, 95.0), 240, 40, 10),
            ((128, 224), (28.0, 100.0), 40, 10, 220),
            ((192, 144), (28.0, 95.0), 20, 6, 440),
        )
    )
    usual = StepShape(pool=0, n_clips=32, n_views=6, window=1, n_queries=2)
    offline = replace(usual, window=0)
    rare_wide = StepShape(pool=1, n_clips=16, n_views=6, window=1, n_queries=2, compiled=False)
    rare_wide_offline = replace(rare_wide, window=0)
    rare_tall = replace(rare_wide, pool=2)
    long = replace(rare_wide, pool=0, n_views=10)
    part = (usual, usual, offline, usual, usual, usual)
    shapes = (*part, rare_wide, *part, rare_tall, *part, rare_wide_offline, *part, long)
    return TrainConfig(
        seed=4,
        pools=(landscape, wide, tall),
        phases=(Phase(until=1.0, shapes=shapes),),
        leg=LegConfig(max_seconds=1500.0),
        optim=OptimConfig(lr=7e-4, warmup_steps=300, decay_from=0.25, final_lr=0.01),
        losses=LossWeights(flow=0.35, chain_translation=0.15, query_rgb=3.0, query_rgb_gradient=1.5, fov=3.0),
    )


def bundled_longer() -> TrainConfig:
    """Goes on from weights of `bundled_slim`: streams of twenty views, twice the weight of flow.

    About 25 minutes on two H200. Clips of 24 frames have a pool of their own.
    """
    base = bundled_slim()
    landscape = base.pools[0]
    lasting = replace(
        landscape,
        clips=replace(landscape.clips, n_frames=24),
        n_chunks=40,
        first_chunks=6,
        refresh_every=330,
    )
    *others, ten_views = base.phases[0].shapes
    twenty_views = replace(ten_views, pool=len(base.pools), n_clips=8, n_views=20, n_queries=4)
    return replace(
        base,
        seed=5,
        pools=(*base.pools, lasting),
        phases=(Phase(until=1.0, shapes=(*others, twenty_views)),),
        optim=replace(base.optim, lr=5e-4),
        losses=replace(base.losses, flow=0.65, chain_fov=1.0),
    )


def bundled_restyled() -> TrainConfig:
    """Goes on from weights of `bundled_slim` and `bundled_longer`, mixed: restyled clips, and suburbs.

    About 25 minutes on one H200.
    """
    base = bundled_longer()
    pools = tuple(
        replace(pool, clips=replace(pool.clips, suburb_share=0.5), restyle_share=0.3) for pool in base.pools
    )
    return replace(base, seed=6, pools=pools, optim=replace(base.optim, lr=4e-4))


def smoke() -> TrainConfig:
    """A few steps on small pictures, to see on any machine that everything runs."""
    clips = ProceduralConfig(size=(48, 96), n_frames=4, samples=1)
    shape = StepShape(n_clips=2, n_views=3, n_queries=1)
    return TrainConfig(
        pools=(PoolConfig(clips=clips, n_chunks=1, chunk_clips=4, refresh_every=0, max_stride=1),),
        phases=(Phase(until=1.0, shapes=(shape,)),),
        leg=LegConfig(max_steps=20),
        optim=OptimConfig(warmup_steps=5),
        log_every=5,
    )


RECIPES: Mapping[str, Callable[[], TrainConfig]] = MappingProxyType(
    {
        "bundled": bundled,
        "bundled_refine": bundled_refine,
        "bundled_finish": bundled_finish,
        "bundled_slim": bundled_slim,
        "bundled_longer": bundled_longer,
        "bundled_restyled": bundled_restyled,
        "smoke": smoke,
    }
)

"""ZipMap in pure PyTorch: images to cameras, depth and a scene state that grows and answers queries."""

from zipmap_model.allocation import keep_freed_memory
from zipmap_model.checkpoints import (
    PUBLISHED,
    CheckpointError,
    LicenceError,
    PublishedCheckpoint,
    download_checkpoint,
    load_model,
    load_published_state_dict,
    published_shapes,
    save_model,
)
from zipmap_model.config import MODEL_CONFIGS, ZipMapConfig
from zipmap_model.geometry import (
    align_to_first_view,
    cameras_from_pose_encoding,
    invert_rigid,
    points_from_depth,
    points_from_local,
    pose_encoding_from_cameras,
    ray_conditions,
    ray_scale,
)
from zipmap_model.images import FramedImage, frame_from_rgb, load_images, model_size
from zipmap_model.lookahead import LookaheadSession
from zipmap_model.model import ZipMap
from zipmap_model.prediction import MotionPrediction, Prediction, QueryPrediction
from zipmap_model.state import SceneState, query_scale
from zipmap_model.streaming import StreamingSession, autocast_for

__all__ = [
    "MODEL_CONFIGS",
    "PUBLISHED",
    "CheckpointError",
    "FramedImage",
    "LicenceError",
    "LookaheadSession",
    "MotionPrediction",
    "Prediction",
    "PublishedCheckpoint",
    "QueryPrediction",
    "SceneState",
    "StreamingSession",
    "ZipMap",
    "ZipMapConfig",
    "align_to_first_view",
    "autocast_for",
    "cameras_from_pose_encoding",
    "download_checkpoint",
    "frame_from_rgb",
    "invert_rigid",
    "keep_freed_memory",
    "load_images",
    "load_model",
    "load_published_state_dict",
    "model_size",
    "points_from_depth",
    "points_from_local",
    "pose_encoding_from_cameras",
    "published_shapes",
    "query_scale",
    "ray_conditions",
    "ray_scale",
    "save_model",
]

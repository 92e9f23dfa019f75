"""Names, shapes, loading and download of weights."""

from __future__ import annotations

import dataclasses
import json
import os
import pickle
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from zipmap_model.config import MODEL_CONFIGS, ZipMapConfig
from zipmap_model.model import ZipMap

PublishedState = Mapping[str, Tensor]
Progress = Callable[[int, int], None]  # bytes done, bytes in all

_LISTED = 8  # names an error message spells out


class CheckpointError(ValueError):
    """Weights that are missing, damaged or do not fit; the message is one sentence for the user."""


class LicenceError(CheckpointError):
    """The published weights' licence was not accepted."""


@dataclass(frozen=True, kw_only=True)
class PublishedCheckpoint:
    """One file of the published weights."""

    repo: str
    filename: str
    size_bytes: int  # of the float32 tensors; the file is slightly larger
    licence: str

    @property
    def notice(self) -> str:
        """What to tell the user before the download."""
        return (
            f"{self.filename} ({self.size_bytes / 1e9:.1f} GB) from huggingface.co/{self.repo} is licensed "
            f"{self.licence}: research and other non-commercial use only."
        )


def _published(filename: str, size_bytes: int) -> PublishedCheckpoint:
    return PublishedCheckpoint(
        repo="coast01/ZipMap", filename=filename, size_bytes=size_bytes, licence="CC BY-NC 4.0"
    )


PUBLISHED: Mapping[str, PublishedCheckpoint] = MappingProxyType(
    {
        "main": _published("checkpoint_aff_inv.pt", 5_467_494_652),
        "reference_view": _published("checkpoint_with_ref_view.pt", 5_467_494_652),
        "streaming": _published("checkpoint_online.pt", 4_670_232_792),
        "state_query": _published("checkpoint_state_query.pt", 5_605_371_408),
    }
)


def published_shapes(config: ZipMapConfig) -> dict[str, tuple[int, ...]]:
    """Parameter name -> shape, as the published files name them, for any config."""
    with torch.device("meta"):
        model = ZipMap(config)
    return {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}


def load_published_state_dict(model: ZipMap, state_dict: Mapping[str, Any]) -> None:
    """Load tensors by their published names, strictly.

    Accepts the bare names or a dict with a ``model`` entry. A model on the meta device takes the tensors over
    without a second copy. Raises CheckpointError listing missing, unexpected and wrongly shaped names.
    """
    tensors = _select(state_dict, ema=False)
    own = model.state_dict()
    _check_names(own, tensors)
    assign = any(tensor.is_meta for tensor in own.values())
    converted = {name: tensor.to(own[name].dtype) for name, tensor in tensors.items()}
    model.load_state_dict(converted, strict=True, assign=assign)


def _select(checkpoint: Mapping[str, Any], *, ema: bool) -> PublishedState:
    """The state dict inside a checkpoint: layouts model, ema, or the bare names (spec/model.md 1.1)."""
    model = checkpoint.get("model", checkpoint)
    if not isinstance(model, Mapping):
        raise CheckpointError("The checkpoint's 'model' entry is no dict of tensors; choose another file.")
    if ema and isinstance(checkpoint.get("ema"), Mapping):
        # A single-process trainer leaves frozen tensors out of its averages.
        model = {**model, **checkpoint["ema"]} if "model" in checkpoint else checkpoint["ema"]
    tensors = {name: tensor for name, tensor in model.items() if isinstance(tensor, Tensor)}
    if not tensors:
        raise CheckpointError("The checkpoint holds no tensors; choose another file.")
    return tensors


def _check_names(own: Mapping[str, Tensor], given: PublishedState) -> None:
    missing = sorted(own.keys() - given.keys())
    unexpected = sorted(given.keys() - own.keys())
    misshapen = [
        f"{name} has {tuple(given[name].shape)}, wants {tuple(own[name].shape)}"
        for name in sorted(own.keys() & given.keys())
        if own[name].shape != given[name].shape
    ]
    problems = [
        f"{title}: {_listing(names)}"
        for title, names in (("missing", missing), ("unexpected", unexpected), ("wrong shape", misshapen))
        if names
    ]
    if problems:
        raise CheckpointError("The weights do not fit this model; " + "; ".join(problems) + ".")


def _listing(names: list[str]) -> str:
    shown = ", ".join(names[:_LISTED])
    return shown if len(names) <= _LISTED else f"{shown} and {len(names) - _LISTED} more"


def load_model(
    name_or_path: str | Path,
    device: torch.device | str = "cpu",
    *,
    config: ZipMapConfig | None = None,
    ema: bool = False,
    accept_licence: bool = False,
    progress: Progress | None = None,
) -> ZipMap:
    """A model ready for inference: a key of MODEL_CONFIGS, or a path to .pt or .safetensors.

    Published weights are taken from the local cache, or downloaded once ``accept_licence`` is given. A path's
    config is read from the file, or told from its tensor names, unless ``config`` is given. Raises
    CheckpointError with one sentence that says what is wrong and what to do.
    """
    name = str(name_or_path)
    if name in PUBLISHED:
        path = cached_checkpoint(name)
        if path is None:
            path = download_checkpoint(name, accept_licence=accept_licence, progress=progress)
        config = config or MODEL_CONFIGS[name]
    elif name in MODEL_CONFIGS:
        path = bundled_weights(name)
    else:
        path = Path(name_or_path)
        if not path.is_file():
            known = ", ".join(MODEL_CONFIGS)
            raise CheckpointError(
                f"There is no model {name!r}: name one of {known}, or the path of a .pt or .safetensors file."
            )
    tensors, metadata = _read(path, ema=ema)
    config = config or _config_from_metadata(metadata) or _config_from_names(tensors, path)
    with torch.device("meta"):
        model = ZipMap(config)
    try:
        load_published_state_dict(model, tensors)
    except CheckpointError as error:
        raise CheckpointError(f"{path.name}: {error}") from error
    model = model.to(device).eval().requires_grad_(False)
    if torch.device(device).type == "cpu":
        # As maps are laid out there (layers/layout.py); otherwise every convolution converts its kernel anew.
        model = model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return model


def save_model(
    model: ZipMap,
    path: Path | str,
    *,
    dtype: torch.dtype = torch.float16,
    notes: Mapping[str, str] | None = None,
) -> None:
    """Write weights and config as one safetensors file, replaced only when complete."""
    path = Path(path)
    tensors = {name: t.detach().to("cpu", dtype).contiguous() for name, t in model.state_dict().items()}
    metadata = {"config": json.dumps(_changed_fields(model.config)), **(notes or {})}
    partial = path.with_name(path.name + ".partial")
    try:
        save_file(tensors, partial, metadata=metadata)
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def bundled_weights(name: str = "bundled") -> Path:
    """Where the weights that ship with the program lie. Raises CheckpointError if they are not there."""
    here = Path(__file__).resolve().parent
    for root in (here.parent / "resources", here / "resources"):
        path = root / name / "model.safetensors"
        if path.is_file():
            return path
    raise CheckpointError(
        f"The {name} model's weights are missing from this installation; reinstall it, "
        "or give the path of a checkpoint."
    )


def cached_checkpoint(name: str) -> Path | None:
    """The local copy of a published checkpoint, or None."""
    from huggingface_hub import try_to_load_from_cache

    published = PUBLISHED[name]
    found = try_to_load_from_cache(published.repo, published.filename)
    return Path(found) if isinstance(found, str) else None


def download_checkpoint(
    name: str,
    *,
    accept_licence: bool = False,
    progress: Progress | None = None,
    endpoint: str | None = None,
    cache_dir: Path | str | None = None,
) -> Path:
    """Download a published checkpoint into the Hugging Face cache; an interrupted download resumes.

    ``endpoint`` is the address of a mirror of the hub, ``cache_dir`` another place than the hub's own cache.
    ``progress`` is called with bytes done and bytes in all, and may raise to cancel. Raises LicenceError until
    the licence is accepted, CheckpointError when the hub cannot be reached.
    """
    from huggingface_hub import hf_hub_download

    published = PUBLISHED[name]
    if not accept_licence:
        raise LicenceError(
            f"{published.notice} Accept the licence to download it (accept_licence=True, or --accept-licence)."
        )
    try:
        path = hf_hub_download(
            published.repo,
            published.filename,
            tqdm_class=_progress_class(progress, published.size_bytes),
            endpoint=endpoint,
            cache_dir=cache_dir,
        )
    except Exception as error:
        if not _is_hub_error(error):
            raise
        raise CheckpointError(
            f"Could not download {published.filename} from huggingface.co/{published.repo} ({error}); check the "
            "connection and try again, the download resumes where it stopped."
        ) from error
    return Path(path)


def _is_hub_error(error: Exception) -> bool:
    """Whether the hub or the way to it failed; which HTTP library raises depends on the hub client's version."""
    library = type(error).__module__.partition(".")[0]
    return isinstance(error, OSError) or library in {
        "huggingface_hub",
        "httpx",
        "httpx2",
        "requests",
        "hf_xet",
    }


def _progress_class(progress: Progress | None, size_bytes: int) -> type:
    from tqdm import tqdm

    class Bar(tqdm):
        """Hands the hub's byte counts to the callback and draws nothing."""

        monitor_interval = 0  # no watching thread: nothing is drawn

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            kwargs.pop("name", None)
            kwargs["disable"] = False
            kwargs["file"] = open(os.devnull, "w")  # noqa: SIM115  closed below
            super().__init__(*args, **kwargs)
            self._null = kwargs["file"]

        def update(self, n: float | None = 1) -> bool | None:
            result = super().update(n)
            if progress is not None:
                progress(int(self.n), int(self.total or size_bytes))
            return result

        def close(self) -> None:
            super().close()
            null = getattr(self, "_null", None)
            if null is not None:
                null.close()

    return Bar


def _read(path: Path, *, ema: bool) -> tuple[PublishedState, Mapping[str, str]]:
    """Tensors and metadata of a checkpoint file; nothing in it is executed."""
    try:
        if path.suffix == ".safetensors":
            with safe_open(path, framework="pt") as file:
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
                return tensors, file.metadata() or {}
        checkpoint = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except (SafetensorError, pickle.UnpicklingError, RuntimeError, EOFError, OSError, ValueError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise CheckpointError(
            f"{path.name} cannot be read as weights ({reason}); it may be damaged or no checkpoint, "
            "download or choose it again."
        ) from error
    if not isinstance(checkpoint, Mapping):
        raise CheckpointError(f"{path.name} holds no dict of tensors; choose another file.")
    return _select(checkpoint, ema=ema), {}


def _changed_fields(config: ZipMapConfig) -> dict[str, Any]:
    default = ZipMapConfig()
    return {
        field.name: getattr(config, field.name)
        for field in dataclasses.fields(config)
        if getattr(config, field.name) != getattr(default, field.name)
    }


def _config_from_metadata(metadata: Mapping[str, str]) -> ZipMapConfig | None:
    if "config" not in metadata:
        return None
    try:
        fields: dict[str, Any] = json.loads(metadata["config"])
        values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in fields.items()}
        return ZipMapConfig(**values)
    except (json.JSONDecodeError, TypeError, ValueError) as error:
        raise CheckpointError(
            f"The file's model configuration cannot be read ({error}); it was written by another version."
        ) from error


def _config_from_names(tensors: PublishedState, path: Path) -> ZipMapConfig:
    """Which published variant a bare state dict is; the two without own names differ by file name only."""
    if any(name.startswith("nvs_head.") for name in tensors):
        return MODEL_CONFIGS["state_query"]
    if any(name.startswith("camera_mlp_head.") for name in tensors):
        return MODEL_CONFIGS["streaming"]
    return MODEL_CONFIGS["reference_view" if "ref_view" in path.name else "main"]

"""Checkpoints: published names and shapes, strict loading, file layouts, download from a local hub."""

import hashlib
import http.server
import json
import threading
from pathlib import Path

import pytest
import torch

import zipmap_model as zm
from zipmap_model import checkpoints

LISTS = Path(__file__).parents[3] / "shared" / "checkpoints"
FILES = {
    "main": "checkpoint_aff_inv",
    "reference_view": "checkpoint_with_ref_view",
    "streaming": "checkpoint_online",
    "state_query": "checkpoint_state_query",
}


@pytest.fixture(params=FILES)
def published(request):
    """A model on the meta device and a state dict with exactly the published names and shapes."""
    path = LISTS / f"{FILES[request.param]}.json"
    if not path.is_file():
        pytest.skip("the lists of published parameter names are not part of a clone")
    shapes = json.loads(path.read_text())["keys"]
    with torch.device("meta"):
        model = zm.ZipMap(zm.MODEL_CONFIGS[request.param])
        return model, {name: torch.empty(shape) for name, shape in shapes.items()}


def test_published_names_and_shapes_load(published):
    model, state_dict = published
    zm.load_published_state_dict(model, state_dict)
    zm.load_published_state_dict(model, {"model": state_dict, "epoch": 3})
    assert zm.published_shapes(model.config) == {k: tuple(v.shape) for k, v in state_dict.items()}


def test_one_wrong_missing_or_extra_name_is_named(published):
    model, state_dict = published
    name = "aggregator.global_blocks.7.ttt_block.lr_fc.weight"
    tensor = state_dict.pop(name)
    with pytest.raises(zm.CheckpointError, match=f"missing: {name}"):
        zm.load_published_state_dict(model, state_dict)
    with pytest.raises(zm.CheckpointError, match=r"unexpected: renamed.*|missing.*unexpected: renamed"):
        zm.load_published_state_dict(model, state_dict | {"renamed": tensor})
    with pytest.raises(zm.CheckpointError, match=rf"wrong shape: {name} has \(2, 3\), wants"):
        zm.load_published_state_dict(model, state_dict | {name: torch.empty(2, 3, device="meta")})


def test_sizes_of_the_published_files():
    for name, published in zm.PUBLISHED.items():
        path = LISTS / f"{FILES[name]}.json"
        if not path.is_file():
            pytest.skip("the lists of published parameter names are not part of a clone")
        listed = json.loads(path.read_text())
        assert (published.filename, published.repo) == (listed["checkpoint"], listed["hf_repo"])
        assert published.size_bytes == listed["bytes_fp32"]
        assert "non-commercial" in published.notice


def test_half_precision_weights_become_float32(mini):
    halves = {name: tensor.half() for name, tensor in mini.state_dict().items()}
    with torch.device("meta"):
        fresh = zm.ZipMap(mini.config)
    zm.load_published_state_dict(fresh, halves)
    assert {p.dtype for p in fresh.parameters()} == {torch.float32}


@pytest.mark.parametrize("layout", ["bare", "model", "ema"])
def test_pt_files_in_every_layout(mini, layout, tmp_path):
    weights = mini.state_dict()
    averaged = {k: v + 1 for k, v in weights.items() if k != "aggregator.patch_embed.mask_token"}
    content = {
        "bare": weights,
        "model": {"model": weights, "epoch": 1},
        "ema": {"model": weights, "ema": averaged},
    }
    path = tmp_path / "weights.pt"
    torch.save(content[layout], path)
    loaded = zm.load_model(path, config=mini.config, ema=layout == "ema")
    name = "aggregator.camera_token"
    want = averaged[name] if layout == "ema" else weights[name]
    assert torch.equal(loaded.state_dict()[name], want)
    assert not loaded.training


def test_safetensors_carry_their_config(mini, tmp_path):
    path = tmp_path / "model.safetensors"
    zm.save_model(mini, path, dtype=torch.float32)
    loaded = zm.load_model(path)
    assert loaded.config == mini.config
    assert all(torch.equal(a, b) for a, b in zip(mini.parameters(), loaded.parameters(), strict=True))


class _Payload:
    def __reduce__(self):
        return (print, ("executed",))


def test_nothing_in_a_checkpoint_is_executed(tmp_path, capsys):
    path = tmp_path / "evil.pt"
    torch.save({"model": _Payload()}, path)
    with pytest.raises(zm.CheckpointError, match=r"evil\.pt"):
        zm.load_model(path)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("name", ["broken.pt", "broken.safetensors"])
@pytest.mark.parametrize("content", [b"", b"garbage" * 100])
def test_damaged_files_get_one_sentence(name, content, tmp_path):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(zm.CheckpointError, match=name) as caught:
        zm.load_model(path)
    assert "\n" not in str(caught.value)


def test_unknown_names_are_answered_with_the_known_ones():
    with pytest.raises(zm.CheckpointError, match="main, reference_view, streaming, state_query, bundled"):
        zm.load_model("no-such-model")


def test_the_licence_comes_before_the_download(monkeypatch):
    monkeypatch.setattr(checkpoints, "cached_checkpoint", lambda name: None)
    with pytest.raises(zm.LicenceError, match="non-commercial"):
        zm.load_model("streaming")


class _Hub(http.server.BaseHTTPRequestHandler):
    """The few answers of a model hub that a file download needs; it breaks off the first body it sends."""

    content = bytes(range(256)) * 2_000
    etag = hashlib.sha256(content).hexdigest()
    broken_once = False
    ranges: list[str | None] = []  # noqa: RUF012

    def log_message(self, *args):
        pass

    def _headers(self, start: int) -> None:
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(self.content) - start))
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(self.content) - 1}/{len(self.content)}")
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("ETag", f'"{self.etag}"')
        self.send_header("X-Repo-Commit", "0" * 40)
        self.end_headers()

    def do_HEAD(self):
        self._headers(0)

    def do_GET(self):
        wanted = self.headers.get("Range")
        type(self).ranges.append(wanted)
        start = int(wanted.removeprefix("bytes=").split("-")[0]) if wanted else 0
        self._headers(start)
        body = self.content[start:]
        if not type(self).broken_once:
            type(self).broken_once = True
            body = body[: len(body) // 3]
        self.wfile.write(body)


@pytest.fixture
def hub(monkeypatch):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Hub)
    thread = threading.Thread(target=server.serve_forever, name="fake hub")
    thread.start()
    _Hub.broken_once, _Hub.ranges = False, []
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_XET", True)
    monkeypatch.setattr("huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE", 1 << 16)  # resume in small steps
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join(timeout=5)


def test_download_reports_progress_and_resumes(hub, tmp_path):
    seen = []
    path = zm.download_checkpoint(
        "streaming",
        accept_licence=True,
        progress=lambda done, total: seen.append((done, total)),
        endpoint=hub,
        cache_dir=tmp_path,
    )
    assert path.read_bytes() == _Hub.content
    assert seen[-1] == (len(_Hub.content), len(_Hub.content))
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert len(_Hub.ranges) == 2, "the broken download goes on instead of starting again"
    assert _Hub.ranges[1] is not None


def test_a_download_can_be_cancelled(hub, tmp_path):
    def cancel(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        zm.download_checkpoint("main", accept_licence=True, progress=cancel, endpoint=hub, cache_dir=tmp_path)


def test_an_unreachable_hub_gets_one_sentence(monkeypatch, tmp_path):
    monkeypatch.setattr("huggingface_hub.utils._http.time.sleep", lambda seconds: None)
    with pytest.raises(zm.CheckpointError, match="check the connection"):
        zm.download_checkpoint("main", accept_licence=True, endpoint="http://127.0.0.1:9", cache_dir=tmp_path)

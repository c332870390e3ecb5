"""Where the upstream systems come from: what pip installs is imported, what has no usable package is read from a folder.

That folder is `peers/` inside the virtual environment, or TOUCHMARK_PEERS:

    vllm/vllm/...        three pieces of the vllm wheel: config/watermarking.py, v1/watermarking/, and
                         v1/worker/gpu/sample/watermark.py
    synthid-text/src/    google-deepmind/synthid-text (the PyPI package of the same version has another hash)
    three_bricks/wm/     facebookresearch/three_bricks
    MarkLLM/             THU-BPM/MarkLLM (the PyPI package is older and has no SynthID)

README.md says how to fill it.
"""
import functools
import hashlib
import importlib
import importlib.metadata
import importlib.util
import os
import subprocess
import sys
import types
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
os.environ.setdefault("JAX_PLATFORMS", "cpu")

HOME = Path(os.environ.get("TOUCHMARK_PEERS", Path(sys.prefix) / "peers"))


def version(package):
    return importlib.metadata.version(package)


def commit(name):
    """The commit of a checked-out repository: COMMIT where it was exported, else what git says."""
    folder = HOME / name
    if (folder / "COMMIT").exists():
        return (folder / "COMMIT").read_text().strip()
    return subprocess.run(
        ["git", "-C", str(folder), "rev-parse", "HEAD"], capture_output=True, text=True, check=True
    ).stdout.strip()


def _folder(name, inner=""):
    path = HOME / name / inner
    if not path.exists():
        raise SystemExit(f"{path} is missing; see README.md beside this file")
    sys.path.insert(0, str(path))


def _stub(name, **names):
    module = types.ModuleType(name)
    module.__path__ = []
    module.__dict__.update(names)
    sys.modules[name] = module
    return module


def _uncompiled(load):
    """Compilation is for CUDA: here upstream's functions stay as they are written, though it wraps them at import."""
    import torch

    compiled, torch.compile = torch.compile, lambda function, **_named: function
    try:
        return load()
    finally:
        torch.compile = compiled


def _module_of(name, path):
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class _Anything:
    """Stands for Triton's language: kernels are defined with it, and never run here."""

    def __getattr__(self, _name):
        return self

    def __call__(self, *arguments, **_named):
        return arguments[0] if arguments and callable(arguments[0]) else self


@functools.cache
def vllm():
    """vllm.v1.watermarking without the rest of vLLM: only torch and pydantic behind it."""
    _folder("vllm")
    base = HOME / "vllm" / "vllm"
    for package in ("", "v1", "config", "v1/worker", "v1/worker/gpu", "v1/worker/gpu/sample"):
        _stub(".".join(["vllm", *package.split("/")]).rstrip(".")).__path__ = [str(base / package)]

    from pydantic import ConfigDict
    from pydantic.dataclasses import dataclass

    class Silent:
        def warning_once(self, *_args, **_named):
            pass

    anything = _Anything()
    _stub("vllm.logger", init_logger=lambda _name: Silent())
    _stub("vllm.config.utils", config=dataclass(config=ConfigDict(extra="forbid")))
    _stub("vllm.triton_utils", HAS_TRITON=False, tl=anything, triton=anything)
    # The ordinary sampler is a CUDA kernel; nothing here draws with it.
    names = ("gumbel_sample", "gumbel_noised_argmax", "spec_step_seed")
    _stub("vllm.v1.worker.gpu.sample.gumbel", **dict.fromkeys(names))
    return _uncompiled(lambda: importlib.import_module("vllm.v1.watermarking"))


def vllm_repeated_context_mask():
    """What upstream's sampler asks before it marks a token; on a CPU it has a plain implementation."""
    vllm()
    from vllm.v1.worker.gpu.sample.watermark import repeated_context_mask

    return repeated_context_mask


@functools.cache
def vllm_sbw():
    """vllm/v1/watermarking/sbw.py of pull request 56859, from the file that TOUCHMARK_VLLM_SBW names."""
    path = os.environ.get("TOUCHMARK_VLLM_SBW")
    if not path:
        raise SystemExit("TOUCHMARK_VLLM_SBW: give the path of sbw.py; see README.md beside this file")
    vllm()
    from vllm.config import watermarking as config

    # What the same pull request adds to the configuration.
    config.SBWScheme = str
    config._SBW_DEFAULT_CONTEXT_WIDTH = {"selfhash": 4, "lefthash": 1}
    return _uncompiled(lambda: _module_of("vllm.v1.watermarking.sbw", path))


@functools.cache
def vllm_red_green():
    """vllm/v1/watermarking/red_green.py of commit 381f945, from the file that TOUCHMARK_VLLM_RED_GREEN names."""
    path = os.environ.get("TOUCHMARK_VLLM_RED_GREEN")
    if not path:
        raise SystemExit("TOUCHMARK_VLLM_RED_GREEN: give the path of red_green.py; see README.md beside this file")
    vllm()
    return _module_of("vllm.v1.watermarking.red_green", path)


def version_of(name):
    """What a result names: a package's version, or the commit of what was fetched."""
    if name == "vllm":
        return vllm_version()
    if name in ("MarkLLM", "synthid-text", "three_bricks"):
        return commit(name)
    return version(name)


def file_digest(path):
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def vllm_version():
    return (HOME / "vllm" / "VERSION").read_text().strip()


@functools.cache
def three_bricks():
    _folder("three_bricks")
    import wm

    return wm


@functools.cache
def deepmind():
    """synthid_text's processor and its two score functions (these are JAX; 64-bit floats are switched on)."""
    _folder("synthid-text", "src")
    import jax

    jax.config.update("jax_enable_x64", True)
    from synthid_text import detector_mean, logits_processing

    return logits_processing, detector_mean


@functools.cache
def markllm():
    """MarkLLM's loader of algorithms, and its configuration of a model. Its evaluation data sets are left out."""
    _folder("MarkLLM")
    _stub("evaluation")
    _stub("evaluation.dataset", C4Dataset=None)
    from utils.transformers_config import TransformersConfig
    from watermark.auto_watermark import AutoWatermark

    return AutoWatermark, TransformersConfig

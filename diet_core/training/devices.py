"""Where and how exactly a run computes; everything that its numbers depend on."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version

import torch

from diet_core.config import TrainingConfig
from diet_core.errors import SettingError
from diet_core.run_config import Environment


def resolve(config: TrainingConfig) -> Environment:
    """Return the environment that `config` means on this machine.

    Raises:
        SettingError: If the device it names is not there.
    """
    device = _device(config.device)
    return Environment(
        device=device,
        device_name=_device_name(device),
        precision=_precision(config.precision, device),
        threads=torch.get_num_threads(),
        cpu_capability=torch.backends.cpu.get_cpu_capability(),
        versions={
            "python": platform.python_version(),
            **{package: version(package) for package in ("torch", "transformers", "tokenizers", "numpy")},
        },
    )


def apply(environment: Environment) -> torch.device:
    """Make torch compute as `environment` says and return its device.

    Raises:
        SettingError: If the device is not there.
    """
    torch.set_num_threads(environment.threads)
    # Equal commands give equal bytes; an operation without a deterministic form only warns.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True, warn_only=True)
    # Else every new tensor is filled with NaN first, in case somebody reads it too early: 6 % of a step.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    return torch.device(_device(environment.device))


def differences(then: Environment, now: Environment) -> list[str]:
    """Return in words what changed since a run was planned, an empty list if nothing did.

    Args:
        then: The environment in which the run was planned.
        now: The environment of this machine.
    """
    changed = [
        f"{name} was {getattr(then, name)}, is {getattr(now, name)}"
        for name in ("device", "device_name", "precision", "threads", "cpu_capability")
        if getattr(then, name) != getattr(now, name)
    ]
    return changed + [
        f"{package} was {then.versions.get(package)}, is {new}"
        for package, new in now.versions.items()
        if then.versions.get(package) != new
    ]


def _device(wanted: str) -> str:
    has = {"cpu": True, "mps": torch.backends.mps.is_available(), "cuda": torch.cuda.is_available()}
    if wanted == "auto":
        return next(kind for kind in ("cuda", "mps", "cpu") if has[kind])
    kind, _, index = wanted.partition(":")
    if not has.get(kind) or (index and int(index) >= torch.cuda.device_count()):
        there = ", ".join(kind for kind, is_here in has.items() if is_here)
        raise SettingError(f"There is no device {wanted!r} on this machine (there is: {there}). Choose auto.")
    return wanted


def _device_name(device: str) -> str:
    if device.startswith("cuda"):
        return torch.cuda.get_device_name(torch.device(device))
    return platform.processor() or platform.machine()


def _precision(wanted: str, device: str) -> str:
    if wanted != "auto":
        return wanted
    return "bf16" if _is_bf16_fast(device) else "float32"


def _is_bf16_fast(device: str) -> bool:
    """Return whether the hardware multiplies bf16 matrices faster than float32 ones."""
    if device.startswith("cuda"):
        return torch.cuda.get_device_capability(torch.device(device)) >= (8, 0)
    return device == "cpu" and (torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported())

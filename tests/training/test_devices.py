"""What a run resolves its device and precision to, and what it says when that changed."""

from __future__ import annotations

import dataclasses
import platform

import pytest
import torch

from diet_core.config import TrainingConfig
from diet_core.errors import SettingError
from diet_core.run_config import Environment
from diet_core.training import devices

HAS_CUDA = torch.cuda.is_available()
HAS_MPS = torch.backends.mps.is_available()


@pytest.fixture
def environment() -> Environment:
    return devices.resolve(TrainingConfig(device="cpu"))


def test_resolve_leaves_nothing_on_auto():
    environment = devices.resolve(TrainingConfig(device="auto", precision="auto"))
    assert environment.device in ("cpu", "mps", "cuda")
    assert environment.precision in ("float32", "bf16")
    assert environment.threads >= 1
    assert all(dataclasses.asdict(environment).values())


def test_resolve_names_the_versions_that_compute(environment):
    assert environment.versions["torch"] == torch.__version__.split("+")[0] or (
        environment.versions["torch"] == torch.__version__
    )
    assert environment.versions["python"] == platform.python_version()
    assert set(environment.versions) == {"python", "torch", "transformers", "tokenizers", "numpy"}


def test_resolve_on_the_cpu(environment):
    assert environment.device == "cpu"
    assert environment.threads == torch.get_num_threads()
    assert environment.cpu_capability == torch.backends.cpu.get_cpu_capability()


@pytest.mark.parametrize("precision", ["float32", "bf16"])
def test_resolve_keeps_a_wanted_precision(precision):
    assert devices.resolve(TrainingConfig(device="cpu", precision=precision)).precision == precision


@pytest.mark.skipif(HAS_CUDA, reason="has a CUDA device")
@pytest.mark.parametrize("device", ["cuda", "cuda:0", "cuda:3"])
def test_resolve_names_a_cuda_device_that_is_not_there(device):
    with pytest.raises(
        SettingError, match=rf"no device '{device}' on this machine \(there is: cpu.*Choose auto"
    ):
        devices.resolve(TrainingConfig(device=device))


@pytest.mark.skipif(HAS_MPS, reason="has Apple's GPU")
def test_resolve_names_an_mps_device_that_is_not_there():
    with pytest.raises(SettingError, match="no device 'mps'"):
        devices.resolve(TrainingConfig(device="mps"))


def test_resolve_names_a_card_beyond_the_last():
    with pytest.raises(SettingError, match="no device 'cuda:99'"):
        devices.resolve(TrainingConfig(device="cuda:99"))


@pytest.mark.skipif(HAS_CUDA, reason="has a CUDA device")
def test_apply_refuses_a_device_that_went_away(environment):
    with pytest.raises(SettingError, match="no device 'cuda'"):
        devices.apply(dataclasses.replace(environment, device="cuda"))


def test_apply_sets_threads_and_determinism(environment):
    before = torch.get_num_threads()
    try:
        assert devices.apply(dataclasses.replace(environment, threads=1)) == torch.device("cpu")
        assert torch.get_num_threads() == 1
        assert torch.are_deterministic_algorithms_enabled()
    finally:
        torch.set_num_threads(before)
        torch.use_deterministic_algorithms(False)


def test_differences_of_the_same_machine_are_none(environment):
    assert devices.differences(environment, environment) == []


@pytest.mark.parametrize(
    ("name", "then"),
    [
        ("device", "cuda"),
        ("device_name", "Some Card"),
        ("precision", "fp8"),
        ("threads", 999),
        ("cpu_capability", "AVX9"),
    ],
)
def test_differences_name_each_setting_that_changed(environment, name, then):
    changed = dataclasses.replace(environment, **{name: then})
    assert devices.differences(changed, environment) == [
        f"{name} was {then}, is {getattr(environment, name)}"
    ]


def test_differences_name_each_package_that_changed(environment):
    then = dataclasses.replace(environment, versions=environment.versions | {"torch": "1.0"})
    assert devices.differences(then, environment) == [f"torch was 1.0, is {environment.versions['torch']}"]

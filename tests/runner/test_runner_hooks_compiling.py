"""The network is compiled in place; a machine that cannot compile trains all the same."""

from __future__ import annotations

import copy
import logging

import pytest
import torch

from autox_video.runner.hooks.compiling import compile_in_place


@pytest.fixture
def network() -> torch.nn.Module:
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.GELU())


@pytest.fixture
def calls(monkeypatch) -> list[int]:
    """Sizes of the batches that came to compiled code; compiling itself is left out."""
    sizes: list[int] = []

    def compiled(call, **options):
        def run(clips):
            sizes.append(len(clips))
            return call(clips)

        return run

    monkeypatch.setattr(torch, "compile", compiled)
    return sizes


def test_only_full_batches_in_training_are_compiled(network, calls):
    compile_in_place(network, 3)
    network(torch.ones(3, 4))  # the first finds what depends on shapes
    network(torch.ones(3, 4))
    network(torch.ones(2, 4))
    network.eval()
    network(torch.ones(3, 4))
    assert calls == [3, 3]  # once to try it out


def test_names_and_copies_are_those_of_the_network_itself(network, calls):
    names = list(network.state_dict())
    compile_in_place(network, 3)
    assert list(network.state_dict()) == names
    copied = copy.deepcopy(network)
    copied[0].weight.data.zero_()
    for _ in range(2):
        assert not torch.equal(copied(torch.ones(3, 4)), network(torch.ones(3, 4)))
    assert calls == [3, 3]


@pytest.mark.skipif(
    torch.torch_version.TorchVersion(torch.__version__) < (2, 6), reason="2.4 finds a compiler all the same"
)
def test_without_a_compiler_the_run_goes_on_and_says_so_once(network, monkeypatch, tmp_path, caplog):
    from torch._inductor import config

    monkeypatch.setattr(config.cpp, "cxx", (str(tmp_path / "missing-compiler"),))
    monkeypatch.setenv("CXX", str(tmp_path / "missing-compiler"))
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path / "cache"))
    torch.compiler.reset()
    clips = torch.ones(3, 4, requires_grad=True)
    wanted = network(clips)
    compile_in_place(network, 3)
    with caplog.at_level(logging.WARNING, logger="autox_video"):
        for _ in range(3):
            got = network(clips)
            got.sum().backward()
    assert torch.equal(got, wanted)
    said = [record.getMessage() for record in caplog.records if record.name.startswith("autox_video")]
    assert len(said) == 1
    assert said[0].startswith("torch.compile cannot be used here, the run goes on without it: ")
    assert "missing-compiler" in said[0]


def test_compiled_code_that_gives_no_gradients_is_not_used(network, monkeypatch, caplog):
    def fails(_):
        raise RuntimeError("no kernel for this shape\nand much more")

    def compiled(call, **options):
        def run(clips):
            found = call(clips)
            found.register_hook(fails)
            return found

        return run

    monkeypatch.setattr(torch, "compile", compiled)
    clips, rng = torch.ones(3, 4), torch.get_rng_state()
    network(clips).sum().backward()
    wanted = [parameter.grad.clone() for parameter in network.parameters()]
    compile_in_place(network, 3)
    network(clips)
    network.zero_grad()
    with caplog.at_level(logging.WARNING, logger="autox_video"):
        network(clips).sum().backward()
    assert all(torch.equal(parameter.grad, own) for parameter, own in zip(network.parameters(), wanted, strict=True))
    assert torch.equal(torch.get_rng_state(), rng)
    reason = "torch.compile cannot be used here, the run goes on without it: no kernel for this shape"
    assert [record.getMessage() for record in caplog.records] == [reason]

"""Fits of a handful of steps."""

import math
import subprocess
import sys
from contextlib import nullcontext
from dataclasses import replace
from itertools import count
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from deblurcli.blur import psf
from deblurcli.blur.model import blur
from deblurcli.metrics import table
from tests.conftest import ROOT
from training import networks, recipe
from training.__main__ import app
from training.data import sources
from training.data.pairs import Batches, Pairs, Resident, supply, to_tensor
from training.fitting import checkpoint, fit, graphs, logs, losses, metrics, supplies
from training.fitting.checkpoint import CheckpointError
from training.fitting.devices import DeviceError, Devices, spread
from training.recipe import RecipeError


def test_one_batch_can_be_overfitted(tiny, pictures):
    torch.manual_seed(0)
    network = networks.build({"name": "residual-unet", "widths": [16, 16], "blocks": [1, 1]})
    pairs = Pairs(pictures, replace(tiny, data=replace(tiny.data, round=0.0)))
    blurred, sharp = (torch.stack(part) for part in zip(pairs[0, 0], pairs[0, 1]))
    optimiser = torch.optim.Adam(network.parameters(), 5e-3)
    for _ in range(250):
        loss = losses.mse(network(blurred), sharp)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert loss.item() < 1e-3 < losses.mse(blurred, sharp).item() * 2


def test_a_resumed_fit_is_the_uninterrupted_one_bit_for_bit(tiny, pictures, cpu, tmp_path):
    many = np.concatenate([pictures, pictures[:, ::-1]])
    whole = fit.fit(tiny, many, tmp_path / "whole", fabric=cpu)
    sliced = fit.fit(tiny, many, tmp_path / "sliced", minutes=0, fabric=cpu)
    assert 0 < sliced.step < whole.step
    while sliced.step < whole.step:
        sliced = fit.fit(tiny, many, tmp_path / "sliced", minutes=0.001, fabric=cpu)
    assert sliced.step == whole.step
    same(sliced.network.state_dict(), whole.network.state_dict())
    for name, columns in ((fit.LOG, fit.COLUMNS), (fit.EPOCHS, fit.EPOCH_COLUMNS)):
        log, again = ((tmp_path / checkpoint / name).read_text().splitlines() for checkpoint in ("whole", "sliced"))
        assert log[0] == again[0] == ",".join(columns) and len(log) == 1 + 4
    without_minutes = [[row.split(",")[:1] + row.split(",")[2:] for row in rows[1:]] for rows in (log, again)]
    assert without_minutes[0] == without_minutes[1]


def test_a_schedule_of_minutes_ends_with_them_and_lets_the_rate_down(tiny, pictures, cpu, tmp_path, monkeypatch):
    ticks = count()
    monkeypatch.setattr(fit, "time", SimpleNamespace(monotonic=lambda: next(ticks)))  # a second at every look
    timed = replace(tiny, schedule=replace(tiny.schedule, epochs=100_000, minutes=2))
    fit.fit(timed, pictures, tmp_path, minutes=1, fabric=cpu)
    done = fit.fit(timed, pictures, tmp_path, fabric=cpu)
    rates = [float(row["learning_rate"]) for row in logs.read(tmp_path / fit.LOG)]
    assert 120 <= done.seconds < 125 and done.step > 30
    assert rates[-1] < 0.02 * max(rates)
    assert fit.fit(timed, pictures, tmp_path, fabric=cpu).step == done.step


def test_a_slim_checkpoint_holds_little_and_is_gone_on_from(tiny, pictures, cpu, tmp_path):
    runs, slim, whole = tmp_path / "runs", tmp_path / "slim.pt", tmp_path / "whole.pt"
    done = fit.fit(tiny, pictures, runs / tiny.name, epochs=1, fabric=cpu)
    checkpoint.keep(tiny, runs, slim, slim=True)
    checkpoint.keep(tiny, runs, whole)
    assert slim.stat().st_size < whole.stat().st_size / 2  # names take most of so small a network's
    (tmp_path / "other").mkdir()
    again = checkpoint.resume(tiny, tmp_path / "other", cpu.device, slim)
    assert again.step == done.step and again.seconds == done.seconds
    for name, weight in done.network.state_dict().items():
        torch.testing.assert_close(again.network.state_dict()[name], weight, rtol=1e-3, atol=1e-4)
        assert again.network.state_dict()[name].dtype == torch.float32
    assert fit.fit(tiny, pictures, tmp_path / "other", epochs=2, fabric=cpu, kept=slim).step > done.step


def test_pictures_are_counted_whatever_batches_they_came_in(tiny, pictures, cpu, tmp_path):
    folder, halved = (
        tmp_path / tiny.name,
        replace(tiny, schedule=replace(tiny.schedule, batch=tiny.schedule.batch // 2)),
    )
    begun = fit.fit(tiny, pictures, folder, epochs=1, fabric=cpu)
    assert begun.seen == begun.step * tiny.schedule.batch
    older = torch.load(folder / "checkpoint.pt")
    del older["seen"]  # which a checkpoint did not tell at first
    torch.save(older, folder / "checkpoint.pt")
    done = fit.fit(halved, pictures, folder, epochs=2, fabric=cpu)
    assert done.step > begun.step and begun.seen > 0
    assert done.seen == done.step * halved.schedule.batch  # as it takes them for batches of its own
    later = fit.fit(tiny, pictures, folder, epochs=9, fabric=cpu)
    assert later.seen - done.seen == (later.step - done.step) * tiny.schedule.batch


def same(weights, others):
    assert weights.keys() == others.keys()
    for name, weight in weights.items():
        torch.testing.assert_close(others[name], weight, rtol=0, atol=0)


@pytest.fixture(scope="module")
def small():
    """The paper's protocol on a network of seconds that soon stops getting better."""
    paper = recipe.load("paper-motion")
    return replace(
        paper,
        network={"name": "paper-unet", "widths": [4, 8]},
        schedule=replace(paper.schedule, epochs=30, batch=3, patience=2),
        optimiser=replace(paper.optimiser, learning_rate=0.1),
        rate={**paper.rate, "patience": 1},
    )


def test_the_paper_s_protocol_keeps_the_best_epoch_and_resumes(small, pictures, cpu, tmp_path):
    whole = fit.fit(small, pictures, tmp_path / "whole", fabric=cpu)
    sliced = fit.fit(small, pictures, tmp_path / "sliced", minutes=0, fabric=cpu)
    while sliced.step < whole.step:
        sliced = fit.fit(small, pictures, tmp_path / "sliced", minutes=0, fabric=cpu)
    again = fit.fit(small, pictures, tmp_path / "whole", fabric=cpu)
    rows = logs.read(tmp_path / "whole" / fit.EPOCHS)
    heard = [float(row["validation_loss"]) for row in rows]
    assert again.step == whole.step == 3 * len(heard) < 3 * 30
    assert whole.best_step == 3 * (int(np.argmin(heard)) + 1) == whole.step - 3 * 2
    for weights in (sliced.chosen()[0], again.chosen()[0]):
        same(weights, whole.best)


def test_nobody_watching_is_no_number(small, tiny, pictures, cpu, tmp_path):
    unwatched = replace(tiny, data=replace(tiny.data, validation=0), schedule=replace(tiny.schedule, epochs=1))
    fit.fit(unwatched, pictures, tmp_path, fabric=cpu)
    assert {row["validation_psnr"] for row in logs.read(tmp_path / fit.EPOCHS)} == {"nan"}


def test_a_kept_run_goes_on_exactly_where_there_is_no_other(tiny, pictures, cpu, tmp_path):
    runs, kept = tmp_path / "runs", tmp_path / "kept" / "faces.pt"
    kept.parent.mkdir()
    fit.fit(tiny, pictures, runs / "faces", minutes=0, fabric=cpu)
    fit.fit(tiny, pictures, runs / "faces", minutes=0, fabric=cpu)
    fit.fit(tiny, pictures, runs / "faces", minutes=0, fabric=cpu)
    checkpoint.keep(tiny, runs, kept)
    whole = fit.fit(tiny, pictures, runs / "faces", fabric=cpu)
    elsewhere = fit.fit(tiny, pictures, tmp_path / "elsewhere", fabric=cpu, kept=kept)
    same(elsewhere.network.state_dict(), whole.network.state_dict())
    curves = [logs.read(folder / fit.EPOCHS) for folder in (runs / "faces", tmp_path / "elsewhere")]
    assert [row["epoch"] for row in curves[0]] == [row["epoch"] for row in curves[1]] == ["1", "2", "3", "4"]


def test_lines_of_steps_that_are_made_again_are_dropped(tiny, pictures, cpu, tmp_path):
    fit.fit(tiny, pictures, tmp_path, epochs=2, fabric=cpu)
    for name in (fit.LOG, fit.EPOCHS):
        lines = (tmp_path / name).read_text().splitlines()
        (tmp_path / name).write_text("\n".join([*lines, lines[-1].replace(lines[-1].split(",")[0], "99", 1)]) + "\n")
    fit.fit(tiny, pictures, tmp_path, fabric=cpu)
    assert [row["epoch"] for row in logs.read(tmp_path / fit.EPOCHS)] == ["1", "2", "3", "4"]
    assert [row["step"] for row in logs.read(tmp_path / fit.LOG)] == ["2", "4", "6", "8"]


def test_another_recipe_s_checkpoint_is_refused(tiny, small, pictures, cpu, tmp_path):
    fit.fit(tiny, pictures, tmp_path, minutes=0, fabric=cpu)
    with pytest.raises(CheckpointError, match=r"checkpoint\.pt: not a checkpoint of this recipe"):
        fit.fit(small, pictures, tmp_path, fabric=cpu)
    (tmp_path / "checkpoint.pt").write_bytes(b"nonsense")
    with pytest.raises(CheckpointError, match=r"checkpoint\.pt"):
        fit.fit(tiny, pictures, tmp_path, fabric=cpu)
    with pytest.raises(CheckpointError, match="no such checkpoint"):
        checkpoint.keep(tiny, tmp_path / "nowhere", tmp_path / "x.pt")


@pytest.mark.filterwarnings("ignore:This DataLoader will create")  # more workers than cores
def test_workers_make_the_same_pairs(little, cpu, tmp_path):
    """Also where OpenCV has threads of its own, which workers would wait for in vain."""
    cv2.setNumThreads(4)
    cv2.GaussianBlur(np.zeros((2000, 2000, 3), np.float32), (0, 0), 5)
    loaded = recipe.load(str(little))
    photos = sources.load(loaded, tmp_path)
    alone = fit.fit(loaded, photos, tmp_path / "alone", epochs=1, fabric=cpu, workers=0)
    helped = fit.fit(loaded, photos, tmp_path / "helped", epochs=1, fabric=cpu, workers=2)
    same(helped.network.state_dict(), alone.network.state_dict())


def test_many_processes_reach_what_one_does(little, tmp_path):
    """Two processes on the CPU share batches of five, three and two; the weights and the curves are those of one."""

    def command(devices):
        where = ["--runs", str(tmp_path / devices), "--accelerator", "cpu", "--devices", devices, "--threads", "1"]
        return ["fit", str(little), "--data-home", str(tmp_path), *where]

    alone = CliRunner().invoke(app, command("1"), catch_exceptions=False)
    shared = subprocess.run([sys.executable, "-m", "training", *command("2")], cwd=ROOT, capture_output=True, text=True)
    for status, said in ((alone.exit_code, alone.stderr), (shared.returncode, shared.stderr)):
        assert status == 0, said
        assert said.count("little: step 8") == 1
    one, two = (torch.load(tmp_path / devices / "little" / "checkpoint.pt") for devices in ("1", "2"))
    fresh = checkpoint.start(recipe.load(str(little)), torch.device("cpu")).network.state_dict()
    assert one["step"] == two["step"] == 8
    for name, weight in one["network"].items():
        torch.testing.assert_close(two["network"][name], weight, rtol=1e-4, atol=1e-6)
    assert any((fresh[name] - weight).abs().max() > 1e-4 for name, weight in one["network"].items())
    curves = [logs.read(tmp_path / devices / "little" / fit.EPOCHS) for devices in ("1", "2")]
    for row, other in zip(*curves, strict=True):
        for name in row.keys() - {"minutes"}:
            assert float(other[name]) == pytest.approx(float(row[name]), rel=1e-3), name


def test_processes_need_a_part_of_the_batch_and_whole_statistics(small):
    fabric = SimpleNamespace(world_size=2, device=torch.device("cpu"))
    with pytest.raises(DeviceError, match="batch normalisation"):
        spread(fabric, networks.build(small.network), 12)
    with pytest.raises(DeviceError, match="batch of 1 cannot be shared by 2"):
        spread(fabric, networks.build(small.network), 1)


@pytest.mark.parametrize("wrong", [{"accelerator": "abacus"}, {"precision": "8"}])
def test_a_device_that_is_not_there_is_refused(wrong):
    with pytest.raises(DeviceError, match="choose one of"):
        Devices(**wrong).launched()


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is one")
def test_a_missing_accelerator_is_named():
    with pytest.raises(DeviceError, match="cuda"):
        Devices("cuda").launched()


def test_mixed_precision_trains_too(tiny, pictures, tmp_path):
    mixed = Devices("cpu", precision="bf16-mixed").launched()
    done = fit.fit(tiny, pictures, tmp_path, epochs=1, fabric=mixed)
    assert {weight.dtype for weight in done.network.state_dict().values()} == {torch.float32}
    (row,) = logs.read(tmp_path / fit.EPOCHS)
    _, watching = sources.fitting_split(tiny, len(pictures))
    blurred, sharp = (torch.stack(part) for part in zip(*(Pairs(pictures, tiny, watching)[0, i] for i in range(2))))
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        restored = done.network.eval()(blurred)
    for name, metric in metrics.METRICS.items():  # bfloat16 has 8 bits, too few for a metric
        expected = metric(restored.float().clamp(0, 1), sharp).mean().item()
        assert float(row[f"validation_{name}"]) == pytest.approx(expected, rel=2e-3)


def test_tensorboard_is_asked_for_by_name(tiny, pictures, cpu, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(logs.LogError, match="pip install tensorboard"):
        fit.fit(tiny, pictures, tmp_path, fabric=cpu, tensorboard=True)


def test_tensorboard_gets_the_curves(tiny, pictures, cpu, tmp_path):
    pytest.importorskip("tensorboard")
    fit.fit(tiny, pictures, tmp_path, epochs=1, fabric=cpu, tensorboard=True)
    assert [path.stat().st_size for path in (tmp_path / "tensorboard").iterdir()] != []


def test_pairs_that_stay_the_same_may_live_on_the_accelerator(small, pictures):
    pairs, order = Pairs(pictures, small), Batches(len(pictures), 5, seed=1, start=0, stop=4)
    made = supply(pairs, order, torch.device("cpu"), 0)
    for batch, resident in zip(made, Resident(pairs, order, torch.device("cpu")), strict=True):
        for part, other in zip(batch, resident):
            torch.testing.assert_close(part, other, rtol=0, atol=0)


@pytest.fixture
def on_accelerator(monkeypatch):
    """A fit on the CPU that takes the way of one on a GPU, as far as there is one: resident pairs, a graph."""

    def use(record):
        monkeypatch.setattr(
            supplies.pairing, "supply", lambda pairs, order, device, workers: Resident(pairs, order, device)
        )
        monkeypatch.setattr(graphs, "suit", lambda fabric, batches: isinstance(batches, Resident))
        monkeypatch.setattr(torch.cuda, "make_graphed_callables", record)

    return use


def test_a_graph_changes_nothing_but_the_speed(small, pictures, cpu, tmp_path, on_accelerator):
    """Recording runs the network, which must not move its running means; the outputs of a graph all have gradients."""
    shapes = []

    def record(module, batch):
        for _ in range(4):
            module(*batch)
        shapes.append([part.shape for part in batch])

        def replay(*parts):
            loss, sums = module(*parts)
            return loss, sums + 0 * loss

        return replay

    whole = fit.fit(small, pictures, tmp_path / "eager", epochs=2, fabric=cpu)
    on_accelerator(record)
    graphed = fit.fit(small, pictures, tmp_path / "graphed", epochs=2, fabric=cpu)
    assert shapes == [[(3, 3, *pictures.shape[1:3])] * 2]
    same(graphed.network.state_dict(), whole.network.state_dict())
    rows = [logs.read(tmp_path / name / fit.EPOCHS) for name in ("eager", "graphed")]
    for row, other in zip(*rows, strict=True):
        assert row | {"minutes": ""} == other | {"minutes": ""}


def test_where_no_graph_can_be_recorded_the_fit_goes_on_without(small, pictures, cpu, tmp_path, on_accelerator):
    def refuse(module, batch):
        module(*batch)
        raise RuntimeError("operation not permitted when stream is capturing\nand so on")

    whole = fit.fit(small, pictures, tmp_path / "eager", epochs=1, fabric=cpu)
    on_accelerator(refuse)
    with pytest.warns(UserWarning, match=r"no CUDA graph.*\(operation not permitted when stream is capturing\)"):
        done = fit.fit(small, pictures, tmp_path / "refused", epochs=1, fabric=cpu)
    same(done.network.state_dict(), whole.network.state_dict())


def test_there_is_a_graph_for_each_shape(small, monkeypatch):
    recorded = []

    def record(module, batch):
        recorded.append(batch[0].shape)
        return module

    monkeypatch.setattr(torch.cuda, "make_graphed_callables", record)
    network = checkpoint.start(small, torch.device("cpu")).network.eval()
    measured = graphs.Graphs(network, losses.weighted(small.loss), nullcontext)
    batches = [torch.rand(count, 3, *side) for count, side in ((2, (64, 32)), (3, (32, 32)), (2, (64, 32)))]
    for batch in batches:
        loss, _ = measured(batch, batch.flip(3))
        expected = losses.weighted(small.loss)(network(batch), batch.flip(3))
        torch.testing.assert_close(loss, expected)
    assert recorded == [batches[0].shape, batches[1].shape]


def test_a_loss_that_is_no_number_ends_the_fit(tiny, pictures, cpu, tmp_path):
    fit.fit(tiny, pictures, tmp_path, epochs=1, fabric=cpu)
    before = (tmp_path / checkpoint.CHECKPOINT).read_bytes()
    wild = replace(tiny, loss={"mse": math.inf})
    with pytest.raises(fit.DivergedError, match=rf"{tiny.name}: the loss is nan at step \d+; try --precision 32-true"):
        fit.fit(wild, pictures, tmp_path, epochs=3, fabric=cpu)
    assert (tmp_path / checkpoint.CHECKPOINT).read_bytes() == before


@pytest.mark.parametrize("kept", [True, None])
def test_an_optimiser_goes_on_fused_or_not_whatever_it_was(kept):
    def stepped(optimiser, weight):
        weight.grad = torch.ones_like(weight)
        optimiser.step()
        return weight

    def made(fused):
        weight = torch.nn.Parameter(torch.linspace(-1, 1, 7))
        return torch.optim.Adam([weight], 0.1, fused=fused), weight

    (one, first), (other, second) = made(kept), made(None if kept else True)
    stepped(one, first)
    second.data.copy_(first.data)
    checkpoint._restore(other, one.state_dict())
    assert other.param_groups[0]["fused"] is (None if kept else True)
    torch.testing.assert_close(stepped(other, second), stepped(one, first))


def test_a_gpu_is_not_held_up_by_checkpoints(small, pictures, cpu, tmp_path, monkeypatch):
    fitted = fit._Fit(small, checkpoint.start(small, cpu.device), cpu, None, None, 1, 1, None, tmp_path / "x.pt", ())
    assert fitted.save_is_due()
    fitted.fabric = SimpleNamespace(device=torch.device("cuda"), world_size=1)
    fitted.checkpoint.seconds = fit.SAVE_EVERY / 2
    assert not fitted.save_is_due()
    fitted.checkpoint.seconds = fit.SAVE_EVERY + 1
    assert fitted.save_is_due()
    fitted.fabric = SimpleNamespace(device=torch.device("cuda"), world_size=2)
    fitted.checkpoint.seconds = 0
    assert fitted.save_is_due()


def test_resident_batches_come_whole_and_in_order(small, pictures, monkeypatch):
    monkeypatch.setattr("training.data.pairs.AT_ONCE", 2)
    pairs = Pairs(pictures, small)
    keys = [[(0, 3), (0, 1)], [(0, 2)], [(0, 0), (0, 3), (0, 2)]]
    made = [batch[1] for batch in Resident(pairs, keys, torch.device("cpu"))]
    for batch, wanted in zip(made, keys, strict=True):
        torch.testing.assert_close(batch, torch.stack([pairs[key][1] for key in wanted]), rtol=0, atol=0)


def test_metrics_agree_with_the_tool_s_metrics(pictures):
    restored = np.stack([blur(picture, psf.parse("gaussian:1").array()) for picture in pictures])
    stacks = (torch.stack([to_tensor(image) for image in stack]) for stack in (restored, pictures))
    found = metrics.scores(*stacks).numpy()
    for row, image, truth in zip(found, restored, pictures):
        scores = table.score(image, truth)
        assert row == pytest.approx([scores[name] for name in metrics.METRICS], abs=2e-5, rel=2e-5)


def test_a_fit_needs_a_batch(tiny, pictures, cpu, tmp_path):
    with pytest.raises(RecipeError, match="fewer than a batch"):
        fit.fit(tiny, pictures[:4], tmp_path, fabric=cpu)

"""`diff` finds the numbers that torch computes."""

import json
import math

import pytest
import torch
from safetensors.torch import save_file

from files import ZIP, checkpoints, label, of_kind
from program import DATA, DIFFERENCE, DONE, FIXTURES, describe, run

REAL = [
    torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.float8_e4m3fn,
    torch.float8_e5m2, torch.float8_e4m3fnuz, torch.float8_e5m2fnuz, torch.float8_e8m0fnu,
    torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8, torch.uint16, torch.uint32,
    torch.uint64, torch.bool]
COMPLEX = [torch.complex32, torch.complex64, torch.complex128]


def diff(first, second, *flags, expected=(DIFFERENCE,)):
    process = run("diff", "--json", first, second, *flags)
    assert process.returncode in expected, describe(process)
    return json.loads(process.stdout)


def random_bits(dtype, count, seed):
    """Elements of every kind: NaN and infinities too."""
    generator = torch.Generator().manual_seed(seed)
    if dtype is torch.bool:
        return torch.randint(0, 2, (count,), generator=generator).to(torch.bool)
    data = torch.randint(0, 256, (count * dtype.itemsize,), generator=generator, dtype=torch.uint8)
    return data.view(dtype)


def reference(left, right):
    """What the documentation defines, in torch and Python."""
    if left.dtype.is_complex or right.dtype.is_complex:
        a, b = left.to(torch.complex128), right.to(torch.complex128)
        nan_a, nan_b = a.isnan(), b.isnan()
    elif not (left.dtype.is_floating_point or right.dtype.is_floating_point):
        pairs = [(int(x), int(y)) for x, y in zip(left.tolist(), right.tolist())]
        sizes = [(abs(x - y), max(abs(x), abs(y))) for x, y in pairs if x != y]
        return {
            "differing": len(sizes), "nan": 0,
            "abs": max((float(d) for d, _ in sizes), default=None),
            "rel": max((float(d) / float(m) for d, m in sizes), default=None)}
    else:
        a, b = left.to(torch.float64), right.to(torch.float64)
        nan_a, nan_b = a.isnan(), b.isnan()
    differing = (a != b) & ~(nan_a & nan_b)
    one_sided = nan_a ^ nan_b
    sized = differing & ~one_sided
    x, y = a[sized], b[sized]
    distance = (x - y).abs()
    if x.is_complex():
        real = torch.where(x.real == y.real, 0, x.real - y.real)
        imaginary = torch.where(x.imag == y.imag, 0, x.imag - y.imag)
        distance = torch.complex(real, imaginary).abs()
    ratio = torch.where(
        distance.isinf(), distance, distance / torch.maximum(x.abs(), y.abs()))
    return {
        "differing": int(differing.sum()), "nan": int(one_sided.sum()),
        "abs": distance.max().item() if len(distance) else None,
        "rel": ratio.max().item() if len(distance) else None}


def change(left, right):
    """The norm of the difference by the larger norm."""
    a, b = left.to(torch.float64), right.to(torch.float64)
    return (a - b).norm().item() / max(a.norm().item(), b.norm().item())


def close(found, expected):
    if expected is None or found is None:
        return found is expected
    value = math.inf if found["value"] == "inf" else found["value"]
    return value == expected or math.isclose(value, expected, rel_tol=1e-14)


def assert_as_torch(left, right, tmp_path, shape=(-1,)):
    torch.save({"x": left.reshape(shape)}, tmp_path / "a.pt")
    torch.save({"x": right.reshape(shape)}, tmp_path / "b.pt")
    found = diff(tmp_path / "a.pt", tmp_path / "b.pt")["files"][0]["tensors"]
    expected = reference(left, right)
    assert len(found) == 1, found
    row = found[0]
    assert row["differing"] == expected["differing"]
    assert row["nan_on_one_side"] == expected["nan"]
    assert close(row["max_abs"], expected["abs"]), (row, expected)
    assert close(row["max_rel"], expected["rel"]), (row, expected)
    if row["relative_change"] is not None:
        assert row["relative_change"] == pytest.approx(change(left, right), rel=1e-6)
    return row


@pytest.mark.parametrize("dtype", REAL + COMPLEX, ids=str)
def test_every_dtype_against_itself(dtype, tmp_path):
    left, right = random_bits(dtype, 3001, 1), random_bits(dtype, 3001, 2)
    right[::3] = left[::3]
    row = assert_as_torch(left, right, tmp_path)
    width = dtype.itemsize
    bits = (left.view(torch.uint8).reshape(-1, width) != right.view(torch.uint8).reshape(-1, width))
    assert row["differing"] + row["differing_in_bits"] == int(bits.any(1).sum())


@pytest.mark.parametrize("other", [torch.float32, torch.int64, torch.complex128], ids=str)
@pytest.mark.parametrize("dtype", REAL + COMPLEX, ids=str)
def test_every_dtype_against_another(dtype, other, tmp_path):
    if dtype is other:
        return
    assert_as_torch(random_bits(dtype, 501, 3), random_bits(other, 501, 4), tmp_path)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.uint8], ids=str)
@pytest.mark.parametrize("count", [1, 7, 513, 3_000_001])
def test_the_relative_change_is_that_of_norms(dtype, count, tmp_path):
    generator = torch.Generator().manual_seed(count)
    left = (torch.rand(count, generator=generator) * 100).to(dtype)
    right = left.clone()
    # Equal stretches count in the norm of the tensor.
    right[count // 2:] = (torch.rand(count - count // 2, generator=generator) * 100).to(dtype)
    row = assert_as_torch(left, right, tmp_path)
    assert row["relative_change"] == pytest.approx(change(left, right), rel=1e-6)


def test_numbered_parameters_have_names_and_configurations_fields(tmp_path):
    for name, step, rate in ("a", 6, 0.5), ("b", 8, 0.25):
        folder = tmp_path / name
        folder.mkdir()
        state = {
            number: {"step": torch.tensor(float(step)), "exp_avg": torch.full((3,), float(step))}
            for number in range(2)}
        groups = [{"params": [0, 1], "param_names": ["wte.weight", "ff.weight"], "lr": rate}]
        torch.save({"state": state, "param_groups": groups}, folder / "optim.pt")
        (folder / "config.yaml").write_text(f"model:\n  d_model: 8\noptimizer:\n  lr: {rate}\n")
    process = run("diff", tmp_path / "a", tmp_path / "b")
    assert process.returncode == DIFFERENCE, describe(process)
    text = process.stdout
    assert text.startswith(
        "optim: all 4 tensors changed, the largest by 25 % in state.wte.weight.exp_avg, "
        "2 steps apart; learning rate 0.5 -> 0.25\n") or text.startswith(
        "optim: all 4 tensors changed, the largest by 25 % in state.ff.weight.exp_avg, "
        "2 steps apart; learning rate 0.5 -> 0.25\n"), text
    assert "step of 2 parameters" in text
    assert "config.yaml: optimizer.lr  value  0.5    0.25" in text
    assert text.splitlines()[-1] == "different: 4 tensors, 2 other differences"


def test_the_place_of_the_maximum(tmp_path):
    left = torch.zeros(7, 11, 13)
    right = left.clone()
    right[3, 5, 8], right[6, 10, 12] = 2.5, -1
    torch.save({"x": left}, tmp_path / "a.pt")
    torch.save({"x": right}, tmp_path / "b.pt")
    row = diff(tmp_path / "a.pt", tmp_path / "b.pt")["files"][0]["tensors"][0]
    assert row["max_abs"] == {"value": 2.5, "at": [3, 5, 8]}
    assert row["max_rel"] == {"value": 1.0, "at": [3, 5, 8]}
    assert row["differing"] == 2 and row["elements"] == 7 * 11 * 13


@pytest.mark.parametrize("first", ["packed", "transposed"])
@pytest.mark.parametrize("second", ["packed", "transposed", "expanded"])
def test_strides_make_no_difference(first, second, tmp_path):
    shapes = {
        "packed": lambda x: x.clone(), "transposed": lambda x: x.t().contiguous().t(),
        "expanded": lambda x: x[:1].expand(x.shape)}
    base = torch.arange(12, dtype=torch.float32).reshape(3, 4)
    left, right = shapes[first](base), shapes[second](base.to(torch.float64))
    torch.save({"x": left}, tmp_path / "a.pt")
    torch.save({"x": right}, tmp_path / "b.pt")
    row = diff(tmp_path / "a.pt", tmp_path / "b.pt")["files"][0]["tensors"][0]
    assert row["differing"] == int((left != right).sum())


@pytest.mark.parametrize("source", of_kind(ZIP)[:40], ids=label)
def test_a_file_equals_itself(source):
    assert diff(source, source, expected=(DONE,))["equal"]


@pytest.mark.parametrize("directory", checkpoints(), ids=label)
def test_a_converted_checkpoint_is_equal(directory, tmp_path):
    for layout in ("olmo", "plain"):
        output = tmp_path / layout
        process = run("pt-to-safetensors", directory, "-o", output, "--layout", layout)
        assert process.returncode == DONE, describe(process)
        assert diff(directory, output, expected=(DONE,))["equal"]


def test_names_shapes_and_values(tmp_path):
    shared = torch.randn(4, 3)
    torch.save(
        {"same": shared, "old": torch.arange(5.), "gone": torch.ones(2), "shape": torch.ones(2, 3),
         "a": torch.zeros(9), "b": torch.zeros(9), "lr": 0.1}, tmp_path / "a.pt")
    torch.save(
        {"same": shared, "new": torch.arange(5.), "added": torch.ones(3), "shape": torch.ones(3, 2),
         "c": torch.zeros(9), "lr": 0.2}, tmp_path / "b.pt")
    found = diff(tmp_path / "a.pt", tmp_path / "b.pt")["files"][0]
    assert found["tensors"] == []
    assert found["renamed"] == [{"first": "old", "second": "new"}]
    kinds = {(item["place"], item["kind"]) for item in found["differences"]}
    # Two tensors of zeros became one of another name: which one is not certain.
    assert kinds == {
        ("gone", "missing"), ("added", "extra"), ("shape", "shape"), ("a", "missing"),
        ("b", "missing"), ("c", "extra"), ("lr", "value")}


def test_tolerances(tmp_path):
    weights = torch.randn(1000, generator=torch.Generator().manual_seed(5))
    torch.save({"w": weights}, tmp_path / "a.pt")
    save_file({"w": weights.to(torch.bfloat16)}, tmp_path / "b.safetensors")
    pair = (tmp_path / "a.pt", tmp_path / "b.safetensors")
    largest = diff(*pair)["files"][0]["tensors"][0]
    for flag, key in (("--tolerance", "max_abs"), ("--relative-tolerance", "max_rel")):
        bound = largest[key]["value"]
        assert diff(*pair, flag, repr(bound), expected=(DONE,))["equal"]
        assert not diff(*pair, flag, repr(bound * 0.99))["equal"]
    assert 0.003 < largest["max_rel"]["value"] < 0.004


def test_tolerances_cover_neither_nan_nor_names(tmp_path):
    torch.save({"w": torch.tensor([float("nan")]), "x": torch.ones(1)}, tmp_path / "a.pt")
    torch.save({"w": torch.tensor([1.0]), "x": torch.ones(1)}, tmp_path / "b.pt")
    torch.save({"x": torch.ones(1)}, tmp_path / "c.pt")
    assert not diff(tmp_path / "a.pt", tmp_path / "b.pt", "--tolerance", "9")["equal"]
    assert not diff(tmp_path / "b.pt", tmp_path / "c.pt", "--tolerance", "9")["equal"]


def test_rows_are_sorted_by_size(tmp_path):
    sizes = {"a": 0.5, "b": 3.0, "c": float("inf"), "d": 1e-3}
    torch.save({name: torch.zeros(3) for name in sizes}, tmp_path / "a.pt")
    torch.save({name: torch.tensor([0, size, 0]) for name, size in sizes.items()}, tmp_path / "b.pt")
    rows = diff(tmp_path / "a.pt", tmp_path / "b.pt")["files"][0]["tensors"]
    assert [row["name"] for row in rows] == ["c", "b", "a", "d"]


def test_damage_is_an_error(tmp_path):
    source = FIXTURES / "plain/views.pt"
    data = bytearray(source.read_bytes())
    data[2000] ^= 1
    (tmp_path / "a.pt").write_bytes(data)
    process = run("diff", tmp_path / "a.pt", source)
    assert process.returncode == DATA, describe(process)


def test_a_tensor_that_repeats_without_end_is_refused(tmp_path):
    torch.save({"x": torch.zeros(1).expand(1 << 20, 1 << 20)}, tmp_path / "a.pt")
    torch.save({"x": torch.ones(1).expand(1 << 20, 1 << 20)}, tmp_path / "b.pt")
    process = run("diff", tmp_path / "a.pt", tmp_path / "b.pt")
    assert process.returncode == DATA, describe(process)

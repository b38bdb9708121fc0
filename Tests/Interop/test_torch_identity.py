"""There and back again is the very file that torch.save wrote."""

import filecmp
import os
import random
import struct
import zipfile

import pytest
import torch
from torch.utils.serialization import config

import archives
import random_values
import reference
import state_dicts
import tensors
from comparison import assert_same
from files import LEGACY, TORCHSCRIPT, ZIP, checkpoints, label, of_kind
from program import bring_back, convert, run

# Files with storages that are longer than what their tensors reach. Those bytes are in no tensor and
# so in no safetensors file; the object comes back all the same.
WITH_UNREACHED_BYTES = {"views.pt", "big_storage_views.pt", "layouts.pt", "legacy_views.pt"}

ARCHIVES = [
    *of_kind(ZIP), *of_kind(TORCHSCRIPT), *of_kind(LEGACY),
    *(directory / name for directory in checkpoints()
      for name in ("model.pt", "optim.pt", "train.pt") if (directory / name).exists())]

VARIANTS = [(), ("--tied", "copy"), ("--layout", "olmo"), ("--layout", "olmo", "--tied", "alias")]
LAYOUTS = [("--layout", "plain"), ("--layout", "olmo")]


large = pytest.mark.skipif(
    "CKPTCONV_LARGE" not in os.environ, reason="takes minutes and 15 GB: CKPTCONV_LARGE=1")


def there_and_back(source, folder, *flags):
    """The file that comes back; the one between is removed."""
    between = convert(source, folder / "between.safetensors", *flags)
    returned = bring_back(between, folder / "returned.pt")
    between.unlink()
    return returned


def assert_identical(source, returned, what):
    if filecmp.cmp(source, returned, shallow=False):
        return
    left, right = source.read_bytes(), returned.read_bytes()
    first = next(
        (at for at, pair in enumerate(zip(left, right)) if pair[0] != pair[1]),
        min(len(left), len(right)))
    raise AssertionError(
        f"{what}: {len(left)} bytes left, {len(right)} returned, first difference at byte {first}:"
        f"\nleft     ...{left[max(first - 40, 0):first + 40]!r}"
        f"\nreturned ...{right[max(first - 40, 0):first + 40]!r}")


def check(value, folder, *, name="model.pt", flags=(), **options):
    source = folder / name
    torch.save(value, source, **options)
    assert_identical(source, there_and_back(source, folder, *flags), name)


@pytest.mark.parametrize("flags", VARIANTS, ids=" ".join)
@pytest.mark.parametrize(
    "source", [path for path in ARCHIVES if path.name not in WITH_UNREACHED_BYTES], ids=label)
def test_a_file_of_another_program_returns(source, flags, tmp_path):
    assert_identical(source, there_and_back(source, tmp_path, *flags), label(source))


@pytest.mark.parametrize("flags", VARIANTS, ids=" ".join)
@pytest.mark.parametrize(
    "source", [path for path in ARCHIVES if path.name in WITH_UNREACHED_BYTES], ids=label)
def test_bytes_that_no_tensor_reaches_are_zero_and_named(source, flags, tmp_path):
    between = convert(source, tmp_path / "between.safetensors", *flags)
    process = run("safetensors-to-pt", between, "-o", tmp_path / "returned.pt")
    assert "unused bytes" in process.stderr, process.stderr
    returned = tmp_path / "returned.pt"
    assert returned.stat().st_size == source.stat().st_size, label(source)
    assert_same(reference.load(source), reference.load(returned), label(source))


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("kind", state_dicts.KINDS.values(), ids=state_dicts.KINDS)
def test_a_kind_of_state_dict(kind, protocol, tmp_path):
    if kind is state_dicts.other_layouts:
        pytest.skip("a storage has bytes that no tensor reaches")
    layout = LAYOUTS[protocol % 2]
    check(kind(), tmp_path, flags=layout, pickle_protocol=protocol)


@pytest.mark.parametrize("seed", range(40))
def test_a_random_object(seed, tmp_path):
    rng = random.Random(seed)
    value = random_values.Maker(rng).state_dict()
    layout, protocol = rng.choice(LAYOUTS), rng.choice([2, 3, 4, 5])
    check(value, tmp_path, flags=layout, pickle_protocol=protocol)


# MARK: What a writer can be told


def a_few_tensors():
    rng = random.Random(3)
    value = {tensors.short_name(dtype): tensors.of_bits(dtype, (3, 4), rng)
             for dtype in tensors.DTYPES}
    return value | {"empty": torch.empty(0, 2), "nested": {"tied": value["float32"].t()}}


@pytest.mark.parametrize("alignment", [1, 2, 64, 100, 4096])
@pytest.mark.parametrize("checksums", [True, False], ids=["crc", "no-crc"])
def test_settings_of_the_writer(alignment, checksums, tmp_path):
    settings = {"save.storage_alignment": alignment, "save.compute_crc32": checksums}
    with config.patch(settings):
        check(a_few_tensors(), tmp_path)


@pytest.mark.parametrize(
    "name", ["model.pt", "a.b.c.pt", "a\\b.pt", "sp ace.pt", ".hidden.pt", "..pt", "möd.pt", "模型"])
def test_a_name_of_the_file(name, tmp_path):
    """torch names the directory in the archive after the path, or `archive`."""
    check(a_few_tensors(), tmp_path, name=name)


def test_a_folder_that_is_not_ascii(tmp_path):
    folder = tmp_path / "übung"
    folder.mkdir()
    check(a_few_tensors(), folder)


def test_a_stream(tmp_path):
    source = tmp_path / "model.pt"
    with open(source, "wb") as file:
        torch.save(a_few_tensors(), file)
    assert_identical(source, there_and_back(source, tmp_path), "a stream")


def test_the_byte_order_at_another_place(tmp_path):
    check(a_few_tensors(), tmp_path, _disable_byteorder_record=True)


def test_data_that_begins_like_a_data_descriptor(tmp_path):
    """torch's writer takes it for one, which shows in its serialization id."""
    signature = b"PK\x07\x08"
    texts = [signature + b"abcd" * 3, signature + b"abcd", signature + b"abc", signature]
    check({str(len(text)): torch.tensor(list(text), dtype=torch.uint8) for text in texts}, tmp_path)


# The serialization id depends on the order of a hash table, which grows at these counts of names.
@pytest.mark.parametrize(
    "count", [0, 1, 2, 7, 8, 9, 22, 23, 24, 52, 53, 54, 122, 123, 251, 252, 535, 536, 1500])
def test_a_number_of_storages(count, tmp_path):
    check({f"w.{number}": torch.tensor([number]) for number in range(count)}, tmp_path)


@large
def test_more_records_than_16_bits_count(tmp_path):
    check({f"w.{number}": torch.tensor(number) for number in range(66_000)}, tmp_path)


def test_an_archive_of_a_machine_with_the_other_byte_order(tmp_path):
    """No torch here writes one; this is one whose records say so, by torch's own writer."""
    def storage(kind, key, count):
        identity = archives.text("storage") + archives.global_("torch", kind)
        identity += archives.text(str(key)) + archives.text("cpu")
        return b"(" + identity + b"K" + bytes([count]) + b"tQ"

    def tensor(kind, key, shape, strides):
        size, stride = (b"(" + b"".join(b"K" + bytes([n]) for n in numbers) + b"t"
                        for numbers in (shape, strides))
        count = shape[0] * shape[1]
        return (
            archives.global_("torch._utils", "_rebuild_tensor_v2") + b"("
            + storage(kind, key, count) + b"K\x00" + size + stride + b"\x89"
            + archives.global_("collections", "OrderedDict") + b")RtR")

    pickle = b"\x80\x02}(" + b"".join([
        archives.text("half"), tensor("HalfStorage", 0, (2, 2), (2, 1)),
        archives.text("double"), tensor("DoubleStorage", 1, (2, 1), (1, 1)),
        archives.text("turned"), tensor("IntStorage", 2, (2, 3), (1, 2)),
        archives.text("complex"), tensor("ComplexFloatStorage", 3, (1, 2), (2, 1)),
        archives.text("bytes"), tensor("ByteStorage", 4, (3, 1), (1, 1)),
    ]) + b"u."
    storages = [
        struct.pack(">4e", 1, -2, 0.5, 4), struct.pack(">2d", 1e300, -1), struct.pack(">6i", *range(6)),
        struct.pack(">4f", 1, 2, 3, 4), b"abc"]
    source = archives.torch_zip(tmp_path / "model.pt", pickle, storages, byteorder=b"big")
    returned = there_and_back(source, tmp_path)
    assert_same(torch.load(source), torch.load(returned), "big endian")
    with zipfile.ZipFile(source) as left, zipfile.ZipFile(returned) as right:
        assert left.namelist() == right.namelist()
        for name in left.namelist():
            # The pickle is not as a pickler writes it, and the id is made of its checksum.
            if not name.endswith((".pkl", "serialization_id")):
                assert left.read(name) == right.read(name), name


@large
@pytest.mark.parametrize("layout", LAYOUTS, ids=" ".join)
def test_more_bytes_than_32_bits_count(layout, tmp_path):
    value = {"before": torch.ones(3), "large": torch.zeros(2**32 + 100, dtype=torch.uint8),
             "after": torch.arange(5), "last": torch.empty(0)}
    value["large"][:: 2**20] = 7
    check(value, tmp_path, flags=layout)

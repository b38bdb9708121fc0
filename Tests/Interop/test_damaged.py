"""A damaged file gives the right answer or exit 65: never a crash, a hang or a wrong tensor.

Every truncation and every flipped bit of small real files, and files put together in ways that are
not damage but malice.
"""

import concurrent.futures
import os
import pathlib
import re
import shutil
import struct
import subprocess
import tempfile
import zipfile

import pytest
import torch

import archives
import skeleton
from comparison import Comparison, assert_same
from files import label
from program import (
    BINARY, DATA, DONE, FIXTURES, IO, TIMEOUT_SECONDS, bring_back, convert, describe, refuse, run)

SMALL = FIXTURES / "torch-corpus/torch-2.4.1/root_list.pt"
SWEPT = [SMALL, FIXTURES / "torch-corpus/torch-1.13.1/probe_int32.pt"]

# Mutants given to one process.
BATCH = 200


def mutants(content):
    """Pairs of what was done and the bytes that came of it."""
    for length in range(len(content)):
        yield f"cut to {length} bytes", content[:length]
    for position in range(len(content)):
        for bit in range(8):
            mutant = bytearray(content)
            mutant[position] ^= 1 << bit
            yield f"bit {bit} of byte {position} flipped", bytes(mutant)


class Judge:
    """Runs the binary on mutants of one file and notes every answer that is not allowed."""

    def __init__(self, source, folder):
        self.folder = folder
        self.expected = torch.load(source, weights_only=False)
        output = convert(source, folder / "expected.safetensors")
        assert_same(self.expected, skeleton.load(output), source.name)
        self.judged = {output.read_bytes(): None}

    def judge(self, mutants):
        """Complaints about the answers to pairs of what was done and the bytes that came of it."""
        folder = pathlib.Path(tempfile.mkdtemp(dir=self.folder))
        names = [f"{number}.pt" for number in range(len(mutants))]
        for name, (_, content) in zip(names, mutants):
            (folder / name).write_bytes(content)
        try:
            process = subprocess.run(
                [BINARY, "pt-to-safetensors", "--quiet", *names], cwd=folder,
                stdin=subprocess.DEVNULL, capture_output=True, timeout=TIMEOUT_SECONDS)
            trouble = None if process.returncode in (DONE, DATA) else f"exit {process.returncode}"
        except subprocess.TimeoutExpired:
            trouble = f"no answer in {TIMEOUT_SECONDS} seconds"
        if trouble is None:
            complaints = self.complaints(mutants, process, folder)
        elif len(mutants) == 1:
            complaints = [f"{mutants[0][0]}: {trouble}"]
        else:
            # One of them brought the process down: look for it in halves.
            half = len(mutants) // 2
            complaints = self.judge(mutants[:half]) + self.judge(mutants[half:])
        shutil.rmtree(folder)
        return complaints

    def complaints(self, mutants, process, folder):
        left = {path.name for path in folder.iterdir()}
        refused = set(re.findall(r"^ckptconv: error: (\d+)\.pt: ", process.stderr.decode(), re.M))
        found = []
        for number, (what, _) in enumerate(mutants):
            left.discard(f"{number}.pt")
            output = folder / f"{number}.safetensors"
            if output.exists() == (str(number) in refused):
                found.append(f"{what}: converted and refused, or neither")
            elif output.exists() and self.wrong(output):
                found.append(f"{what}: converted to something else: {self.wrong(output)}")
            left.discard(output.name)
        if left:
            found.append(f"one of {mutants[0][0]} to {mutants[-1][0]}: left behind {left}")
        return found

    def wrong(self, output):
        """The first difference of what was converted, or None."""
        content = output.read_bytes()
        if content not in self.judged:
            try:
                differences = Comparison().run(self.expected, skeleton.load(output))
            except Exception as error:
                differences = [f"it cannot be read: {error!r}"]
            self.judged[content] = next(iter(differences), None)
        return self.judged[content]


@pytest.mark.parametrize("source", SWEPT, ids=label)
def test_every_truncation_and_every_flipped_bit(source, tmp_path):
    judge, every = Judge(source, tmp_path), list(mutants(source.read_bytes()))
    batches = [every[start : start + BATCH] for start in range(0, len(every), BATCH)]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        complaints = [one for found in pool.map(judge.judge, batches) for one in found]
    assert not complaints, "\n".join([f"{len(complaints)} of {label(source)}:", *complaints[:20]])


def renamed(records, old, new):
    return [(name.replace(old, new), data) for name, data in records]


def test_another_programs_zip_is_read_too(tmp_path, output):
    records = archives.records_of(SMALL)
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        source = archives.other_zip(tmp_path / "model.pt", records, method)
        convert(source, output, "--force")
        expected = torch.load(SMALL, weights_only=False)
        assert_same(expected, skeleton.load(output), f"ZIP method {method}")


# Records of SMALL -> records that no reader should accept.
ARCHIVES = {
    "no data.pkl": lambda records: [pair for pair in records if "data.pkl" not in pair[0]],
    "a missing storage": lambda records: [
        pair for pair in records if not pair[0].endswith("data/0")],
    "two prefixes": lambda records: [*records[:-1], ("other/extra", b"")],
    "no prefix": lambda records: renamed(records, records[0][0].split("/")[0] + "/", ""),
    "a storage too short": lambda records: [
        (name, data[:-1] if name.endswith("data/0") else data) for name, data in records],
    "a storage too long": lambda records: [
        (name, data + b"\0" if name.endswith("data/0") else data) for name, data in records],
    "another byte order": lambda records: [
        (name, b"middle" if name.endswith("byteorder") else data) for name, data in records],
    "a record twice": lambda records: [*records, records[2]],
    "an empty archive": lambda records: [],
}


@pytest.mark.parametrize("change", ARCHIVES.values(), ids=ARCHIVES)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_an_archive_that_is_whole_but_wrong_is_refused(change, tmp_path, output):
    source = tmp_path / "model.pt"
    refuse(archives.other_zip(source, change(archives.records_of(SMALL))), output)


def tensor_pickle(*, offset=0, size=(2,), stride=(1,), numel=4):
    """A pickle of one float tensor with the geometry given."""
    def tuple_of(numbers):
        return b"(" + b"".join(b"\x8a\x08" + struct.pack("<q", number) for number in numbers) + b"t"

    identity = (
        b"(" + archives.text("storage") + archives.global_("torch", "FloatStorage")
        + archives.text("0") + archives.text("cpu") + b"J" + struct.pack("<i", numel) + b"tQ")
    return (
        b"\x80\x02" + archives.global_("torch._utils", "_rebuild_tensor_v2") + b"(" + identity
        + tuple_of([offset])[1:-1] + tuple_of(size) + tuple_of(stride) + b"\x89"
        + archives.global_("collections", "OrderedDict") + b")RtR.")


GEOMETRIES = {
    "past the end": {"size": (5,)}, "past the end by its offset": {"offset": 3},
    "past the end by its stride": {"stride": (4,)}, "negative offset": {"offset": -1},
    "negative size": {"size": (-1,)}, "negative stride": {"stride": (-1,)},
    "more sizes than strides": {"size": (1, 2)}, "a storage of another length": {"numel": 5},
    "a negative storage": {"numel": -1},
    "a product that overflows": {"size": (2**40, 2**40), "stride": (0, 0)},
    "offset times size overflows": {"offset": 2**62},
    "stride times size overflows": {"stride": (2**63 - 1,)},
}


@pytest.mark.parametrize("geometry", GEOMETRIES.values(), ids=GEOMETRIES)
def test_a_tensor_that_reaches_outside_its_storage_is_refused(geometry, tmp_path, output):
    source = archives.torch_zip(tmp_path / "model.pt", tensor_pickle(**geometry), [bytes(16)])
    message = refuse(source, output)
    assert "model.pt" in message, message


def test_a_tensor_too_large_for_any_disk_leaves_nothing_behind(tmp_path, output):
    """Legal for torch: 2 to the 45 elements that are one in the file."""
    pickle = tensor_pickle(size=(2**45,), stride=(0,))
    source = archives.torch_zip(tmp_path / "model.pt", pickle, [bytes(16)])
    process = run("pt-to-safetensors", source, "-o", output)
    assert process.returncode in (DATA, IO), describe(process)
    assert not list(output.parent.iterdir()), describe(process)


def test_the_geometry_of_the_cases_above_is_otherwise_sound(tmp_path, output):
    source = archives.torch_zip(tmp_path / "model.pt", tensor_pickle(), [bytes(range(16))])
    expected = torch.load(source, weights_only=False)
    assert_same(expected, skeleton.load(convert(source, output)), "a sound tensor")


def nested_lists(depth):
    return b"\x80\x02" + b"]" * depth + b"a" * (depth - 1) + b"."


def nested_tuples(depth):
    return b"\x80\x02)" + b"\x85" * depth + b"."


def doubling_tuples(levels):
    """2 to the `levels` leaves when sharing is not kept."""
    return b"\x80\x02)" + b"2\x86" * levels + b"."


PICKLES = {
    "empty": b"", "only STOP": b".", "no STOP": b"\x80\x02}", "GET of nothing": b"\x80\x02h\x05.",
    "APPENDS without MARK": b"\x80\x02]e.", "odd SETITEMS": b"\x80\x02}(K\x01u.",
    "an unknown opcode": b"\x80\x02\xff.", "protocol 6": b"\x80\x06N.",
    "a string past the end": b"\x80\x02X\xff\xff\xff\xffabc.",
    "BINUNICODE8 past the end": b"\x80\x04\x8d" + b"\xff" * 8 + b"a.",
    "a negative LONG4": b"\x80\x02\x8b\xff\xff\xff\xffN.",
    "invalid UTF-8": b"\x80\x02X\x02\x00\x00\x00\xc3\x28.",
    "an unhashable key": b"\x80\x02}]K\x01s.", "APPEND on a tuple": b"\x80\x02)K\x01a.",
    "a frame past the end": b"\x80\x04\x95" + b"\xff" * 8 + b"N.", "EXT1": b"\x80\x02\x82\x01.",
}


@pytest.mark.parametrize("pickle", PICKLES.values(), ids=PICKLES)
def test_a_pickle_that_python_cannot_read_is_refused(pickle, tmp_path, output):
    refuse(archives.torch_zip(tmp_path / "model.pt", pickle), output)


@pytest.mark.parametrize("nested", [nested_lists, nested_tuples], ids=lambda make: make.__name__)
@pytest.mark.parametrize("depth", [1000, 300_000])
def test_what_is_nested_deeply_is_converted_there_and_back(depth, nested, tmp_path, output):
    source = archives.torch_zip(tmp_path / "model.pt", nested(depth))
    back = tmp_path / "back.pt"
    convert(source, output)
    bring_back(output, back)
    process = run("verify", source, back)
    assert process.returncode == DONE, describe(process)


def test_sharing_that_doubles_is_kept_and_not_expanded(tmp_path, output):
    source = archives.torch_zip(tmp_path / "model.pt", doubling_tuples(200))
    convert(source, output)
    assert output.stat().st_size < 100_000

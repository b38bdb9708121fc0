"""Builds containers and pickles by hand: what no honest torch writes."""

import io
import pickle
import struct
import tarfile
import zipfile

import torch


def torch_zip(path, data_pkl, storages=(), byteorder=b"little"):
    """An archive by torch's own writer with `data_pkl` as its pickle."""
    writer = torch._C.PyTorchFileWriter(str(path))
    writer.write_record("data.pkl", data_pkl, len(data_pkl))
    writer.write_record("byteorder", byteorder, len(byteorder))
    for key, data in enumerate(storages):
        writer.write_record(f"data/{key}", data, len(data))
    writer.write_end_of_file()
    return path


def other_zip(path, records, method=zipfile.ZIP_STORED):
    """An archive by another program: no padding, no data descriptors, perhaps deflated."""
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in records:
            archive.writestr(name, data)
    return path


def records_of(path):
    with zipfile.ZipFile(path) as archive:
        return [(name, archive.read(name)) for name in archive.namelist()]


def old_tar(path):
    """The container of torch 0.1: a tar with four members; one float tensor in a dict."""
    storages = pickle.dumps(1, 2) + pickle.dumps((0, "cpu", torch.FloatStorage), 2)
    storages += struct.pack("<q2f", 2, 1.0, 2.0) + pickle.dumps([], 2)
    tensors = pickle.dumps(1, 2) + pickle.dumps((1, 0, torch.FloatTensor), 2)
    tensors += struct.pack("<iiqqq", 1, 0, 2, 1, 0)
    value = b"\x80\x02}X\x01\x00\x00\x00wK\x01Qs."
    system = pickle.dumps({"protocol_version": 1000, "little_endian": True}, 2)
    members = {"sys_info": system, "pickle": value, "tensors": tensors, "storages": storages}
    with tarfile.open(path, "w", format=tarfile.GNU_FORMAT) as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path


def text(value):
    """BINUNICODE."""
    data = value.encode()
    return b"X" + struct.pack("<I", len(data)) + data


def global_(module, name):
    return f"c{module}\n{name}\n".encode()


def dict_of(key, value):
    """A pickle of protocol 2 of {key: value, "kept": 1}."""
    return b"\x80\x02}(" + text(key) + value + text("kept") + b"K\x01u."

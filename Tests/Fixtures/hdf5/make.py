#!/usr/bin/env python3
"""Writes HDF5 files of each form that is read, with what h5py reads from them, and of forms that are refused: make.py

    <file>.h5                  a file
    <file>.<path>.npy          a data set of it, as h5py reads it, with dots for slashes
    refused/<name>.h5          a file with a data set 'x' that is not read
"""
import warnings
from pathlib import Path

import h5py
import numpy

FOLDER = Path(__file__).resolve().parent
VALUES = numpy.sin(numpy.arange(60, dtype=numpy.float32)).reshape(6, 10)


def keras(file):
    """What Keras writes: groups, lists of names, text of any length, contiguous numbers."""
    file.attrs["keras_version"] = "2.15.0"
    file.attrs["model_config"] = '{"class_name": "Sequential", "config": {"layers": []}}'
    group = file.create_group("layers/dense")
    group.attrs["name"] = "dense"
    group.attrs["weight_names"] = [b"dense/kernel:0", b"dense/bias:0"]
    group["vars/0"] = VALUES
    group["vars/1"] = VALUES[0]
    group["count"] = numpy.int64(7)
    file["nothing"] = numpy.zeros((0, 3), numpy.float32)


def crowded(file):
    """More members than one node of a group's tree holds, and object headers that are continued."""
    for index in range(40):
        file[f"group/member{index}"] = VALUES[index % 6]
    for index in range(12):
        file.attrs[f"attribute{index}"] = "text" * index
    file.attrs["keras_version"] = "3.15.1"


def chunks(file):
    """Chunks whole and cut off at the end, filtered and not, with one of them missing."""
    file.create_dataset("plain", data=VALUES, chunks=(4, 3))
    file.create_dataset("gzip", data=VALUES, chunks=(4, 3), compression="gzip")
    file.create_dataset("shuffled", data=VALUES, chunks=(6, 10), compression="gzip", shuffle=True, fletcher32=True)
    file.create_dataset("checked", data=VALUES[0].astype(numpy.float64), chunks=(4,), fletcher32=True)
    file.create_dataset("volume", data=numpy.arange(120, dtype=numpy.int16).reshape(4, 5, 6), chunks=(3, 2, 4))
    file.create_dataset("growing", data=VALUES, maxshape=(None, 10), chunks=(1, 10))


def types(file):
    for width in (8, 16, 32, 64):
        for kind in ("int", "uint", "float")[:3 if width > 8 else 2]:
            file[f"{kind}/{width}"] = (VALUES[:2] * 100).astype(f"{kind}{width}")
    file.attrs["weight_names"] = numpy.array(["a", "bcd"], "S3")
    file.attrs["name"] = numpy.bytes_("fixed")
    file.attrs["none"] = h5py.Empty("S1")
    compact = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    compact.set_layout(h5py.h5d.COMPACT)
    space = h5py.h5s.create_simple(VALUES.shape)
    dataset = h5py.h5d.create(file.id, b"compact", h5py.h5t.IEEE_F32LE, space, compact)
    dataset.write(h5py.h5s.ALL, h5py.h5s.ALL, VALUES)


READ = {
    "keras": (keras, {}), "keras_v108": (keras, {"libver": ("v108", "v108")}), "keras_latest": (keras, {"libver": "latest"}),
    "crowded": (crowded, {}), "chunks": (chunks, {}), "types": (types, {}), "types_latest": (types, {"libver": "latest"}),
}

LATEST = {"libver": "latest"}


def virtual(file):
    layout = h5py.VirtualLayout((4,), "f4")
    layout[:] = h5py.VirtualSource(".", "y", (4,))
    file["y"] = VALUES[0, :4]
    file.create_virtual_dataset("x", layout)


def many_links(file):
    for index in range(20):
        file[f"member{index}"] = index
    file["x"] = VALUES


def many_attributes(file):
    file["x"] = VALUES
    for index in range(20):
        file.attrs[f"attribute{index}"] = index


def committed(file):
    file["type"] = numpy.dtype("f4")
    file.create_dataset("x", data=VALUES, dtype=file["type"])


def wide_attribute(file):
    file["x"] = VALUES
    file.attrs["model_config"] = 7


REFUSED = {
    "big_endian": (lambda file: file.create_dataset("x", data=VALUES.astype(">f4")), {}),
    "compound": (lambda file: file.create_dataset("x", data=numpy.zeros(3, "f4,i4")), {}),
    "enumeration": (lambda file: file.create_dataset("x", data=VALUES > 0), {}),
    "opaque": (lambda file: file.create_dataset("x", data=numpy.zeros(3, "V5")), {}),
    "lists": (lambda file: file.create_dataset("x", (2,), h5py.vlen_dtype("f4")), {}),
    "text": (lambda file: file.create_dataset("x", data="text"), {}),
    "complex": (lambda file: file.create_dataset("x", data=VALUES.astype("c8")), {}),
    "float128": (lambda file: file.create_dataset("x", data=VALUES.astype("longdouble")), {}),
    "lzf": (lambda file: file.create_dataset("x", data=VALUES, compression="lzf"), {}),
    "scale_offset": (lambda file: file.create_dataset("x", data=VALUES.astype("i4"), scaleoffset=0), {}),
    "chunks_latest": (lambda file: file.create_dataset("x", data=VALUES, chunks=(4, 3)), LATEST),
    "virtual": (virtual, LATEST),
    "many_links": (many_links, LATEST),
    "many_attributes": (many_attributes, LATEST),
    "committed_type": (committed, {}),
    "group": (lambda file: file.create_group("x"), {}),
    "userblock": (lambda file: file.create_dataset("x", data=VALUES), {"userblock_size": 512}),
    "missing_chunks": (lambda file: file.create_dataset("x", (60, 10), "f4", chunks=(6, 10)).write_direct(
        VALUES, dest_sel=numpy.s_[:6]), {}),
    "number_attribute": (wide_attribute, {}),
}


def write_expected(name):
    def visit(path, item):
        if isinstance(item, h5py.Dataset):
            numpy.save(FOLDER / f"{name}.{path.replace('/', '.')}.npy", item[()])

    with h5py.File(FOLDER / f"{name}.h5") as file:
        file.visititems(visit)


def main():
    warnings.simplefilter("ignore")
    (FOLDER / "refused").mkdir(exist_ok=True)
    for old in FOLDER.rglob("*.[hn][5p]*"):
        old.unlink()
    for folder, files in ((FOLDER, READ), (FOLDER / "refused", REFUSED)):
        for name, (write, options) in files.items():
            with h5py.File(folder / f"{name}.h5", "w", **options) as file:
                write(file)
    # crowded: two of its members stand for all.
    for name in READ:
        write_expected(name)
    for path in FOLDER.glob("crowded.group.member*.npy"):
        if path.stem not in ("crowded.group.member0", "crowded.group.member39"):
            path.unlink()


if __name__ == "__main__":
    main()

"""Seeds of the model formats, from the fixtures and from Seeds/, where make.py says what is in it."""
import io
import json
import math
import shutil
import struct
import zipfile
from pathlib import Path

SEEDS = Path(__file__).resolve().parent / "Seeds"
FIXTURES = Path(__file__).resolve().parents[1] / "Fixtures"
# run.sh cuts off what is longer.
MAXIMUM_BYTE_COUNT = 24_576
MAXIMUM_KERAS_BYTE_COUNT = 32_768
UNDEFINED = b"\xff" * 8
# As HDF5 describes them: class and version, flags, size, and what the class adds.
DATATYPES = {
    "float32": struct.pack("<B3BIHHBBBBI", 0x11, 0x20, 31, 0, 4, 0, 32, 23, 8, 0, 23, 127),
    "int32": struct.pack("<B3BIHH", 0x10, 8, 0, 0, 4, 0, 32),
    "int64": struct.pack("<B3BIHH", 0x10, 8, 0, 0, 8, 0, 64),
    "uint32": struct.pack("<B3BIHH", 0x10, 0, 0, 0, 4, 0, 32),
}


def archive(members):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_STORED) as file:
        for name, data in members.items():
            file.writestr(zipfile.ZipInfo(name), data)
    return content.getvalue()


def numbers(kind, count):
    """Small numbers, none of them 0, as variances and extents want them."""
    if kind == "float32":
        return struct.pack(f"<{count}f", *((index % 5 + 1) / 4 for index in range(count)))
    return b"".join(struct.pack("<q", index % 3 + 1)[:4 if "32" in kind else 8] for index in range(count))


class HDF5:
    """Files as small as can be: superblock 2, groups of links, contiguous data."""

    def __init__(self, weights):
        self.bytes = bytearray(48)
        tree = {}
        for path, (kind, shape) in weights.items():
            *groups, name = path.split("/")
            node = tree
            for group in groups:
                node = node.setdefault(group, {})
            node[name] = (kind, shape)
        root = self.group(tree)
        head = b"\x89HDF\r\n\x1a\n" + bytes([2, 8, 8, 0]) + struct.pack("<Q", 0) + UNDEFINED
        self.bytes[:48] = head + struct.pack("<QQI", len(self.bytes), root, 0)

    def header(self, messages):
        """Returns where the object header is."""
        place = len(self.bytes)
        body = b"".join(struct.pack("<BHB", kind, len(content), 0) + content for kind, content in messages)
        self.bytes += b"OHDR" + bytes([2, 2]) + struct.pack("<I", len(body)) + body + bytes(4)
        return place

    def group(self, tree):
        links = [(2, bytes(2) + UNDEFINED + UNDEFINED)]
        for name, child in tree.items():
            place = self.group(child) if isinstance(child, dict) else self.dataset(*child)
            links.append((6, bytes([1, 0, len(name)]) + name.encode() + struct.pack("<Q", place)))
        return self.header(links)

    def dataset(self, kind, shape):
        content = numbers(kind, math.prod(shape))
        place = len(self.bytes)
        self.bytes += content
        space = bytes([2, len(shape), 0, 1 if shape else 0]) + b"".join(struct.pack("<Q", extent) for extent in shape)
        layout = bytes([3, 1]) + struct.pack("<QQ", place if content else 0, len(content))
        return self.header([(1, space), (3, DATATYPES[kind]), (8, layout)])


def keras_model(config, weights):
    return archive({
        "metadata.json": json.dumps({"keras_version": "3.15.1"}), "config.json": json.dumps(config, separators=(",", ":")),
        "model.weights.h5": bytes(HDF5(weights).bytes)})


def pytorch_program(program):
    members = {"m/models/model.json": json.dumps(program["model"], separators=(",", ":")), "m/byteorder": "little"}
    for kind in ("weights", "constants"):
        members[f"m/data/{kind}/model_{kind}_config.json"] = json.dumps(program[kind], separators=(",", ":"))
    for name, count in program["sizes"].items():
        members["m/" + name] = numbers("float32", -(-count // 4))[:count]
    return archive(members)


def deflated(members):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in members.items():
            file.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
    return content.getvalue()


TEXTS = {
    "config.json": '{"a": [1, -2.5e3, true, null, "b\\u0041\\n", NaN, -Infinity], "c": {"d": {}}}',
    "metadata.json": '{"keras_version": "3.15.1"}'}

RELU = {"class_name": "Sequential", "config": {"layers": [
    {"class_name": "InputLayer", "config": {"batch_shape": [None, 4], "name": "i"}},
    {"class_name": "ReLU", "config": {"name": "r"}}]}}


def tensor(*sizes):
    return {"dtype": 7, "sizes": [{"as_int": size} for size in sizes]}


RELU_PROGRAM = {
    "model": {
        "schema_version": {"major": 8}, "graph_module": {
            "graph": {
                "nodes": [{
                    "target": "torch.ops.aten.relu.default", "inputs": [{"name": "self", "arg": {"as_tensor": {"name": "x"}}}],
                    "outputs": [{"as_tensor": {"name": "y"}}]}],
                "tensor_values": {"x": tensor(2, 3), "y": tensor(2, 3)}},
            "signature": {
                "input_specs": [{"user_input": {"arg": {"as_tensor": {"name": "x"}}}}],
                "output_specs": [{"user_output": {"arg": {"as_tensor": {"name": "y"}}}}]}}},
    "weights": {"config": {}}, "constants": {"config": {}}, "sizes": {}}


def write(folder):
    """Returns how many seeds there are."""
    corpora = {"zip": {}, "hdf5": {}, "keras": {}, "pytorch": {}}
    corpora["zip"] = {"stored": archive(TEXTS), "deflated": deflated(TEXTS), "folder": archive({"a/": "", "a/b": "[]"})}
    for path in sorted((FIXTURES / "hdf5").glob("*.h5")) + sorted((FIXTURES / "hdf5/refused").glob("*.h5")):
        if path.stat().st_size <= MAXIMUM_BYTE_COUNT:
            corpora["hdf5"][path.stem] = path.read_bytes()
    corpora["hdf5"]["small"] = bytes(HDF5({"a/b": ("float32", [2, 3]), "c": ("int64", [])}).bytes)
    for model in json.loads((SEEDS / "keras.json").read_text()):
        corpora["keras"][model["name"]] = keras_model(model["config"], model["weights"])
    for path in sorted((FIXTURES / "keras").glob("*.h5")):
        if path.stat().st_size <= MAXIMUM_KERAS_BYTE_COUNT:
            corpora["keras"][path.stem] = path.read_bytes()
    for program in json.loads((SEEDS / "pytorch.json").read_text()):
        corpora["pytorch"][program["name"]] = pytorch_program(program)
    planted = {
        "zip": archive(TEXTS), "hdf5": bytes(HDF5({"a": ("float32", [3])}).bytes), "keras": keras_model(RELU, {}),
        "pytorch": pytorch_program(RELU_PROGRAM)}
    for name, seeds in corpora.items():
        for kind, contents in ((name, seeds), (f"planted/{name}", {"0": planted[name]})):
            shutil.rmtree(folder / kind, ignore_errors=True)
            (folder / kind).mkdir(parents=True)
            for key, content in contents.items():
                (folder / kind / key).write_bytes(content)
    return sum(map(len, corpora.values()))

"""Files that are not well-formed protobuf, or not the message that they claim to be."""

TRUNCATION_COUNT = 24
NESTING_DEPTH = 20_000
# Fields of ModelProto, GraphProto, NodeProto, AttributeProto and TensorProto.
IR_VERSION, GRAPH, OPSET_IMPORT = 1, 7, 8
NODE, GRAPH_NAME, INITIALIZER = 1, 2, 5
NODE_ATTRIBUTE, ATTRIBUTE_GRAPH = 5, 6
DIMS, RAW_DATA = 1, 9
VARINT, FIXED64, BYTES, START_GROUP, END_GROUP = 0, 1, 2, 3, 4
OPSET_17 = b"\x42\x02\x10\x11"


def varint(value):
    parts = bytearray()
    while value > 127:
        parts.append(value & 127 | 128)
        value >>= 7
    return bytes([*parts, value])


def key(field, wire_type):
    return varint(field << 3 | wire_type)


def field(number, content):
    return key(number, BYTES) + varint(len(content)) + content


def lying(number, content, length):
    """A field whose length says `length`, whatever follows."""
    return key(number, BYTES) + varint(length) + content


def model(graph):
    return key(IR_VERSION, VARINT) + varint(8) + graph + OPSET_17


def nested():
    """A graph in an attribute of a node of a graph in an attribute …, built from the inside."""
    parts, length = [], 0
    for _ in range(NESTING_DEPTH):
        for number in (ATTRIBUTE_GRAPH, NODE_ATTRIBUTE, NODE):
            head = key(number, BYTES) + varint(length)
            parts.append(head)
            length += len(head)
    return b"".join(reversed(parts))


def contents(good):
    yield "empty", "an empty file", b""
    yield "text", "a text file", b"This is not a model.\n"
    yield "json", "a JSON file", b'{"irVersion": 8, "graph": {}}\n'
    yield "zip", "the start of a zip archive", b"PK\x03\x04\x14\x00\x00\x00\x08\x00" + b"\0" * 64
    yield "zeros", "zero bytes: field number 0", b"\0" * 256
    yield "ones", "bytes of 255: an endless varint", b"\xff" * 256
    for index in range(TRUNCATION_COUNT):
        length = 1 + index * (len(good) - 1) // TRUNCATION_COUNT
        yield f"truncated_{length:04}", f"the first {length} of {len(good)} bytes", good[:length]
    yield "truncated_last", "all bytes but the last", good[:-1]
    yield "trailing", "a field cut short after the model", good + key(GRAPH, BYTES) + b"\x7f"

    small = field(GRAPH_NAME, b"g")
    for name, length in [("past_the_end", 1 << 20), ("int32_max", (1 << 31) - 1), ("int32_overflow", 1 << 31),
                         ("uint32_max", (1 << 32) - 1), ("int64_max", (1 << 63) - 1),
                         ("uint64_max", (1 << 64) - 1)]:
        yield f"graph_length_{name}", f"the graph's length says {length}", model(lying(GRAPH, small, length))
    tensor = field(INITIALIZER, key(DIMS, VARINT) + varint(4) + lying(RAW_DATA, b"\0" * 4, 1 << 30))
    yield "raw_data_length", "raw_data says 2³⁰ bytes and has 4", model(field(GRAPH, small + tensor))
    node = lying(NODE, b"\x22\x04Relu", 90)
    outside = model(field(GRAPH, node)) + b"\x7a" * 90
    yield "node_outside_graph", "a node's length reaches past its graph", outside
    yield "varint_11_bytes", "a varint of eleven bytes", key(IR_VERSION, VARINT) + b"\x80" * 10 + b"\x01"
    yield "varint_overflow", "a varint past 64 bits", key(IR_VERSION, VARINT) + b"\xff" * 9 + b"\x7f"
    yield "varint_unfinished", "a varint that does not end", key(IR_VERSION, VARINT) + b"\x80" * 4
    yield "wire_type_6", "wire type 6 does not exist", model(key(GRAPH, 6) + b"\x00")
    yield "wire_type_7", "wire type 7 does not exist", model(key(GRAPH, 7) + b"\x00")
    yield "graph_as_varint", "the graph is a varint", model(key(GRAPH, VARINT) + b"\x05")
    yield "graph_as_fixed64", "the graph is eight fixed bytes", model(key(GRAPH, FIXED64) + b"\x05" * 8)
    yield "group_unclosed", "a group that does not end", model(key(99, START_GROUP) + b"\x08\x01")
    yield "group_unopened", "the end of a group that did not start", model(key(99, END_GROUP))
    yield "groups_nested", "groups nested 20000 deep", model(key(99, START_GROUP) * NESTING_DEPTH)
    yield "graphs_nested", "graphs in attributes, 20000 deep", model(field(GRAPH, nested()))
    dims = field(INITIALIZER, lying(DIMS, b"\x80", 1) + field(RAW_DATA, b"\0" * 4))
    yield "packed_dims_cut", "packed dims end within a varint", model(field(GRAPH, small + dims))
    name = field(GRAPH, field(NODE, field(1, b"\xff\xfe") + field(2, b"\xc3\x28") + field(4, b"Relu")))
    yield "invalid_utf8", "names that are not UTF-8", model(name)

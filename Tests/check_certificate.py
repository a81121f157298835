#!/usr/bin/env python3
"""Checks the certificate of a fold again, with NumPy and onnx, from the files alone.

    check_certificate.py MODEL.onnx OUT.onnx REPORT.json [-v]

REPORT.json is what `foldserve fold MODEL.onnx -o OUT.onnx --report REPORT.json` wrote. No code is shared with foldserve.

structure     Inputs and outputs are the same. Every value that both files define and an output needs is either the same
              node (operator and version, attributes, names read, bits of constants) or has a piece in the certificate,
              whose nodes and inputs are the ones that the files have. By induction the files then compute the same, if
              each piece does.
coefficients  Every element of every weight named: |W' − r·W·q| ≤ ε|W'|, and no more than four roundings to the stored type
              whatever ε is. Behind a linear operator, r is γ/√(σ²+ε) of the one BatchNormalization, computed here.
function      Each piece, evaluated in Float64 from both files on zeros and on normal inputs, at the border too:
              |y − y'| ≤ ε·Σ|W'||x| + δ, and an allowance for Float64 itself. Where a piece is not one linear node among
              operators that keep the bound, δ is replaced by 1e-5 of the largest value ("loosely").

The first and second hold for all inputs; the third is a sample, and what it leaves out is printed. Exit status 1 and the
failures when something is wrong or nothing was checked. Values that are copies count as what they copy: of Identity,
Dropout, a Cast to the same type, a Tile once. It cannot check a model whose functions or constant branches foldserve has
put in place of their nodes, nor channels that are constant and gone: those do not match, and fail. A constant that nodes
compute may round otherwise here.
"""
import argparse
import collections
import copy
import json
import sys

import numpy
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator
from onnx.reference.op_run import OpRun

LINEAR = {"Conv", "ConvTranspose", "Gemm", "MatMul"}
# |f(u) − f(v)| ≤ f(|u − v|), so that the bound of what they read is theirs.
KEEPING = {"Relu", "Identity", "Add", "Mul", "Concat", "Transpose", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Slice",
           "AveragePool", "GlobalAveragePool", "MaxPool", "Pad"}
CROPPABLE = (LINEAR | KEEPING | {"BatchNormalization", "LeakyRelu", "PRelu", "Clip", "Sub", "Div", "Neg"}) - {
    "Gemm", "MatMul", "Transpose", "Reshape", "Flatten", "Slice"}
ROUNDOFF = {numpy.dtype("float16"): 2.0**-11, numpy.dtype("float32"): 2.0**-24, numpy.dtype("float64"): 2.0**-53}
LEAST = {numpy.dtype("float16"): 2.0**-25, numpy.dtype("float32"): 2.0**-150, numpy.dtype("float64"): 5e-324}
ROUNDINGS, LOOSE, ALLOWANCE, CROP, MAXIMUM_PRODUCTS = 4, 1e-5, 1e-11, 9, 1 << 31


def attributes(node):
    return {attribute.name: attribute for attribute in node.attribute}


def value(node, name, default):
    return helper.get_attribute_value(attributes(node)[name]) if name in attributes(node) else default


def captured(graph):
    """Names that a subgraph reads from around it."""
    own = {output for node in graph.node for output in node.output} | {tensor.name for tensor in graph.initializer}
    return {name for node in graph.node for name in reads(node) if name not in own}


def reads(node):
    inner = [captured(a.g) for a in node.attribute if a.type == onnx.AttributeProto.GRAPH]
    return [*node.input, *sorted(set().union(*inner))] if inner else list(node.input)


def is_same_attribute(one, two):
    if one.type != two.type or one.type != onnx.AttributeProto.GRAPH:
        return one == two
    return is_same_graph(one.g, two.g)


def have_same_attributes(one, two):
    one, two = attributes(one), attributes(two)
    return one.keys() == two.keys() and all(is_same_attribute(one[name], two[name]) for name in one)


def is_same_graph(one, two):
    """Whether two subgraphs have the same nodes in the same order, under the same names of values."""
    constants = [{t.name: numpy_helper.to_array(t) for t in graph.initializer} for graph in (one, two)]
    ports = [[[port.name for port in side] for side in (graph.input, graph.output)] for graph in (one, two)]
    return ports[0] == ports[1] and constants[0].keys() == constants[1].keys() and all(
        is_same_array(constants[0][name], constants[1][name]) for name in constants[0]) and len(one.node) == len(
        two.node) and all(
        (left.op_type, left.domain, left.input, left.output) == (right.op_type, right.domain, right.input, right.output)
        and have_same_attributes(left, right) for left, right in zip(one.node, two.node))


def is_same_array(one, two):
    return one.dtype == two.dtype and one.shape == two.shape and one.tobytes() == two.tobytes()


class Normalization(OpRun):
    """BatchNormalization in inference: the reference's own, before opset 14, takes moments of its input."""
    op_domain = "check"

    def _run(self, x, scale, bias, mean, variance, epsilon):
        shape = [-1] + [1] * (x.ndim - 2)
        factor = scale / numpy.sqrt(variance + epsilon)
        return ((x - mean.reshape(shape)) * factor.reshape(shape) + bias.reshape(shape),)


def run(model, feeds):
    with numpy.errstate(all="ignore"):
        return ReferenceEvaluator(model, new_ops=[Normalization]).run(None, feeds)


def inferred(model):
    """The types of a model's values, by name."""
    graph = onnx.shape_inference.infer_shapes(model, data_prop=True).graph
    return {port.name: port.type.tensor_type for port in [*graph.input, *graph.value_info, *graph.output]}


class File:
    """A graph with its constants evaluated."""

    def __init__(self, path):
        self.model = onnx.load(path)
        graph = self.model.graph
        self.opsets = {entry.domain: entry.version for entry in self.model.opset_import}
        overridable = {port.name for port in graph.input} if self.model.ir_version >= 4 else set()
        self.constants = {t.name: numpy_helper.to_array(t) for t in graph.initializer if t.name not in overridable}
        self.defaults = {t.name: t for t in graph.initializer if t.name in overridable}
        self.inputs = [port for port in graph.input if port.name not in self.constants]
        self.stored = set(self.constants)
        self.types, self.extents = inferred(self.model), {}
        self.producers, self.order, self.originals = {}, [], {}
        for node in graph.node:
            if not self.evaluate(node):
                self.order.append(node)
                self.producers |= {name: (node, index) for index, name in enumerate(node.output) if name}
                if self.is_copy(node):
                    self.originals[node.output[0]] = self.original(node.input[0])

    def original(self, name):
        """What a value is a copy of."""
        return self.originals.get(name, name)

    def is_copy(self, node):
        training = node.input[2] if node.op_type == "Dropout" and len(node.input) > 2 else ""
        if node.op_type == "Cast":
            return node.input[0] in self.types and self.types[node.input[0]].elem_type == value(node, "to", None)
        if node.op_type == "Tile":
            return node.input[1] in self.constants and (self.constants[node.input[1]] == 1).all()
        return node.op_type == "Identity" or node.op_type == "Dropout" and (
            not training or training in self.constants and not self.constants[training].any())

    def known(self, node):
        """What a Shape, a Gather of one or a CastLike gives, where that follows from types and extents alone."""
        kind = self.types.get(node.input[0]) if node.op_type == "Shape" else None
        if kind is not None and kind.HasField("shape"):
            extents = [d.dim_value if d.HasField("dim_value") else None for d in kind.shape.dim]
            self.extents[node.output[0]] = extents[value(node, "start", None):value(node, "end", None)]
            found = self.extents[node.output[0]]
        elif node.op_type == "Gather" and node.input[0] in self.extents and node.input[1] in self.constants:
            found = numpy.array(self.extents[node.input[0]], object)[self.constants[node.input[1]]]
        elif node.op_type == "CastLike" and node.input[0] in self.constants and node.input[1] in self.types:
            return self.constants[node.input[0]].astype(
                helper.tensor_dtype_to_np_dtype(self.types[node.input[1]].elem_type))
        else:
            return None
        return None if None in numpy.ravel(found) else numpy.array(found, numpy.int64)

    def evaluate(self, node):
        """Whether the node is a constant, which is then known."""
        if (known := self.known(node)) is not None:
            self.constants[node.output[0]] = known
            return True
        if any(name and name not in self.constants for name in reads(node)) or len(reads(node)) > len(node.input):
            return False
        feeds = {name: self.constants[name] for name in node.input if name}
        try:
            self.constants |= dict(zip(node.output, run(self.subgraph([node], feeds, node.output), feeds)))
        except Exception as error:
            raise SystemExit(f"the constant {node.output[0]!r} cannot be evaluated: {error}")
        return True

    def subgraph(self, nodes, feeds, outputs):
        # The evaluator looks at the names of inputs and outputs alone.
        ports = [helper.make_empty_tensor_value_info(name) for name in feeds]
        graph = helper.make_graph(nodes, "piece", ports, [helper.make_empty_tensor_value_info(n) for n in outputs])
        opsets = [*self.model.opset_import, helper.make_opsetid(Normalization.op_domain, 1)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=10)

    def version(self, node):
        return onnx.defs.get_schema(node.op_type, self.opsets.get(node.domain, 1), node.domain).since_version

    def piece(self, name, inputs):
        """The nodes between a value and `inputs`, in order and without copies, and what they read."""
        root = self.original(name)
        stops = {self.original(value) for value in inputs} - {root}
        pending, found, leaves = [root], [], set()
        while pending:
            current = pending.pop()
            if current in self.constants or not current:
                continue
            if current in stops or current not in self.producers:
                leaves.add(current)
            elif all(self.producers[current][0] is not node for node in found):
                found.append(self.producers[current][0])
                pending += map(self.original, reads(found[-1]))
        return [node for node in self.order if any(node is other for other in found)], leaves


class Checker:
    def __init__(self, before, after, certificate):
        self.before, self.after, self.certificate = before, after, certificate
        # The first of the sizes that the certificate assumes is enough to evaluate pieces.
        self.assumed = certificate["assumedInputs"][0]
        self.failures, self.lines, self.skipped = [], [], collections.Counter()
        self.checked = collections.Counter()
        self.types, self.shapes = self.infer_shapes(before), self.infer_shapes(after)

    def fail(self, where, what):
        self.failures.append(f"{where}: {what}")

    def infer_shapes(self, file):
        """The types of a file's values, for the inputs that the certificate assumes."""
        model = copy.deepcopy(file.model)
        for port in model.graph.input:
            if port.name in self.assumed:
                shape = [helper.make_tensor_value_info("", 1, self.assumed[port.name])]
                port.type.tensor_type.shape.CopyFrom(shape[0].type.tensor_type.shape)
        del model.graph.value_info[:]
        for port in model.graph.output:
            port.type.tensor_type.ClearField("shape")
        return inferred(model)

    # Structure

    def check(self):
        before, after = self.before, self.after
        for role in ("input", "output"):
            ports = [[(port.name, port.type.tensor_type.elem_type, role == "input" and [
                max(0, d.dim_value) for d in port.type.tensor_type.shape.dim]) for port in getattr(file.model.graph, role)
                if port.name not in file.stored | file.defaults.keys()] for file in (before, after)]
            if ports[0] != ports[1]:
                self.fail(role + "s", f"{ports[0]} in the model, {ports[1]} in the folded file")
        if before.defaults.keys() != after.defaults.keys() or not all(
                is_same_array(*(numpy_helper.to_array(f.defaults[name]) for f in (before, after)))
                for name in before.defaults):
            self.fail("inputs", "the defaults differ")
        if self.certificate["failures"]:
            self.fail("certificate", "it says itself that it proves nothing")
        shared = before.producers.keys() & after.producers.keys()
        pieces = {piece["value"]: piece for piece in self.certificate["pieces"]}
        for name in (port.name for port in after.model.graph.output):
            if name in shared or name in {port.name for port in after.inputs}:
                continue
            if not self.same_constant(name):
                self.fail(name, "the output is defined in one file alone, or differs as a constant")
        # In whatever order: what a value reads stands before it in the folded file.
        pending, done = [*(port.name for port in after.model.graph.output), *pieces], set()
        while pending:
            name = pending.pop()
            if name in done or name not in pieces and name not in shared:
                continue
            done.add(name)
            types = {known[name].elem_type for known in (self.types, self.shapes) if name in known} - {0}
            if len(types) > 1:
                self.fail(name, f"has the element types {sorted(types)} in the two files")
            if name not in shared:
                self.fail(name, "the certificate has a piece for it, but not both files define it")
            elif self.is_same_node(name):
                # There may be a piece too: of a node that foldserve knows in another form, and writes as it was.
                self.checked["same node"] += 1
                pending += reads(after.producers[name][0])
            elif name not in pieces:
                self.fail(name, "the nodes differ, and the certificate has no piece for it")
            else:
                pending += pieces[name]["inputs"]
                self.check_piece(pieces[name], shared)

    def same_constant(self, name):
        one, two = self.before.constants.get(name), self.after.constants.get(name)
        return one is not None and two is not None and is_same_array(one, two)

    def is_same_node(self, name):
        (one, index), (two, other) = self.before.producers[name], self.after.producers[name]
        return (one.op_type, one.domain, index, reads(one)) == (two.op_type, two.domain, other, reads(two)) \
            and self.before.version(one) == self.after.version(two) and have_same_attributes(one, two) \
            and all(self.is_same_value(name) for name in reads(one) if name)

    def is_same_value(self, name):
        if name in self.before.constants or name in self.after.constants:
            return self.same_constant(name)
        return (name in self.before.producers) == (name in self.after.producers)

    def check_piece(self, piece, shared):
        name, failures = piece["value"], len(self.failures)
        sides = [file.piece(name, piece["inputs"]) for file in (self.before, self.after)]
        for file, (_, leaves) in zip((self.before, self.after), sides):
            if leaves != set(map(file.original, piece["inputs"])):
                self.fail(name, f"reads {sorted(leaves)}, not {piece['inputs']}")
        for read in piece["inputs"]:
            if read not in shared and (read in self.before.producers or read in self.after.producers):
                self.fail(name, f"reads {read!r}, which not both files define")
        (nodes, _), (folded, _) = sides
        for found, key in ((nodes, "nodesBefore"), (folded, "nodesAfter")):
            named = {node.name for node in found if node.name}
            if len(found) != len(piece[key]) or not named <= set(piece[key]):
                self.fail(name, f"{key} are {[node.name or node.op_type for node in found]}, not {piece[key]}")
        if len(self.failures) == failures:
            self.checked["pieces"] += 1
            for entry in piece["coefficients"]:
                self.check_weight(piece, entry, nodes, folded)
            outcome = self.check_function(piece, nodes, folded, piece["inputs"])
            self.lines.append(f"{name}: {len(piece['coefficients'])} weights, {outcome}")

    # Coefficients

    def check_weight(self, piece, entry, nodes, folded):
        name, sides = f"{piece['value']}: weight {entry['weightAfter']!r}", []
        for file, key, among in ((self.before, "Before", nodes), (self.after, "After", folded)):
            stored = file.constants.get(entry[f"weight{key}"])
            # It may be read under the name of a copy.
            found = [(n, read) for n in among for read in n.input if n.name in (entry[f"node{key}"], "")
                     and stored is not None and read in file.constants and is_same_array(stored, file.constants[read])]
            if not found:
                return self.fail(name, f"no node {entry[f'node{key}']!r} of the piece reads it")
            sides.append((*found[0], stored))
        (node, read, stored), (other, read_after, stored_after) = sides
        (weight, *_), (after, rows, columns) = canonical(node, read, stored), canonical(other, read_after, stored_after)
        used = min(weight.shape[1], after.shape[1])
        weight, after, rows, columns = weight[:, :used], after[:, :used], rows[:, :used], columns[:, :used]
        if weight.shape != after.shape:
            return self.fail(name, f"{weight.shape} rows, columns and taps became {after.shape}")
        ones = [1.0]
        r, q = (numpy.array(entry[key] or ones, numpy.longdouble) for key in ("rowFactors", "columnFactors"))
        if r.size not in (1, len(rows)) or columns.max() >= q.size > 1:
            return self.fail(name, f"{r.size} row and {q.size} column factors")
        factor = r[rows if r.size > 1 else rows * 0] * q[columns if q.size > 1 else columns * 0]
        expected = weight * factor[..., None]
        error, size = numpy.abs(after - expected), numpy.abs(after)
        unit, least = ROUNDOFF[stored_after.dtype], LEAST[stored_after.dtype]
        computed = self.computed(node)
        claimed = (entry["relativeError"] + computed + 2.0**-50) * size + (size == 0) * entry[
            "absoluteErrorAtZero"] + 1e-300
        for allowed, what in ((claimed, "claimed"), ((ROUNDINGS * unit + computed) * size + ROUNDINGS * least, "allowed")):
            if not (error <= allowed).all():
                index = numpy.unravel_index(numpy.argmax(error - allowed), error.shape)
                return self.fail(name, f"|W' − rWq| is {float(error[index]):.3g} at {[*map(int, index)]}, {what} "
                                       f"{float(allowed[index]):.3g}")
        self.checked["coefficients"] += error.size
        types = [n.op_type for n in nodes]
        if types[1:] == ["BatchNormalization"] and types[0] in LINEAR and len(nodes) == 2:
            self.check_normalization(piece, entry, nodes, folded, r)

    def computed(self, node):
        """What a weight that nodes compute may differ by, relatively, when they are evaluated in another order."""
        return max((ROUNDINGS * ROUNDOFF[self.before.constants[n].dtype] for n in node.input
                    if n in self.before.constants and n not in self.before.stored
                    and self.before.constants[n].dtype in ROUNDOFF), default=0)

    def check_normalization(self, piece, entry, nodes, folded, r):
        """r and the bias of a linear node before one BatchNormalization."""
        linear, norm = nodes
        gamma, beta, mean, variance = (
            self.before.constants[n].astype(numpy.longdouble) for n in norm.input[1:5])
        a = gamma / numpy.sqrt(variance + numpy.float32(value(norm, "epsilon", 1e-5)))
        alpha, beta_c = (value(linear, "alpha", 1.0), value(linear, "beta", 1.0)) \
            if linear.op_type == "Gemm" else (1.0, 1.0)
        if len(folded) == 1 and folded[0].op_type == "Gemm":
            alpha /= value(folded[0], "alpha", 1.0)
        if r.shape != a.shape or not (numpy.abs(r - alpha * a) <= 1e-13 * numpy.abs(alpha * a) + 1e-300).all():
            return self.fail(piece["value"], f"the row factors are not γ/√(σ²+ε) of {norm.name!r}")
        self.checked["row factors from γ/√(σ²+ε)"] += r.size
        bias = [self.bias(self.before, linear) * beta_c]
        if len(folded) == 1 and folded[0].op_type == linear.op_type:
            other = folded[0]
            bias.append(self.bias(self.after, other) * (value(other, "beta", 1.0) if other.op_type == "Gemm" else 1.0))
            expected = a * bias[0] + (beta - a * mean)
            mass = numpy.abs(a * bias[0]) + numpy.abs(beta) + numpy.abs(a * mean)
            if not (numpy.abs(bias[1] - expected) <= piece["shiftError"] + 2.0**-49 * mass).all():
                return self.fail(piece["value"], f"the bias differs from a·c + b by more than {piece['shiftError']:.3g}")
            self.checked["biases from a·c + b"] += expected.size

    @staticmethod
    def bias(file, node):
        known = len(node.input) > 2 and node.op_type != "MatMul" and node.input[2]
        return file.constants[node.input[2]].astype(numpy.longdouble) if known else numpy.longdouble(0)

    # Function

    def check_function(self, piece, nodes, folded, leaves):
        shapes = {}
        for leaf in leaves:
            kind = self.shapes.get(leaf)
            if kind is None or not kind.HasField("shape") or any(not d.HasField("dim_value") for d in kind.shape.dim):
                return self.skip("a shape is not known")
            if kind.elem_type not in (TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.DOUBLE):
                return self.skip("an input is not floating")
            shapes[leaf] = [dimension.dim_value for dimension in kind.shape.dim]
        types = [node.op_type for node in nodes + folded]
        spatial = {tuple(shape[2:]) for shape in shapes.values()}
        cropped = shapes
        # Automatic pads depend on the extents, and so may what a fold makes of them.
        automatic = any(value(node, "auto_pad", b"NOTSET") not in (b"NOTSET", b"VALID") for node in nodes + folded)
        if set(types) <= CROPPABLE and len(spatial) == 1 and not automatic:
            span = max([0, *(max(file.constants[n.input[1]].shape[2:], default=1) * max(value(n, "dilations", [1]))
                             for file, among in ((self.before, nodes), (self.after, folded)) for n in among
                             if n.op_type in ("Conv", "ConvTranspose") and n.input[1] in file.constants)])
            cropped = {leaf: shape[:2] + [min(extent, CROP + span) for extent in shape[2:]] for leaf, shape in shapes.items()}
        for chosen in [cropped, shapes] if cropped != shapes else [shapes]:
            try:
                return self.compare(piece, nodes, folded, chosen)
            except Exception as error:  # the reference does not know an operator, or a cropped extent does not fit
                problem = f"{type(error).__name__}: {str(error)[:80]}"
        return self.skip(problem)

    def skip(self, reason):
        self.skipped[reason] += 1
        return f"function not evaluated: {reason}"

    def compare(self, piece, nodes, folded, shapes):
        if self.products(folded, shapes) > MAXIMUM_PRODUCTS:
            return self.skip("more than 2^31 products")
        random = numpy.random.default_rng(len(piece["value"]))
        linear = [node for node in folded if node.op_type in LINEAR]
        strict = len(linear) <= 1 and {node.op_type for node in folded} <= LINEAR | KEEPING and len(
            piece["coefficients"]) == len(linear)
        relative = max((entry["relativeError"] for entry in piece["coefficients"]), default=0) + max(
            (self.computed(node) for node in nodes), default=0)
        at_zero = max((entry["absoluteErrorAtZero"] for entry in piece["coefficients"]), default=0)
        for scale in (0.0, 1.0):
            feeds = {leaf: scale * random.standard_normal(shape) for leaf, shape in shapes.items()}
            one, two = (evaluate(*side, piece["value"], feeds) for side in ((self.before, nodes), (self.after, folded)))
            if one.shape != two.shape:
                self.fail(piece["value"], f"shapes {one.shape} and {two.shape}")
                return "function differs"
            largest = max(numpy.abs(one).max(initial=0), numpy.abs(two).max(initial=0))
            if strict:
                positive = {leaf: numpy.abs(x) for leaf, x in feeds.items()}
                mass = evaluate(self.after, folded, piece["value"], positive, magnitudes=True)
                terms = max([1, *(self.after.constants[n].size for node in linear for n in node.input
                                  if n in self.after.constants)])
                bound = relative * mass + at_zero * terms * scale * 8 + piece["scaleError"] * numpy.abs(two) + piece[
                    "shiftError"] + ALLOWANCE * (mass + largest)
            else:
                bound = LOOSE * max(1.0, largest)
            with numpy.errstate(invalid="ignore"):
                error = numpy.abs(one - two)
            if not (error <= bound).all():
                index = numpy.unravel_index(numpy.argmax(error - bound), error.shape)
                allowed = float(numpy.broadcast_to(bound, error.shape)[index])
                self.fail(piece["value"], f"the results differ by {float(error[index]):.3g} at {[*map(int, index)]}, "
                                          f"the bound is {allowed:.3g}")
                return "function differs"
        self.checked["functions within the bound" if strict else "functions, loosely"] += 1
        return "function within the bound" if strict else "function agrees, loosely"

    def products(self, nodes, shapes):
        positions = max((numpy.prod([*shape[:1], *shape[2:]]) for shape in shapes.values()), default=1)
        return sum(self.after.constants[name].size * positions for node in nodes if node.op_type in LINEAR
                   for name in node.input if name in self.after.constants)


def canonical(node, name, stored):
    """A weight as [rows, columns of a row, taps], with each element's row and column in the whole map."""
    kind, weight = node.op_type, stored.astype(numpy.longdouble)
    if kind in ("Conv", "ConvTranspose"):
        group, weight = value(node, "group", 1), weight.reshape(*weight.shape[:2], -1)
        if kind == "ConvTranspose":
            # [I, O/g, taps] to [O, I/g, taps]
            inputs, outputs, taps = weight.shape
            weight = weight.reshape(group, inputs // group, outputs, taps).transpose(0, 2, 1, 3)
            weight = weight.reshape(group * outputs, inputs // group, taps)
    else:
        group = 1
        if kind in ("Gemm", "MatMul") and node.input[1] == name and not value(node, "transB", 0):
            weight = weight.T
        weight = weight.reshape(-1, weight.shape[-1], 1)
    rows, columns = numpy.indices(weight.shape[:2])
    return weight, rows, rows // (weight.shape[0] // group) * weight.shape[1] + columns


def evaluate(file, nodes, name, feeds, magnitudes=False):
    """A piece in Float64; with `magnitudes`, Σ|W||x|: without what is added, and of absolute constants."""
    feeds, run_nodes = {file.original(leaf): x for leaf, x in feeds.items()}, []
    for original in nodes:
        node = copy.deepcopy(original)
        for position, read in enumerate(node.input):
            if read not in file.constants:
                node.input[position] = file.original(read)
                continue
            constant = file.constants[read]
            if constant.dtype.kind == "f":
                constant = constant.astype(numpy.float64)
                if magnitudes:
                    added = node.op_type == "Add" or position == 2 and node.op_type in LINEAR | {"Pad"}
                    constant = numpy.abs(constant) * (not added)
            node.input[position] = f"{read}/{len(run_nodes)}/{position}"
            feeds[node.input[position]] = constant
        for attribute in node.attribute:
            if node.op_type == "Cast" and attribute.name == "to" and attribute.i in (1, 10, 11, 16):
                attribute.i = TensorProto.DOUBLE
            if magnitudes and node.op_type == "Gemm" and attribute.name == "alpha":
                attribute.f = abs(attribute.f)
        if node.op_type == "BatchNormalization":
            feeds[f"{node.output[0]}/epsilon"] = numpy.float64(numpy.float32(value(node, "epsilon", 1e-5)))
            node = helper.make_node(
                "Normalization", [*node.input, f"{node.output[0]}/epsilon"], node.output[:1], domain=Normalization.op_domain)
        run_nodes += split_groups(node, feeds) if node.op_type == "ConvTranspose" else [node]
    return run(file.subgraph(run_nodes, feeds, [file.original(name)]), feeds)[0]


def split_groups(node, feeds):
    """A ConvTranspose without groups for each group: the reference knows no others."""
    group = value(node, "group", 1)
    if group == 1:
        return [node]
    result, parts = [], []
    weights, count = numpy.split(feeds[node.input[1]], group), feeds[node.input[1]].shape[0] // group
    for index, weight in enumerate(weights):
        part, stem = copy.deepcopy(node), f"{node.output[0]}/group{index}"
        attributes(part)["group"].i = 1
        feeds |= {f"{stem}/W": weight, f"{stem}/range": numpy.arange(index * count, (index + 1) * count)}
        result.append(helper.make_node("Gather", [node.input[0], f"{stem}/range"], [f"{stem}/x"], axis=1))
        part.input[0], part.input[1], part.output[0] = f"{stem}/x", f"{stem}/W", stem
        if len(node.input) > 2 and node.input[2]:
            feeds[f"{stem}/b"] = numpy.split(feeds[node.input[2]], group)[index]
            part.input[2] = f"{stem}/b"
        result.append(part)
        parts.append(stem)
    return [*result, helper.make_node("Concat", parts, [node.output[0]], axis=1)]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("folded")
    parser.add_argument("report")
    parser.add_argument("-v", "--verbose", action="store_true", help="a line for each piece")
    options = parser.parse_args()
    with open(options.report) as file:
        certificate = json.load(file)["certificate"]
    checker = Checker(File(options.model), File(options.folded), certificate)
    checker.check()
    if options.verbose:
        print(*checker.lines, sep="\n")
    print("checked:", ", ".join(f"{count} {what}" for what, count in checker.checked.items()) or "nothing")
    for reason, count in checker.skipped.items():
        print(f"not evaluated: {count} pieces: {reason}")
    evaluated = sum(count for what, count in checker.checked.items() if what.startswith("functions"))
    if not checker.failures and checker.checked["pieces"] and not evaluated:
        checker.fail("certificate", "no piece could be evaluated")
    if not checker.failures and not sum(checker.checked.values()):
        checker.fail("certificate", "nothing was checked")
    for failure in checker.failures[:10]:
        print(f"WRONG {failure}", file=sys.stderr)
    sys.exit(1 if checker.failures else 0)


if __name__ == "__main__":
    main()

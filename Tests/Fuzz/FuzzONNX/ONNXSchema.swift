import FuzzSupport
import Graph

/// The messages of ONNX that hold others, and in which fields.
enum ONNXSchema: WireSchema {
    case model, graph, node, attribute, tensor, value, type, tensorType, shape, other

    func inner(_ field: UInt64) -> ONNXSchema? {
        switch (self, field) {
        case (.model, 7), (.attribute, 6), (.attribute, 11): .graph
        case (.model, 8): .other
        case (.graph, 1): .node
        case (.graph, 5), (.attribute, 5), (.attribute, 10): .tensor
        case (.graph, 11), (.graph, 12), (.graph, 13): .value
        case (.node, 5): .attribute
        case (.value, 2): .type
        case (.type, 1): .tensorType
        case (.tensorType, 2): .shape
        case (.shape, 1): .other
        default: nil
        }
    }

    /// The field that names an operator, an attribute or a value.
    func isName(_ field: UInt64) -> Bool {
        switch (self, field) {
        case (.node, 1), (.node, 2), (.node, 4), (.attribute, 1), (.value, 1), (.tensor, 8): true
        default: false
        }
    }

    func vocabulary(_ field: UInt64) -> [String] {
        switch (self, field) {
        case (.node, 4): Self.operatorTypes
        case (.attribute, 1): Self.attributeNames
        default: []
        }
    }

    private static let attributeNames = [
        "axis", "axes", "perm", "to", "value", "kernel_shape", "strides", "pads", "dilations", "group",
        "auto_pad",
        "output_padding", "output_shape", "ceil_mode", "count_include_pad", "epsilon", "alpha", "beta",
        "transA",
        "transB", "keepdims", "mode", "blocksize", "num_groups", "split", "num_outputs", "allowzero", "p",
        "coordinate_transformation_mode", "nearest_mode", "antialias", "equation", "hidden_size", "direction",
        "then_branch", "else_branch", "body", "num_scan_inputs", "largest", "sorted", "batch_dims", "fmod",
        "scale", "shift",
    ]

    private static let operatorTypes = OperatorCatalog.standard.types
}

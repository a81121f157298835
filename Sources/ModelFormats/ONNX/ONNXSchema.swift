/// The fields of one kind of message that are read, and what each may hold. All others are skipped.
struct ONNXSchema: Sendable {
    indirect enum Content: Sendable {
        /// Varints, one a field or packed.
        case numbers
        /// Floats, one a field or packed.
        case floats
        case text(maximumByteCount: Int)
        case message(ONNXSchema)
        /// A graph inside a graph: the one place where the schema comes back to itself.
        case subgraph
        /// Elements that stay in the file: `range` is the number of the field that says where. `elementByteCount` is 1
        /// for bytes; wider elements may come packed or as one fixed-width field each.
        case elements(range: Int, elementByteCount: Int)
    }

    struct Field: Sendable {
        let name: String
        let content: Content
        /// The most occurrences in one message.
        var maximumCount = Int.max
    }

    let fields: [Int: Field]

    static let model = ONNXSchema(fields: [
        1: Field(name: "ir_version", content: .numbers),
        7: Field(name: "graph", content: .message(graph)),
        8: Field(
            name: "opset_import", content: .message(operatorSet),
            maximumCount: ONNXLimits.maximumOperatorSetCount),
        25: Field(
            name: "functions", content: .message(function), maximumCount: ONNXLimits.maximumFunctionCount),
    ])

    static let graph = ONNXSchema(fields: [
        1: Field(name: "node", content: .message(node), maximumCount: ONNXLimits.maximumNodeCount),
        2: Field(name: "graph name", content: name),
        5: Field(
            name: "initializer", content: .message(tensor), maximumCount: ONNXLimits.maximumInitializerCount),
        11: Field(
            name: "graph input", content: .message(valueInfo), maximumCount: ONNXLimits.maximumInputCount),
        12: Field(
            name: "graph output", content: .message(valueInfo), maximumCount: ONNXLimits.maximumPortCount),
        15: Field(
            name: "sparse_initializer", content: .message(sparseTensor),
            maximumCount: ONNXLimits.maximumInitializerCount),
    ])

    static let node = ONNXSchema(fields: [
        1: Field(name: "node input", content: name, maximumCount: ONNXLimits.maximumNodeValueCount),
        2: Field(name: "node output", content: name, maximumCount: ONNXLimits.maximumNodeValueCount),
        3: Field(name: "node name", content: name),
        4: Field(name: "op_type", content: name),
        5: Field(
            name: "attribute", content: .message(attribute), maximumCount: ONNXLimits.maximumAttributeCount),
        7: Field(name: "domain", content: name),
        8: Field(name: "overload", content: name),
    ])

    static let attribute = ONNXSchema(fields: [
        1: Field(name: "attribute name", content: name),
        2: Field(name: "f", content: .floats),
        3: Field(name: "i", content: .numbers),
        4: Field(name: "s", content: text),
        5: tensorField,
        6: Field(name: "g", content: .subgraph, maximumCount: 1),
        7: Field(name: "floats", content: .floats),
        8: Field(name: "ints", content: .numbers),
        9: Field(name: "strings", content: text),
        20: Field(name: "attribute type", content: .numbers),
        21: Field(name: "ref_attr_name", content: name),
        22: Field(name: "sparse_tensor", content: .message(sparseTensor)),
    ])

    static let tensor = ONNXSchema(fields: [
        1: Field(name: "dims", content: .numbers),
        2: Field(name: "data_type", content: .numbers),
        3: Field(
            name: "segment",
            content: .message(
                ONNXSchema(fields: [
                    1: Field(name: "begin", content: .numbers), 2: Field(name: "end", content: .numbers),
                ]))),
        4: Field(name: "float_data", content: .elements(range: 536_870_910, elementByteCount: 4)),
        5: Field(name: "int32_data", content: .numbers),
        7: Field(name: "int64_data", content: .numbers),
        8: Field(name: "tensor name", content: name),
        9: Field(name: "raw_data", content: .elements(range: 536_870_909, elementByteCount: 1)),
        10: Field(name: "double_data", content: .elements(range: 536_870_911, elementByteCount: 8)),
        11: Field(name: "uint64_data", content: .numbers),
        13: Field(
            name: "external_data",
            content: .message(
                ONNXSchema(fields: [
                    1: Field(name: "key", content: name), 2: Field(name: "value", content: name),
                ]
                )),
            maximumCount: ONNXLimits.maximumExternalEntryCount),
        14: Field(name: "data_location", content: .numbers),
    ])

    static let valueInfo = ONNXSchema(fields: [
        1: Field(name: "value name", content: name),
        2: Field(name: "type", content: .message(ONNXSchema(fields: [1: tensorType]))),
    ])

    private static let tensorType = Field(
        name: "tensor_type",
        content: .message(
            ONNXSchema(fields: [
                1: Field(name: "elem_type", content: .numbers),
                2: Field(
                    name: "shape",
                    content: .message(
                        ONNXSchema(fields: [
                            1: Field(
                                name: "dim", content: .message(dimension),
                                maximumCount: ONNXLimits.maximumRank)
                        ]))),
            ])))

    private static let dimension = ONNXSchema(fields: [
        1: Field(name: "dim_value", content: .numbers),
        2: Field(name: "dim_param", content: name),
    ])

    private static let operatorSet = ONNXSchema(fields: [
        1: Field(name: "domain", content: name),
        2: Field(name: "version", content: .numbers),
    ])

    private static let function = ONNXSchema(fields: [
        1: Field(name: "function name", content: name),
        4: Field(name: "function input", content: name, maximumCount: ONNXLimits.maximumNodeValueCount),
        5: Field(name: "function output", content: name, maximumCount: ONNXLimits.maximumNodeValueCount),
        7: Field(name: "node", content: .message(node), maximumCount: ONNXLimits.maximumNodeCount),
        9: Field(
            name: "opset_import", content: .message(operatorSet),
            maximumCount: ONNXLimits.maximumOperatorSetCount),
        10: Field(name: "domain", content: name),
        11: Field(
            name: "attribute_proto", content: .message(attribute),
            maximumCount: ONNXLimits.maximumAttributeCount),
        13: Field(name: "overload", content: name),
    ])

    private static let sparseTensor = ONNXSchema(fields: [
        1: Field(name: "values", content: .message(tensor)),
        2: Field(name: "indices", content: .message(tensor)),
        3: Field(name: "dims", content: .numbers),
    ])

    private static let tensorField = Field(name: "tensor", content: .message(tensor))
    private static let name = Content.text(maximumByteCount: ONNXLimits.maximumNameByteCount)
    private static let text = Content.text(maximumByteCount: ONNXLimits.maximumTextByteCount)
}

import Graph
import Tensors
import Testing

/// Attributes, inputs and outputs are those of the model's own operator set.
@Suite struct OperatorVersionTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let type: String
        let attribute: String
        let value: Attribute
        /// The first operator set that has the attribute.
        let firstOpset: Int

        var testDescription: String { "\(type) \(attribute)" }
    }

    static let cases: [Case] = [
        Case(type: "AveragePool", attribute: "ceil_mode", value: .integer(1), firstOpset: 10),
        Case(type: "AveragePool", attribute: "dilations", value: .integers([1, 1]), firstOpset: 19),
        Case(type: "Cast", attribute: "saturate", value: .integer(1), firstOpset: 19),
        Case(type: "Cast", attribute: "round_mode", value: .string("up"), firstOpset: 24),
        Case(type: "CastLike", attribute: "saturate", value: .integer(1), firstOpset: 19),
        Case(type: "LpPool", attribute: "ceil_mode", value: .integer(1), firstOpset: 18),
        Case(type: "MaxPool", attribute: "ceil_mode", value: .integer(1), firstOpset: 10),
        Case(type: "MaxPool", attribute: "dilations", value: .integers([1, 1]), firstOpset: 10),
        Case(type: "MaxPool", attribute: "storage_order", value: .integer(1), firstOpset: 8),
        Case(type: "Attention", attribute: "right_window_size", value: .integer(1), firstOpset: 25),
    ]

    @Test(arguments: cases) func `an attribute is known from its first operator set on`(_ item: Case) throws {
        func make(_ opset: Int) throws(GraphError) {
            var attributes = [item.attribute: item.value]
            if item.type.hasSuffix("Pool") { attributes["kernel_shape"] = .integers([2, 2]) }
            if item.type == "Cast" { attributes["to"] = .integer(1) }
            _ = try OperatorCatalog.standard.makeOperator(
                domain: "", type: item.type, opset: opset, attributes: attributes)
        }
        try make(item.firstOpset)
        let error = #expect(throws: GraphError.self) { try make(item.firstOpset - 1) }
        #expect(
            error
                == .attribute(
                    item.type, name: item.attribute, reason: "is not known in opset \(item.firstOpset - 1)"))
    }

    @Test func `the inputs and outputs are those of the operator set too`() throws {
        let kernel: [String: Attribute] = ["kernel_shape": .integers([2, 2])]
        _ = try makeNode("MaxPool", opset: 8, kernel, inputs: 1, outputs: 2)
        #expect(throws: GraphError.self) { try makeNode("MaxPool", opset: 7, kernel, inputs: 1, outputs: 2) }
        _ = try makeNode("Clip", opset: 11, inputs: 3)
        #expect(throws: GraphError.self) { try makeNode("Clip", opset: 10, inputs: 3) }
    }

    @Test func `functions of integers are truncated`() throws {
        let erf = try makeNode("Erf", inputs: 1).operation
        let x = try tensor([5], [-6, -1, 0, 1, 100], .int32)
        #expect(try erf.evaluate([x], outputCount: 1)[0].integers == [-1, 0, 0, 0, 1])
        let shrink = try makeNode("Shrink", ["bias": .real(0.5), "lambd": .real(1)], inputs: 1).operation
        #expect(try shrink.evaluate([x], outputCount: 1)[0].integers == [-5, 0, 0, 0, 99])
    }
}

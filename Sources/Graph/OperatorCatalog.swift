/// The operators that foldserve knows, by name.
package struct OperatorCatalog: Sendable {
    private let operators: [String: any Operator.Type]

    package init(_ operators: [any Operator.Type]) {
        self.operators = Dictionary(uniqueKeysWithValues: operators.map { ($0.type, $0) })
    }

    /// ONNX's default domain, by family, and foldserve's own operators.
    package static let standard = OperatorCatalog([
        // Convolution and dense layers.
        Conv.self, Gemm.self, MatMul.self,
        // Normalization.
        BatchNormalization.self,
        // Pooling.
        MaxPool.self, AveragePool.self, LpPool.self, GlobalAveragePool.self, GlobalMaxPool.self,
        GlobalLpPool.self,
        // Activations.
        Relu.self, Sigmoid.self, Tanh.self, Softplus.self, Softsign.self, Mish.self, HardSwish.self,
        Clip.self,
        // Arithmetic.
        Add.self, Sub.self, Mul.self, Div.self,
        // Shape and movement.
        Identity.self, Dropout.self, Flatten.self, Reshape.self, Concat.self,
        // Graph's own.
        Affine.self,
    ])

    package func contains(domain: String, type: String) -> Bool {
        operators[type] != nil && (domain == "" || domain == "ai.onnx" || domain == Affine.domain)
    }

    package func makeOperator(
        domain: String, type: String, opset: Int, attributes: [String: Attribute]
    ) throws(GraphError) -> any Operator {
        guard contains(domain: domain, type: type), let operation = operators[type] else {
            throw .unsupportedOperators([domain.isEmpty ? type : domain + "." + type])
        }
        var reader = AttributeReader(operatorType: type, opset: opset, attributes: attributes)
        let made = try operation.init(&reader)
        try reader.finish()
        return made
    }
}

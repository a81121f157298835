/// The operators that foldserve knows, by name.
package struct OperatorCatalog: Sendable {
    private let operators: [String: any Operator.Type]

    package init(_ operators: [any Operator.Type]) {
        self.operators = Dictionary(uniqueKeysWithValues: operators.map { ($0.type, $0) })
    }

    /// ONNX's default domain, by family, and foldserve's own operators.
    package static let standard = OperatorCatalog([
        // Convolution and dense layers.
        Conv.self, ConvTranspose.self, Gemm.self, MatMul.self,
        // Normalization.
        BatchNormalization.self, InstanceNormalization.self, LayerNormalization.self, GroupNormalization.self,
        LRN.self, Softmax.self, LogSoftmax.self,
        // Pooling.
        MaxPool.self, AveragePool.self, LpPool.self, GlobalAveragePool.self, GlobalMaxPool.self,
        GlobalLpPool.self,
        // Activations.
        Relu.self, LeakyRelu.self, PRelu.self, Elu.self, Selu.self, Celu.self, ThresholdedRelu.self,
        Sigmoid.self,
        HardSigmoid.self, HardSwish.self, Swish.self, Tanh.self, Softplus.self, Softsign.self, Mish.self,
        Gelu.self,
        Clip.self,
        // Elementwise functions.
        Abs.self, Neg.self, Sign.self, Floor.self, Ceil.self, Round.self, Sqrt.self, Reciprocal.self,
        Exp.self,
        Log.self, Erf.self, Sin.self, Cos.self, Tan.self, Atan.self,
        // Reductions.
        ReduceSum.self, ReduceMean.self, ReduceMax.self, ReduceMin.self, ReduceProd.self, ReduceL1.self,
        ReduceL2.self, ReduceSumSquare.self, ReduceLogSum.self, ReduceLogSumExp.self, ArgMax.self,
        ArgMin.self,
        // Arithmetic, comparisons and logic.
        Add.self, Sub.self, Mul.self, Div.self, Mod.self, Pow.self, Min.self, Max.self, Sum.self, Mean.self,
        Equal.self, Less.self, LessOrEqual.self, Greater.self, GreaterOrEqual.self, Not.self, And.self,
        Or.self,
        Xor.self, Where.self, Cast.self, CastLike.self,
        // Shapes and movement.
        Identity.self, Dropout.self, ShapeOperator.self, Size.self, ConstantOfShape.self, RangeOperator.self,
        Reshape.self, Flatten.self, Squeeze.self, Unsqueeze.self, Transpose.self, Expand.self, Tile.self,
        Pad.self,
        Concat.self, Split.self, Slice.self, Gather.self, DepthToSpace.self, SpaceToDepth.self,
        Resize.self, Upsample.self,
        // Inverse and hyperbolic functions, and the normalizations of newer networks.
        Acos.self, Asin.self, Acosh.self, Asinh.self, Atanh.self, Cosh.self, Sinh.self, Shrink.self,
        RMSNormalization.self, LpNormalization.self, MeanVarianceNormalization.self,
        // Signals.
        DFT.self, STFT.self, HannWindow.self, HammingWindow.self, BlackmanWindow.self, MelWeightMatrix.self,
        // Sampling, folding and unpooling.
        GridSample.self, AffineGrid.self, CenterCropPad.self, Col2Im.self, DeformConv.self, MaxUnpool.self,
        Det.self,
        // Attention.
        Attention.self, RotaryEmbedding.self,
        // Losses and text.
        NegativeLogLikelihoodLoss.self, SoftmaxCrossEntropyLoss.self, TfIdfVectorizer.self,
        // Row maxima, accumulation, bits and questions to reals.
        Hardmax.self, CumSum.self, CumProd.self, IsNaN.self, IsInf.self, BitShift.self, BitwiseAnd.self,
        BitwiseOr.self, BitwiseXor.self, BitwiseNot.self, BitCast.self,
        // Indexing.
        Trilu.self, EyeLike.self, OneHot.self, NonZero.self, Compress.self, GatherElements.self,
        GatherND.self, Scatter.self, ScatterElements.self, ScatterND.self, TensorScatter.self,
        ReverseSequence.self, TopK.self, Unique.self,
        // Quantization.
        QuantizeLinear.self, DequantizeLinear.self, DynamicQuantizeLinear.self, ConvInteger.self,
        QLinearConv.self, MatMulInteger.self, QLinearMatMul.self,
        // Subgraphs.
        If.self, Loop.self, Scan.self,
        // Recurrent layers and sums over labels.
        LSTM.self, GRU.self, RNN.self, Einsum.self,
        // Detection.
        RoiAlign.self, MaxRoiPool.self, NonMaxSuppression.self,
        // Graph's own.
        Affine.self,
    ])

    /// The operators' names, sorted.
    package var types: [String] { operators.keys.sorted() }

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

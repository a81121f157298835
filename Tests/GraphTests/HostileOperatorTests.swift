import Graph
import Tensors
import Testing

/// Odd attributes and inputs are refused or computed; none traps, and inference and evaluation agree.
@Suite struct HostileOperatorTests {
    /// The attributes of each operator that has any; the others get one that they do not know now and then.
    static let attributeNames: [String: [String]] = [
        "Affine": ["scale", "shift", "axis"], "AffineGrid": ["align_corners"],
        "Attention": [
            "q_num_heads", "kv_num_heads", "is_causal", "softcap", "qk_matmul_output_mode",
            "softmax_precision", "left_window_size", "right_window_size",
        ],
        "ArgMax": ["axis", "keepdims", "select_last_index"], "ArgMin": ["axis", "keepdims"],
        "AveragePool": [
            "kernel_shape", "strides", "pads", "dilations", "auto_pad", "ceil_mode", "count_include_pad",
        ],
        "BatchNormalization": ["epsilon", "spatial", "training_mode"],
        "CenterCropPad": ["axes"], "Col2Im": ["strides", "pads", "dilations"],
        "DeformConv": ["strides", "pads", "dilations", "group", "offset_group"],
        "GridSample": ["mode", "padding_mode", "align_corners"],
        "MaxUnpool": ["kernel_shape", "strides", "pads"],
        "NegativeLogLikelihoodLoss": ["reduction", "ignore_index"],
        "RotaryEmbedding": ["interleaved", "rotary_embedding_dim", "num_heads"],
        "SoftmaxCrossEntropyLoss": ["reduction", "ignore_index"],
        "TfIdfVectorizer": [
            "mode", "pool_int64s", "ngram_indexes", "ngram_counts", "weights", "min_gram_length",
            "max_gram_length", "max_skip_count",
        ],
        "Cast": ["to"], "Celu": ["alpha"], "Clip": ["min", "max"], "Concat": ["axis"],
        "BlackmanWindow": ["periodic", "output_datatype"],
        "ConstantOfShape": ["value"],
        "Conv": ["kernel_shape", "strides", "pads", "dilations", "auto_pad", "group"],
        "ConvTranspose": [
            "kernel_shape", "strides", "pads", "dilations", "auto_pad", "group", "output_padding",
            "output_shape",
        ],
        "DFT": ["inverse", "onesided", "axis"],
        "DepthToSpace": ["blocksize", "mode"], "Dropout": ["seed"], "Elu": ["alpha"], "Flatten": ["axis"],
        "Gather": ["axis"], "Gelu": ["approximate"], "Gemm": ["alpha", "beta", "transA", "transB"],
        "GlobalLpPool": ["p"], "GroupNormalization": ["num_groups", "epsilon"],
        "HammingWindow": ["periodic", "output_datatype"], "HannWindow": ["periodic", "output_datatype"],
        "HardSigmoid": ["alpha", "beta"],
        "InstanceNormalization": ["epsilon"], "LRN": ["size", "alpha", "beta", "bias"],
        "LayerNormalization": ["axis", "epsilon", "stash_type"], "LeakyRelu": ["alpha"],
        "LogSoftmax": ["axis"],
        "LpNormalization": ["axis", "p"],
        "LpPool": ["kernel_shape", "strides", "pads", "dilations", "auto_pad", "ceil_mode", "p"],
        "MaxPool": [
            "kernel_shape", "strides", "pads", "dilations", "auto_pad", "ceil_mode", "storage_order",
        ],
        "MeanVarianceNormalization": ["axes"], "MelWeightMatrix": ["output_datatype"],
        "Mod": ["fmod"], "Pad": ["mode", "pads", "value"], "Reshape": ["allowzero"],
        "RMSNormalization": ["axis", "epsilon", "stash_type"],
        "Resize": [
            "mode", "coordinate_transformation_mode", "nearest_mode", "cubic_coeff_a", "exclude_outside",
            "extrapolation_value", "antialias", "axes", "keep_aspect_ratio_policy",
        ],
        "STFT": ["onesided"], "Shrink": ["lambd", "bias"],
        "Selu": ["alpha", "gamma"], "Shape": ["start", "end"], "Slice": ["starts", "ends", "axes"],
        "Softmax": ["axis"], "SpaceToDepth": ["blocksize"], "Split": ["axis", "split", "num_outputs"],
        "Squeeze": ["axes"], "Swish": ["alpha"], "ThresholdedRelu": ["alpha"], "Transpose": ["perm"],
        "Unsqueeze": ["axes"], "Upsample": ["mode", "scales"],
        // Indexing and bits.
        "BitCast": ["to"], "BitShift": ["direction"], "Compress": ["axis"],
        "CumProd": ["exclusive", "reverse"], "CumSum": ["exclusive", "reverse"], "EyeLike": ["dtype", "k"],
        "GatherElements": ["axis"], "GatherND": ["batch_dims"], "Hardmax": ["axis"],
        "IsInf": ["detect_negative", "detect_positive"], "OneHot": ["axis"],
        "ReverseSequence": ["batch_axis", "time_axis"], "Scatter": ["axis"],
        "ScatterElements": ["axis", "reduction"], "ScatterND": ["reduction"],
        "TensorScatter": ["axis", "mode"], "TopK": ["axis", "k", "largest", "sorted"], "Trilu": ["upper"],
        "Unique": ["axis", "sorted"],
        // Quantization.
        "ConvInteger": ["kernel_shape", "strides", "pads", "dilations", "auto_pad", "group"],
        "DequantizeLinear": ["axis", "block_size", "output_dtype"],
        "QLinearConv": ["kernel_shape", "strides", "pads", "dilations", "auto_pad", "group"],
        "QuantizeLinear": ["axis", "block_size", "output_dtype", "precision", "saturate"],
        // Recurrent layers, sums over labels and detection.
        "Einsum": ["equation"], "GRU": recurrentNames + ["linear_before_reset"],
        "LSTM": recurrentNames + ["input_forget"], "MaxRoiPool": ["pooled_shape", "spatial_scale"],
        "NonMaxSuppression": ["center_point_box"], "RNN": recurrentNames,
        "RoiAlign": ["mode", "output_height", "output_width", "sampling_ratio", "spatial_scale"],
    ]

    private static let recurrentNames = [
        "activations", "activation_alpha", "activation_beta", "clip", "direction", "hidden_size", "layout",
    ]

    /// Those with subgraphs have a test of their own.
    static let types = OperatorCatalog.standard.types.filter { !["If", "Loop", "Scan"].contains($0) }

    @Test(arguments: types)
    func `no odd attribute or input traps, and evaluations are as inferred`(type: String) throws {
        var source = Source(seed: UInt64(truncatingIfNeeded: type.utf8.reduce(7) { $0 &* 31 &+ Int($1) }))
        var evaluated = 0
        for _ in 0..<4000 {
            let opset = Int.random(in: 7...26, using: &source)
            let attributes = source.attributes(of: type)
            let operation: any Operator
            do {
                operation = try OperatorCatalog.standard.makeOperator(
                    domain: type == Affine.type ? Affine.domain : "", type: type, opset: opset,
                    attributes: attributes)
            } catch {
                continue
            }
            let inputs = source.inputs(of: type, count: operation.inputCount)
            let outputCount = Int.random(in: 1...min(3, operation.outputCount.upperBound), using: &source)
            // Anything may be asked of an inference.
            _ = try? operation.inferOutputs(
                source.infos(count: operation.inputCount), outputCount: outputCount)
            guard let results = try? operation.evaluate(inputs, outputCount: outputCount) else { continue }
            evaluated += 1
            let veiled = inputs.map { $0.map { source.veiled($0) } }
            let inferred = try operation.inferOutputs(veiled, outputCount: outputCount)
            for (info, result) in zip(inferred, results) {
                #expect(info.elementType == result.elementType)
                guard let dimensions = info.dimensions else { continue }
                let agrees =
                    dimensions.count == result.shape.rank
                    && zip(dimensions, result.shape.dimensions).allSatisfy { ($0.value ?? $1) == $1 }
                #expect(
                    agrees, "\(type)-\(opset) \(attributes) \(veiled): inferred \(info), got \(result.shape)")
            }
        }
        #expect(evaluated > 0, "no evaluation of \(type) succeeded: the generator is too odd for it")
    }
}

/// A seeded source of nodes that are half plausible (SplitMix64).
private struct Source: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }

    private mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &self) < percent }

    private mutating func pick<Value>(_ values: [Value]) -> Value { values.randomElement(using: &self)! }

    /// Mostly small; else beyond every limit, so that no evaluation allocates much.
    private mutating func integer() -> Int64 {
        if chance(95) { return Int64.random(in: -1...3, using: &self) }
        return pick([.max, .min, 1 << 62, -(1 << 62), 1 << 31, (1 << 31) - 1, -(1 << 31), 64, -5])
    }

    private mutating func integers() -> [Int64] {
        let count = chance(90) ? Int.random(in: 1...4, using: &self) : Int.random(in: 0...9, using: &self)
        let isOrdinary = chance(60)
        return (0..<count).map { _ in isOrdinary ? Int64.random(in: 0...2, using: &self) : integer() }
    }

    private mutating func real() -> Float {
        chance(80) ? Float.random(in: -2...2, using: &self) : pick([0, -0.0, .nan, .infinity, 1e38, -1e-30])
    }

    mutating func attributes(of type: String) -> [String: Attribute] {
        var attributes: [String: Attribute] = [:]
        for name in HostileOperatorTests.attributeNames[type] ?? [] {
            let isRequired = [
                "to", "kernel_shape", "axis", "blocksize", "size", "num_groups", "scale", "shift", "scales",
                "pool_int64s", "ngram_indexes", "ngram_counts", "direction",
                "equation", "pooled_shape",
            ].contains(name)
            // A stated kernel seldom fits a convolution's weights.
            let isStatedTwice = name == "kernel_shape" && type.hasPrefix("Conv")
            guard (isRequired && !isStatedTwice) || chance(isStatedTwice ? 5 : 30) else { continue }
            attributes[name] = attribute(name)
        }
        if chance(2) { attributes["unknown"] = .integer(1) }
        return attributes
    }

    private mutating func attribute(_ name: String) -> Attribute {
        if chance(2) {
            return pick([.integer(1), .real(1), .string(""), .integers([]), .tensor(Tensor([Int8]()))])
        }
        switch name {
        case "kernel_shape", "strides", "pads", "dilations", "output_padding", "output_shape", "starts",
            "ends":
            return .integers(integers())
        case "axes", "split", "pool_int64s", "ngram_indexes", "ngram_counts":
            return .integers(integers())
        case "perm":
            return .integers(
                chance(80)
                    ? Array(0..<Int64.random(in: 1...4, using: &self)).shuffled(using: &self) : integers())
        case "epsilon", "alpha", "beta", "gamma", "bias", "min", "max", "lambd", "softcap",
            "cubic_coeff_a",
            "extrapolation_value":
            return .real(chance(50) ? 1 : real())
        case "scales", "weights":
            return .reals((0..<Int.random(in: 1...4, using: &self)).map { _ in chance(80) ? 2 : real() })
        case "value", "scale", "shift":
            let count = Int.random(in: 0...3, using: &self)
            if name == "value", chance(50) { return .real(real()) }
            return .tensor(Tensor((0..<count).map { _ in Double(real()) }))
        case "auto_pad": return .string(pick(["NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID", "?"]))
        case "mode":
            return .string(
                pick([
                    "nearest", "linear", "cubic", "constant", "reflect", "edge", "wrap", "DCR", "CRD", "TF",
                    "IDF", "TFIDF", "bilinear", "bicubic", "circular", "avg", "max",
                ]))
        case "equation":
            return .string(
                pick([
                    "ij,jk", "ij->ji", "...i,...i->...", "ii", "i,i->", "ab,bc->ac", "...",
                    "i j , j k -> i k", "",
                    "->", "ij,jk->ik->", "i.j", "A,a", "ijk,ikl->ijl", "...ij->...",
                ]))
        case "activations":
            let names = (0..<Int.random(in: 1...6, using: &self)).map { _ in
                pick(["Tanh", "Sigmoid", "Affine", "Relu", "Elu", "softplus", "?"])
            }
            return .strings(names)
        case "activation_alpha", "activation_beta":
            return .reals((0..<Int.random(in: 0...3, using: &self)).map { _ in real() })
        case "clip", "spatial_scale": return .real(chance(50) ? 1 : real())
        case "pooled_shape": return .integers([1, chance(70) ? 2 : integer()])
        case "hidden_size", "output_height", "output_width", "sampling_ratio":
            return .integer(chance(80) ? Int64.random(in: 1...2, using: &self) : integer())
        case "padding_mode": return .string(pick(["zeros", "border", "reflection"]))
        case "direction": return .string(pick(["LEFT", "RIGHT", "forward", "reverse", "bidirectional"]))
        case "reduction": return .string(pick(["none", "sum", "mean", "add", "mul", "min", "max"]))
        case "approximate": return .string(pick(["none", "tanh", "?"]))
        case "coordinate_transformation_mode":
            return .string(
                pick([
                    "half_pixel", "half_pixel_symmetric", "pytorch_half_pixel", "align_corners", "asymmetric",
                    "tf_half_pixel_for_nn", "tf_crop_and_resize",
                ]))
        case "nearest_mode":
            return .string(pick(["floor", "ceil", "round_prefer_floor", "round_prefer_ceil"]))
        case "keep_aspect_ratio_policy": return .string(pick(["stretch", "not_larger", "not_smaller"]))
        case "to", "stash_type", "dtype", "output_dtype", "output_datatype", "precision", "softmax_precision":
            return .integer(Int64.random(in: 0...17, using: &self))
        case "size", "num_groups", "group", "p", "blocksize", "offset_group", "q_num_heads", "kv_num_heads",
            "num_heads", "min_gram_length", "max_gram_length", "rotary_embedding_dim":
            return .integer(chance(70) ? Int64.random(in: 1...2, using: &self) : integer())
        default: return .integer(chance(70) ? Int64.random(in: 0...1, using: &self) : integer())
        }
    }

    mutating func inputs(of type: String, count: ClosedRange<Int>) -> [ExactTensor?] {
        chance(40) ? fittingInputs(of: type) ?? inputs(count: count) : inputs(count: count)
    }

    /// Inputs of the operators that want more from each other than chance gives.
    private mutating func fittingInputs(of type: String) -> [ExactTensor?]? {
        let rank = Int.random(in: 3...4, using: &self)
        let x =
            [Int.random(in: 0...2, using: &self), 2]
            + (2..<rank).map { _ in Int.random(in: 1...4, using: &self) }
        switch type {
        case "Conv", "ConvTranspose":
            let kernel = (2..<rank).map { _ in Int.random(in: 0...3, using: &self) }
            let weight = [2, Int.random(in: 1...2, using: &self)] + kernel
            return [tensor(x, .float32), tensor(weight, .float32)]
        case "BatchNormalization":
            return [tensor(x, .float32)] + (0..<4).map { _ in tensor([2], .float32) }
        case "GroupNormalization", "InstanceNormalization":
            return [tensor(x, .float32), tensor([2], .float32), tensor([2], .float32)]
        case "Resize":
            let scales = ExactTensor(
                reals: x.map { _ in Double(pick([1, 1, 2, 0.5, 0.1, 1.7, 1e9, real()])) },
                shape: try! Shape([rank]),
                elementType: .float32)
            return [tensor(x, pick([.float32, .uint8])), tensor([2 * rank], .float32), scales]
        case "AffineGrid": return [tensor([x[0], 2, 3], .float32), vector([x[0], 1, x[1], x[2]])]
        case "Attention", "RotaryEmbedding":
            let (length, size) = (x[2], pick([2, 4]))
            if type == "RotaryEmbedding" {
                let cache = [x[0], length, size / 2]
                return [tensor([x[0], 2, length, size], .float32)]
                    + (0..<2).map { _ in tensor(cache, .float32) }
            }
            let shapes = chance(50) ? [x[0], 2, length, size] : [x[0], length, 2 * size]
            let mask = tensor([length, x[2]], pick([.bool, .float32]))
            return (0..<3).map { _ in tensor(shapes, .float32) } + [chance(50) ? mask : nil]
        case "CenterCropPad": return [tensor(x, .float32), vector(x.shuffled(using: &self))]
        case "Col2Im":
            let block = Int.random(in: 1...2, using: &self)
            let image = (0..<2).map { _ in Int.random(in: block...4, using: &self) }
            let columns = image.reduce(1) { $0 * ($1 - block + 1) }
            return [
                tensor([x[0], 2 * block * block, columns], pick([.float32, .int32])), vector(image),
                vector([block, block]),
            ]
        case "DeformConv":
            let (extent, kernel) = (Int.random(in: 2...4, using: &self), Int.random(in: 1...2, using: &self))
            let positions = [extent - kernel + 1, extent - kernel + 1]
            let channels = 2 * kernel * kernel * Int.random(in: 1...2, using: &self)
            return [
                tensor([x[0], 2, extent, extent], .float32),
                tensor([2, Int.random(in: 1...2, using: &self), kernel, kernel], .float32),
                tensor([x[0], channels] + positions, .float32), chance(50) ? nil : tensor([2], .float32),
                chance(50) ? nil : tensor([x[0], channels / 2] + positions, .float32),
            ]
        case "Det": return [tensor([x[0], x[2], x[2]], .float32)]
        case "GridSample":
            return [tensor(x, pick([.float32, .uint8])), tensor([x[0]] + x[2...] + [rank - 2], .float32)]
        case "MaxUnpool": return [tensor(x, .float32), tensor(x, .int64)]
        case "NegativeLogLikelihoodLoss", "SoftmaxCrossEntropyLoss":
            return [tensor(x, .float32), tensor([x[0]] + x[2...], .int64)]
        case "DFT":
            return [tensor(x.dropLast() + [Int.random(in: 1...2, using: &self)], .float32)]
        case "STFT":
            let length = Int.random(in: 1...9, using: &self)
            return [
                tensor([2, length, Int.random(in: 1...2, using: &self)], .float32), tensor([], .int64),
                chance(50) ? nil : tensor([Int.random(in: 1...length, using: &self)], .float32),
            ]
        case "MelWeightMatrix":
            let counts = (0..<3).map { _ in
                ExactTensor(
                    integers: [Int64.random(in: 0...9, using: &self)], shape: .scalar, elementType: .int64)
            }
            return counts + (0..<2).map { _ in tensor([], .float32) }
        default:
            return fittingIndices(of: type, x) ?? fittingQuantized(of: type, x) ?? fittingDetection(
                of: type, x)
                ?? fittingRecurrent(of: type)
        }
    }

    private mutating func fittingIndices(of type: String, _ x: [Int]) -> [ExactTensor?]? {
        let data = tensor(x, pick([.float32, .uint8, .int64, .bool]))
        let index: ElementType = pick([.int64, .int32])
        let fewer = x.map { Int.random(in: 0...$0, using: &self) }
        switch type {
        case "GatherElements": return [data, tensor(fewer, index)]
        case "Scatter", "ScatterElements":
            return [data, tensor(fewer, index), tensor(fewer, data.elementType)]
        case "GatherND": return [data, tensor([x[0], 2, Int.random(in: 1...2, using: &self)], .int64)]
        case "ScatterND":
            let width = Int.random(in: 1...2, using: &self)
            return [data, tensor([3, width], .int64), tensor([3] + x[width...], data.elementType)]
        case "TensorScatter":
            let update = x[..<(x.count - 2)] + [fewer[x.count - 2]] + x[(x.count - 1)...]
            return [data, tensor(Array(update), data.elementType), tensor([x[0]], .int64)]
        case "ReverseSequence": return [data, tensor([x[pick([0, 1])]], .int64)]
        case "Compress": return [data, tensor([Int.random(in: 0...2, using: &self)], .bool)]
        case "OneHot":
            return [tensor(x, pick([.int64, .float32, .uint8])), tensor([], .int64), tensor([2], .float32)]
        case "TopK": return [data, tensor([1], .int64)]
        case "Trilu", "CumSum", "CumProd": return [data, tensor([], .int64)]
        default: return nil
        }
    }

    private mutating func fittingRecurrent(of type: String) -> [ExactTensor?]? {
        let gates = ["LSTM": 4, "GRU": 3, "RNN": 1]
        guard let count = gates[type] else { return nil }
        let (steps, batch) = (Int.random(in: 0...3, using: &self), Int.random(in: 0...2, using: &self))
        let (inner, hidden) = (Int.random(in: 0...2, using: &self), Int.random(in: 0...2, using: &self))
        let directions = pick([1, 1, 2])
        var inputs: [ExactTensor?] = [
            tensor([steps, batch, inner], .float32), tensor([directions, count * hidden, inner], .float32),
            tensor([directions, count * hidden, hidden], .float32),
        ]
        inputs.append(chance(50) ? nil : tensor([directions, 2 * count * hidden], .float32))
        inputs.append(chance(50) ? nil : tensor([batch], .int32))
        inputs.append(chance(50) ? nil : tensor([directions, batch, hidden], .float32))
        guard type == "LSTM" else { return inputs }
        inputs.append(chance(50) ? nil : tensor([directions, batch, hidden], .float32))
        inputs.append(chance(50) ? nil : tensor([directions, 3 * hidden], .float32))
        return inputs
    }

    private mutating func fittingDetection(of type: String, _ x: [Int]) -> [ExactTensor?]? {
        let image = [x[0], 2, Int.random(in: 0...3, using: &self), Int.random(in: 0...3, using: &self)]
        let count = Int.random(in: 0...3, using: &self)
        switch type {
        case "RoiAlign":
            return [tensor(image, .float32), tensor([count, 4], .float32), tensor([count], .int64)]
        case "MaxRoiPool":
            var rois = tensor([count, 5], .float32).reals ?? []
            for region in 0..<count { rois[region * 5] = Double(Int.random(in: 0...1, using: &self)) }
            let shape = try! Shape([count, 5])
            return [
                tensor(image, .float32), ExactTensor(reals: rois, shape: shape, elementType: .float32),
            ]
        case "NonMaxSuppression":
            return [
                tensor([x[0], count, 4], .float32), tensor([x[0], 2, count], .float32),
                chance(20) ? nil : tensor([], .int64), nil, chance(50) ? nil : tensor([1], .float32),
            ]
        default: return nil
        }
    }

    /// The shape of a scalar, or of a vector with one of `counts` elements.
    private mutating func scalarOrVector(_ counts: Int...) -> [Int] { chance(30) ? [] : [pick(counts)] }

    private mutating func fittingQuantized(of type: String, _ x: [Int]) -> [ExactTensor?]? {
        let (one, other): (ElementType, ElementType) = (pick([.int8, .uint8]), pick([.int8, .uint8]))
        let kernel = x.dropFirst(2).map { _ in Int.random(in: 0...2, using: &self) }
        let w = [2, Int.random(in: 1...2, using: &self)] + kernel
        let (channels, rows, columns) = (scalarOrVector(1, 2), scalarOrVector(1, 2, 3), scalarOrVector(1, 4))
        switch type {
        case "QuantizeLinear":
            return [tensor(x, .float32), tensor(channels, .float32), tensor(channels, one)]
        case "DequantizeLinear": return [tensor(x, one), tensor(channels, .float32), tensor(channels, one)]
        case "ConvInteger":
            return [tensor(x, one), tensor(w, other), tensor([], one), tensor(channels, other)]
        case "QLinearConv":
            return [
                tensor(x, one), tensor([], .float32), tensor([], one), tensor(w, other),
                tensor(channels, .float32), tensor(channels, other), tensor([], .float32), tensor([], one),
                chance(50) ? nil : tensor([2], .int32),
            ]
        case "MatMulInteger":
            return [tensor([3, 2], one), tensor([2, 4], other), tensor(rows, one), tensor(columns, other)]
        case "QLinearMatMul":
            return [
                tensor([3, 2], one), tensor(rows, .float32), tensor(rows, one), tensor([2, 4], other),
                tensor(columns, .float32), tensor(columns, other), tensor([], .float32), tensor([], one),
            ]
        default: return nil
        }
    }

    private mutating func inputs(count: ClosedRange<Int>) -> [ExactTensor?] {
        let count = Int.random(
            in: count.lowerBound...min(count.upperBound, count.lowerBound + 3), using: &self)
        let common: ElementType = pick([
            .float32, .float32, .float32, .float64, .int64, .int32, .uint8, .uint64, .bool,
        ])
        // Inputs that fit each other, more often than chance would have it.
        let extents = (0..<Int.random(in: 0...5, using: &self)).map { _ in Int.random(in: 0...4, using: &self)
        }
        let channels = extents.count > 1 ? extents[1] : 1
        return (0..<count).map { index in
            if chance(3) { return nil }
            let type: ElementType
            if index == 0 {
                type = common
            } else {
                type = chance(65) ? common : pick([.int64, .int64, .int32, .bool, .float32])
            }
            let dimensions: [Int]
            switch Int.random(in: 0..<8, using: &self) {
            case 0: dimensions = []
            case 1: dimensions = [channels]
            case 2: dimensions = [Int.random(in: 0...5, using: &self)]
            case 3: dimensions = [extents.count]
            case 4: dimensions = [channels, channels] + extents.dropFirst(2).map { min($0, 2) }
            default: dimensions = extents
            }
            return tensor(dimensions, type)
        }
    }

    private func vector(_ elements: [Int]) -> ExactTensor {
        ExactTensor(
            integers: elements.map { Int64($0) }, shape: try! Shape([elements.count]), elementType: .int64)
    }

    private mutating func tensor(_ dimensions: [Int], _ type: ElementType) -> ExactTensor {
        // The extents are small.
        let shape = try! Shape(dimensions)
        if type.isFloatingPoint {
            let isOrdinary = chance(70)
            let values = (0..<shape.count).map { _ in
                isOrdinary ? Double.random(in: 1...2, using: &self) : Double(real())
            }
            return ExactTensor(reals: values, shape: shape, elementType: type)
        }
        let isOrdinary = chance(60)
        let values = (0..<shape.count).map { _ in
            isOrdinary ? Int64.random(in: 0...2, using: &self) : integer()
        }
        return ExactTensor(integers: values, shape: shape, elementType: type)
    }

    /// What an inference might know of a tensor: some extents, and perhaps the elements.
    mutating func veiled(_ tensor: ExactTensor) -> ValueInfo {
        if chance(40) { return ValueInfo(constant: tensor.tensor) }
        if chance(10) { return ValueInfo(tensor.elementType, nil) }
        let dimensions = tensor.shape.dimensions.map { extent in
            chance(60) ? Dimension.known(extent) : chance(50) ? .unknown : .symbol("extent of \(extent)")
        }
        var info = ValueInfo(tensor.elementType, dimensions)
        if tensor.shape.rank <= 1, chance(50), let integers = tensor.integers, tensor.elementType.isInteger {
            info.elements = integers.map { value in
                chance(70) ? .known(Int(value)) : chance(50) ? .unknown : .symbol("extent of \(value)")
            }
        }
        return info
    }

    /// Infos that fit nothing: negative and huge extents, elements of another count than the shape's.
    mutating func infos(count: ClosedRange<Int>) -> [ValueInfo?] {
        let count = Int.random(in: 0...min(count.upperBound, count.lowerBound + 3), using: &self)
        return (0..<count).map { _ in
            if chance(5) { return nil }
            var info = ValueInfo(chance(80) ? .float32 : pick(ElementType.allCases), nil)
            if chance(90) {
                info.dimensions = (0..<Int.random(in: 0...5, using: &self)).map { _ in
                    chance(70) ? .known(Int(integer())) : chance(50) ? .unknown : .symbol(pick(["N", "M"]))
                }
            }
            if chance(50) {
                info.elementType = pick([.int64, .int32])
                info.elements = integers().map {
                    chance(80) ? .known(Int($0)) : pick([.unknown, .symbol("N")])
                }
            }
            return info
        }
    }
}

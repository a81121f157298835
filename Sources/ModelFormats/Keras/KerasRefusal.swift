import Graph

/// Why a Keras model cannot be used, and at which layer.
struct KerasRefusal: Error {
    let reason: String
    /// The layer's names from the model inwards: `encoder/conv2d`.
    var layer: String?
    var byteOffset: Int?

    init(_ reason: String, layer: String? = nil, byteOffset: Int? = nil) {
        self.reason = reason
        self.layer = layer
        self.byteOffset = byteOffset
    }

    init(_ error: HDF5Error) { self.init(error.reason, byteOffset: error.byteOffset) }
    init(_ error: GraphError) { self.init(error.description) }

    /// This refusal with its layer; one that knows its layer stays as it is.
    func at(_ layer: String, _ className: String) -> KerasRefusal {
        if self.layer != nil { return self }
        var result = self
        result.layer = "layer '\(layer)' (\(className)): "
        return result
    }

    func error(path: String) -> ModelError {
        .file(path: path, reason: (layer ?? "") + reason, byteOffset: byteOffset)
    }
}

/// How much a Keras model may hold. The models of Keras's own applications stay far below each of these.
enum KerasLimits {
    static let maximumConfigByteCount = 1 << 26
    /// Weights in an archive that compresses them, which Keras itself never does.
    static let maximumCompressedWeightByteCount = 1 << 31
    static let maximumLayerCount = 20_000
    static let maximumModelDepth = 16
    static let maximumRank = 16
    static let maximumExtent = Int(Int32.max)
    /// Ones and zeros that stand for a scale or a shift that is off.
    static let maximumNeutralCount = 1 << 24
}

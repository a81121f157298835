/// The layers that are read: a family of them is one file in Layers/ and one line here.
enum KerasLayerCatalog {
    /// Adds the layer's nodes and gives its outputs. Throws for a layer that is not known, and for a setting of one.
    static func read(
        _ layer: KerasLayer, _ call: KerasCall, into builder: inout KerasGraphBuilder
    ) throws(KerasRefusal) -> [KerasValue] {
        builder.layer = layer.path
        do throws(KerasRefusal) {
            if let name = layer.stated.ownClass {
                throw KerasRefusal("its class '\(name)' is not Keras's own, and its code is not in the file")
            }
            try requireFloat32(layer)
            if layer.stated.isOperation {
                guard let outputs = try KerasOperations.read(layer, call, &builder) else {
                    throw KerasRefusal("this operation is not supported")
                }
                return outputs
            }
            if layer.className == KerasOperations.tensorFlowFunction {
                guard let outputs = try KerasOperations.readFunction(layer, call, &builder) else {
                    throw KerasRefusal("TensorFlow's \(layer.text("function", default: "")) is not supported")
                }
                return outputs
            }
            return try readLayer(layer, call, &builder)
        } catch {
            throw error.at(layer.path, layer.className)
        }
    }

    private static func readLayer(
        _ layer: KerasLayer, _ call: KerasCall, _ builder: inout KerasGraphBuilder
    ) throws(KerasRefusal) -> [KerasValue] {
        if let outputs = try KerasConvolutions.read(layer, call, &builder) { return outputs }
        if let outputs = try KerasDense.read(layer, call, &builder) { return outputs }
        if let outputs = try KerasNormalizations.read(layer, call, &builder) { return outputs }
        if let outputs = try KerasPoolings.read(layer, call, &builder) { return outputs }
        if let outputs = try KerasActivations.read(layer, call, &builder) { return outputs }
        if let outputs = try KerasMerges.read(layer, call, &builder) { return outputs }
        if let outputs = try KerasShapes.read(layer, call, &builder) { return outputs }
        if let outputs = try KerasPaddings.read(layer, call, &builder) { return outputs }
        if let outputs = try KerasPreprocessing.read(layer, call, &builder) { return outputs }
        if let outputs = try KerasRecurrents.read(layer, call, &builder) { return outputs }
        if let outputs = try KerasWrappers.read(layer, call, &builder) { return outputs }
        if layer.className == "Lambda" {
            throw KerasRefusal(
                "a Lambda holds Python's own code, which is never run; use layers or functions of keras.ops")
        }
        throw KerasRefusal("this layer is not supported")
    }

    /// Mixed precision has float32 weights and is computed in float32.
    private static func requireFloat32(_ layer: KerasLayer) throws(KerasRefusal) {
        let policy = layer.config["dtype"]
        guard let name = policy?.string ?? policy?["config"]?["name"]?.string else { return }
        guard name == "float32" || name.hasPrefix("mixed_") || name.hasPrefix("int") || name.hasPrefix("uint")
        else { throw KerasRefusal("its dtype \(name) is not supported, expected float32") }
    }
}

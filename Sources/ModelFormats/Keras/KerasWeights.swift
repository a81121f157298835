import Tensors

/// The weights of one layer, found as Keras stored them.
struct KerasWeights {
    private enum Source {
        /// A `.keras` file: groups are numbered by class, weights by their order in the layer.
        case store(root: HDF5Object, path: String)
        /// An `.h5` file: a layer's group holds its weights and those of its inner layers, by name.
        case legacy(group: HDF5Object?, names: [String], inner: [Part])
    }

    /// A layer inside the one that has the group.
    private struct Part {
        let name: String
        /// Models and layers with a wrapper around them are in the names that Keras 3 writes, and not in Keras 2's.
        let isOptional: Bool
    }

    private let source: Source

    /// The weights of a whole model in a `.keras` file.
    init(store root: HDF5Object) { source = .store(root: root, path: "") }

    /// Those of a whole model in an `.h5` file.
    init(legacy group: HDF5Object) { source = .legacy(group: group, names: [], inner: []) }

    private init(_ source: Source) { self.source = source }

    /// Those of something that the layer holds: `attribute` is what the layer calls it, `name` its own name, of which
    /// a last `*` stands for any ending; without one, its weights are named as the layer's own.
    func child(_ attribute: String, _ name: String?) -> KerasWeights {
        switch source {
        case .store(let root, let path): KerasWeights(.store(root: root, path: path + "/" + attribute))
        case .legacy(let group, let names, let inner):
            KerasWeights(
                .legacy(
                    group: group, names: names,
                    inner: inner
                        + (name.map { [Part(name: $0, isOptional: !$0.hasSuffix("*"))] } ?? [])))
        }
    }

    /// Those of a model's layers.
    func children(_ layers: [KerasLayer.Stated], isInner: Bool) throws(HDF5Error) -> [KerasWeights] {
        switch source {
        case .store(let root, let path):
            let container = path + "/" + (try Self.container(root))
            var counts: [String: Int] = [:]
            return layers.map { layer in
                let stem = Self.snakeCase(layer.className)
                let count = layer.isOperation ? 0 : counts[stem, default: 0]
                if !layer.isOperation { counts[stem] = count + 1 }
                return KerasWeights(
                    .store(root: root, path: container + "/" + stem + (count > 0 ? "_\(count)" : "")))
            }
        case .legacy(let group, let names, let inner):
            return try layers.map { (layer) throws(HDF5Error) in
                if isInner {
                    let part = Part(name: layer.name, isOptional: layer.isModel)
                    return KerasWeights(.legacy(group: group, names: names, inner: inner + [part]))
                }
                let own = try group?.object(at: layer.name)
                return KerasWeights(
                    .legacy(group: own, names: try own.map(Self.weightNames) ?? [], inner: []))
            }
        }
    }

    /// The weight at `index` of the layer's, which Keras calls `name`.
    func tensor(_ index: Int, _ name: String) throws(KerasRefusal) -> Tensor {
        let tensor: Tensor
        do throws(HDF5Error) {
            guard let object = try object(index, name) else {
                throw HDF5Error(reason: "the file has no weight '\(name)' for it")
            }
            tensor = try object.tensor()
        } catch {
            throw KerasRefusal(error)
        }
        guard tensor.elementType == .float32 else {
            throw KerasRefusal("its weight '\(name)' is \(tensor.elementType), expected float32")
        }
        guard tensor.shape.dimensions.allSatisfy({ (1...KerasLimits.maximumExtent).contains($0) }) else {
            throw KerasRefusal("its weight '\(name)' has the shape \(tensor.shape)")
        }
        return tensor
    }

    /// As `tensor`; throws unless it has this many dimensions.
    func tensor(_ index: Int, _ name: String, rank: Int) throws(KerasRefusal) -> Tensor {
        let tensor = try tensor(index, name)
        guard tensor.shape.rank == rank else {
            throw KerasRefusal(
                "its weight '\(name)' has the shape \(tensor.shape), expected \(rank) dimensions")
        }
        return tensor
    }

    private func object(_ index: Int, _ name: String) throws(HDF5Error) -> HDF5Object? {
        switch source {
        case .store(let root, let path): return try root.object(at: path + "/vars/\(index)")
        case .legacy(let group, let names, let inner):
            for name in [name, Self.unnamed] {
                for inner in [inner, inner.filter({ !$0.isOptional })] {
                    if let path = try path(name, names, inner) { return try group?.object(at: path) }
                }
            }
            return nil
        }
    }

    /// What Keras 3 calls a weight whose layer gives it no name.
    private static let unnamed = "variable"

    /// The shortest of the paths that may be meant: those of other layers are inside models of their own.
    private func path(_ name: String, _ names: [String], _ inner: [Part]) throws(HDF5Error) -> String? {
        let matching = names.filter { Self.isWeight($0, name, inner) }
        let counts = matching.map { path in path.utf8.count(where: { $0 == UInt8(ascii: "/") }) }
        guard let least = counts.min() else { return nil }
        guard counts.count(where: { $0 == least }) == 1 else {
            throw HDF5Error(reason: "the file has several weights '\(name)' for it")
        }
        return zip(matching, counts).first { $0.1 == least }?.0
    }

    /// Whether `path`, such as `bidirectional/forward_lstm/lstm_cell/kernel:0`, is the weight `name` of the inner layers.
    private static func isWeight(_ path: String, _ name: String, _ inner: [Part]) -> Bool {
        let parts = path.split(separator: "/")
        guard let last = parts.last, last.prefix(while: { $0 != ":" }) == name else { return false }
        var rest = parts.dropLast()
        for layer in inner.flatMap({ $0.name.split(separator: "/") }) {
            let stem = layer.hasSuffix("*") ? layer.dropLast() : nil
            while let part = rest.first, !(part == layer || stem.map { part.hasPrefix($0) } ?? false) {
                rest = rest.dropFirst()
            }
            guard !rest.isEmpty else { return false }
            rest = rest.dropFirst()
        }
        return true
    }

    /// A list of names that is too long for one attribute is in several, numbered from 0.
    private static func weightNames(_ group: HDF5Object) throws(HDF5Error) -> [String] {
        if let names = try group.strings("weight_names") { return names }
        var names: [String] = []
        var index = 0
        while let part = try group.strings("weight_names\(index)") {
            names += part
            index += 1
        }
        return names
    }

    /// Files of the first releases of the format have another name for it.
    private static func container(_ root: HDF5Object) throws(HDF5Error) -> String {
        let earlier = "_layer_checkpoint_dependencies"
        return try root.file.links(of: root)[earlier] == nil ? "layers" : earlier
    }

    /// `Conv2DTranspose` → `conv2d_transpose`, as Keras names groups.
    static func snakeCase(_ name: String) -> String {
        let letters = Array(name.utf8).filter { $0 == UInt8(ascii: "_") || Self.isLetterOrDigit($0) }
        let lower = UInt8(ascii: "a")...UInt8(ascii: "z")
        let upper = UInt8(ascii: "A")...UInt8(ascii: "Z")
        var result: [UInt8] = []
        for (index, letter) in letters.enumerated() {
            guard upper.contains(letter) else {
                result.append(letter)
                continue
            }
            let isBegin =
                index > 0
                && (lower.contains(letters[index - 1])
                    || (index + 1 < letters.count && lower.contains(letters[index + 1])))
            if isBegin { result.append(UInt8(ascii: "_")) }
            result.append(letter + 32)
        }
        return String(decoding: result, as: UTF8.self)
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        let ranges: [ClosedRange<UInt8>] = [0x30...0x39, 0x41...0x5A, 0x61...0x7A]
        return ranges.contains { $0.contains(byte) }
    }
}

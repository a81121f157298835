/// The attributes that LSTM, GRU and RNN share.
///
/// `direction` (`forward`, `reverse`, `bidirectional`), `hidden_size` (that of R), `activations` with `activation_alpha`
/// and `activation_beta` (each operator's own, for each direction), `clip` (none: what a gate's function is given is held
/// to −clip…clip; as in ONNX Runtime, LSTM's cell state is not), `layout` (0: time comes first; 1: the batch; since 14).
package struct RecurrentAttributes: Sendable {
    enum Direction: String, CaseIterable { case forward, reverse, bidirectional }

    let hiddenSize: Int?
    let clip: Double
    let isBatchFirst: Bool
    let direction: Direction
    /// Those of each direction.
    let activations: [[RecurrentActivation]]

    var directionCount: Int { direction == .bidirectional ? 2 : 1 }

    /// `defaults`: the activations of one direction.
    init(_ attributes: inout AttributeReader, defaults: [String]) throws(GraphError) {
        let type = attributes.operatorType
        hiddenSize = try attributes.integer("hidden_size", in: 1...AttributeReader.maximumExtent)
        direction = try attributes.choice("direction", default: .forward)
        isBatchFirst = attributes.opset >= 14 ? try attributes.flag("layout", default: false) : false
        let clip = try attributes.real("clip", default: .infinity)
        guard clip >= 0 else { throw .attribute(type, name: "clip", reason: "is \(clip)") }
        self.clip = Double(clip)
        let count = direction == .bidirectional ? 2 : 1
        var names = try attributes.strings("activations") ?? []
        if names.isEmpty { names = (0..<count).flatMap { _ in defaults } }
        // RNN's schema has two by default, which exporters write out for one direction too.
        let isSpare = defaults.count == 1 && names.count == 2
        guard names.count == defaults.count * count || isSpare else {
            throw .attribute(
                type, name: "activations", reason: "has \(names.count), expected \(defaults.count * count)")
        }
        var alphas = try attributes.reals("activation_alpha").map { $0[...] } ?? []
        var betas = try attributes.reals("activation_beta").map { $0[...] } ?? []
        var result: [[RecurrentActivation]] = []
        for direction in 0..<count {
            var own: [RecurrentActivation] = []
            for name in names[direction * defaults.count..<(direction + 1) * defaults.count] {
                guard let activation = RecurrentActivation(name, alphas: &alphas, betas: &betas) else {
                    throw .attribute(type, name: "activations", reason: "has '\(name)', which is not known")
                }
                own.append(activation)
            }
            result.append(own)
        }
        activations = result
    }
}

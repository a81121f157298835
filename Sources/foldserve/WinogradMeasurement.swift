import Execution
import Graph
import Tensors

/// What Winograd's algorithm does to a model's outputs, measured on a random input.
struct WinogradMeasurement: Encodable {
    /// The convolutions that it computes.
    let convolutions: Int
    /// How far the outputs are from those of direct convolutions: the length of the difference over the length of the output,
    /// the greatest of all outputs.
    let relativeError: Double

    /// `nil` when no convolution runs so, or an input has no declared shape.
    static func measure(_ graph: Graph) -> WinogradMeasurement? {
        guard let winograd = try? Executable(graph) else { return nil }
        let count = winograd.stepDescriptions.count { $0.kernel.contains("Winograd") }
        guard count > 0, let direct = try? Executable(graph, options: ExecutionOptions(usesWinograd: false))
        else { return nil }
        var inputs: [String: Tensor] = [:]
        for port in graph.inputs where !graph.overridableInputs.contains(port.name) {
            guard let tensor = try? RandomInput.make(port, openExtent: 1) else { return nil }
            inputs[port.name] = tensor
        }
        guard let actual = try? Session(winograd, threadCount: 1).run(inputs),
            let expected = try? Session(direct, threadCount: 1).run(inputs)
        else { return nil }
        var worst = 0.0
        for (name, tensor) in expected {
            guard let theirs = ExactTensor(tensor).reals, let ours = actual[name].map(ExactTensor.init)?.reals
            else { continue }
            let difference = zip(ours, theirs).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
            let size = theirs.reduce(0) { $0 + $1 * $1 }
            if difference > 0, size > 0 { worst = max(worst, (difference / size).squareRoot()) }
        }
        return WinogradMeasurement(convolutions: count, relativeError: worst)
    }

    var text: String {
        "\(convolutions) convolutions; on a random input the outputs differ from direct ones by \(relativeError) of their size"
    }
}

import Glibc
import Graph
import Tensors

/// Inputs and expected outputs that lie beside a model as `golden/<name>.npy`: run once before anyone is served.
///
/// In file names, characters outside `[A-Za-z0-9._-]` are percent-encoded.
package struct GoldenCheck: Sendable {
    package let inputs: [String: Tensor]
    package let outputs: [String: Tensor]
    /// How far an element may be off, in units of max(1, the expected output's standard deviation).
    package let tolerance: Double

    package init(inputs: [String: Tensor], outputs: [String: Tensor], tolerance: Double) {
        self.inputs = inputs
        self.outputs = outputs
        self.tolerance = tolerance
    }

    /// Reads the folder; `nil` when there is none.
    ///
    /// Throws for a file that names no input or output and for a missing one.
    package init?(folder: String, interface: ModelInterface, tolerance: Double) throws(RepositoryError) {
        guard FileSystem.isDirectory(folder) else { return nil }
        var inputs: [String: Tensor] = [:]
        var outputs: [String: Tensor] = [:]
        let suffix = ".npy"
        for file in try FileSystem.entries(of: folder) where file.hasSuffix(suffix) {
            guard let decoded = PercentCoding.decode(Array(file.utf8.dropLast(suffix.utf8.count))) else {
                throw .golden(file: file, reason: "its name has a bad percent escape")
            }
            let name = String(decoding: decoded, as: UTF8.self)
            let tensor: Tensor
            do {
                tensor = try NPYFile.read(path: folder + "/" + file)
            } catch {
                throw .golden(file: file, reason: FileSystem.reason(error))
            }
            if interface.input(name) != nil {
                inputs[name] = tensor
            } else if interface.output(name) != nil {
                outputs[name] = tensor
            } else {
                throw .golden(file: file, reason: "the model has no input or output '\(name)'")
            }
        }
        if let missing = interface.inputs.first(where: { !$0.isOptional && inputs[$0.name] == nil }) {
            throw .golden(file: missing.name + suffix, reason: "is missing")
        }
        guard !outputs.isEmpty else { throw .golden(file: "*.npy", reason: "no output's is there") }
        self.init(inputs: inputs, outputs: outputs, tolerance: tolerance)
    }

    /// Throws for the first element that is too far off.
    package func compare(_ actual: [String: Tensor]) throws(RepositoryError) {
        for (name, expected) in outputs.sorted(by: { $0.key < $1.key }) {
            guard let tensor = actual[name], tensor.shape == expected.shape else {
                throw .golden(
                    file: name + ".npy",
                    reason: "has shape \(expected.shape), the model gives "
                        + (actual[name]?.shape.description ?? "nothing"))
            }
            try compare(name, Self.values(tensor), Self.values(expected))
        }
    }

    private func compare(
        _ name: String, _ actual: [Double], _ expected: [Double]
    ) throws(RepositoryError) {
        let allowed = tolerance * max(1, Self.standardDeviation(expected))
        for index in expected.indices {
            let (value, wanted) = (actual[index], expected[index])
            // Written so that a NaN on one side alone is a mismatch.
            let isEqual = value == wanted || (value.isNaN && wanted.isNaN)
            guard isEqual || abs(value - wanted) <= allowed else {
                throw .goldenMismatch(
                    output: name, index: index, expected: wanted, actual: value, tolerance: allowed)
            }
        }
    }

    private static func values(_ tensor: Tensor) -> [Double] {
        let exact = ExactTensor(tensor)
        return exact.reals ?? exact.integers?.map(Double.init) ?? []
    }

    static func standardDeviation(_ values: [Double]) -> Double {
        let finite = values.filter(\.isFinite)
        guard !finite.isEmpty else { return 0 }
        let mean = finite.reduce(0, +) / Double(finite.count)
        let variance = finite.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(finite.count)
        return variance.squareRoot()
    }
}

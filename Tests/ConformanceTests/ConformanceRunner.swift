import Execution
import Folding
import Graph
import ModelFormats
import Tensors

/// Runs a test by the evaluation, and by the plan as the server and `foldserve predict` do.
struct ConformanceRunner {
    private let workers = WorkerPool(threadCount: ThreadCount.available)

    /// Of larger networks only the plan runs: the evaluation is slow.
    private static let evaluatedMultiplications = 1_000_000_000

    struct Mismatch: Error {
        let description: String
    }

    func run(_ item: ConformanceCase) -> ConformanceResult {
        do {
            let graph = try FormatCatalog.standard.load(path: item.modelPath)
            let executable = try Executable(FoldPipeline.standard.run(graph).graph)
            guard !item.dataSets.isEmpty else { throw Mismatch(description: "there is no test_data_set_0") }
            for dataSet in item.dataSets {
                try check(item, dataSet, graph, executable)
            }
            return ConformanceResult(item: item, outcome: .passed)
        } catch let error as ModelError {
            guard case .graph(_, let reason) = error else { return refusal(item, nil, error.description) }
            return refusal(item, reason, error.description)
        } catch let error as ExecutionError {
            guard case .graph(let reason) = error else { return refusal(item, nil, error.description) }
            return refusal(item, reason, error.description)
        } catch let error as GraphError {
            return refusal(item, error, error.description)
        } catch let error as Mismatch {
            return ConformanceResult(item: item, outcome: .failed(error.description))
        } catch {
            return ConformanceResult(item: item, outcome: .failed("\(error)"))
        }
    }

    private func check(
        _ item: ConformanceCase, _ dataSet: String, _ graph: Graph, _ executable: Executable
    ) throws {
        let inputs = try tensors("input", dataSet, for: graph.inputs)
        let expected = try tensors("output", dataSet, for: graph.outputs)
        let inferred = try graph.inferValues(inputShapes: inputs.mapValues(\.shape))
        for (name, tensor) in expected {
            guard let info = inferred[name], !Self.agrees(info, tensor) else { continue }
            throw Mismatch(description: "output '\(name)' is inferred as \(info)")
        }
        if item.multiplications <= Self.evaluatedMultiplications {
            let evaluated = try Evaluator(rounding: .declared).run(
                graph, inputs: inputs.mapValues(ExactTensor.init))
            try compare(evaluated, expected, item, "evaluation")
        }
        let planned = try Session(executable, pool: workers).run(inputs)
        try compare(planned.mapValues(ExactTensor.init), expected, item, "plan")
    }

    private func tensors(
        _ role: String, _ dataSet: String, for ports: [Graph.Port]
    ) throws -> [String: Tensor] {
        let files = ConformanceCase.tensorFiles(role, in: dataSet)
        guard files.count == ports.count else {
            throw Mismatch(description: "\(files.count) \(role) files for \(ports.map(\.name))")
        }
        var tensors: [String: Tensor] = [:]
        for (port, file) in zip(ports, files) {
            let tensor = try ONNXTensorFile.read(path: file)
            // Before NumPy had a bfloat16, the tests stored the bits of one as uint16.
            let isBits = port.info.elementType == .bfloat16 && tensor.elementType == .uint16
            tensors[port.name] = isBits ? Self.bfloat16(tensor) : tensor
        }
        return tensors
    }

    /// Whether all that inference knows of an output is so.
    private static func agrees(_ info: ValueInfo, _ tensor: Tensor) -> Bool {
        guard info.elementType == nil || info.elementType == tensor.elementType else { return false }
        guard let dimensions = info.dimensions else { return true }
        return dimensions.count == tensor.shape.rank
            && zip(dimensions, tensor.shape.dimensions).allSatisfy { $0.value == nil || $0.value == $1 }
    }

    private static func bfloat16(_ bits: Tensor) -> Tensor {
        Tensor(elementType: .bfloat16, shape: bits.shape) { bytes in
            bits.withUnsafeBytes { bytes.copyMemory(from: $0) }
        }
    }

    private func compare(
        _ actual: [String: ExactTensor], _ expected: [String: Tensor], _ item: ConformanceCase, _ way: String
    ) throws {
        for (name, expected) in expected.sorted(by: { $0.key < $1.key }) {
            guard let actual = actual[name] else {
                throw Mismatch(description: "\(way): no output '\(name)'")
            }
            let comparison = TensorComparison(relativeTolerance: item.rtol, absoluteTolerance: item.atol)
            if let difference = comparison.difference(actual, ExactTensor(expected)) {
                throw Mismatch(description: "\(way): output '\(name)' \(difference)")
            }
        }
    }

    /// A refusal is right when it names operators that foldserve lacks, or when the test asks for what no one promised.
    private func refusal(
        _ item: ConformanceCase, _ error: GraphError?, _ message: String
    ) -> ConformanceResult {
        if case .unsupportedOperators(let names) = error, Set(names).isSubset(of: item.operators) {
            let reasons = names.map { "operator \($0)" }
            return ConformanceResult(item: item, outcome: .refused(reasons: reasons), message: message)
        }
        guard let reason = item.outside.first else {
            return ConformanceResult(item: item, outcome: .failed("refused: \(message)"))
        }
        return ConformanceResult(item: item, outcome: .refused(reasons: [reason]), message: message)
    }
}

import ArgumentParser
import Execution
import FoundationEssentials
import Glibc
import Graph
import Kernels
import Tensors

struct BenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench", abstract: "Times a model's inference.",
        discussion: "Inputs that are not given are random, of the model's shape with open extents as --batch."
    )

    @Argument(help: "A model file, or a model's folder in a repository (its highest version).")
    var model: String

    @Option(help: "Extent of the open dimensions of generated inputs.")
    var batch = 1

    @Option(help: "Threads; by default as many as this process may use.")
    var threads: Int?

    @Option(help: "Inferences that are timed.")
    var iterations = 100

    @Option(help: "Inferences before them.")
    var warmup = 10

    @Option(
        name: .customLong("input"),
        help: ArgumentHelp("An input tensor; may be repeated.", valueName: "name=file.npy"))
    var inputs: [String] = []

    @Option(help: "A folder that gets one .npy file an output; it is made when missing.")
    var outputDir: String?

    @Flag(help: "Run the network as the file has it: shows what folding buys.")
    var noFold = false

    @Flag(help: "Show what each step takes, as a share of the time and of this machine's measured peak.")
    var profile = false

    @Flag(help: "Compute 3×3 convolutions directly: slower, with a little less rounding error.")
    var noWinograd = false

    @Flag(help: #"Print {"milliseconds":[one per iteration], …}."#)
    var json = false

    func validate() throws {
        guard batch >= 1, iterations >= 1, warmup >= 0, threads ?? 1 >= 1 else {
            throw ValidationError(
                "--batch, --iterations and --threads must be at least 1, --warmup at least 0")
        }
    }

    func run() throws {
        try CommandFailure.reporting {
            var loaded = try LoadedModel(path: model, fold: !noFold)
            let threadCount = threads ?? ThreadCount.available
            let executable = try loaded.makeExecutable(usesWinograd: !noWinograd)
            let session = Session(executable, threadCount: threadCount)
            var arguments = try TensorArguments.read(inputs, for: loaded.graph)
            for port in loaded.graph.inputs where arguments[port.name] == nil {
                arguments[port.name] = try RandomInput.make(port, openExtent: batch)
            }
            for _ in 0..<warmup { _ = try session.run(arguments) }
            var outputs: [String: Tensor] = [:]
            var milliseconds: [Double] = []
            let clock = ContinuousClock()
            for _ in 0..<iterations {
                let duration = try clock.measure { outputs = try session.run(arguments) }
                milliseconds.append(duration / .milliseconds(1))
            }
            if let outputDir {
                try OutputDirectory.make(outputDir)
                try TensorArguments.write(outputs, directory: outputDir)
            }
            var profileReport: ProfileReport?
            if profile {
                let peak = PeakRate.measure(KernelTable(executable.instructionSet)) * Double(threadCount)
                let runCount = min(iterations, Self.maximumProfileRunCount)
                profileReport = ProfileReport(
                    try session.profile(arguments, runCount: runCount), peak: peak)
            }
            try report(milliseconds, profileReport, threadCount: threadCount)
        }
    }

    private struct Report: Encodable {
        let milliseconds: [Double]
        let median: Double
        let minimum: Double
        let threads: Int
        let folded: Bool
        let profile: ProfileReport?
    }

    /// The most inferences that a profile is the median of.
    private static let maximumProfileRunCount = 1_000

    private func report(_ milliseconds: [Double], _ profile: ProfileReport?, threadCount: Int) throws {
        let sorted = milliseconds.sorted()
        let report = Report(
            milliseconds: milliseconds, median: sorted[sorted.count / 2], minimum: sorted[0],
            threads: threadCount, folded: !noFold, profile: profile)
        if json {
            print(String(decoding: try JSONEncoder().encode(report), as: UTF8.self))
        } else {
            print(
                "median \(report.median) ms, minimum \(report.minimum) ms, maximum \(sorted[sorted.count - 1]) ms "
                    + "over \(iterations) inferences on \(threadCount) threads")
            if let profile { print(profile.text) }
        }
    }
}

/// Inputs for a benchmark that names none.
enum RandomInput {
    /// Uniform on [-1, 1) for floats, zero for the rest.
    static func make(_ port: Graph.Port, openExtent: Int) throws -> Tensor {
        guard let elementType = port.info.elementType, let dimensions = port.info.dimensions else {
            throw CommandFailure.data("input '\(port.name)' has no declared shape: give it by --input")
        }
        let shape = try Shape(dimensions.map { $0.value ?? openExtent })
        guard elementType.isFloatingPoint else {
            return Tensor(elementType: elementType, shape: shape) { _ in }
        }
        var state: UInt64 = 0x9e37_79b9_7f4a_7c15
        let values = (0..<shape.count).map { _ -> Double in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Double(state >> 11) / Double(1 << 52) - 1
        }
        return ExactTensor(reals: values, shape: shape, elementType: elementType).tensor
    }
}

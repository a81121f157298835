import ArgumentParser
import Execution
import Glibc
import Tensors

struct PredictCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "predict", abstract: "Runs a model once on .npy files.",
        discussion: """
            Without --output-dir the outputs are printed: name, type, shape and the first elements.

              foldserve predict models/digits_cnn --input input=x.npy --output-dir out
            """)

    @Argument(help: "A model file, or a model's folder in a repository (its highest version).")
    var model: String

    @Option(
        name: .customLong("input"),
        help: ArgumentHelp("An input tensor; may be repeated.", valueName: "name=file.npy"))
    var inputs: [String] = []

    @Option(help: "A folder that gets one .npy file an output; it is made when missing.")
    var outputDir: String?

    @Flag(help: "Run the network as the file has it.")
    var noFold = false

    @Flag(help: "Compute 3×3 convolutions directly: slower, with a little less rounding error.")
    var noWinograd = false

    @Option(help: "Threads; by default as many as this process may use.")
    var threads: Int?

    func validate() throws {
        if let threads, threads < 1 { throw ValidationError("--threads must be at least 1") }
    }

    func run() throws {
        try CommandFailure.reporting {
            var loaded = try LoadedModel(path: model, fold: !noFold)
            let session = Session(
                try loaded.makeExecutable(usesWinograd: !noWinograd),
                threadCount: threads ?? ThreadCount.available)
            let arguments = try TensorArguments.read(inputs, for: loaded.graph)
            let outputs = try session.run(arguments)
            if let outputDir {
                try OutputDirectory.make(outputDir)
                try TensorArguments.write(outputs, directory: outputDir)
            } else {
                for port in loaded.graph.outputs {
                    if let tensor = outputs[port.name] { print(TensorSummary.text(port.name, tensor)) }
                }
            }
        }
    }
}

enum OutputDirectory {
    /// Makes the folder unless it is there already.
    static func make(_ path: String) throws {
        guard mkdir(path, 0o777) == 0 || errno == EEXIST else {
            throw CommandFailure.usage("\(path): \(String(cString: strerror(errno)))")
        }
    }
}

import ArgumentParser

/// The command line.
@main
struct Foldserve: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "foldserve",
        abstract: "Serves trained convolutional and dense networks over HTTP, their BatchNorms folded away.",
        version: Version.text,
        subcommands: [
            ServeCommand.self, HealthCommand.self, PredictCommand.self, InspectCommand.self, FoldCommand.self,
            VerifyCommand.self, BenchCommand.self,
        ])
}

/// What `foldserve --version` and `GET /v2` say.
enum Version {
    static let text = "0.1.0"
}

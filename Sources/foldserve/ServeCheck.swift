import Execution
import HTTPServer
import ModelFormats
import ModelServing
import ServingAPI
import Tensors

/// Everything that would keep a server with these settings from starting, or a model from being served.
struct ServeCheck {
    private(set) var configurationProblems: [String]
    private(set) var modelProblems: [String] = []
    private(set) var modelCount = 0

    /// `problems` are those of the settings themselves. Models are loaded, one after the other, only where `loads` says so.
    init(_ settings: Configuration, problems: [String], loads: Bool) {
        configurationProblems = problems
        configurationProblems += settings.server.problems.map(\.description)
        if settings.admin.tokenFile != nil {
            // What both listeners share is told already.
            let told = configurationProblems
            configurationProblems += settings.adminServer.problems.map(\.description).filter {
                !told.contains($0)
            }
            if settings.port != 0, settings.port == settings.admin.port,
                settings.host == settings.admin.host || ["0.0.0.0", "::"].contains(settings.host)
            {
                configurationProblems.append("settings 'port' and 'admin.port' are both \(settings.port)")
            }
        }
        for path in [settings.access.tokenFile, settings.admin.tokenFile] {
            guard let path else { continue }
            do {
                _ = try AccessPolicy(path: path)
            } catch {
                configurationProblems.append(error.reason)
            }
        }
        checkModels(settings, loads: loads)
    }

    /// One line for each problem, and the exit status: 64 for settings, 65 for models, 0.
    func report() throws {
        for problem in configurationProblems + modelProblems {
            StandardError.writeLine("foldserve: " + problem)
        }
        if !configurationProblems.isEmpty { throw CommandFailure.usageStatus }
        if !modelProblems.isEmpty { throw CommandFailure.dataStatus }
        print("nothing is wrong; models: \(modelCount)")
    }

    private mutating func checkModels(_ settings: Configuration, loads: Bool) {
        let catalog = FormatCatalog.standard
        let repository: RepositoryCheck
        do {
            repository = try RepositoryCheck(
                folder: settings.models, fileNames: catalog.formats.map(\.fileName))
        } catch {
            configurationProblems.append("the model repository cannot be read: \(error)")
            return
        }
        modelCount = repository.modelCount
        modelProblems = repository.problems.map { "model '\($0.model)': \($0.reason)" }
        guard loads else { return }
        MappedFile.surviveCutFiles()
        let loader = ModelLoader(
            catalog, threadsPerSession: settings.threads == 0 ? ThreadCount.available : settings.threads,
            clock: .system, options: ExecutionOptions(usesWinograd: settings.engine.winograd),
            batching: settings.batchPolicy, makesDigests: false)
        for candidate in repository.candidates {
            do {
                try candidate.load(with: loader)
            } catch {
                modelProblems.append(
                    "model '\(candidate.name)' version \(candidate.version): \(error.description)")
            }
        }
    }
}

import ArgumentParser
import Glibc
import Logging
import ServingAPI

struct ServeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Serves a folder of models over HTTP.",
        discussion: """
            Settings come from the configuration file, then from FOLDSERVE_… variables, then from these options. \
            SIGTERM and SIGINT stop accepting, answer what was accepted and exit with 0. SIGHUP reads certificates and \
            tokens again, and looks at the repository now where it is polled.
            """)

    @Option(help: "The configuration file; config/foldserve.json shows every setting.")
    var config: String?

    @Option(help: "The model repository: <name>/<version>/model.onnx.")
    var models: String?

    @Option(help: "A folder that keeps proven folds, so that the next start of a model takes less time.")
    var cacheDir: String?

    @Option(help: "The address to listen on.")
    var host: String?

    @Option(help: "The port to listen on; 0 takes a free one.")
    var port: String?

    @Option(help: "Threads that compute, in all; 0 for as many as this process may use.")
    var threads: String?

    @Option(help: "A certificate chain (PEM); with --tls-key the port speaks TLS.")
    var tlsCertificate: String?

    @Option(help: "The certificate's private key (PEM).")
    var tlsKey: String?

    @Flag(help: "Compute 3×3 convolutions directly: slower, with a little less rounding error.")
    var noWinograd = false

    @Option(help: "trace, debug, info, notice, warning, error or critical.")
    var logLevel: String?

    @Flag(help: "Say everything that is wrong with the settings and the repository, and do not serve.")
    var check = false

    @Flag(help: "With --check, load every model too.")
    var load = false

    func validate() throws {
        guard check || !load else { throw ValidationError("--load goes with --check") }
    }

    func run() throws {
        try CommandFailure.reporting {
            if check {
                let (settings, errors) = collectSettings()
                return try ServeCheck(settings, problems: errors.map(\.description), loads: load).report()
            }
            // Blocked before any thread starts, so that every thread inherits it and only `wait` receives them.
            let signals = TerminationSignals()
            let settings = try loadSettings()
            let isJSON = settings.logFormat == "json"
            var logger = Logger(label: "foldserve") { label -> any LogHandler in
                isJSON ? JSONLogHandler(label: label) : StreamLogHandler.standardError(label: label)
            }
            logger.logLevel = Logger.Level(rawValue: settings.logLevel) ?? .info

            let service = try Service(settings: settings, logger: logger)
            service.start()
            print("listening on \(service.url)")
            if let url = service.adminURL { print("admin on \(url)") }
            fflush(nil)
            let signal = signals.wait { service.reload() }
            logger.info("draining", metadata: ["signal": "\(signal)"])
            service.shutdown()
            logger.info("stopped")
        }
    }

    /// What is wrong is all told; the last of it is thrown.
    private func loadSettings() throws -> Configuration {
        let (settings, errors) = collectSettings()
        for error in errors.dropLast() { StandardError.writeLine("foldserve: \(error)") }
        if let last = errors.last { throw last }
        return settings
    }

    private func collectSettings() -> (configuration: Configuration, errors: [ConfigurationError]) {
        let options: [(name: String, flag: String, value: String?)] = [
            ("models", "--models", models), ("cacheDir", "--cache-dir", cacheDir), ("host", "--host", host),
            ("port", "--port", port),
            ("threads", "--threads", threads), ("tlsCertificate", "--tls-certificate", tlsCertificate),
            ("tlsKey", "--tls-key", tlsKey), ("logLevel", "--log-level", logLevel),
            ("engine.winograd", "--no-winograd", noWinograd ? "false" : nil),
        ]
        return ConfigurationLoader(environment: ProcessEnvironment.variables).collect(
            path: config,
            flags: options.compactMap { option in option.value.map { (option.name, option.flag, $0) } })
    }
}

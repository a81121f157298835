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

    @Option(help: "The address to listen on.")
    var host: String?

    @Option(help: "The port to listen on; 0 takes a free one.")
    var port: Int?

    @Option(help: "Threads that compute, in all; 0 for as many as this process may use.")
    var threads: Int?

    @Option(help: "A certificate chain (PEM); with --tls-key the port speaks TLS.")
    var tlsCertificate: String?

    @Option(help: "The certificate's private key (PEM).")
    var tlsKey: String?

    @Flag(help: "Compute 3×3 convolutions directly: slower, with a little less rounding error.")
    var noWinograd = false

    @Option(help: "trace, debug, info, notice, warning, error or critical.")
    var logLevel: String?

    func run() throws {
        try CommandFailure.reporting {
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

    private func loadSettings() throws -> Configuration {
        var settings = try ConfigurationLoader(environment: ProcessEnvironment.variables).load(path: config)
        let options: [(String, String?)] = [
            ("models", models), ("host", host), ("port", port.map(String.init)),
            ("threads", threads.map(String.init)), ("tlsCertificate", tlsCertificate), ("tlsKey", tlsKey),
            ("logLevel", logLevel), ("engine.winograd", noWinograd ? "false" : nil),
        ]
        for (name, value) in options {
            guard let value, let setting = Setting.all.first(where: { $0.name == name }) else { continue }
            try setting.apply(.text(value), to: &settings)
        }
        guard (settings.tlsCertificate == nil) == (settings.tlsKey == nil) else {
            throw CommandFailure.usage("TLS needs both a certificate and a key, only one is given")
        }
        return settings
    }
}

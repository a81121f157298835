import ArgumentParser

struct HealthCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "health",
        abstract: "Exits with 0 when a server is ready: for a container's HEALTHCHECK.",
        discussion: """
            Without --url it asks the server that the same file and FOLDSERVE_… variables would start, over TLS when \
            they name a certificate; the certificate is not verified. Exit status 1: not ready, or no answer.
            """)

    @Option(help: "The server, e.g. http://127.0.0.1:8080.")
    var url: String?

    @Option(help: "The configuration file of the server.")
    var config: String?

    @Option(help: "How long to wait for the answer.")
    var timeoutSeconds = 5

    func validate() throws {
        guard (1...3600).contains(timeoutSeconds) else {
            throw ValidationError("--timeout-seconds must be 1 to 3600")
        }
    }

    func run() throws {
        try CommandFailure.reporting {
            let probe = try url.map { try HealthProbe(url: $0) } ?? configuredProbe()
            switch probe.run(timeoutSeconds: timeoutSeconds) {
            case .success(200): print("ready")
            case .success(let status):
                StandardError.writeLine("foldserve: \(probe) is not ready: it answers \(status)")
                throw ExitCode(1)
            case .failure(let error):
                StandardError.writeLine("foldserve: \(probe): \(error)")
                throw ExitCode(1)
            }
        }
    }

    private func configuredProbe() throws -> HealthProbe {
        let configuration = try ConfigurationLoader(environment: ProcessEnvironment.variables).load(
            path: config)
        return HealthProbe(
            host: HealthProbe.loopback(for: configuration.host), port: configuration.port,
            isSecure: configuration.tlsCertificate != nil)
    }
}

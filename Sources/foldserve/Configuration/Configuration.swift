import HTTPServer

/// Every setting of `serve` with its default; `config/foldserve.json` lists the same ones.
package struct Configuration {
    /// The model repository: `<name>/<version>/model.onnx`.
    package var models = "models"
    package var host = "0.0.0.0"
    package var port = 8080
    package var tlsCertificate: String?
    package var tlsKey: String?
    /// Threads that read and write sockets.
    package var eventLoops = 1
    /// Threads that compute, in all; 0 stands for as many as the container may use.
    package var threads = 0
    /// Requests of one model that may wait for a thread; past it 503.
    package var queueCapacity = 256
    package var logLevel = "info"
    package var logFormat = "text"
    /// How long SIGTERM waits for requests that were accepted.
    package var drainTimeoutSeconds = 30.0
    /// Whether the digests of models are told: making them reads all weights once more.
    package var modelDigests = true
    /// Whether predictions say how long their phases took.
    package var serverTiming = true
    package var metrics = Metrics()
    package var engine = Engine()
    package var limits = Limits()

    /// How models are computed.
    package struct Engine {
        /// Whether 3×3 convolutions may be computed by Winograd's algorithm.
        package var winograd = true
    }

    /// What /metrics shows.
    package struct Metrics {
        /// Whether Triton's names are there too.
        package var tritonNames = false
    }

    package init() {}
}

import HTTPServer

/// Every setting of `serve` with its default; `config/foldserve.json` lists the same ones.
struct Configuration {
    /// The model repository: `<name>/<version>/model.onnx`.
    var models = "models"
    var host = "0.0.0.0"
    var port = 8080
    var tlsCertificate: String?
    var tlsKey: String?
    /// Threads that read and write sockets.
    var eventLoops = 1
    /// Threads that compute, in all; 0 stands for as many as the container may use.
    var threads = 0
    /// Requests of one model that may wait for a thread; past it 503.
    var queueCapacity = 256
    var logLevel = "info"
    /// How long SIGTERM waits for requests that were accepted.
    var drainTimeoutSeconds = 30.0
    var limits = Limits()
}

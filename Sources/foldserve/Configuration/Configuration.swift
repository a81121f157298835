import HTTPServer

/// Every setting of `serve` with its default; `config/foldserve.json` lists the same ones.
package struct Configuration {
    /// The model repository: `<name>/<version>/model.onnx`.
    package var models = "models"
    /// Where folds are kept for the next start.
    package var cacheDir: String?
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
    /// Requests of all models that may wait.
    package var totalQueueCapacity = 1024
    /// Requests that would wait longer, by what runs took of late, are refused.
    package var maximumWaitSeconds = 10.0
    package var logLevel = "info"
    package var logFormat = "text"
    /// How long SIGTERM waits for requests that were accepted.
    package var drainTimeoutSeconds = 30.0
    /// Whether the digests of models are told: making them reads all weights once more.
    package var modelDigests = true
    /// Whether predictions say how long their phases took.
    package var serverTiming = true
    package var metrics = Metrics()
    package var batching = Batching()
    package var repository = Repository()
    package var access = Access()
    package var admin = Admin()
    package var engine = Engine()
    package var limits = Limits()

    /// How requests are gathered, for models whose `model.json` says nothing.
    package struct Batching {
        /// Items that may ride in one run with those of other requests.
        package var maxBatchSize = 8
        /// How long a request may be held back for others.
        package var maxQueueDelayMicroseconds = 0
    }

    /// When models are loaded and looked at again.
    package struct Repository {
        /// `static`, `poll` or `explicit`.
        package var mode = "static"
        package var pollSeconds = 5.0
        /// In the mode `explicit`, names with commas between them, or `*`.
        package var loadAtStart = ""
    }

    /// Who may ask what on the port of predictions.
    package struct Access {
        /// Without one everyone may ask everything.
        package var tokenFile: String?
    }

    /// A listener of its own for loading and unloading.
    package struct Admin {
        package var host = "127.0.0.1"
        package var port = 8081
        /// Without one there is no such listener.
        package var tokenFile: String?
    }

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

import ModelServing
import Tensors

/// A model's configuration, as Triton's model configuration extension tells it.
struct ModelConfiguration {
    struct Port {
        let name: String
        let elementType: ElementType
        /// Without the batch axis where there is one; -1 for an open extent.
        let dimensions: [Int]
        let isOptional: Bool
    }

    static let backend = "foldserve"

    let name: String
    let platform: String
    /// Items that ride in one run; 0 for a model whose items cannot be told apart. A request alone may have more.
    let maximumBatchSize: Int
    let queueDelayMicroseconds: UInt64
    let inputs: [Port]
    let outputs: [Port]
    /// Requests that run at once.
    let instanceCount: Int
    let versionPolicy: VersionPolicy

    init(_ model: LoadedModel, scheduler: InferenceScheduler) {
        let interface = model.interface
        let isBatched = model.executable.batchObstacle == nil
        let policy = scheduler.batching(of: model)
        let ports = { (ports: [ModelInterface.Port]) in
            ports.map { port in
                Port(
                    name: port.name, elementType: port.elementType,
                    dimensions: Array(port.protocolShape.dropFirst(isBatched && !port.isOptional ? 1 : 0)),
                    isOptional: port.isOptional)
            }
        }
        versionPolicy = model.description.versionPolicy
        name = model.name
        platform = model.platform
        maximumBatchSize = isBatched ? policy.maximumItemCount : 0
        queueDelayMicroseconds = policy.queueDelayMicroseconds
        inputs = ports(interface.inputs)
        outputs = ports(interface.outputs)
        instanceCount = scheduler.configuration.runLimit
    }

    /// Whether requests ride together.
    private var isGathered: Bool { maximumBatchSize > 1 }

    var instanceName: String { name + "_0" }
}

extension ElementType {
    /// The type's number and name among the configuration's data types.
    fileprivate var configured: (number: UInt64, name: String) {
        switch self {
        case .bool: (1, "TYPE_BOOL")
        case .uint8: (2, "TYPE_UINT8")
        case .uint16: (3, "TYPE_UINT16")
        case .uint32: (4, "TYPE_UINT32")
        case .uint64: (5, "TYPE_UINT64")
        case .int8: (6, "TYPE_INT8")
        case .int16: (7, "TYPE_INT16")
        case .int32: (8, "TYPE_INT32")
        case .int64: (9, "TYPE_INT64")
        case .float16: (10, "TYPE_FP16")
        case .float32: (11, "TYPE_FP32")
        case .float64: (12, "TYPE_FP64")
        case .bfloat16: (14, "TYPE_BF16")
        }
    }
}

extension ModelConfiguration {
    func write(to writer: inout JSONWriter) {
        writer.key("name")
        writer.string(name)
        writer.key("platform")
        writer.string(platform)
        writer.key("backend")
        writer.string(Self.backend)
        writer.key("version_policy")
        writer.object { writer in
            switch versionPolicy {
            case .all:
                writer.key("all")
                writer.object { _ in }
            case .latest(let count):
                writer.key("latest")
                writer.object { writer in
                    writer.key("num_versions")
                    writer.integer(count)
                }
            case .specific(let versions):
                writer.key("specific")
                writer.object { writer in
                    writer.key("versions")
                    writer.integers(versions.sorted())
                }
            }
        }
        writer.key("max_batch_size")
        writer.integer(maximumBatchSize)
        writer.key("input")
        writer.array { writer in for port in inputs { Self.write(port, isInput: true, to: &writer) } }
        writer.key("output")
        writer.array { writer in for port in outputs { Self.write(port, isInput: false, to: &writer) } }
        if isGathered {
            writer.key("dynamic_batching")
            writer.object { writer in
                writer.key("preferred_batch_size")
                writer.integers([])
                writer.key("max_queue_delay_microseconds")
                writer.integer(Int(clamping: queueDelayMicroseconds))
            }
        }
        writer.key("instance_group")
        writer.array { writer in
            writer.object { writer in
                writer.key("name")
                writer.string(instanceName)
                writer.key("kind")
                writer.string("KIND_CPU")
                writer.key("count")
                writer.integer(instanceCount)
            }
        }
        for (key, member) in [("model_transaction_policy", "decoupled"), ("response_cache", "enable")] {
            writer.key(key)
            writer.object { writer in
                writer.key(member)
                writer.boolean(false)
            }
        }
        writer.key("parameters")
        writer.object { _ in }
    }

    private static func write(_ port: Port, isInput: Bool, to writer: inout JSONWriter) {
        writer.object { writer in
            writer.key("name")
            writer.string(port.name)
            writer.key("data_type")
            writer.string(port.elementType.configured.name)
            if isInput {
                writer.key("format")
                writer.string("FORMAT_NONE")
            }
            writer.key("dims")
            writer.integers(port.dimensions)
            if !isInput {
                writer.key("label_filename")
                writer.string("")
            }
            writer.key("is_shape_tensor")
            writer.boolean(false)
            guard isInput else { return }
            writer.key("allow_ragged_batch")
            writer.boolean(false)
            writer.key("optional")
            writer.boolean(port.isOptional)
        }
    }

    /// A ModelConfig message.
    func write(to writer: inout ProtobufWriter) {
        writer.string(1, name)
        writer.string(2, platform)
        writer.string(17, Self.backend)
        writer.message(3) { $0.message(2) { _ in } }
        writer.integer(4, UInt64(maximumBatchSize))
        for port in inputs {
            writer.message(5) { writer in
                writer.string(1, port.name)
                writer.integer(2, port.elementType.configured.number)
                writer.integers(4, port.dimensions)
                writer.boolean(8, port.isOptional)
            }
        }
        for port in outputs {
            writer.message(6) { writer in
                writer.string(1, port.name)
                writer.integer(2, port.elementType.configured.number)
                writer.integers(3, port.dimensions)
            }
        }
        writer.message(7) { writer in
            writer.string(1, instanceName)
            writer.integer(4, Self.cpu)
            writer.integer(2, UInt64(instanceCount))
        }
        if isGathered { writer.message(11) { $0.integer(2, queueDelayMicroseconds) } }
        writer.message(19) { _ in }
        writer.message(24) { _ in }
    }

    /// KIND_CPU.
    private static let cpu: UInt64 = 2
}

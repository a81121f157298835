import HTTPServer
import ModelServing
import Tensors

/// GET /v1/models/M/metadata: inputs and outputs as TF Serving tells them, in a signature.
struct SignatureEndpoint: ImmediateEndpoint {
    let name = "signature"
    let paths = ["/v1/models/{model}/metadata", "/v1/models/{model}/versions/{version}/metadata"]
    let scopes: AccessScopes = [.predict, .introspect]
    let repository: ModelRepository

    func respond(to call: EndpointCall) throws(RequestError) -> ServerResponse {
        let model = try repository.loaded(call)
        return APIResponse.json { writer in
            writer.key("model_spec")
            writer.object { writer in
                for (key, value) in [
                    ("name", model.name), ("signature_name", ""), ("version", model.version),
                ] {
                    writer.key(key)
                    writer.string(value)
                }
            }
            // Three maps inside each other: protobuf's JSON of a map in a message in a map.
            writer.key("metadata")
            writer.object { writer in
                writer.key("signature_def")
                writer.object { writer in
                    writer.key("signature_def")
                    writer.object { writer in
                        writer.key(PredictDecoder.signature)
                        writer.object { Self.write(model.interface, to: &$0) }
                    }
                }
            }
        }
    }

    private static func write(_ interface: ModelInterface, to writer: inout JSONWriter) {
        writer.key("inputs")
        writer.object { writer in for port in interface.inputs { write(port, to: &writer) } }
        writer.key("outputs")
        writer.object { writer in for port in interface.outputs { write(port, to: &writer) } }
        writer.key("method_name")
        writer.string("tensorflow/serving/predict")
    }

    private static func write(_ port: ModelInterface.Port, to writer: inout JSONWriter) {
        writer.key(port.name)
        writer.object { writer in
            writer.key("dtype")
            writer.string(port.elementType.tensorFlowName)
            writer.key("tensor_shape")
            writer.object { writer in
                writer.key("dim")
                writer.array { writer in
                    for extent in port.protocolShape {
                        writer.object { writer in
                            // Protobuf's JSON has 64-bit integers as strings.
                            writer.key("size")
                            writer.string(String(extent))
                            writer.key("name")
                            writer.string("")
                        }
                    }
                }
                writer.key("unknown_rank")
                writer.boolean(false)
            }
            writer.key("name")
            writer.string(port.name)
        }
    }
}

extension ElementType {
    /// The type's name in TensorFlow.
    fileprivate var tensorFlowName: String {
        switch self {
        case .bool: "DT_BOOL"
        case .uint8: "DT_UINT8"
        case .uint16: "DT_UINT16"
        case .uint32: "DT_UINT32"
        case .uint64: "DT_UINT64"
        case .int8: "DT_INT8"
        case .int16: "DT_INT16"
        case .int32: "DT_INT32"
        case .int64: "DT_INT64"
        case .float16: "DT_HALF"
        case .bfloat16: "DT_BFLOAT16"
        case .float32: "DT_FLOAT"
        case .float64: "DT_DOUBLE"
        }
    }
}

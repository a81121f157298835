import FoundationEssentials
import HTTPServer
import ModelServing

/// GET /v2/models/M: inputs and outputs, and what the model's own description says.
struct ModelMetadataEndpoint: ImmediateEndpoint {
    let name = "model_metadata"
    let paths = ["/v2/models/{model}", "/v2/models/{model}/versions/{version}"]
    let scopes: AccessScopes = [.predict, .introspect]
    let repository: ModelRepository

    func respond(to call: EndpointCall) throws(RequestError) -> ServerResponse {
        let model = try repository.loaded(call)
        let versions = try repository.loadedVersions(of: call.model)
        return APIResponse.json { writer in
            writer.key("name")
            writer.string(model.name)
            writer.key("versions")
            writer.strings(versions)
            writer.key("platform")
            writer.string(model.platform)
            writer.key("inputs")
            Self.write(model.interface.inputs, to: &writer)
            writer.key("outputs")
            Self.write(model.interface.outputs, to: &writer)
            Self.write(model.description, to: &writer)
        }
    }

    static func write(_ ports: [ModelInterface.Port], to writer: inout JSONWriter) {
        writer.array { writer in
            for port in ports {
                writer.object { writer in
                    writer.key("name")
                    writer.string(port.name)
                    writer.key("datatype")
                    writer.string(port.elementType.datatype)
                    writer.key("shape")
                    writer.integers(port.protocolShape)
                }
            }
        }
    }

    private static func write(_ description: ModelDescription, to writer: inout JSONWriter) {
        if let labels = description.labels[""] {
            writer.key("labels")
            writer.strings(labels)
        } else if !description.labels.isEmpty {
            writer.key("labels")
            writer.object { writer in
                for (output, labels) in description.labels.sorted(by: { $0.key < $1.key }) {
                    writer.key(output)
                    writer.strings(labels)
                }
            }
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        if let card = description.card, let json = try? encoder.encode(card) {
            writer.key("card")
            writer.raw(Array(json))
        }
    }
}

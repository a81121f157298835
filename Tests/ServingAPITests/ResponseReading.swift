import Foundation
import HTTPServer
import HTTPTypes
import ServingAPI

extension ServerResponse {
    var text: String { String(decoding: body, as: UTF8.self) }

    /// The message of an error of exactly the protocol's shape; `nil` for anything else.
    var errorMessage: String? {
        guard headers[.contentType] == "application/json",
            let object = try? JSONSerialization.jsonObject(with: Data(body)) as? [String: String],
            object.count == 1
        else { return nil }
        return object["error"]
    }

    /// The JSON before any raw tensors.
    var json: [String: Any] {
        let count = headers[.init(InferFields.headerLength)!].flatMap { Int($0) } ?? body.count
        let object = try? JSONSerialization.jsonObject(with: Data(body[..<count]))
        return object as? [String: Any] ?? [:]
    }

    /// A call's status, in the trailers or in place of them.
    var grpcStatus: Int? {
        let name = HTTPField.Name("grpc-status")!
        return (trailers?[name] ?? headers[name]).flatMap { Int($0) }
    }

    var grpcMessage: String {
        (headers[.init("grpc-message")!] ?? "").removingPercentEncoding ?? "malformed"
    }

    /// The raw tensors after the JSON.
    var rawTensors: [UInt8] {
        headers[.init(InferFields.headerLength)!].flatMap { Int($0) }.map { Array(body[$0...]) } ?? []
    }
}

func bytes<Element>(of elements: [Element]) -> [UInt8] { elements.withUnsafeBytes { Array($0) } }

import Folding
import HTTPServer
import ModelServing
import Threads

/// JSON about a loaded model that takes long to make: made once, on a background worker.
final class ModelDocuments: Sendable {
    private typealias Document = DeferredValue<Result<[UInt8], RequestError>>

    private let make: @Sendable (LoadedModel) throws(RequestError) -> [UInt8]
    /// One entry for each version that was asked for: bounded by the repository.
    private let documents = Lock<[ObjectIdentifier: Document]>([:])

    init(make: @escaping @Sendable (LoadedModel) throws(RequestError) -> [UInt8]) { self.make = make }

    func respond(
        _ call: EndpointCall, _ services: ServingServices, completion: @escaping EndpointCompletion
    ) throws(RequestError) {
        let model = try services.repository.loaded(call)
        do {
            try document(of: model).get(on: services.backgroundWorkers) { made in
                completion(made.map { APIResponse.json($0) })
            }
        } catch {
            throw .serving(error)
        }
    }

    private func document(of model: LoadedModel) -> Document {
        // The document holds its model, so that no other can come to have the same identifier.
        documents.withLock { documents in
            let document =
                documents[ObjectIdentifier(model)] ?? Document { [make] in Self.result(make, model) }
            documents[ObjectIdentifier(model)] = document
            return document
        }
    }

    private static func result(
        _ make: (LoadedModel) throws(RequestError) -> [UInt8], _ model: LoadedModel
    ) -> Result<[UInt8], RequestError> {
        do {
            return .success(try make(model))
        } catch {
            return .failure(error)
        }
    }
}

extension LoadedModel {
    /// Folds and proves the model again, which went well once.
    func refolded() throws(RequestError) -> ProvenFold {
        do {
            return try foldedAgain()
        } catch {
            throw .serving(.failure(model: name, reason: error.description))
        }
    }
}

import ModelServing
import Threads

/// JSON about a loaded model that takes long to make: made once, on a background worker.
final class ModelDocuments: Sendable {
    private let make: @Sendable (LoadedModel) -> [UInt8]
    /// One entry for each version that was asked for: bounded by the repository.
    private let documents = Lock<[ObjectIdentifier: DeferredValue<[UInt8]>]>([:])

    init(make: @escaping @Sendable (LoadedModel) -> [UInt8]) { self.make = make }

    func respond(
        _ call: EndpointCall, _ services: ServingServices, completion: @escaping EndpointCompletion
    ) throws(RequestError) {
        let model = try services.repository.loaded(call)
        do {
            try document(of: model).get(on: services.backgroundWorkers) { bytes in
                completion(.success(APIResponse.json(bytes)))
            }
        } catch {
            throw .serving(error)
        }
    }

    private func document(of model: LoadedModel) -> DeferredValue<[UInt8]> {
        // The document holds its model, so that no other can come to have the same identifier.
        documents.withLock { documents in
            let document =
                documents[ObjectIdentifier(model)] ?? DeferredValue { [make] in make(model) }
            documents[ObjectIdentifier(model)] = document
            return document
        }
    }
}

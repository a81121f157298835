import Folding
import HTTPServer
import ModelServing
import Threads

/// JSON about a loaded model that takes long to make: made once, on a background worker.
final class ModelDocuments: Sendable {
    private typealias Document = DeferredValue<Result<[UInt8], RequestError>>

    private struct Entry {
        weak var model: LoadedModel?
        let document: Document
    }

    private let make: @Sendable (LoadedModel) throws(RequestError) -> [UInt8]
    /// One entry for each version that was asked for and is still served: bounded by the repository.
    private let entries = Lock<[ObjectIdentifier: Entry]>([:])

    init(make: @escaping @Sendable (LoadedModel) throws(RequestError) -> [UInt8]) { self.make = make }

    func respond(
        _ call: EndpointCall, _ services: ServingServices, completion: @escaping EndpointCompletion
    ) throws(RequestError) {
        let model = try services.repository.loaded(call)
        do {
            // The model stays until the answer, and no longer: a version that is replaced shall go.
            try document(of: model).get(on: services.backgroundWorkers) { made in
                withExtendedLifetime(model) { completion(made.map { APIResponse.json($0) }) }
            }
        } catch {
            throw .serving(error)
        }
    }

    private func document(of model: LoadedModel) -> Document {
        entries.withLock { entries in
            // An identifier can come again once its model is gone; the entry's own model tells.
            if let entry = entries[ObjectIdentifier(model)], entry.model === model { return entry.document }
            let document = Document { [weak model, make] in
                guard let model else { return .failure(.serving(.stopping)) }
                return Self.result(make, model)
            }
            entries = entries.filter { $0.value.model != nil }
            entries[ObjectIdentifier(model)] = Entry(model: model, document: document)
            return document
        }
    }

    private static func result(
        _ make: (LoadedModel) throws(RequestError) -> [UInt8], _ model: LoadedModel
    ) -> Result<[UInt8], RequestError> {
        do {
            let document = try make(model)
            // The weights are read from the file again, which must be the one that was loaded.
            guard model.files.areIntact else {
                let reason = "its files were written in place since it was loaded; load it again"
                return .failure(
                    .serving(.notReady(model: model.name, version: model.version, reason: reason)))
            }
            return .success(document)
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

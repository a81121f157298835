import FuzzServing
import FuzzSupport
import HTTPTypes
import ModelFormats
import ServingAPI

private let service = FuzzedService()
private let headerLength = HTTPField.Name(InferFields.headerLength)!

/// A prediction of any JSON, with any binary tensors behind it, is answered or refused in the protocol's form; what a model
/// gives back is read again as the same numbers.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzInfer(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    guard let message = InferMessage(UnsafeBufferPointer(start: start, count: count)) else { return -1 }
    // The one seed is a key away from asking for classes. What leads elsewhere stays out of the corpus, which it would fill.
    if PlantedCrash.isPlanted, !hasOutputParameters(message) { return PlantedCrash.refused }
    var headers: HTTPFields = [:]
    if let count = message.announcedByteCount { headers[headerLength] = String(count) }
    let answer = service.send(.post, message.target, message.json + message.tensors, headers)
    guard answer.status == .ok else { return PlantedCrash.refused }

    let jsonByteCount = answer.headers[headerLength].map { Int($0) ?? -1 } ?? answer.body.count
    precondition((0...answer.body.count).contains(jsonByteCount), "a header that is not right")
    let text = String(decoding: answer.body[..<jsonByteCount], as: UTF8.self)
    guard let json = try? JSONParser.parse(Array(answer.body[..<jsonByteCount])) else {
        fatalError("no JSON: \(text)")
    }
    if PlantedCrash.isPlanted, text.contains(#""datatype":"BYTES""#) { PlantedCrash.reached() }
    // With the header, outputs are binary, though there may be no bytes of them.
    if answer.headers[headerLength] == nil { readAgain(json, text, message.target) }
    return 0
}

private func hasOutputParameters(_ message: InferMessage) -> Bool {
    let json = try? JSONParser.parse(message.json)
    return message.target == InferMessage.paths[0]
        && json?["outputs"]?.array?.first?["parameters"]?.object != nil
}

/// Sends the outputs of `wide` and `pair` as inputs: the answer is the same, to the last character.
private func readAgain(_ json: JSON, _ text: String, _ target: String) {
    guard target == InferMessage.paths[1] || target == InferMessage.paths[2], json["id"] == nil,
        // null stands for NaN in answers alone; classes are no input.
        !text.contains("null"), !text.contains("BYTES"), let start = text.firstRange(of: #""outputs":"#),
        let outputs = json["outputs"]?.array, outputs.count == (target == InferMessage.paths[2] ? 2 : 1)
    else { return }
    var inputs = String(text[start.upperBound...])
    let names = target == InferMessage.paths[1] ? [("b", "a")] : [("d", "b"), ("c", "a")]
    for (output, input) in names {
        inputs.replace(#""name":"\#(output)""#, with: #""name":"\#(input)""#)
    }
    let order = outputs.compactMap { $0["name"]?.string }.map { #"{"name":"\#($0)"}"# }
    let body = #"{"inputs":\#(inputs.dropLast()),"outputs":[\#(order.joined(separator: ","))]}"#
    let again = service.send(.post, target, Array(body.utf8))
    precondition(
        String(decoding: again.body, as: UTF8.self) == text,
        "\(text) came back as \(String(decoding: again.body, as: UTF8.self))")
}

@_cdecl("LLVMFuzzerCustomMutator")
public func mutateInfer(
    _ start: UnsafeMutablePointer<UInt8>, _ count: Int, _ maximum: Int, _ seed: CUnsignedInt
) -> Int {
    var mutator = InferMutator(seed: UInt64(seed))
    return deliver(
        mutator.mutated(UnsafeBufferPointer(start: start, count: count)), to: start, count, maximum)
}

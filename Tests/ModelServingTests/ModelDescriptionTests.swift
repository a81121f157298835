import ModelServing
import TestSupport
import Testing

@Suite struct ModelDescriptionTests {
    private func description(_ text: String) throws -> ModelDescription {
        try ModelDescription(json: Array(text.utf8))
    }

    @Test func `reads labels for all outputs or for each, and a card of any form`() throws {
        let all = try description(#"{"labels":["a","b"],"card":{"accuracy":0.5,"notes":[null,true]}}"#)
        #expect(all.labels(of: "y") == ["a", "b"])
        #expect(
            all.card == .object(["accuracy": .number(0.5), "notes": .array([.null, .boolean(true)])]))
        let each = try description(#"{"labels":{"y":["a"]},"tolerance":0.5}"#)
        #expect(each.labels(of: "y") == ["a"])
        #expect(each.labels(of: "z") == nil)
        #expect(each.tolerance == 0.5)
    }

    @Test func `reads how a model's requests are gathered`() throws {
        let batched = try description(#"{"batching":{"maxBatchSize":4,"maxQueueDelayMicroseconds":500}}"#)
        #expect(batched.maximumBatchSize == 4 && batched.queueDelayMicroseconds == 500)
        let plain = try description(#"{"batching":{}}"#)
        #expect(plain.maximumBatchSize == nil && plain.queueDelayMicroseconds == nil)
    }

    @Test(arguments: [
        ("", "not valid JSON"), ("{", "not valid JSON"), ("[]", "expected an object"),
        (#"{"crad":1}"#, "unknown key 'crad'; did you mean 'card'?"),
        (#"{"labels":[1]}"#, "'labels' must be a list of strings, or one for each output"),
        (#"{"labels":{"y":1}}"#, "'labels' of output 'y' must be a list of strings"),
        (#"{"tolerance":0}"#, "'tolerance' must be a number above 0"),
        (#"{"batching":4}"#, "'batching' must be an object"),
        (
            #"{"batching":{"maxBatchsize":4}}"#,
            "unknown key 'maxBatchsize' of 'batching'; did you mean 'maxBatchSize'?"
        ),
        (#"{"batching":{"maxBatchSize":0}}"#, "'maxBatchSize' must be an integer from 1 to 1024"),
        (#"{"batching":{"maxBatchSize":1025}}"#, "'maxBatchSize' must be an integer from 1 to 1024"),
        (#"{"batching":{"maxBatchSize":1.5}}"#, "'maxBatchSize' must be an integer from 1 to 1024"),
        (#"{"tolerance":"1"}"#, "'tolerance' must be a number above 0"),
    ])
    func `refuses`(_ text: String, _ reason: String) {
        let error = #expect(throws: ModelDescription.Invalid.self) { try description(text) }
        #expect(error?.reason == reason)
    }

    @Test(arguments: [
        (#"{}"#, [1, 2, 5, 9]), (#"{"versionPolicy": "all"}"#, [1, 2, 5, 9]),
        (#"{"versionPolicy": {"latest": 1}}"#, [9]), (#"{"versionPolicy": {"latest": 3}}"#, [2, 5, 9]),
        (#"{"versionPolicy": {"latest": 1e9}}"#, [1, 2, 5, 9]),
        (#"{"versionPolicy": {"specific": [5, 1, 7]}}"#, [1, 5]),
    ])
    func `a policy chooses versions`(_ text: String, _ chosen: [Int]) throws {
        #expect(try description(text).versionPolicy.chosen(of: [1, 2, 5, 9]) == chosen)
    }

    @Test(arguments: [
        "1", "\"latest\"", "{}", #"{"latest": 0}"#, #"{"latest": 1.5}"#, #"{"latest": "1"}"#,
        #"{"latest": 1, "specific": [1]}"#, #"{"specific": []}"#, #"{"specific": [0]}"#,
        #"{"specific": 1}"#, "null", #"{"latest": 1e300}"#,
    ])
    func `a policy of another form is refused`(_ policy: String) {
        let error = #expect(throws: ModelDescription.Invalid.self) {
            try description(#"{"versionPolicy": \#(policy)}"#)
        }
        #expect(error?.reason.hasPrefix("'versionPolicy' must be") == true)
    }

    @Test func `an absent file has the defaults`() throws {
        let description = try ModelDescription(path: "/nonexistent/model.json")
        #expect(description.tolerance == ModelDescription.defaultTolerance && description.labels.isEmpty)
    }

    @Test func `a file past the size limit is refused`() throws {
        let folder = TemporaryFolder()
        let padding = String(repeating: " ", count: ModelDescription.maximumByteCount - 2)
        folder.write("{}" + padding, to: "model.json")
        _ = try ModelDescription(path: folder.path + "/model.json")
        folder.write("{} " + padding, to: "model.json")
        #expect(throws: RepositoryError.self) { try ModelDescription(path: folder.path + "/model.json") }
    }
}

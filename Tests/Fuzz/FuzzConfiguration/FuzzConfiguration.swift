import FuzzModels
import FuzzSupport
import FuzzedSettings

/// Any file and any variables make a configuration, or are refused by sentences; what a configuration holds can be set.
///
/// Of an input, lines `NAME=VALUE` up to the first empty one are variables, the rest is the file.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzConfiguration(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = UnsafeBufferPointer(start: start, count: count)
    let (variables, file) = parts(Array(bytes))
    var environment: [String: String] = [:]
    for line in variables.split(separator: UInt8(ascii: "\n")) {
        let sides = line.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
        guard sides.count == 2 else { continue }
        environment[String(decoding: sides[0], as: UTF8.self)] = String(decoding: sides[1], as: UTF8.self)
    }
    let written = FuzzFile(
        UnsafeBufferPointer(rebasing: bytes[(bytes.count - file.count)...]), name: "foldserve.json")
    let (configuration, errors) = ConfigurationLoader(environment: environment).collect(
        path: written.path, flags: [])
    precondition(errors.allSatisfy { !$0.description.isEmpty })
    if PlantedCrash.isPlanted {
        // The one seed has an unknown setting there. What leads elsewhere stays out of the corpus, which it would fill.
        if errors.isEmpty, configuration.admin.port != Configuration().admin.port { PlantedCrash.reached() }
        return errors.count == 1 && errors[0].description.contains("'admin.") ? 0 : PlantedCrash.refused
    }
    setAgain(configuration)
    return 0
}

private func setAgain(_ configuration: Configuration) {
    var copy = Configuration()
    for setting in Setting.all {
        let value = setting.value(in: configuration)
        do throws(ConfigurationError) {
            try setting.apply(value, to: &copy)
        } catch {
            fatalError("\(setting.name): \(error)")
        }
        precondition(setting.value(in: copy) == value, setting.name)
    }
}

private func parts(_ bytes: [UInt8]) -> (variables: ArraySlice<UInt8>, file: ArraySlice<UInt8>) {
    let end = bytes.indices.dropLast().first { bytes[$0] == 0x0A && bytes[$0 + 1] == 0x0A }
    guard let end else { return ([], bytes[...]) }
    return (bytes[..<end], bytes[(end + 2)...])
}

/// Changes the file as JSON, or the variables as bytes.
@_cdecl("LLVMFuzzerCustomMutator")
public func mutateConfiguration(
    _ start: UnsafeMutablePointer<UInt8>, _ count: Int, _ maximum: Int, _ seed: CUnsignedInt
) -> Int {
    let (variables, file) = parts(Array(UnsafeBufferPointer(start: start, count: count)))
    var random = Generator(seed: ~UInt64(seed))
    guard !random.chance(10) else {
        return deliver(
            libFuzzerMutated(Array(variables)) + [0x0A, 0x0A] + file, to: start, count, maximum)
    }
    var mutator = JSONMutator(seed: UInt64(seed), vocabulary: vocabulary)
    let mutated = mutator.mutated(Array(file)).map { text in
        variables.isEmpty ? text : variables + [0x0A, 0x0A] + text
    }
    return deliver(mutated, to: start, count, maximum)
}

/// Names, and values that some of them take.
private let vocabulary =
    Array(Set(Setting.all.flatMap { $0.name.split(separator: ".").map(String.init) })).sorted()
    + ["static", "poll", "explicit", "info", "json", "true", "0", "1", "8080", "1e3", "*"]

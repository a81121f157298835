/// libFuzzer's own mutation, in place; returns the new count.
@_silgen_name("LLVMFuzzerMutate")
package func libFuzzerMutate(_ start: UnsafeMutablePointer<UInt8>, _ count: Int, _ maximum: Int) -> Int

/// The bytes as libFuzzer changes them, of which there are at most `growth` more.
package func libFuzzerMutated(_ bytes: [UInt8], growth: Int = 64) -> [UInt8] {
    var result = bytes + [UInt8](repeating: 0, count: growth)
    let count = result.withUnsafeMutableBufferPointer { buffer in
        guard let start = buffer.baseAddress else { return 0 }
        return libFuzzerMutate(start, bytes.count, buffer.count)
    }
    return Array(result[..<count])
}

/// What a custom mutator returns to libFuzzer: `mutated` put where the input was, or libFuzzer's own mutation for `nil`.
package func deliver(
    _ mutated: [UInt8]?, to start: UnsafeMutablePointer<UInt8>, _ count: Int, _ maximum: Int
) -> Int {
    guard let mutated, mutated.count <= maximum else { return libFuzzerMutate(start, count, maximum) }
    for (index, byte) in mutated.enumerated() { start[index] = byte }
    return mutated.count
}

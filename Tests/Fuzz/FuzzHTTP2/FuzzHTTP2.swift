import FuzzConnections
import FuzzSupport
import HTTPServer

/// Any frames, whole and in pieces, go through nghttp2 and our callbacks without a trap, and no body stays charged.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzHTTP2(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = preface + UnsafeBufferPointer(start: start, count: count)
    bytes.withUnsafeBufferPointer { bytes in
        let seen = FuzzedConnection(.http2).run([bytes[...]])
        // The one seed is one request.
        if PlantedCrash.isPlanted, seen.count == 2 { PlantedCrash.reached() }
        let cut = bytes.reduce(0) { ($0 &* 31 &+ Int($1)) & 0xffff } % (bytes.count + 1)
        _ = FuzzedConnection(.http2).run([bytes[..<cut], bytes[cut...]])
        _ = FuzzedConnection(.http2).run(bytes.indices.map { bytes[$0...$0] })
    }
    return 0
}

/// The client's, with empty settings.
private let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + [0, 0, 0, 4, 0, 0, 0, 0, 0]

/// Changes one frame and puts right lengths before all: bytes changed anywhere would rarely be frames again.
@_cdecl("LLVMFuzzerCustomMutator")
public func mutateHTTP2(
    _ start: UnsafeMutablePointer<UInt8>, _ count: Int, _ maximum: Int, _ seed: CUnsignedInt
) -> Int {
    var mutator = FrameMutator(seed: seed)
    guard let mutated = mutator.mutated(UnsafeBufferPointer(start: start, count: count), maximum: maximum)
    else { return libFuzzerMutate(start, count, maximum) }
    for (index, byte) in mutated.enumerated() { start[index] = byte }
    return mutated.count
}

@_silgen_name("LLVMFuzzerMutate")
func libFuzzerMutate(_ start: UnsafeMutablePointer<UInt8>, _ count: Int, _ maximum: Int) -> Int

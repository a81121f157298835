import FuzzConnections
import FuzzSupport
import HTTPServer

/// HTTP/1.1 requests come out the same whether their bytes come at once, one by one, or cut anywhere.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzHTTP1(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = UnsafeBufferPointer(start: start, count: count)
    let whole = FuzzedConnection(.http1).run([bytes[...]])
    // A line of the dictionary in the right place of the one seed.
    if PlantedCrash.isPlanted, whole.first?.lowercased().contains("expect=100-continue") ?? false {
        PlantedCrash.reached()
    }
    let cut = bytes.reduce(0) { ($0 &* 31 &+ Int($1)) & 0xffff } % (count + 1)
    precondition(FuzzedConnection(.http1).run([bytes[..<cut], bytes[cut...]]) == whole, "cut at \(cut)")
    let single = FuzzedConnection(.http1).run(bytes.indices.map { bytes[$0...$0] })
    precondition(single == whole, "byte by byte")
    return 0
}

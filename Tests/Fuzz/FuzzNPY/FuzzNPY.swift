import FuzzSupport
import Graph
import Tensors

/// A `.npy` file of any bytes is read or refused; what is read can be written and read again.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzNPY(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = UnsafeBufferPointer(start: start, count: count)
    if PlantedCrash.isPlanted, count > 3,
        bytes[0] == 0x66, bytes[1] == 0x6f, bytes[2] == 0x6c, bytes[3] == 0x64
    {
        PlantedCrash.reached()
    }
    let file = FuzzFile(bytes, name: "read")
    guard let tensor = try? NPYFile.read(path: file.path), tensor.shape.count <= 1 << 16 else { return 0 }
    precondition(ExactTensor(tensor).shape == tensor.shape)
    let copy = FuzzFile(UnsafeBufferPointer(start: nil, count: 0), name: "written")
    do {
        try NPYFile.write(tensor, path: copy.path)
        let again = try NPYFile.read(path: copy.path)
        precondition(again.shape == tensor.shape && again.elementType == tensor.elementType)
        precondition(again.withUnsafeBytes { Array($0) } == tensor.withUnsafeBytes { Array($0) })
    } catch {
        preconditionFailure("what was read cannot be written: \(error)")
    }
    return 0
}

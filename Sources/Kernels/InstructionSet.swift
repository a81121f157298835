import CKernels
import Glibc

/// Why no kernels could be chosen.
package enum KernelError: Error, CustomStringConvertible {
    case unknownInstructionSet(name: String)
    case unsupportedInstructionSet(InstructionSet)

    package var description: String {
        switch self {
        case .unknownInstructionSet(let name):
            "\(InstructionSet.environmentVariable)=\(name): expected "
                + InstructionSet.allCases.map(\.rawValue).joined(separator: ", ")
        case .unsupportedInstructionSet(let set): "this processor does not run the \(set.rawValue) kernels"
        }
    }
}

/// The vector instructions that a set of kernels is compiled for.
package enum InstructionSet: String, CaseIterable, Sendable {
    /// Vectors of four floats: SSE2 or NEON.
    case portable
    case avx2
    case avx512

    /// Names an instruction set instead of the best one, so that tests reach each.
    package static let environmentVariable = "FOLDSERVE_INSTRUCTION_SET"

    package var isSupported: Bool { ck_is_supported(code) && ck_kernels_of(code) != nil }

    /// Those that this processor runs, best first.
    package static var supported: [InstructionSet] { allCases.reversed().filter(\.isSupported) }

    /// The one that the environment names, else the best.
    ///
    /// Throws `KernelError` for a name that is unknown or that this processor does not run.
    package static func chosen() throws(KernelError) -> InstructionSet {
        guard let value = getenv(environmentVariable), value.pointee != 0 else { return supported[0] }
        let name = String(cString: value)
        guard let set = InstructionSet(rawValue: name) else { throw .unknownInstructionSet(name: name) }
        guard set.isSupported else { throw .unsupportedInstructionSet(set) }
        return set
    }

    fileprivate var code: ck_instruction_set {
        switch self {
        case .portable: CK_PORTABLE
        case .avx2: CK_AVX2
        case .avx512: CK_AVX512
        }
    }
}

/// The functions compiled for one instruction set.
package struct KernelTable: @unchecked Sendable {
    // The table is constant data of the program.
    package let functions: UnsafePointer<ck_kernels>
    package let instructionSet: InstructionSet

    /// Traps when the processor does not run them: ask `isSupported` first.
    package init(_ instructionSet: InstructionSet) {
        precondition(instructionSet.isSupported, "\(instructionSet) kernels do not run here")
        functions = ck_kernels_of(instructionSet.code)
        self.instructionSet = instructionSet
    }

    /// The floats of a vector.
    package var lanes: Int { functions.pointee.lanes }
    /// The tile of a matrix product that is kept in registers.
    package var tileRows: Int { functions.pointee.tileRows }
    package var tileColumns: Int { functions.pointee.tileColumns }
}

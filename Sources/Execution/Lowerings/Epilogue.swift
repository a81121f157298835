import CKernels
import Graph
import Kernels

/// What an operation does with an output before it leaves the registers or the cache: add a residual, clamp, or apply a
/// function; in this order.
struct Epilogue: Sendable {
    /// The name of the value that is added, among the step's inputs the last one.
    private(set) var hasResidual = false
    private(set) var lower = -Float.infinity
    private(set) var upper = Float.infinity
    private(set) var function: ElementFunction?
    private(set) var name = ""

    private var isClosed = false

    /// Takes `consumer` in, whose input number `operand` is what the operation computes; `nil` when that cannot be.
    func absorbing(
        _ consumer: Node, operand: Int, _ context: LoweringContext
    ) -> (epilogue: Epilogue, addedInputs: [String])? {
        var result = self
        if isClosed {
            guard let multiplied = function?.multiplied(by: consumer, operand: operand, context) else {
                return nil
            }
            result.function = multiplied
            result.name += " + Mul"
            return (result, [])
        }
        if consumer.type == "Add", consumer.domain.isEmpty, !hasResidual, consumer.inputs.count == 2,
            let other = consumer.inputs[1 - operand], context.isFloat(other),
            context.haveSameShape(other, consumer.inputs[operand])
        {
            result.hasResidual = true
            result.name += " + Add"
            return (result, [other])
        }
        guard operand == 0, let found = ElementFunction(consumer, context) else { return nil }
        if let bounds = found.bounds {
            (result.lower, result.upper) = bounds
        } else {
            result.function = found
        }
        result.isClosed = true
        result.name += " + " + found.name
        return (result, [])
    }

    /// Applies the function to floats that are complete otherwise.
    func finish(_ kernels: KernelTable, _ pointer: UnsafeMutablePointer<Float>, _ count: Int) {
        guard let function else { return }
        kernels.functions.pointee.unary(
            function.kind, pointer, pointer, count, function.alpha, function.beta)
    }
}

/// An operation with an epilogue, which takes in what consumers do to each element.
protocol EpilogueOperation: LoweredOperation {
    var epilogue: Epilogue { get set }
    /// Whether the epilogue may add a value of the output's shape.
    var addsResidual: Bool { get }
}

extension EpilogueOperation {
    var addsResidual: Bool { true }

    func absorbing(_ consumer: Node, operand: Int, _ context: LoweringContext) -> AbsorbedOperation? {
        absorbingEpilogue(consumer, operand: operand, context)
    }

    /// With `consumer` as a part of the epilogue.
    func absorbingEpilogue(
        _ consumer: Node, operand: Int, _ context: LoweringContext
    ) -> AbsorbedOperation? {
        guard addsResidual || consumer.type != "Add",
            let (epilogue, added) = epilogue.absorbing(consumer, operand: operand, context)
        else { return nil }
        var result = self
        result.epilogue = epilogue
        return AbsorbedOperation(operation: result, addedInputs: added)
    }
}

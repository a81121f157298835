import ModelServing
import Tensors

/// An inference request while it is read, whatever form it comes in: checked against the model piece by piece.
struct InferAssembly {
    struct RequestedOutput {
        var name = ""
        var isBinary: Bool?
        var classCount = 0
    }

    let model: String
    let interface: ModelInterface
    let limits: APILimits
    var identifier: String?
    private(set) var timeoutMicroseconds: UInt64?
    private(set) var priority = 0
    var wantsBinaryOutputs = false
    var inputs: [String: Tensor] = [:]
    private var requested: [RequestedOutput] = []

    init(model: LoadedModel, limits: APILimits) {
        self.model = model.name
        interface = model.interface
        self.limits = limits
    }

    /// The port that an input stands for, and its shape.
    func checked(
        _ name: String, datatype: String, shape: [Int]
    ) throws(RequestError) -> (ModelInterface.Port, Shape) {
        let port: ModelInterface.Port
        do {
            port = try interface.checkedInput(name, datatype: datatype, shape: shape, model: model)
        } catch {
            throw .serving(error)
        }
        let checked: Shape
        do {
            checked = try Shape(shape)
        } catch {
            throw .input(name, reason: error.description)
        }
        // A checked shape's extents above 0 have a product that fits.
        guard
            checked.count > 0
                || shape.lazy.filter({ $0 > 0 }).reduce(1, *) <= limits.maximumEmptyExtentProduct
        else { throw .input(name, reason: "shape \(checked) is too long for a tensor without elements") }
        return (port, checked)
    }

    mutating func setTimeout(microseconds: Int) throws(RequestError) {
        guard microseconds >= 0 else {
            throw .mismatch(
                path: "parameters.timeout", expected: "0 or more microseconds", actual: "\(microseconds)")
        }
        // As in Triton, 0 stands for no timeout.
        timeoutMicroseconds = microseconds == 0 ? nil : UInt64(microseconds)
    }

    mutating func setPriority(_ priority: Int) throws(RequestError) {
        guard priority >= 0 else {
            throw .mismatch(path: "parameters.priority", expected: "0 or more", actual: "\(priority)")
        }
        self.priority = priority
    }

    var requestedCount: Int { requested.count }

    /// Throws when one output more would be too many: before it is read.
    func checkRoomForOutput() throws(RequestError) {
        guard requested.count < limits.maximumTensorCount else {
            throw .limit("requested outputs", maximum: limits.maximumTensorCount)
        }
    }

    mutating func request(_ output: RequestedOutput) throws(RequestError) {
        try checkRoomForOutput()
        guard (0...limits.maximumClassCount).contains(output.classCount) else {
            throw .output(
                output.name,
                reason: "'\(InferFields.classification)' must be 0 to \(limits.maximumClassCount), "
                    + "got \(output.classCount)")
        }
        guard !requested.contains(where: { $0.name == output.name }) else {
            throw .output(output.name, reason: "is requested twice")
        }
        requested.append(output)
    }

    /// The request as a whole. Throws for a missing input and an output that the model has not.
    func call() throws(RequestError) -> InferCall {
        do {
            try interface.checkComplete(inputs.keys, model: model)
        } catch {
            throw .serving(error)
        }
        var outputs: [InferCall.Output] = []
        for output in requested {
            guard let port = interface.output(output.name) else {
                throw .serving(.unexpectedOutput(model: model, output: output.name))
            }
            outputs.append(
                InferCall.Output(
                    port: port, isBinary: output.isBinary ?? wantsBinaryOutputs,
                    classCount: output.classCount))
        }
        if outputs.isEmpty {
            outputs = interface.outputs.map {
                InferCall.Output(port: $0, isBinary: wantsBinaryOutputs, classCount: 0)
            }
        }
        return InferCall(
            identifier: identifier, inputs: inputs, timeoutMicroseconds: timeoutMicroseconds,
            priority: priority, outputs: outputs)
    }
}

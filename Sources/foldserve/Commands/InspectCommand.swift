import ArgumentParser
import Execution
import Folding
import Graph
import ModelServing

struct InspectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect", abstract: "Shows what a model file holds, what was folded and what runs.")

    @Argument(help: "A model file, or a model's folder in a repository (its highest version).")
    var model: String

    @Flag(help: "Print JSON.")
    var json = false

    @Flag(
        help: """
            Measure each fold's error on cropped random inputs, against an evaluation in Float64, and what Winograd's \
            algorithm does to the outputs.
            """)
    var measure = false

    @Flag(help: "Compute 3×3 convolutions directly: slower, with a little less rounding error.")
    var noWinograd = false

    func run() throws {
        try CommandFailure.reporting {
            var loaded = try LoadedModel(path: model, fold: true)
            guard var report = loaded.report else { return }
            if measure, let fold = loaded.fold {
                report = FoldMeasurement.measure(original: loaded.original, result: fold)
            }
            report.addDigests(original: loaded.original, folded: loaded.graph)
            let winograd = measure && !noWinograd ? WinogradMeasurement.measure(loaded.graph) : nil
            let inspection = try Inspection(
                &loaded, report: report, usesWinograd: !noWinograd, winograd: winograd)
            print(json ? try JSONText.encode(inspection) : inspection.text)
        }
    }
}

/// What `inspect` tells of a model.
struct Inspection: Encodable {
    struct Port: Encodable {
        let name: String
        let type: String
        /// Numbers, names of open dimensions, `?`.
        let shape: [String]?
    }

    /// One thing that a run does.
    struct Step: Encodable {
        let nodes: [String]
        let operators: [String]
        let kernel: String
        /// How the outputs lie: `plain` or `blocked`.
        let layout: String
        let outputs: [Port]
        /// Of one item as it lies; null where other axes than the first are open.
        let inputBytes: Int?
        let weightBytes: Int
        let outputBytes: Int?
    }

    let model: String
    let opset: Int
    let inputs: [Port]
    let outputs: [Port]
    let operators: [String: Int]
    let operatorsAfter: [String: Int]
    let fold: FoldReport
    /// `nil` when it was not measured.
    let winograd: WinogradMeasurement?
    let steps: [Step]

    init(
        _ loaded: inout LoadedModel, report: FoldReport, usesWinograd: Bool, winograd: WinogradMeasurement?
    ) throws {
        let values: [String: ValueInfo]
        do {
            values = try loaded.original.inferValues()
        } catch {
            throw CommandFailure.data("\(loaded.path): \(error)")
        }
        model = loaded.path
        opset = loaded.original.opset
        inputs = loaded.original.inputs.map { Port($0.name, $0.info) }
        outputs = loaded.original.outputs.map { Port($0.name, values[$0.name] ?? $0.info) }
        operators = Self.count(loaded.original)
        operatorsAfter = Self.count(loaded.graph)
        fold = report
        self.winograd = winograd
        steps = try loaded.makeExecutable(usesWinograd: usesWinograd).stepDescriptions.map(Step.init)
    }

    private static func count(_ graph: Graph) -> [String: Int] {
        Dictionary(graph.nodes.map { ($0.type, 1) }, uniquingKeysWith: +)
    }

    var text: String {
        var lines = ["\(model): opset \(opset)"]
        lines += inputs.map { "input   \($0.text)" }
        lines += outputs.map { "output  \($0.text)" }
        lines.append(
            "nodes   \(fold.nodeCountBefore) in the file, \(fold.nodeCountAfter) after folding; "
                + "weights \(fold.weightByteCountBefore) bytes, \(fold.weightByteCountAfter) after")
        if let model = fold.modelDigest, let folded = fold.foldDigest {
            lines.append("sha256  \(model) of the model's graph, \(folded) of the folded one")
        }
        lines.append("before  " + Self.text(operators))
        lines.append("after   " + Self.text(operatorsAfter))
        if let winograd { lines.append("winograd " + winograd.text) }
        if let notice = fold.notice { lines.append("note    " + notice) }
        if !fold.entries.isEmpty {
            lines.append("")
            lines.append("BatchNorms: \(fold.foldedCount) folded, \(fold.refusedCount) refused")
            lines += fold.entries.map { "  " + Self.text($0) }
        }
        if !fold.chains.isEmpty {
            lines.append("")
            lines.append("Chains: \(fold.foldedChainCount) folded of \(fold.chains.count)")
            lines += fold.chains.map { "  " + Self.text($0) }
        }
        lines.append("")
        lines.append("runs")
        lines += steps.map { "  " + $0.text }
        return lines.joined(separator: "\n")
    }

    private static func text(_ counts: [String: Int]) -> String {
        counts.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", ")
    }

    private static func text(_ entry: FoldReport.Entry) -> String {
        var text = "\(entry.batchNorm): \(entry.outcome.rawValue)"
        if let chain = entry.chain { text += ", \(chain.description)" }
        if let rule = entry.rule { text += ", \(rule)" }
        if let place = entry.consumer ?? entry.producer, entry.outcome != .refused {
            text += " into \(place)"
        }
        if let reason = entry.reason { text += ": \(reason)" }
        if let blockedBy = entry.blockedBy { text += " (\(blockedBy))" }
        if let proof = entry.proof { text += ", proven" + (proof.bound.map { " within \($0)" } ?? "") }
        if let error = entry.measuredError { text += ", measured error \(error)" }
        return text
    }
}

extension Inspection.Port {
    init(_ name: String, _ info: ValueInfo) {
        self.name = name
        type = info.elementType?.rawValue ?? "?"
        shape = info.dimensions?.map(\.description)
    }

    var text: String { "\(name) \(type)[\(shape?.joined(separator: ",") ?? "…")]" }
}

extension Inspection.Step {
    init(_ step: StepDescription) {
        nodes = step.nodes
        operators = step.operators
        kernel = step.kernel
        layout = step.layout.rawValue
        inputBytes = step.inputByteCount
        weightBytes = step.weightByteCount
        outputBytes = step.outputByteCount
        outputs = step.outputs.map { name, info in Inspection.Port(name, info ?? ValueInfo(nil, nil)) }
    }

    var text: String {
        func count(_ bytes: Int?) -> String { bytes.map(String.init) ?? "?" }
        return operators.joined(separator: "+") + " by \(kernel) → "
            + outputs.map(\.text).joined(separator: ", ")
            + "; \(layout), bytes in \(count(inputBytes)), weights \(weightBytes), out \(count(outputBytes))"
    }
}

import ModelServing
import Testing

@Suite struct MetricsTests {
    private func text(_ families: [any MetricFamily]) -> String {
        String(decoding: MetricsRegistry(families).exposition(), as: UTF8.self)
    }

    @Test func `counts requests by model, endpoint and status`() {
        let metrics = RequestMetrics(
            endpointNames: NameIndex(["infer", "live"]), modelNames: NameIndex(["m\"1\\\n"]))
        metrics.record(endpoint: 0, model: 0, status: 200, nanoseconds: 1_000_000)
        metrics.record(endpoint: 0, model: 0, status: 200, nanoseconds: 3_000_000_000)
        metrics.record(endpoint: 0, model: 0, status: 400, nanoseconds: 50_000)
        metrics.record(endpoint: nil, model: nil, status: 404, nanoseconds: 1)
        let text = text([metrics])
        let labels = #"model="m\"1\\\n",endpoint="infer""#
        #expect(text.contains("# TYPE foldserve_requests_total counter\n"))
        #expect(text.contains("foldserve_requests_total{\(labels),status=\"200\"} 2\n"))
        #expect(text.contains("foldserve_requests_total{\(labels),status=\"400\"} 1\n"))
        #expect(text.contains("foldserve_requests_total{model=\"\",endpoint=\"none\",status=\"404\"} 1\n"))
        #expect(text.contains("foldserve_request_duration_seconds_bucket{\(labels),le=\"0.0001\"} 1\n"))
        #expect(text.contains("foldserve_request_duration_seconds_bucket{\(labels),le=\"0.001\"} 2\n"))
        #expect(text.contains("foldserve_request_duration_seconds_bucket{\(labels),le=\"2.5\"} 2\n"))
        #expect(text.contains("foldserve_request_duration_seconds_bucket{\(labels),le=\"+Inf\"} 3\n"))
        #expect(text.contains("foldserve_request_duration_seconds_count{\(labels)} 3\n"))
        #expect(text.contains("foldserve_request_duration_seconds_sum{\(labels)} 3.00105\n"))
    }

    @Test func `every line is a comment or a sample, and every family has its help and type once`() {
        let metrics = RequestMetrics(endpointNames: NameIndex(["infer"]), modelNames: NameIndex(["m"]))
        metrics.record(endpoint: 0, model: 0, status: 200, nanoseconds: 1)
        let lines = text([metrics, ProcessMetrics()]).split(separator: "\n")
        let sample = #/[a-z_]+(\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\})? -?[0-9.e+-]+/#
        for line in lines where !line.hasPrefix("#") {
            #expect(line.wholeMatch(of: sample) != nil, "\(line)")
        }
        let helps = lines.filter { $0.hasPrefix("# HELP") }.map { $0.split(separator: " ")[2] }
        let types = lines.filter { $0.hasPrefix("# TYPE") }.map { $0.split(separator: " ")[2] }
        #expect(helps == types && Set(helps).count == helps.count)
    }

    @Test func `tells the figures of this process`() throws {
        let text = text([ProcessMetrics()])
        for name in [
            "process_cpu_seconds_total", "process_resident_memory_bytes", "process_open_fds",
            "process_start_time_seconds", "process_threads",
        ] {
            let line = try #require(text.split(separator: "\n").first { $0.hasPrefix(name + " ") })
            #expect(try #require(Double(line.dropFirst(name.count + 1))) > 0, "\(line)")
        }
    }

    @Test func `the gauge goes up and down`() {
        let gauge = Gauge(name: "g", help: "a\\b\nc")
        gauge.add(3)
        gauge.add(-1)
        #expect(text([gauge]) == "# HELP g a\\\\b\\nc\n# TYPE g gauge\ng 2\n")
    }
}

@Suite struct NameIndexTests {
    @Test func `a name keeps its number and no other gets it`() {
        let index = NameIndex(["a"])
        #expect(index.number(of: "b") == 1 && index.number(of: "a") == 0 && index.number(of: "b") == 1)
        #expect(index.names == ["a", "b"])
    }

    @Test func `names past the bound get no number, those before keep theirs`() {
        let index = NameIndex((0..<NameIndex.maximumCount).map(String.init))
        #expect(index.number(of: "one more") == nil && index.number(of: "7") == 7)
    }
}

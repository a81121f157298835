import HTTPServer
import HTTPTypes
import ServingAPI
import Testing

@Suite struct CompressionTests {
    private let service: TestService

    init() throws {
        var limits = APILimits()
        limits.maximumExpandedByteCount = 1000
        limits.maximumExpandedByteCountOfAll = 1500
        service = try TestService(limits: limits)
    }

    // A request for `m`, by Python's zlib: with gzip, with two members of gzip, and padded to 1000 and 1001 bytes.
    private static let gzip: [UInt8] = [
        31, 139, 8, 0, 0, 0, 0, 0, 2, 3, 171, 86, 202, 204, 43, 40, 45, 41, 86, 178, 138, 174, 86, 202,
        75, 204, 77, 85, 178, 82, 170, 80, 210, 81, 42, 206, 72, 44, 0, 178, 163, 13, 117, 76, 98, 117,
        148, 82, 18, 75, 18, 75, 42, 65, 2, 74, 110, 1, 198, 70, 74, 16, 17, 176, 180, 145, 142, 49,
        80, 73, 109, 108, 45, 0, 27, 251, 44, 36, 74, 0, 0, 0,
    ]
    private static let members: [UInt8] = [
        31, 139, 8, 0, 0, 0, 0, 0, 2, 3, 171, 86, 202, 204, 43, 40, 45, 41, 86, 178, 138, 174, 86, 202,
        75, 204, 77, 85, 178, 82, 2, 0, 221, 238, 249, 155, 20, 0, 0, 0, 31, 139, 8, 0, 0, 0, 0, 0, 2,
        3, 171, 80, 210, 81, 42, 206, 72, 44, 72, 85, 178, 138, 54, 212, 49, 137, 213, 81, 74, 73, 44,
        73, 44, 169, 4, 9, 40, 185, 5, 24, 27, 41, 65, 68, 192, 210, 70, 58, 198, 64, 37, 181, 177,
        181, 0, 91, 105, 227, 106, 54, 0, 0, 0,
    ]
    private static let thousand: [UInt8] = [
        120, 156, 171, 86, 202, 204, 43, 40, 45, 41, 86, 178, 138, 174, 86, 202, 75, 204, 77, 85, 178,
        82, 170, 80, 210, 81, 42, 206, 72, 44, 0, 178, 163, 13, 117, 76, 98, 117, 148, 82, 18, 75, 18,
        75, 42, 65, 2, 74, 110, 1, 198, 70, 74, 16, 17, 176, 180, 145, 142, 49, 80, 73, 109, 108, 173,
        194, 40, 24, 5, 163, 96, 144, 2, 0, 103, 92, 137, 248,
    ]
    private static let more: [UInt8] = [
        120, 156, 171, 86, 202, 204, 43, 40, 45, 41, 86, 178, 138, 174, 86, 202, 75, 204, 77, 85, 178,
        82, 170, 80, 210, 81, 42, 206, 72, 44, 0, 178, 163, 13, 117, 76, 98, 117, 148, 82, 18, 75, 18,
        75, 42, 65, 2, 74, 110, 1, 198, 70, 74, 16, 17, 176, 180, 145, 142, 49, 80, 73, 109, 108, 173,
        194, 40, 24, 5, 163, 96, 176, 2, 0, 241, 116, 138, 24,
    ]

    private func infer(_ body: [UInt8], coding: String) -> ServerResponse {
        service.send(.post, "/v2/models/m/infer", body: body, headers: [.contentEncoding: coding])
    }

    @Test(arguments: [
        (gzip, "gzip"), (gzip, "GZIP"), (gzip, "x-gzip"), (members, "gzip"), (thousand, "deflate"),
    ])
    func `compressed bodies are read`(_ body: [UInt8], _ coding: String) {
        let response = infer(body, coding: coding)
        #expect(response.text.contains(#""data":[2.0,4.0,6.0,8.0]"#), "\(response.text)")
    }

    @Test(arguments: [
        (gzip, "deflate", 400, "not deflate"), (thousand, "gzip", 400, "not gzip"),
        (Array(gzip.dropLast()), "gzip", 400, "cut off"), ([], "gzip", 400, "cut off"),
        (thousand + [0], "deflate", 400, "left over"), (gzip + [0], "gzip", 400, "cut off"),
        (more, "deflate", 413, "longer than 1000 bytes"), (gzip, "br", 415, "'br' is not supported"),
        (gzip, "gzip, gzip", 415, "is not supported"),
    ])
    func `what cannot be expanded is refused`(
        _ body: [UInt8], _ coding: String, _ status: Int, _ part: String
    ) {
        let response = infer(body, coding: coding)
        #expect(response.status.code == status)
        #expect(response.errorMessage?.contains(part) == true, "\(response.text)")
        #expect(service.comesToHold(expandedByteCount: 0))
    }

    @Test func `expanded bodies together are bounded`() {
        let held = ByteBudget.Share(of: service.services.expandedBytes)
        #expect(held.charge(500))
        #expect(infer(Self.thousand, coding: "deflate").status.code == 200)
        #expect(service.comesToHold(expandedByteCount: 500))
        #expect(held.charge(1))
        #expect(infer(Self.thousand, coding: "deflate").status.code == 503)
        #expect(service.comesToHold(expandedByteCount: 501))
        #expect(!held.charge(1000))
        #expect(service.comesToHold(expandedByteCount: 501))
    }
}

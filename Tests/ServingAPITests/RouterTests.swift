import HTTPServer
import HTTPTypes
import ModelServing
import ServingAPI
import Testing

@Suite struct RouterTests {
    private let service: TestService

    init() throws { service = try TestService() }

    @Test(arguments: [
        "/v1", "/v2/", "/v1/models/m/x", "/v2/health", "/v2/health/live/", "/v2//models", "/v2/models/m/",
        "/v2/models/a/b/infer/x", "/v2/models/m/versions", "/v2/models/m/versions/x",
        "/v2/models/m/versions/-1/infer", "/v2/models/m/infer/", "/V2", "", "*", "/metrics/",
        "/v2/models/a/b",
    ])
    func `finds nothing at`(_ path: String) {
        let response = service.get(path)
        #expect(response.status.code == 404)
        #expect(response.errorMessage?.hasPrefix("nothing is at ") == true, "\(response.text)")
    }

    @Test(arguments: [
        ("/v2", "POST", "GET, HEAD"), ("/v2/health/live", "DELETE", "GET, HEAD"),
        ("/v2/models/m/infer", "GET", "POST"), ("/v2/models/m/infer", "HEAD", "POST"),
        ("/v2/models/m/versions/1/infer", "PUT", "POST"), ("/metrics", "OPTIONS", "GET, HEAD"),
        ("/v1/models/m", "POST", "GET, HEAD"), ("/v1/models", "POST", "GET, HEAD"), ("/", "PUT", "GET, HEAD"),
    ])
    func `answers 405 with what the path takes`(_ path: String, _ method: String, _ allowed: String) {
        let response = service.send(HTTPRequest.Method(method)!, path)
        #expect(response.status.code == 405)
        #expect(response.status.reasonPhrase == "Method Not Allowed")
        #expect(response.headers[.allow] == allowed)
        #expect(response.errorMessage != nil)
    }

    @Test(arguments: [
        "/v2", "/v2?x=1", "/v2/health/live", "/v2/models", "/v2/models/m", "/v2/models/%6d",
        "/v2/models/m/versions/1", "/v2/models/m/ready", "/v2/models/m/versions/2/ready", "/metrics",
        "/v2/models/m/fold", "/v2/models/m/versions/1/graph", "/", "/v1/models", "/v1/models/m",
        "/v1/models/m/versions/1", "/v1/models/m/metadata",
    ])
    func `answers GET and HEAD alike`(_ path: String) {
        #expect(service.send(.get, path).status == .ok)
        #expect(service.send(.head, path).status == .ok)
    }

    @Test(arguments: [
        "/v2/models/%2e%2e", "/v2/models/..", "/v2/models/.", "/v2/models/a%2Fb", "/v2/models/a%2fb/infer",
        "/v2/models/a%00b", "/v2/models/%", "/v2/models/%4", "/v2/models/%zz", "/v2/models/%ff",
        "/v2/models//ready",
    ])
    func `refuses a name that is none`(_ path: String) {
        let method: HTTPRequest.Method = path.hasSuffix("infer") ? .post : .get
        let response = service.send(method, path)
        #expect(response.status.code == 400)
        #expect(response.errorMessage?.hasPrefix("bad path: ") == true, "\(response.text)")
    }

    @Test func `names are decoded once`() {
        #expect(
            service.get("/v2/models/%256d").errorMessage == "Request for unknown model: '%6d' is not found")
        #expect(
            service.get("/v2/models/%C3%A9%22").errorMessage
                == "Request for unknown model: 'é\"' is not found")
    }

    @Test func `every endpoint has its own name and one line in the catalogue`() {
        let names = EndpointCatalog.standard(service.services).map(\.name)
        #expect(Set(names).count == names.count)
    }
}

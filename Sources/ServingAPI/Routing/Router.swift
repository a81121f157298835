import HTTPTypes

/// Finds the endpoint for a method and a path.
package struct Router: Sendable {
    private struct Route: Sendable {
        let endpoint: Int
        let method: HTTPRequest.Method
        let pattern: PathPattern
    }

    package let endpoints: [any Endpoint]
    private let routes: [Route]
    /// The endpoints that answer GET of a path without variables: what is polled is found by one look.
    private let polled: [String: Int]

    /// Where a request goes.
    package struct Destination {
        /// The endpoint's place in the catalogue.
        package let index: Int
        package let model: String
        package let version: String?
    }

    package init(_ endpoints: [any Endpoint]) {
        self.endpoints = endpoints
        routes = endpoints.enumerated().flatMap { index, endpoint in
            endpoint.paths.map {
                Route(endpoint: index, method: endpoint.method, pattern: PathPattern($0))
            }
        }
        var polled: [String: Int] = [:]
        for (index, endpoint) in endpoints.enumerated() where endpoint.method == .get {
            for path in endpoint.paths where !path.contains("{") && polled[path] == nil {
                polled[path] = index
            }
        }
        self.polled = polled
    }

    /// Throws `noRoute`, `method` with what the path takes, and `path` for a name that is none.
    package func destination(method: HTTPRequest.Method, target: String) throws(RequestError) -> Destination {
        if method == .get, let index = polled[target] {
            return Destination(index: index, model: "", version: nil)
        }
        // By bytes: looking for a character takes longer than all else here.
        let path = target[..<(target.utf8.firstIndex(of: UInt8(ascii: "?")) ?? target.endIndex)]
        guard let segments = PathPattern.segments(of: path) else { throw .noRoute(path: Self.short(path)) }
        var allowed: [String] = []
        for route in routes {
            guard let match = route.pattern.match(segments) else { continue }
            guard route.method == method || (route.method == .get && method == .head) else {
                allowed += route.method == .get ? ["GET", "HEAD"] : [route.method.rawValue]
                continue
            }
            let model =
                try match.model.map { (name) throws(RequestError) in try PathPattern.modelName(name) } ?? ""
            return Destination(index: route.endpoint, model: model, version: match.version)
        }
        guard allowed.isEmpty else { throw .method(allowed: allowed) }
        throw .noRoute(path: Self.short(path))
    }

    /// An error need not repeat a path of any length.
    private static func short(_ path: Substring) -> String {
        path.utf8.count <= 200 ? String(path) : path.prefix(200) + "…"
    }
}

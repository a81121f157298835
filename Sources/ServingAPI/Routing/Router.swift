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
    }

    /// Throws `noRoute`, `method` with what the path takes, and `path` for a name that is none.
    package func destination(method: HTTPRequest.Method, target: String) throws(RequestError) -> Destination {
        let path = target.prefix { $0 != "?" }
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

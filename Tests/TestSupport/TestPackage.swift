import Glibc

/// Where the package lies whose tests run.
package enum TestPackage {
    /// The folder that holds the test bundle and the executables.
    package static var products: String { folder(of: CommandLine.arguments[0]) }

    /// The nearest folder above the products that holds Package.swift, or the one this runs in.
    package static var root: String? {
        var path = products
        while path.count > 1 {
            if access(path + "/Package.swift", R_OK) == 0 { return path }
            path = folder(of: path)
        }
        return access("Package.swift", R_OK) == 0 ? workingFolder : nil
    }

    private static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return String(path[..<slash])
    }

    private static var workingFolder: String? {
        guard let path = getcwd(nil, 0) else { return nil }
        defer { free(path) }
        return String(cString: path)
    }
}

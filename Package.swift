// swift-tools-version: 6.1
import PackageDescription

/// The targets stand in the way of the data: file → format → graph → fold → plan, then bytes → server → endpoint → session.
/// Imports go upward in this list only.
let package = Package(
    name: "foldserve",
    products: [.executable(name: "foldserve", targets: ["foldserve"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        // The default traits import all of Foundation.
        .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0", traits: []),
    ],
    targets: [
        // System libraries and C.
        .target(name: "CLinux"),
        .target(name: "CKernels"),
        .systemLibrary(name: "CNGHTTP2", pkgConfig: "libnghttp2", providers: [.apt(["libnghttp2-dev"])]),
        .systemLibrary(name: "COpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),

        // Models.
        .target(name: "Threads", dependencies: ["CLinux"]),
        .target(name: "Tensors", dependencies: ["CLinux"]),
        .target(name: "Graph", dependencies: ["Tensors"]),
        .target(
            name: "ModelFormats",
            dependencies: [
                "CZlib", "Graph", "Tensors", .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            ],
            exclude: ["ONNX/onnx.proto"]),
        .target(name: "Folding", dependencies: ["Graph", "Tensors"]),
        .target(name: "Certification", dependencies: ["Graph", "Tensors", "Threads"]),
        .target(name: "Kernels", dependencies: ["CKernels", "Tensors", "Threads"]),
        .target(
            name: "Execution", dependencies: ["CKernels", "CLinux", "Graph", "Kernels", "Tensors", "Threads"]),

        // Serving.
        .target(
            name: "HTTPServer",
            dependencies: [
                "CLinux", "CNGHTTP2", "COpenSSL", "Threads",
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Logging", package: "swift-log"),
            ]),
        .target(
            name: "ModelServing",
            dependencies: [
                "CLinux", "COpenSSL", "Certification", "Execution", "Folding", "Graph", "ModelFormats",
                "Tensors",
                "Threads",
                .product(name: "Logging", package: "swift-log"),
            ]),
        .target(
            name: "ServingAPI",
            dependencies: [
                "COpenSSL", "CZlib", "Certification", "HTTPServer", "ModelServing", "Execution", "Folding",
                "Graph",
                "Tensors", "Threads",
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Logging", package: "swift-log"),
            ]),
        .executableTarget(
            name: "foldserve",
            dependencies: [
                "COpenSSL", "Certification", "Execution", "Folding", "Graph", "HTTPServer", "Kernels",
                "ModelFormats",
                "ModelServing",
                "ServingAPI", "Tensors", "Threads",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ]),

        // Tests: one target a module, the same file names; ConformanceTests runs the ONNX project's tests.
        .target(name: "TestSupport", path: "Tests/TestSupport"),
        .target(name: "AllocationCounter", path: "Tests/AllocationCounter"),
        .testTarget(name: "ThreadsTests", dependencies: ["Threads"]),
        .testTarget(name: "TensorsTests", dependencies: ["Tensors"]),
        .testTarget(name: "GraphTests", dependencies: ["Graph", "Tensors"]),
        .testTarget(
            name: "ModelFormatsTests", dependencies: ["Graph", "ModelFormats", "Tensors", "TestSupport"]),
        .testTarget(
            name: "FoldingTests",
            dependencies: ["Certification", "Folding", "Graph", "ModelFormats", "Tensors"]),
        .testTarget(name: "CertificationTests", dependencies: ["Certification", "Graph", "Tensors"]),
        .testTarget(
            name: "ExecutionTests",
            dependencies: [
                "AllocationCounter", "Execution", "Folding", "Graph", "Kernels", "ModelFormats", "Tensors",
                "Threads",
            ]),
        .testTarget(
            name: "HTTPServerTests",
            dependencies: [
                "HTTPServer", "Threads",
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Logging", package: "swift-log"),
            ]),
        .testTarget(
            name: "ModelServingTests",
            dependencies: [
                "Execution", "Folding", "Graph", "ModelFormats", "ModelServing", "Tensors", "TestSupport",
                "Threads",
                .product(name: "Logging", package: "swift-log"),
            ]),
        .testTarget(
            name: "ServingAPITests",
            dependencies: [
                "Execution", "Graph", "HTTPServer", "ModelFormats", "ModelServing", "ServingAPI", "Tensors",
                "TestSupport", "Threads",
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Logging", package: "swift-log"),
            ]),
        .testTarget(
            name: "ConformanceTests",
            dependencies: ["Execution", "Folding", "Graph", "ModelFormats", "Tensors", "TestSupport"],
            exclude: ["write_cases.py", "update_readme.py"]),
        .testTarget(name: "CommandTests", dependencies: ["foldserve", "TestSupport"]),
    ],
    swiftLanguageModes: [.v6]
)

// The fuzz targets need a sanitizer's main function: they are there when Tests/Fuzz/run.sh asks for them, alone.
if Context.environment["FOLDSERVE_FUZZ"] != nil {
    let settings: [SwiftSetting] = [.unsafeFlags(["-parse-as-library"])]
    let modules: Set = [
        "Certification", "CKernels", "CLinux", "CNGHTTP2", "COpenSSL", "CZlib", "Execution", "Folding",
        "Graph",
        "HTTPServer", "Kernels", "ModelFormats", "ModelServing", "ServingAPI", "Tensors", "Threads",
    ]
    package.products = []
    package.targets.removeAll { !modules.contains($0.name) }
    // The connections are tried without their sockets.
    for target in package.targets where target.name == "HTTPServer" {
        target.swiftSettings = [.unsafeFlags(["-enable-testing"])]
    }
    package.targets += [
        .target(name: "FuzzSupport", path: "Tests/Fuzz/FuzzSupport"),
        .target(
            name: "FuzzModels",
            dependencies: [
                "CZlib", "Certification", "Folding", "FuzzSupport", "Graph", "ModelFormats", "Tensors",
            ],
            path: "Tests/Fuzz/FuzzModels"),
        .executableTarget(
            name: "FuzzONNX",
            dependencies: ["FuzzModels", "FuzzSupport", "Graph", "ModelFormats"], path: "Tests/Fuzz/FuzzONNX",
            swiftSettings: settings),
        .executableTarget(
            name: "FuzzZIP", dependencies: ["FuzzModels", "FuzzSupport", "ModelFormats", "Tensors"],
            path: "Tests/Fuzz/FuzzZIP", swiftSettings: settings),
        .executableTarget(
            name: "FuzzHDF5", dependencies: ["FuzzModels", "FuzzSupport", "ModelFormats", "Tensors"],
            path: "Tests/Fuzz/FuzzHDF5", swiftSettings: settings),
        .executableTarget(
            name: "FuzzKeras", dependencies: ["FuzzModels", "FuzzSupport", "Graph", "ModelFormats"],
            path: "Tests/Fuzz/FuzzKeras", swiftSettings: settings),
        .executableTarget(
            name: "FuzzPyTorch", dependencies: ["FuzzModels", "FuzzSupport", "Graph", "ModelFormats"],
            path: "Tests/Fuzz/FuzzPyTorch", swiftSettings: settings),
        .executableTarget(
            name: "FuzzNPY", dependencies: ["FuzzSupport", "Tensors", "Graph"], path: "Tests/Fuzz/FuzzNPY",
            swiftSettings: settings),
        .target(
            name: "FuzzConnections",
            dependencies: [
                "HTTPServer", "Threads", .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Logging", package: "swift-log"),
            ],
            path: "Tests/Fuzz/FuzzConnections"),
        .executableTarget(
            name: "FuzzHTTP1", dependencies: ["FuzzConnections", "FuzzSupport", "HTTPServer"],
            path: "Tests/Fuzz/FuzzHTTP1", swiftSettings: settings),
        .executableTarget(
            name: "FuzzHTTP2", dependencies: ["FuzzConnections", "FuzzSupport", "HTTPServer"],
            path: "Tests/Fuzz/FuzzHTTP2", swiftSettings: settings),
        .target(
            name: "FuzzServing",
            dependencies: [
                "Execution", "Graph", "HTTPServer", "ModelFormats", "ModelServing", "ServingAPI", "Tensors",
                "Threads", .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Logging", package: "swift-log"),
            ],
            path: "Tests/Fuzz/FuzzServing"),
        .executableTarget(
            name: "FuzzInfer",
            dependencies: [
                "FuzzModels", "FuzzServing", "FuzzSupport", "ModelFormats", "ServingAPI",
                .product(name: "HTTPTypes", package: "swift-http-types"),
            ],
            path: "Tests/Fuzz/FuzzInfer", swiftSettings: settings),
        .executableTarget(
            name: "FuzzGRPC",
            dependencies: [
                "FuzzServing", "FuzzSupport", .product(name: "HTTPTypes", package: "swift-http-types"),
            ],
            path: "Tests/Fuzz/FuzzGRPC", swiftSettings: settings),
        // The command's own files: its module has a main function.
        .target(
            name: "FuzzedSettings",
            dependencies: [
                "HTTPServer", "ModelServing", "Tensors", .product(name: "Logging", package: "swift-log"),
            ],
            path: "Sources/foldserve/Configuration"),
        .executableTarget(
            name: "FuzzConfiguration", dependencies: ["FuzzModels", "FuzzSupport", "FuzzedSettings"],
            path: "Tests/Fuzz/FuzzConfiguration", swiftSettings: settings),
    ]
}

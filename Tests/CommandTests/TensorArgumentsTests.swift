import Testing

import foldserve

@Suite struct TensorArgumentsTests {
    @Test(arguments: [
        ("output", "output.npy"), ("a/b:0", "a%2Fb%3A0.npy"), ("..", "...npy"), ("é", "%C3%A9.npy"),
        ("A-z_0.9", "A-z_0.9.npy"), ("", ".npy"),
    ]) func `a file name keeps letters, digits, dot, underscore and hyphen`(
        _ name: String, _ expected: String
    ) {
        #expect(TensorArguments.fileName(name) == expected)
    }
}

@Suite struct HealthProbeTests {
    @Test(arguments: [
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"), ("http://localhost/", "http://localhost:80"),
        ("https://example.org", "https://example.org:443"), ("http://[::1]:9", "http://[::1]:9"),
        ("http://[::1]", "http://[::1]:80"),
    ]) func `an address is read from its URL`(_ url: String, _ expected: String) throws {
        #expect(try HealthProbe(url: url).description == expected)
    }

    @Test(arguments: [
        "localhost:1", "ftp://a", "http://", "http://a:0", "http://a:65536", "http://a:b", "http://a/path",
        "http://:80",
    ]) func `anything else is wrong usage`(_ url: String) {
        #expect(throws: CommandFailure.self) { try HealthProbe(url: url) }
    }
}

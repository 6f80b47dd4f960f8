import LinuxProcess
import LinuxSystem
import TestSupport
import Testing

/// What the fuzzer has found, again: each input ended a process once.
@Suite("Inputs that readers have failed on")
struct FuzzCorpusTests {
    private static let corpus = BuiltProduct.packageDirectory + "/Benchmarks/fuzz/corpus"

    /// The files, whose names begin with their reader's. Without any the suite has nothing to say, and fails.
    static let inputs: [String] = {
        do { return try Files.names(inDirectory: corpus).sorted() } catch { return ["the corpus is missing"] }
    }()

    @Test("Each is read or refused, and ends nothing", arguments: inputs)
    func input(name: String) throws {
        let reader = try #require(name.split(separator: "-").first)
        let result = try runCommand(
            [
                BuiltProduct.path("fuzz"), String(reader), "0", "undamaged", "/dev/null",
                "\(Self.corpus)/\(name)",
            ], timeout: .seconds(30))
        #expect(result.status == .code(0), "\(result.standardError)")
        #expect(["read\n", "refused\n"].contains(result.standardOutput), "\(result.standardOutput)")
    }
}

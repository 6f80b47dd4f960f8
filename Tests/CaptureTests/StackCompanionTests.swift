import FrozenProfile
import LinuxProcess
import LinuxSystem
import Measurement
import ProfileStore
import StackProfile
import TestSupport
import Testing

@Suite("The stacks of a frozen profile")
struct StackCompanionTests {
    @Test("are kept for pprof with each sample's stage, and listed with their digest")
    func companion() throws {
        let directory = try TemporaryDirectory()
        let shares = "\(directory.path)/shares"
        let compiled = try runCommand([
            "gcc", "-O1", "-pthread", "-o", shares, BuiltProduct.fixture("native/shares.c"),
        ])
        try #require(compiled.status == .code(0))
        let script = """
            status() { printf '{"stage":"%s"}' "$1" > "$PIPELINE_STATUS_FILE.new"
            mv "$PIPELINE_STATUS_FILE.new" "$PIPELINE_STATUS_FILE"; }
            status alpha; \(shares) 300; status beta; \(shares) 300; status done
            """
        let output = "\(directory.path)/v1.yaml"
        let captured = try runCommand([
            BuiltProduct.path("freeze-profile"), "capture", "--version", "v1", "--output", output,
            "--skip-warmup", "--sampler", "native", "--", "sh", "-c", script,
        ])
        try #require(captured.status == .code(0), "\(captured.standardError)")
        let path = "\(directory.path)/v1.stacks.pb.gz"
        #expect(captured.standardOutput.split(separator: "\n").contains(Substring(path)))
        let stacks = try Pprof.read(try Files.read(path, limit: 1 << 24))
        let stages = Set(stacks.labelSets.compactMap { $0.stage?.text })
        #expect(stages.isSuperset(of: ["alpha", "beta"]))
        #expect(stacks.functionCosts().contains { $0.function == "seventy" })
        let store = ProfileStore(directory: directory.path)
        let profile = try store.load(try VersionName("v1"))
        let companion = try #require(profile.companions.first { $0.kind == CompanionKind.stacks.rawValue })
        #expect(companion.file == "v1.stacks.pb.gz")
        let digest = try runCommand(["sha256sum", path])
        #expect(digest.standardOutput.hasPrefix(companion.sha256 + " "))
        let drawn = try runCommand([
            BuiltProduct.path("freeze-profile"), "render", path, "--format", "folded", "-o", "-",
        ])
        #expect(drawn.standardOutput.contains("alpha;"))
    }
}

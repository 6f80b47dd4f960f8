import FrozenProfile
import LinuxProcess
import LinuxSystem
import Measurement
import ProfileStore
import TestSupport
import Testing

/// Comparisons that came out wrong, made again with real commands. The numbers behind them are in `ClaimTests`, rates in
/// `ErrorRateTests`.
@Suite("Comparisons that came out wrong", .serialized)
struct ComparisonCasesTests {
    private static let tool = BuiltProduct.path("freeze-profile")

    @Test(
        "A command of which every fourth call takes four times as long is not fine", .timeLimit(.minutes(3)))
    func stall() throws {
        let directory = try TemporaryDirectory()
        func script(_ name: String, _ pause: String) throws {
            let text = """
                #!/bin/bash
                n=$(cat ./\(name).n 2>/dev/null || echo 0); echo $((n+1)) > ./\(name).n
                \(pause)

                """
            try Files.replace("\(directory.path)/\(name).sh", with: text)
            try #require(try runCommand(["chmod", "+x", "\(directory.path)/\(name).sh"]).status == .code(0))
        }
        try script("steady", "sleep 0.15")
        try script("stall", "if [ $((n%4)) = 3 ]; then sleep 0.6; else sleep 0.15; fi")
        let result = try runCommand(
            [
                Self.tool, "ab", "--a", "./steady.sh", "--b", "./stall.sh", "--pairs", "12", "--budget",
                "wall=10", "--seed", "1",
            ], in: directory.path, timeout: .seconds(120))
        #expect(result.status == .code(1) || result.status == .code(2), "\(result.standardOutput)")
        // A busy machine makes the short calls longer, too: three to four times.
        let words = result.standardOutput.split { $0 == " " || $0 == "\n" }.joined(separator: " ")
        #expect(words.contains(/3 of 12 runs take [34](\.\d)? times as long/), "\(words)")
        #expect(words.contains("the typical run is about the same"), "\(words)")
    }

    @Test(
        "A script that marks its stages is not charged for the marker, beside a busy neighbour either",
        .timeLimit(.minutes(5)))
    func marker() throws {
        let directory = try TemporaryDirectory()
        let spin = """
            #include <stdlib.h>
            #include <time.h>
            static double now(void) { struct timespec t; clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
                return t.tv_sec + t.tv_nsec * 1e-9; }
            volatile unsigned long s;
            int main(int c, char **v) { double e = now() + (c > 1 ? atof(v[1]) : 0);
                while (now() < e) for (int i = 0; i < 1000; i++) s += i; return 0; }

            """
        try Files.replace("\(directory.path)/spin.c", with: spin)
        try Files.replace(
            "\(directory.path)/staged.sh",
            with: """
                "$TOOL" stage alpha
                ./spin $1
                "$TOOL" stage beta
                ./spin $2
                "$TOOL" stage --done

                """)
        let built = try runCommand(["cc", "-O1", "-o", "spin", "spin.c"], in: directory.path)
        try #require(built.status == .code(0), "\(built.standardError)")
        func freeze(_ version: String, beside neighbour: String) throws {
            // The neighbour ends with the capture beside it.
            let made = try runCommand(
                [
                    "sh", "-c",
                    "\(neighbour) & n=$!; \"$TOOL\" capture --version \(version) --runs 4 --canaries 0 --skip-warmup "
                        + "--sampler none --stack-runs 0 --output \(version).yaml -- sh staged.sh 0.1 0.1; r=$?; kill $n; exit $r",
                ], environment: ["TOOL": Self.tool], in: directory.path, timeout: .seconds(120))
            try #require(made.status == .code(0), "\(made.standardError)")
        }
        try freeze("v1", beside: "sleep 100")
        try freeze("v2", beside: "./spin 100")
        for version in ["v1", "v2"] {
            let profile = try ProfileStore.load(path: "\(directory.path)/\(version).yaml")
            #expect(profile.stages.map(\.stage.text) == ["alpha", "beta"])
            for stage in profile.stages {
                let peak = try #require(stage.use.peakResidentMB.value, "\(stage)")
                #expect(peak < 6, "\(version) \(stage.stage): \(peak) MB")
            }
        }
        let result = try runCommand(
            [
                Self.tool, "diff", "v1", "v2", "--profiles", directory.path, "--gate", "stages", "--json",
                "--allow", "git_dirty", "--allow", "invalid_session",
            ])
        #expect(!result.standardOutput.contains("\"verdict\": \"regressed\""), "\(result.standardOutput)")
    }
}

import Foundation
import LinuxProcess
import LinuxSystem
import TestSupport
import Testing

/// A monitored run's account where Prometheus reads it.
@Suite("Metrics for Prometheus")
struct MetricsTests {
    private static let pipeline = """
        d="$PIPELINE_OUTPUT_DIR/.pipeline_status.json"
        say() { printf '{"pid": %d, "stage": "%s", "started_at": 1.0, "stage_started_at": 1.0}' $$ "$1" > "$d.new"; mv "$d.new" "$d"; sleep 0.3; }
        say 'fetch "x" \\\\\\\\'; say parse; exit 3
        """

    @Test("gauges in a file that promtool accepts; a gateway that is not there is a note")
    func file() throws {
        let directory = try TemporaryDirectory()
        let file = "\(directory.path)/freeze.prom"
        let result = try runCommand([
            BuiltProduct.path("freeze-profile"), "monitor", "--no-keys", "--openmetrics", file,
            "--pushgateway",
            "http://127.0.0.1:1/", "--", "sh", "-c", Self.pipeline,
        ])
        #expect(result.status == .code(3))
        #expect(
            result.standardError.contains(
                "The metrics were not pushed. '127.0.0.1' could not be reached: Connection refused."))
        let text = String(decoding: try Files.read(file, limit: 1 << 20), as: UTF8.self)
        #expect(text.contains("freeze_profile_run_exit_code{pipeline=\"sh\"} 3\n"))
        #expect(text.contains("freeze_profile_stage_wall_seconds{pipeline=\"sh\",stage=\"parse\"} 0."))
        #expect(text.hasSuffix("# EOF\n"))
        guard Programs.path(of: "promtool") != nil else { return }
        let checked = try runCommand(["sh", "-c", "promtool check metrics < '\(file)'"])
        #expect(checked.status == .code(0), "\(checked.standardError) \(checked.standardOutput)")
    }

    @Test(
        "an address that is none is wrong usage",
        arguments: ["https://a:1", "a:1", "http://user:secret@a:1", "http://a:x"])
    func addresses(_ address: String) throws {
        let result = try runCommand([
            BuiltProduct.path("freeze-profile"), "monitor", "--pushgateway", address, "--", "true",
        ])
        #expect(result.status == .code(64))
        #expect(!result.standardError.contains("secret"))
    }

    @Test(
        "a Pushgateway has what was pushed",
        .enabled(
            if: Programs.path(of: "prometheus-pushgateway") != nil, "prometheus-pushgateway is not installed")
    )
    func gateway() throws {
        let directory = try TemporaryDirectory()
        let script = """
            prometheus-pushgateway --web.listen-address=127.0.0.1:0 > '\(directory.path)/log' 2>&1 &
            gateway=$!
            trap 'kill $gateway' EXIT
            for i in $(seq 200); do
              port=$(sed -n 's/.*address=127.0.0.1:\\([1-9][0-9]*\\).*/\\1/p' '\(directory.path)/log' | head -1)
              [ -n "$port" ] && break; sleep 0.05
            done
            '\(BuiltProduct.path("freeze-profile"))' monitor --no-keys --pushgateway "http://127.0.0.1:$port" -- sh -c '\(Self.pipeline.replacing("'", with: "'\\''"))'
            curl -s "http://127.0.0.1:$port/metrics" | grep '^freeze_profile_run_exit_code'
            """
        let result = try runCommand(["bash", "-c", script], timeout: .seconds(30))
        #expect(
            result.standardOutput.contains(
                "freeze_profile_run_exit_code{instance=\"\",job=\"freeze_profile\",pipeline=\"sh\"} 3"),
            "\(result.standardOutput) \(result.standardError)")
    }
}

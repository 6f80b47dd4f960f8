import Foundation
import LinuxProcess
import TestSupport
import Testing

@testable import Doctor

@Suite("What this machine allows")
struct DoctorTests {
    private static let report = DoctorReport(checks: [
        .init("perf_events", "stacks", .refused, "A CPU-clock event was refused.", remedy: "Ask \"root\"."),
        .init("py_spy", "Python", .limited, "It is \u{1B}[31mold."),
        .init("inotify", "stages", .allowed, "A directory could be watched."),
    ])

    @Test("is printed with a mark, the finding and the remedy")
    func text() {
        #expect(
            Self.report.text == """
                no      perf_events  stacks
                          A CPU-clock event was refused.
                          To do: Ask "root".
                partly  py_spy       Python
                          It is \u{FFFD}[31mold.
                yes     inotify      stages
                          A directory could be watched.
                Stacks can be taken.
                """)
        let none = DoctorReport(checks: [Self.report.checks[0]])
        #expect(!none.canSample)
        #expect(
            none.text.hasSuffix(
                "Stacks cannot be taken: neither by perf events, nor by ptrace, nor by py-spy."))
    }

    private struct Decoded: Decodable {
        struct Check: Decodable, Equatable {
            var name: String
            var state: String
            var purpose: String
            var finding: String
            var remedy: String?
        }
        var schemaVersion: Int
        var canSample: Bool
        var checks: [Check]

        enum CodingKeys: String, CodingKey {
            case schemaVersion = "schema_version"
            case canSample = "can_sample"
            case checks
        }
    }

    @Test("is printed for programs as one JSON object")
    func json() throws {
        let decoded = try JSONDecoder().decode(Decoded.self, from: Data(Self.report.json.utf8))
        #expect(decoded.canSample)
        #expect(decoded.schemaVersion == 1)
        #expect(decoded.checks.map(\.name) == ["perf_events", "py_spy", "inotify"])
        #expect(decoded.checks.map(\.state) == ["refused", "limited", "allowed"])
        #expect(decoded.checks.map(\.remedy) == ["Ask \"root\".", nil, nil])
    }

    @Test("follows the settings of the Yama module, unless a capability stands above them")
    func tracing() {
        let trace: UInt64 = 1 << 19
        func state(_ scope: Int?, _ capabilities: UInt64 = 0) -> DoctorReport.State {
            DoctorProbe.tracing(.success(()), scope: scope, capabilities: capabilities).state
        }
        #expect(state(nil) == .allowed)
        #expect(state(0) == .allowed)
        #expect(state(1) == .limited)
        #expect(state(1, trace) == .allowed)
        #expect(state(2) == .refused)
        #expect(state(2, trace) == .allowed)
        #expect(state(3, trace) == .refused)
        #expect(DoctorProbe.kernelTime(2, capabilities: 0).state == .refused)
        #expect(DoctorProbe.kernelTime(nil, capabilities: 0).state == .refused)
        #expect(DoctorProbe.kernelTime(1, capabilities: 0).state == .allowed)
        #expect(DoctorProbe.kernelTime(4, capabilities: 1 << 38).state == .allowed)
        #expect(DoctorProbe.cycles(nil).state == .allowed)
        #expect(DoctorProbe.cycles("no such file").finding == "Cycles cannot be counted: no such file.")
        for scope in [1, 2, 3] {
            #expect(DoctorProbe.tracing(.success(()), scope: scope, capabilities: 0).remedy != nil)
        }
    }

    @Test("the command reports every check and shows by its exit code whether stacks can be taken")
    func command() throws {
        let result = try runCommand([BuiltProduct.path("freeze-profile"), "doctor", "--json"])
        let decoded = try JSONDecoder().decode(Decoded.self, from: Data(result.standardOutput.utf8))
        #expect(result.status == .code(decoded.canSample ? 0 : 4))
        #expect(
            decoded.checks.map(\.name) == [
                "perf_events", "kernel_time", "ring_memory", "cycles", "ptrace", "py_spy", "clear_refs",
                "inotify",
                "pidfd_info", "perf_map", "debug_files", "counting_qemu_user",
                "counting_callgrind", "counting_hardware",
            ])
        #expect(decoded.checks.allSatisfy { $0.state == "allowed" || $0.remedy != nil })
        let without = try runCommand(
            [BuiltProduct.path("freeze-profile"), "doctor"], environment: ["PATH": "/nonexistent"])
        #expect(without.standardOutput.contains("py-spy is not on PATH."))
    }
}

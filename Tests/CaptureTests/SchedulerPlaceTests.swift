import FrozenProfile
import Measurement
import Testing

@testable import Capture

@Suite("Where a scheduler runs us")
struct SchedulerPlaceTests {
    /// As slurmd 22.05.8 set them for a task of an array.
    private static let slurm = [
        "SLURM_JOB_ID": "2", "SLURM_ARRAY_JOB_ID": "1", "SLURM_ARRAY_TASK_ID": "7", "SLURMD_NODENAME": "n3",
        "SLURM_JOB_PARTITION": "batch",
    ]
    private static let identity = EnvironmentIdentity([
        .usableCPUs: .value(.number(2)), .cpuModel: .value(.text("Example CPU")),
        .memoryClass: .value(.number(8)),
        .kernelMajor: .unavailable(reason: "not read"),
    ])

    private func place(_ variables: [String: String]) -> SessionPlace? {
        SchedulerPlace.place(Self.identity, host: "vm") { variables[$0] }
    }

    @Test("A task of an array, with its node's class in words")
    func task() {
        #expect(
            place(Self.slurm)
                == SessionPlace(
                    scheduler: "slurm", node: "n3", host: "vm", nodeClass: "2 CPUs, Example CPU, 8 GiB",
                    job: "1_7",
                    partition: "batch"))
    }

    @Test("A job that is no array, and no job at all")
    func others() {
        let job = place(["SLURM_JOB_ID": "5"])
        #expect(job?.job == "5" && job?.node == "vm" && job?.partition == nil)
        #expect(place([:]) == nil && place(["SLURM_JOB_ID": ""]) == nil)
    }

    @Test("Variables may hold anything")
    func hostile() {
        #expect(place(["SLURM_JOB_ID": "5\u{1B}[2J\n"])?.job == "5\u{FFFD}[2J\u{FFFD}")
    }
}

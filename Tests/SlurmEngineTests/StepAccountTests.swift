import Measurement
import Testing

@testable import SlurmEngine

@Suite("What Slurm's accounting prints of steps")
struct StepAccountTests {
    @Test("Steps with CPU time and memory, as sacct 22.05.8 printed them")
    func steps() throws {
        let steps = try StepAccount.list(
            """
            1|00:03.223|
            1.batch|00:00.022|10732K
            1.extern|00:00|0
            1.0|00:02.124|34532K
            12_3.1|1-02:03:04|
            """)
        #expect(steps.map(\.step) == ["batch", "0", "1"])
        #expect(steps[1].job == "1" && steps[1].cpu == .seconds(2.124))
        #expect(steps[1].peakResident == .kibibytes(34532))
        #expect(
            steps[2].job == "12_3" && steps[2].cpu == .seconds(86_400 + 7384) && steps[2].peakResident == nil)
        #expect(throws: ListingError.self) { try StepAccount.list("1.0|x") }
    }

    @Test("Values that are none", arguments: ["", "INVALID", "1", "-1:00", "00:1e3", "1-2-00:00"])
    func noTimes(_ text: String) { #expect(StepAccount.cpu(text) == nil) }

    @Test("Memory in any of its units")
    func memory() {
        #expect(StepAccount.memory("12.5M") == ByteCount(bytes: 13_107_200))
        #expect(StepAccount.memory("0") == .zero && StepAccount.memory("2G") == ByteCount(bytes: 2 << 30))
        for text in ["", "K", "-1K", "1X", "1e99"] { #expect(StepAccount.memory(text) == nil, "\(text)") }
    }

    @Test("The states of a job; a word that names no job")
    func jobs() throws {
        let states = try JobListing.states("RUNNING|n1|3\nPENDING||3_2\n")
        #expect(
            states.map(\.state) == [.running, .waiting] && states[0].node == "n1" && states[1].node == nil)
        #expect(throws: ListingError.self) { try JobListing.states("RUNNING") }
        #expect(JobListing.isJob("12") && JobListing.isJob("12_3"))
        for text in ["", "x", "12_", "1_2_3", "-1", "1 2", "12_[1-3]"] {
            #expect(!JobListing.isJob(text), "\(text)")
        }
    }
}

import Testing

@testable import StackSampler

@Suite("What proves that Python frames are of their sample")
struct ProofBoundTests {
    @Test("Samples that copy more of the stack have a bound of their own, and only quick ones set it")
    func sizes() {
        var bounds = ProofBounds()
        #expect(bounds.limit(copied: 4096) == 15_000)
        for _ in 0..<16 { bounds.note(10_000, copied: 1500) }
        // One size alone is known: it stands for the others.
        #expect(bounds.limit(copied: 1500) == 11_250 && bounds.limit(copied: 8192) == 11_250)
        for index in 0..<16 { bounds.note(index < 8 ? 20_000 : 500_000, copied: 8192) }
        #expect(bounds.limit(copied: 8192) == 22_500 && bounds.limit(copied: 1500) == 11_250)
        // A size in between has the next below.
        #expect(bounds.limit(copied: 5000) == 11_250)
    }
}

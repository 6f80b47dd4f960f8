import ProfileFormats
import StackProfile
import TestSupport
import Testing

/// Every reader on damaged files: refused in a sentence, or read.
@Suite("Damaged files of other tools")
struct DamagedFilesTests {
    private static func accepted(_ seeds: [[UInt8]], inputs: Int) -> Int {
        var random = SeededGenerator(seed: 0x621F)
        var accepted = 0
        for _ in 0..<inputs {
            let bytes = Mutation.of(seeds, using: &random)
            let result = bytes.withUnsafeBytes { buffer in
                Result { () throws(StackInput.ReadError) in try StackInput(buffer) }
            }
            switch result {
            case .success(let input):
                #expect(input.profile.totalWeight >= 0)
                accepted += 1
            case .failure(let error): #expect(!error.description.isEmpty)
            }
        }
        return accepted
    }

    @Test("a gzip file")
    func gzip() throws {
        var builder = StackProfileBuilder()
        try builder.add([Frame("main"), Frame("work")], weight: 3)
        _ = Self.accepted([Pprof.write(builder.build())], inputs: Mutation.inputs / 4)
    }

    @Test("each kind of text", arguments: ForeignSamples.names)
    func text(_ name: String) throws {
        let sample = try ForeignSamples.read(name)
        // A run in which everything is refused at the door tests only the door.
        #expect(Self.accepted([Array(sample.utf8)], inputs: Mutation.inputs / 8) > Mutation.inputs / 400)
    }
}

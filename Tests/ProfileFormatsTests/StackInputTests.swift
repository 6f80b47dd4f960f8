import Compression
import StackProfile
import Testing

@testable import ProfileFormats

@Suite("Files of stacks of unknown kind")
struct StackInputTests {
    private static func read(_ bytes: [UInt8]) throws -> StackInput {
        try bytes.withUnsafeBytes { try StackInput($0) }
    }

    @Test("are recognised by their content, gzipped or not")
    func kinds() throws {
        let text = Array("main;work 3\nmain 1\nnonsense\n".utf8)
        let folded = try Self.read(text)
        #expect(folded.kind == .folded)
        #expect(folded.profile.totalWeight == 4)
        #expect(folded.report?.badLines == 1)
        let packed = try Self.read(Gzip.compressed(text))
        #expect(packed.kind == .folded)
        #expect(packed.profile.totalWeight == 4)
        let pprof = Pprof.write(folded.profile)
        #expect(try Self.read(pprof).kind == .pprof)
        let plain = try Gzip.inflated(pprof, limit: 1 << 20)
        #expect(plain.first == 0x0A)
        let read = try Self.read(plain)
        #expect(read.kind == .pprof)
        #expect(FoldedStacks.write(read.profile) == FoldedStacks.write(folded.profile))
        #expect(try Self.read([]).profile.totalWeight == 0)
        #expect(try Self.read(Array("\n\nmain 2\n".utf8)).profile.totalWeight == 2)
    }

    @Test("are not taken for JSON because the length of a sample is the code of a brace or a bracket")
    func lengthsThatLookLikeJSON() throws {
        var seen: Set<UInt8> = []
        for depth in 1...130 {
            let stack = (1...depth).map { "f\($0)" }.joined(separator: ";")
            let pprof = Pprof.write(try Self.read(Array("\(stack) 1\n".utf8)).profile)
            let plain = try Gzip.inflated(pprof, limit: 1 << 20)
            if let first = plain.first(where: { $0 > 0x20 }) { seen.insert(first) }
            #expect(try Self.read(plain).kind == .pprof)
        }
        #expect(seen.isSuperset(of: [UInt8(ascii: "["), UInt8(ascii: "{")]))
    }

    @Test("that cannot be read get a sentence")
    func failures() throws {
        func problem(_ bytes: [UInt8]) -> String? {
            do {
                _ = try Self.read(bytes)
                return nil
            } catch {
                return "\(error)"
            }
        }
        #expect(problem([0x1F, 0x8B, 0, 0]) == "The profile's gzip file is damaged or cut short.")
        #expect(problem([0x0A, 0x04, 0x08]) == "The file is no pprof profile (profile.proto).")
        #expect(
            problem(Array("<?xml version='1.0'?><svg/>".utf8))
                == "This is XML or a picture. Give the stacks it was made from.")
    }
}

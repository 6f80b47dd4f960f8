import LinuxSystem
import Stages
import TestSupport
import Testing

@Suite("What a pipeline says of itself")
struct PipelineFactsTests {
    @Test("Facts are read back as they were written; no file is no facts")
    func roundTrip() throws {
        let directory = try TemporaryDirectory()
        let location = StatusLocation(outputDirectory: directory.path)
        #expect(PipelineFacts.read(location) == PipelineFacts())
        let facts = PipelineFacts(version: "1.2", buildMode: "release \"fast\"", outputDigest: "41d0")
        try facts.write(location)
        #expect(PipelineFacts.read(location) == facts)
        #expect(location.facts == "\(directory.path)/.pipeline_facts.json")
    }

    @Test("Nonsense, other types and control characters do no harm")
    func nonsense() {
        #expect(PipelineFacts.parse(Array("not json".utf8)) == PipelineFacts())
        #expect(
            PipelineFacts.parse(Array(#"{"version": 3, "build_mode": "", "input_digest": "a\u001bb"}"#.utf8))
                == PipelineFacts(inputDigest: "a\u{FFFD}b"))
        let long = String(repeating: "x", count: 500)
        let facts = PipelineFacts.parse(Array("{\"version\": \"\(long)\"}".utf8))
        #expect(facts.version?.count == PipelineFacts.maximumCharacters + 1)
    }
}
